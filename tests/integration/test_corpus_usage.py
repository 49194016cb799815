"""Real recordings of others, with the usage that a person read in their raw bodies.

The recordings stand beside the repository and not in it; without them there is nothing to read here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.wire import Background, read

CORPUS: Final = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of recordings is not beside the repository")

# A file by a part of its path that no other has; then each interaction's status, classes and fees, in order.
EXPECTED: Final = """
claude-agent-sdk
    skipped
google-genai/tests/cassettes/test_instrumentation/test_streaming_reasoning
    exact input=11 output=703 thinking=713
test_gemini_token_counts_streaming
    exact input=11 output=16 thinking=232
test_authentication_error/anthropic
    error
test_caching_multi_turn_conversation/google
    exact input=742 cache_read=3055 output=656 thinking=1549
    exact input=4464 output=137 thinking=958
    exact input=4610 output=158 thinking=934
test_web_search_tool/anthropic
    exact input=2081 cache_read=28289 cache_write=8239 output=561 fee:web_search=3
    exact input=17 cache_read=64992 cache_write=11627 output=606 fee:web_search=2
openai_gpt_5_responses/stream
    exact input=32 output=7 thinking=832
    exact input=62 output=10
TestCrewMultimodalAnthropic
    exact input=3 cache_write=2262 output=84
cassettes/crewAIInc__crewAI/lib/crewai/tests/cassettes/agents/test_disabling_cache_for_agent
    exact input=134 output=20
    exact input=198 output=2
    exact input=284 output=20
    exact input=348 output=2
    exact input=442 output=56
    exact input=506 output=20
    exact input=570 output=2
    exact input=668 output=20
    exact input=732 output=2
test_anthropic_streaming_cached_prompt_tokens
    exact input=3 cache_read=1217 output=4
    exact input=3 cache_read=1217 output=6
test_llm_call_with_error
    error
    skipped
cassettes/test_using_memory.yaml
    skipped
    exact input=205 output=511
    exact input=522
    exact input=799 output=303
    exact input=26
    exact input=20
    exact input=18
    exact input=20
    exact input=20
    exact input=630 output=571
    exact input=860 output=270
    exact input=21
test_anthropic_research_workflow_generates_steps
    exact input=933 output=333
    exact input=1455 output=129
    exact input=753 output=92
    exact input=863 output=78
    exact input=976 output=82
    exact input=1089 output=85
    exact input=1214 output=104
    exact input=1359 output=77
    exact input=1464 output=156
    exact input=1671 output=94
    exact input=1852 output=424
    exact input=2610 output=287
test_chat_completion_streaming.yaml
    exact input=12 output=5
test_chat_completion_streaming_not_complete
    missing
test_invoke_model_with_content[mistral.mistral]
    exact input=6 output=10
test_invoke_model_with_response_stream_with_content_tool_call
    exact input=392 output=134
    exact input=603 output=146
test_anthropic_code_execution_files_cache_prefix_stable
    unbilled
    exact input=4 cache_read=8845 cache_write=6 output=193
    exact input=4 cache_read=9116 cache_write=219 output=156
    unbilled
TestVoyageAI
    exact input=3
test_stop_settings[cohere]
    exact input=25 output=9
test_tool_search_eval[openai-chat]
    exact input=265 output=23
    exact input=356 output=24
    exact input=400 output=19
    exact input=264 output=24
    exact input=394 output=18
    exact input=431 output=14
    exact input=265 output=11
    exact input=266 output=147
test_bedrock_single_tool_choice_preserves_cache
    exact input=433 cache_read=2752 output=16
    exact input=386 cache_read=2752 output=4
    exact input=433 cache_read=2752 output=16
    exact input=386 cache_read=2752 output=4
test_anthropic_compaction_usage_with_cache_streaming
    exact input=281 cache_read=55096 output=91
test_anthropic_model_usage_limit_not_exceeded
    unbilled
    exact input=19 output=77
