"""Others' recordings of Bedrock, and of a HAR archive, with what a person reads in their raw bodies and headers.

The recordings stand beside the repository and not in it.
"""

from decimal import Decimal
from pathlib import Path

import pytest

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.wire import read

HOST = "bedrock-runtime.us-east-1.amazonaws.com"


def calls(shared: Path, pattern: str) -> list[Call]:
    (file,) = (shared / "corpus").rglob(pattern)
    items = list(read_recordings([file]))
    assert all(isinstance(item, Exchange) for item in items)
    found = [read(item, len) for item in items if isinstance(item, Exchange)]
    assert [item.index for item in found] == list(range(len(items)))
    assert all(item.source == str(file) for item in found)
    return [item for item in found if isinstance(item, Call)]


def counts(found: Call) -> dict[str, int]:
    return dict(found.usage.counts())


def test_nova_streamed_in_nocks_hexadecimal_digits(shared: Path) -> None:
    (found,) = calls(shared, "should-handle-amazon-nova-models-with-streaming.json")
    assert (found.provider, found.api, found.host) == ("aws", "bedrock.converse", HOST)
    assert (found.model, found.stream, found.status) == ("amazon.nova-lite-v1:0", True, "exact")
    assert counts(found) == {"input": 5, "output": 100}
    assert (found.finish, found.response_id) == ("max_tokens", "1daaa350-bed7-4e2f-bce9-d137270e9a15")
    assert [(part.kind, part.characters) for part in found.prompt] == [("user", 38)]
    assert found.notes == ()


def test_mistral_whose_usage_stands_in_headers(shared: Path) -> None:
    (found,) = calls(shared, "test_invoke_model_with_content?mistral.mistral?.yaml")
    assert (found.provider, found.api, found.model) == ("aws", "bedrock.invoke", "mistral.mistral-7b-instruct-v0:2")
    assert (found.status, found.finish, found.stream, found.notes) == ("exact", "length", False, ())
    assert counts(found) == {"input": 6, "output": 10}


def test_claude_streamed_in_two_turns(shared: Path) -> None:
    first, second = calls(shared, "test_invoke_model_with_response_stream_with_content_tool_call?anthropic*.yaml")
    for found in (first, second):
        assert (found.api, found.stream, found.status) == ("bedrock.invoke", True, "exact")
        assert found.model == "us.anthropic.claude-3-5-sonnet-20240620-v1:0"
    # message_delta says 134, the metrics beside message_stop 90: Anthropic's own word is taken, and both are told
    assert counts(first) == {"input": 392, "output": 134}
    assert first.notes == ("the body tells 392 tokens in and 134 out, Bedrock 392 and 90: the body's are taken",)
    assert (first.tools, first.finish) == (("get_current_weather", "get_current_weather"), "tool_use")
    assert counts(second) == {"input": 603, "output": 146}
    assert (second.tools, second.finish, second.notes) == ((), "end_turn", ())
    assert second.response_id == "msg_bdrk_014iAAMKoJRdnetrFEau569K"


def test_converse_with_a_cache(shared: Path) -> None:
    found = calls(shared, "test_bedrock_single_tool_choice_preserves_cache?anthropic?.yaml")
    assert [(counts(item), item.finish) for item in found] == [
        ({"input": 433, "cache_read": 2752, "output": 16}, "tool_use"),
        ({"input": 386, "cache_read": 2752, "output": 4}, "end_turn"),
        ({"input": 433, "cache_read": 2752, "output": 16}, "tool_use"),
        ({"input": 386, "cache_read": 2752, "output": 4}, "end_turn"),
    ]
    assert {item.model for item in found} == {"us.anthropic.claude-sonnet-4-5-20250929-v1:0"}
    assert {item.status for item in found} == {"exact"}
    assert found[0].tools == ("catalog_lookup",)
    assert [part.kind for part in found[1].prompt] == ["tools", "tools", "system", "user", "tool_call", "tool_result"]


def test_invoke_with_a_cache_in_body_and_headers(shared: Path) -> None:
    first, second = calls(shared, "test_invoke_model_cache_tokens.yaml")
    assert counts(first) == {"input": 4, "cache_write": 18131, "output": 50}
    assert counts(second) == {"input": 4, "cache_read": 18131, "output": 50}
    assert {item.model for item in (first, second)} == {"anthropic.claude-3-5-haiku-20241022-v1:0"}
    assert (first.status, second.status, first.notes, second.notes) == ("exact", "exact", (), ())


def test_a_har_archive_of_searching_claudes(shared: Path) -> None:
    found = calls(shared, "streams-with-web-search-tool.har")
    assert [(item.status, counts(item), dict(item.usage.fees)) for item in found] == [
        ("exact", {"input": 2250, "cache_write": 11913, "output": 104}, {"web_search": 1}),
        ("exact", {"input": 2292, "cache_write": 12032, "output": 150}, {"web_search": 1}),
    ]
    assert [item.started_at.isoformat() for item in found if item.started_at] == [
        "2026-01-30T23:09:17.934000+00:00",
        "2026-01-30T23:09:21.307000+00:00",
    ]
    assert found[0].model_served == "claude-haiku-4-5-20251001"


# Per million tokens: us. and bare ids of Claude 4.5 at 3.30/0.33/16.50, of Haiku 3.5 at 0.80/1.00/0.08/4.00.
COSTS = [
    ("test_bedrock_single_tool_choice_preserves_cache?anthropic?.yaml", "0.00260106"),
    # 433 × 3.30 + 2,752 × 0.33 + 16 × 16.50
    ("test_invoke_model_cache_tokens.yaml", "0.0183342"),
    # 4 × 0.80 + 18,131 × 1.00 + 50 × 4.00
    ("should-handle-amazon-nova-models-with-streaming.json", "0.0000243"),
    # 5 × 0.06 + 100 × 0.24
    ("test_invoke_model_with_content?mistral.mistral?.yaml", "0.0000029"),
    # 6 × 0.15 + 10 × 0.20
]


@pytest.mark.parametrize(("pattern", "cost"), COSTS)
def test_the_models_are_found_on_the_price_list(shared: Path, pattern: str, cost: str) -> None:
    from pytest_tokenbudget.pricing import PriceTable

    assert PriceTable().charge(calls(shared, pattern)[0]).cost == Decimal(cost)