test_google_model_mobile_youtube_video_url_input
    exact input=298 cache_read=15498 input_audio=36 output=68 thinking=821 cache_read_audio=1881
test_google_model_web_fetch_tool_stream
    exact input=4642 output=25 thinking=37
test_groq_model_instructions
    exact input=48 output=8
test_audio_as_binary_content_input
    exact input=20 input_audio=44 output=9
test_openrouter_responses_prompt_cache_e2e
    exact input=8 cache_write=4012 output=5
    exact input=8 cache_read=4012 output=5
test_background_mode_with_tool_vcr
    missing
    unbilled
    missing
    unbilled
    unbilled
test_openai_responses_compact_with_auto_previous_response_id_chain
    exact input=14 output=9
    exact input=36 output=9
    exact input=141 output=183
    exact input=276 output=8
    exact input=117 output=193
    exact input=285 output=9
    exact input=117 output=186
    exact input=278 output=165
test_openai_responses_model_web_search_tool
    exact input=851 cache_read=8448 output=65 thinking=512 fee:web_search=1
    exact input=930 cache_read=8576 output=55 thinking=384 fee:web_search=1
test_openrouter_errors_raised
    error
    error
    error
required-huggingface
    exact input=608 output=30
test_google_model_cached_content
    partial input=3512
    exact input=8 cache_read=3512 output=2 thinking=42
    exact input=8 cache_read=3512 output=2 thinking=51
    unbilled
test_openrouter_cache_all_settings_real_api
    exact input=3 cache_write=2569 output=63
    exact input=1 cache_read=2569 cache_write=79 output=100
    exact input=3 cache_read=2240 cache_write=329 output=100
test_xai_unified_thinking_false
    skipped
test_azure_provider_call
    exact input=14 output=9
test_text_in_audio_out_turn
    skipped
    skipped
    skipped
    skipped
    skipped
    skipped
    skipped
    skipped
test_fixed_version_tool_chain_with_thinking_display_regression
    exact input=598 output=39 thinking=53
    exact input=707 output=89
test_anthropic_prompt_caching_async_stream_with_events_with_no_content
    exact input=4 cache_write=1167 output=289
    exact input=4 cache_read=1167 output=256
test_invoke_model_cache_tokens
    exact input=4 cache_write=18131 output=50
    exact input=4 cache_read=18131 output=50
test_ollama_streaming_metrics
    exact input=16 output=51
test_recipe_agents_hierarchy.yaml
    exact input=117 output=14
    exact input=310 output=17
    unbilled
    exact input=534 output=180
    unbilled
    unbilled
    exact input=1094 output=198
    exact input=277 output=17
    unbilled
    exact input=501 output=189
    exact input=1070 output=171
test_chat_tools_streaming_with_events_with_no_content
    missing
test_openai_prompt_caching_async_with_events_with_content
    exact input=1150 output=293
    exact input=126 cache_read=1024 output=307
    exact input=126 cache_read=1024 output=313
    exact input=126 cache_read=1024 output=271
test_streaming_with_api_usage_capture
    exact input=12 output=89
fb978395b/after
    exact input=323 output=11
    exact input=453 output=6
    exact input=487 output=25
fb978395b/before
    exact input=247 output=11
    exact input=392 output=6
    exact input=426 output=25
740d8a07d/after/python/tests/e2e/cassettes/structured_output/anthropic
    exact input=328 output=58
740d8a07d/after/python/tests/e2e/cassettes/structured_output/google
    exact input=217 output=49 thinking=196
740d8a07d/after/python/tests/e2e/cassettes/structured_output/openai
    exact input=278 output=46
740d8a07d/before/python/tests/e2e/cassettes/structured_output/anthropic
    exact input=197 output=43
740d8a07d/before/python/tests/e2e/cassettes/structured_output/google
    exact input=138 output=37 thinking=115
740d8a07d/before/python/tests/e2e/cassettes/structured_output/openai
    exact input=173 output=30
2d54b096a/after
    exact input=664 output=124
    skipped
    exact input=241 output=112
    exact input=893 output=14
    exact input=100 output=5
2d54b096a/before
    exact input=664 output=128
    skipped
    exact input=239 output=15
    exact input=800 output=14
    exact input=80 output=5
bd4d039f6/after
    exact input=134 output=20
    exact input=198 output=2
    exact input=284 output=20
    exact input=348 output=2
    exact input=442 output=56
    exact input=506 output=20
    exact input=570 output=2
    exact input=668 output=20
    exact input=732 output=2
bd4d039f6/before
    exact input=294 output=40
    exact input=343 output=18
    exact input=294 output=48
    exact input=351 output=18
    exact input=302 output=42
    exact input=352 output=55
    exact input=396 output=14
    exact input=306 output=43
    exact input=358 output=18
fb2323b3d/after
    exact input=13
    exact input=351 output=308
    exact input=919 output=178
    exact input=177
    exact input=543 output=50
    exact input=540 output=43
    exact input=542 output=55
    exact input=542 output=42
    exact input=544 output=52
    exact input=538 output=50
    exact input=538 output=54
    exact input=541 output=67
    exact input=532 output=45
fb2323b3d/before
    skipped
    exact input=206 output=504
    exact input=514
    skipped
    exact input=318 output=364
    exact input=919 output=84
    exact input=402
6e02f27c5/after
    exact input=265 output=23
    exact input=356 output=24
    exact input=400 output=19
    exact input=264 output=24
    exact input=394 output=18
    exact input=431 output=14
    exact input=265 output=11
    exact input=266 output=147
6e02f27c5/before
    exact input=241 output=21
    exact input=325 output=24
    exact input=369 output=19
    exact input=240 output=23
    exact input=314 output=18
    exact input=351 output=14
    exact input=241 output=24
    exact input=242 output=111
9106868f1/after
    exact input=2218 output=13
    exact input=329 output=12
9106868f1/before
    exact input=11432 output=244 fee:web_search=1
    exact input=458 output=17
"""


def expected() -> Iterator[tuple[str, list[str]]]:
    lines: list[str] = []
    for line in EXPECTED.strip().splitlines():
        if line.startswith(" "):
            lines.append(line.strip())
        else:
            lines = []
            yield line, lines


def shown(item: Exchange | Skipped) -> str:
    found = read(item, len) if isinstance(item, Exchange) else item
    if isinstance(found, Skipped):
        return "skipped"
    counts = [f"{name}={count}" for name, count in found.usage.counts()]
    return " ".join([found.status, *counts, *(f"fee:{name}={count}" for name, count in found.usage.fees.items())])


@pytest.mark.parametrize(("part", "lines"), [pytest.param(part, lines, id=part[-40:]) for part, lines in expected()])
def test_usage_is_what_a_person_reads(part: str, lines: list[str]) -> None:
    (file,) = [file for file in CORPUS.rglob("*.yaml") if part in str(file)]
    assert [shown(item) for item in read_recordings([file])] == lines


def test_every_recording_is_listed() -> None:
    parts = [part for part, _ in expected()]
    assert [file for file in CORPUS.rglob("*.yaml") if sum(part in str(file) for part in parts) != 1] == []


def test_polls_settle_the_background_responses() -> None:
    (file,) = CORPUS.rglob("test_background_mode_with_tool_vcr.yaml")
    background: Background[int] = Background()
    joined: list[tuple[int, int, dict[str, int]]] = []
    for position, exchange in enumerate(item for item in read_recordings([file]) if isinstance(item, Exchange)):
        found = read(exchange, len)
        assert isinstance(found, Call)
        settled = background.settle(exchange, found, position)
        if settled is not None:
            joined.append((position, settled[0], dict(settled[1].usage.counts())))
    assert joined == [(1, 0, {"input": 51, "output": 15}), (4, 2, {"input": 78, "output": 17})]
