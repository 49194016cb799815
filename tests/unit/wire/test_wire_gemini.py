import json

import pytest
from wire_exchanges import JSON_LABEL, SSE_LABEL, call, sse

from pytest_tokenbudget.model.call import Call

HOST = "https://generativelanguage.googleapis.com/v1beta"
FLASH = f"{HOST}/models/gemini-2.5-flash:generateContent"
STREAM = f"{HOST}/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers"


def answer(usage: object, *, model: str = "gemini-2.5-flash", **candidate: object) -> dict[str, object]:
    said = {"content": {"parts": [{"text": "Hi."}], "role": "model"}, "finishReason": "STOP", "index": 0}
    return {
        "candidates": [{**said, **candidate}],
        "usageMetadata": usage,
        "modelVersion": model,
        "responseId": "r-1",
    }


def chunk(usage: object, text: str = "Hi", finish: str | None = None) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-2.5-flash", "responseId": "r-2"}


def of(kind: str, count: int) -> dict[str, object]:
    return {"modality": kind, "tokenCount": count}


def counts(found: Call) -> dict[str, int]:
    assert (found.api, found.provider, found.status) == ("gemini.generate", "google", "exact"), found.notes
    return dict(found.usage.counts())


def test_the_prompt_contains_what_was_cached_and_thoughts_stand_outside() -> None:
    found = call(
        FLASH,
        answer(
            {
                "promptTokenCount": 3797,
                "candidatesTokenCount": 656,
                "totalTokenCount": 6002,
                "cachedContentTokenCount": 3055,
                "promptTokensDetails": [of("TEXT", 3797)],
                "cacheTokensDetails": [of("TEXT", 3055)],
                "thoughtsTokenCount": 1549,
                "serviceTier": "standard",
            }
        ),
        request={"contents": []},
    )
    assert counts(found) == {"input": 742, "cache_read": 3055, "output": 656, "thinking": 1549}
    assert (found.model_asked, found.model_served) == ("gemini-2.5-flash", "gemini-2.5-flash")
    assert (found.tier, found.finish, found.response_id, found.stream) == ("standard", "STOP", "r-1", False)
    assert found.notes == ()


def test_thoughts_that_the_total_shows_to_be_inside_are_not_added() -> None:
    found = call(
        FLASH,
        answer(
            {"promptTokenCount": 41, "candidatesTokenCount": 348, "totalTokenCount": 389, "thoughtsTokenCount": 343}
        ),
    )
    assert counts(found) == {"input": 41, "output": 5, "thinking": 343}


def test_thoughts_without_a_total_stand_outside() -> None:
    found = call(FLASH, answer({"promptTokenCount": 41, "candidatesTokenCount": 5, "thoughtsTokenCount": 343}))
    assert counts(found) == {"input": 41, "output": 5, "thinking": 343}


def test_what_tools_brought_is_input_beside_the_prompt() -> None:
    usage = {
        "promptTokenCount": 32,
        "candidatesTokenCount": 25,
        "totalTokenCount": 4704,
        "toolUsePromptTokenCount": 4610,
        "toolUsePromptTokensDetails": [of("TEXT", 4600), of("IMAGE", 10)],
        "thoughtsTokenCount": 37,
    }
    found = call(FLASH, answer(usage))
    assert counts(found) == {"input": 4632, "output": 25, "thinking": 37, "input_image": 10}
    assert found.price_context == (("prompts", "several"),)
    inside = call(FLASH, answer({**usage, "promptTokenCount": 4642}))
    assert counts(inside) == {"input": 4642, "output": 25, "thinking": 37}


def test_of_two_equal_counts_thoughts_are_the_ones_inside() -> None:
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 60, "thoughtsTokenCount": 50, "totalTokenCount": 210}
    found = call(FLASH, answer({**usage, "toolUsePromptTokenCount": 50}))
    assert counts(found) == {"input": 150, "output": 10, "thinking": 50}


def test_output_that_only_the_total_tells() -> None:
    found = call(FLASH, answer({"promptTokenCount": 5, "thoughtsTokenCount": 10, "totalTokenCount": 15}))
    assert counts(found) == {"input": 5, "thinking": 10}
    found = call(FLASH, answer({"promptTokenCount": 5, "totalTokenCount": 12}))
    assert counts(found) == {"input": 5, "output": 7}
    assert found.notes == ("usage lacks the output tokens: 7, as totalTokenCount leaves them",)


def test_modalities_are_taken_apart_cache_first() -> None:
    found = call(
        FLASH,
        answer(
            {
                "promptTokenCount": 17713,
                "cachedContentTokenCount": 17379,
                "candidatesTokenCount": 68,
                "thoughtsTokenCount": 821,
                "totalTokenCount": 18602,
                "promptTokensDetails": [of("TEXT", 16), of("VIDEO", 15780), of("AUDIO", 1917)],
                "cacheTokensDetails": [of("AUDIO", 1881), of("TEXT", 15), of("VIDEO", 15483)],
            }
        ),
    )
    # text 1 and video 297 at the input rate, audio 36 at its own; of the cache audio alone has its own
    assert counts(found) == {
        "input": 298,
        "input_audio": 36,
        "cache_read": 15498,
        "cache_read_audio": 1881,
        "output": 68,
        "thinking": 821,
    }


def test_generated_media() -> None:
    found = call(
        FLASH,
        answer(
            {
                "promptTokenCount": 270,
                "candidatesTokenCount": 1300,
                "totalTokenCount": 1570,
                "promptTokensDetails": [of("TEXT", 12), of("IMAGE", 258)],
                "candidatesTokensDetails": [of("IMAGE", 1290)],
            }
        ),
    )
    assert counts(found) == {"input": 12, "input_image": 258, "output": 10, "output_image": 1290}
    spoken = {"promptTokenCount": 4, "candidatesTokenCount": 80, "candidatesTokensDetails": [of("AUDIO", 80)]}
    assert counts(call(FLASH, answer(spoken))) == {"input": 4, "output_audio": 80}
    filmed = {"promptTokenCount": 4, "candidatesTokenCount": 80, "candidatesTokensDetails": [of("VIDEO", 80)]}
    assert counts(call(FLASH, answer(filmed))) == {"input": 4, "output_video": 80}


def test_audio_that_may_be_cached_keeps_the_count_from_being_exact() -> None:
    usage = {
        "promptTokenCount": 900,
        "cachedContentTokenCount": 500,
        "candidatesTokenCount": 10,
        "totalTokenCount": 910,
        "promptTokensDetails": [of("TEXT", 600), of("AUDIO", 300)],
    }
    found = call(FLASH, answer(usage))
    assert (found.status, found.usage.total) == ("partial", 910)
    assert found.notes == ("usage does not tell how many audio tokens were cached",)


@pytest.mark.parametrize(
    ("usage", "note"),
    [
        ({"promptTokenCount": 5, "candidatesTokenCount": 6, "totalTokenCount": 20}, "totalTokenCount is 20"),
        ({"promptTokenCount": 5, "candidatesTokenCount": 6, "cachedContentTokenCount": 9}, "9 cached tokens where 5"),
        ({"promptTokenCount": 5, "candidatesTokenCount": "6"}, "candidatesTokenCount is '6', not a count"),
        ({"promptTokenCount": 5, "candidatesTokenCount": 6, "judgesTokenCount": 3}, "what contains it is not known"),
        ({"candidatesTokenCount": 6}, "lacks the prompt tokens"),
    ],
)
def test_a_usage_that_does_not_add_up_is_a_lower_bound(usage: object, note: str) -> None:
    found = call(FLASH, answer(usage))
    assert found.status == "partial"
    assert note in found.notes[0]


def test_a_response_without_usage_is_missing() -> None:
    found = call(FLASH, answer({}))
    assert (found.status, found.notes) == ("missing", ("no usage in the response",))


def test_a_blocked_prompt_is_read() -> None:
    body = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 9, "totalTokenCount": 9},
        "modelVersion": "gemini-2.5-flash",
    }
    found = call(FLASH, body)
    assert counts(found) == {"input": 9}
    assert found.finish == "SAFETY"


def test_tools_are_named() -> None:
    parts = [{"functionCall": {"name": "look_up", "args": {"id": 1}}}, {"functionCall": {"name": "pay", "args": {}}}]
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7, "totalTokenCount": 16}
    found = call(FLASH, answer(usage, content={"parts": parts, "role": "model"}))
    assert found.tools == ("look_up", "pay")


@pytest.mark.parametrize(
    ("model", "queries", "fee"),
    [
        ("gemini-2.5-flash", ["who won", "when"], 1),
        ("models/gemini-2.0-flash", ["who won"], 1),
        ("gemini-2.5-flash", [], 0),
        ("gemini-3.5-flash", ["who won", "when", "", "who won"], 2),
        ("gemini-4-argon", ["who won", "when", "where"], 3),
    ],
)
def test_search_is_billed_by_the_prompt_and_since_gemini_3_by_the_query(
    model: str, queries: list[str], fee: int
) -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7, "totalTokenCount": 16}
    found = call(FLASH, answer(usage, model=model, groundingMetadata={"webSearchQueries": queries}))
    assert found.usage.fees.get("web_search", 0) == fee
    assert counts(found) == {"input": 9, "output": 7}


def test_other_grounding_keeps_its_name() -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7, "totalTokenCount": 16}
    grounds = {"groundingChunks": [{"maps": {"uri": "u"}}, {"web": {}}], "retrievalQueries": ["a", "b"]}
    found = call(FLASH, answer(usage, groundingMetadata=grounds))
    assert dict(found.usage.fees) == {"retrieval": 2, "google_maps": 1}
    shown = {"webSearchQueries": ["a"], "imageSearchQueries": ["a", "b"]}
    found = call(FLASH, answer(usage, model="gemini-3.1-flash-image", groundingMetadata=shown))
    assert dict(found.usage.fees) == {"web_search": 3}


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ({"serviceTier": "standard"}, "standard"),
        ({"serviceTier": "priority"}, "priority"),
        ({"serviceTier": "unspecified"}, None),
        ({"trafficType": "ON_DEMAND"}, "on_demand"),
        ({"trafficType": 1}, "on_demand"),
        ({"trafficType": "ON_DEMAND_FLEX"}, "flex"),
        ({"trafficType": "ON_DEMAND_PRIORITY"}, "priority"),
        ({"trafficType": "PROVISIONED_THROUGHPUT"}, "provisioned_throughput"),
        ({"trafficType": "TRAFFIC_TYPE_UNSPECIFIED"}, None),
        ({"trafficType": "SOMETHING_NEW"}, "something_new"),
        ({"trafficType": 7}, "traffic_type_7"),
        ({}, None),
    ],
)
def test_the_tier_is_the_one_served(told: dict[str, object], tier: str | None) -> None:
    found = call(FLASH, answer({"promptTokenCount": 9, "candidatesTokenCount": 7, **told}))
    assert found.tier == tier


def test_a_tier_that_was_asked_for_is_assumed_where_none_is_told() -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7}
    found = call(FLASH, answer(usage), request={"serviceTier": "flex"})
    assert found.tier == "flex"
    assert found.notes == ("the response does not name the tier it was served at: flex, as asked, is assumed",)


EARLY = {"promptTokenCount": 11, "totalTokenCount": 11, "promptTokensDetails": [of("TEXT", 11)]}
LATE = {"promptTokenCount": 11, "candidatesTokenCount": 703, "thoughtsTokenCount": 713, "totalTokenCount": 1427}


def test_the_last_word_of_a_stream_holds() -> None:
    found = call(STREAM, sse(chunk(EARLY), chunk({**LATE, "candidatesTokenCount": 3}), chunk(LATE, "", "STOP")))
    assert counts(found) == {"input": 11, "output": 703, "thinking": 713}
    assert (found.stream, found.finish, found.response_id) == (True, "STOP", "r-2")


def test_a_cut_stream_is_a_lower_bound() -> None:
    found = call(STREAM, sse(chunk(EARLY), chunk({**LATE, "totalTokenCount": 1427})), headers=SSE_LABEL)
    assert (found.status, found.usage.total) == ("partial", 1427)
    assert call(STREAM, sse(chunk(None)), headers=SSE_LABEL).status == "missing"
    error = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "key=abc"}}
    broken = call(STREAM, sse(chunk(EARLY), error), headers=SSE_LABEL)
    assert (broken.status, broken.notes) == ("partial", ("the response reports an error: 503",))


def test_a_stream_as_one_array() -> None:
    url = f"{VERTEX}/google/models/gemini-2.5-flash:streamGenerateContent"
    events = [chunk(None), chunk({"trafficType": "ON_DEMAND"}), chunk(LATE, "", "STOP")]
    whole = json.dumps(events, indent=1).replace("\n", "\r\n").encode()
    found = call(url, whole)
    assert counts(found) == {"input": 11, "output": 703, "thinking": 713}
    assert (found.stream, found.tier) == (True, "on_demand")
    cut = call(url, json.dumps([chunk(EARLY), chunk(LATE, "", "STOP")]).encode()[:-100])
    assert (cut.status, dict(cut.usage.counts()), cut.stream) == ("partial", {"input": 11}, True)
    assert "response: 1 of the stream's events cannot be read" in cut.notes
    closing = call(url, json.dumps([chunk(EARLY), chunk(LATE, "", "STOP")]).encode()[:-1])
    assert counts(closing) == {"input": 11, "output": 703, "thinking": 713}


def test_enumerations_may_be_numbers() -> None:
    usage = {
        "promptTokenCount": 300,
        "candidatesTokenCount": 16,
        "totalTokenCount": 316,
        "promptTokensDetails": [{"modality": 1, "tokenCount": 42}, {"modality": 2, "tokenCount": 258}],
        "trafficType": 1,
    }
    found = call(FLASH, answer(usage, finishReason=1))
    assert counts(found) == {"input": 42, "input_image": 258, "output": 16}
    assert (found.finish, found.tier) == ("STOP", "on_demand")


def test_a_proxy_may_speak_it_on_any_host() -> None:
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7}
    found = call("http://proxy.test/v1beta/models/gemini-2.5-pro:generateContent", answer(usage), request={})
    assert (found.api, found.provider, found.status) == ("gemini.generate", "proxy.test", "exact")
    assert found.model_asked == "gemini-2.5-pro"


@pytest.mark.parametrize(
    "host",
    [
        "us-central1-aiplatform.googleapis.com",
        "aiplatform.googleapis.com",
        "aiplatform.us.rep.googleapis.com",
    ],
)
def test_vertex(host: str) -> None:
    base = f"https://{host}/v1/projects/p/locations/l/publishers"
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 7}
    assert counts(call(f"{base}/google/models/gemini-2.5-pro:generateContent", answer(usage))) == {
        "input": 9,
        "output": 7,
    }
    message = {
        "id": "msg_vrtx_1",
        "type": "message",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 12, "cache_read_input_tokens": 100, "output_tokens": 8},
    }
    claude = f"{base}/anthropic/models/claude-sonnet-4-5@20250929"
    found = call(f"{claude}:rawPredict", message, request={"anthropic_version": "vertex-2023-10-16", "messages": []})
    assert (found.api, found.provider, found.status) == ("anthropic.messages", "google", "exact")
    assert dict(found.usage.counts()) == {"input": 12, "cache_read": 100, "output": 8}
    assert (found.model_asked, found.model_served) == ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929")
    events = [
        {"type": "message_start", "message": {**message, "content": []}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 30}},
        {"type": "message_stop"},
    ]
    found = call(f"{claude}:streamRawPredict", sse(*events), headers=SSE_LABEL)
    assert (found.api, found.stream) == ("anthropic.messages", True)
    assert dict(found.usage.counts()) == {"input": 12, "cache_read": 100, "output": 30}
    counting = call(f"{base}/anthropic/models/count-tokens:rawPredict", {"input_tokens": 19})
    assert (counting.status, counting.usage.total) == ("unbilled", 0)
    mistral = {"model": "mistral-medium-2505", "choices": [], "usage": {"prompt_tokens": 4, "completion_tokens": 2}}
    found = call(f"{base}/mistralai/models/mistral-medium-2505:rawPredict", mistral)
    assert (found.api, found.provider, dict(found.usage.counts())) == (
        "openai.chat",
        "google",
        {"input": 4, "output": 2},
    )


def test_an_embedding_is_read_where_it_tells_its_usage() -> None:
    url = f"{HOST}/models/gemini-embedding-2:embedContent"
    usage = {"promptTokenCount": 260, "promptTokensDetails": [of("TEXT", 2), of("VIDEO", 258)]}
    found = call(url, {"embedding": {"values": [0.1]}, "usageMetadata": usage})
    assert (found.api, found.status, found.is_step) == ("gemini.embed", "exact", False)
    # video has a price of its own here
    assert dict(found.usage.counts()) == {"input": 2, "input_video": 258}
    silent = call(f"{HOST}/models/gemini-embedding-001:batchEmbedContents", {"embeddings": [{"values": [0.1]}]})
    assert (silent.api, silent.status) == ("gemini.embed", "missing")


def test_vertex_embeddings_tell_statistics() -> None:
    body = {
        "predictions": [
            {"embeddings": {"statistics": {"truncated": False, "token_count": 4}, "values": [0.1]}},
            {"embeddings": {"statistics": {"truncated": False, "token_count": 7.0}, "values": [0.1]}},
        ],
        "metadata": {"billableCharacterCount": 30},
    }
    url = f"{VERTEX}/google/models/text-embedding-005:predict"
    found = call(url, body, request={"instances": [{"content": "Hello"}, {"content": "there"}]})
    assert (found.api, found.status, dict(found.usage.counts())) == ("gemini.embed", "exact", {"input": 11})
    assert [part.characters for part in found.prompt] == [5, 5]
    body["predictions"] = [{"embeddings": {"values": [0.1]}}]
    assert call(url, body).status == "missing"


def test_a_cache_is_written_and_its_storage_is_not_told() -> None:
    body = {
        "name": "cachedContents/7lf",
        "model": "models/gemini-2.5-flash",
        "usageMetadata": {"totalTokenCount": 3512},
        "expireTime": "2026-05-28T14:47:16Z",
    }
    found = call(f"{HOST}/cachedContents", body, request={"model": "models/gemini-2.5-flash", "ttl": "120s"})
    assert (found.api, found.status, found.model) == ("gemini.cache", "partial", "gemini-2.5-flash")
    assert dict(found.usage.counts()) == {"input": 3512}
    assert "storage is billed by the hour" in found.notes[0]
    assert not found.is_step
    assert call(f"{HOST}/cachedContents/7lf", {}, method="DELETE").status == "unbilled"
    assert call(f"{HOST}/cachedContents", {}, request={}).status == "missing"


def test_the_prompt_in_order() -> None:
    request = {
        "systemInstruction": {"parts": [{"text": "You help."}], "role": "user"},
        "tools": [{"functionDeclarations": [{"name": "look_up", "parameters": {}}]}, {"googleSearch": {}}],
        "generationConfig": {"responseJsonSchema": {"type": "object"}},
        "contents": [
            {"role": "user", "parts": [{"text": "Where?"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"functionCall": {"name": "look_up", "args": {"id": 1}}},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "look_up", "response": {"at": "home"}}}]},
        ],
    }
    found = call(FLASH, answer({"promptTokenCount": 9, "candidatesTokenCount": 7}), request=request)
    assert [(part.kind, part.name, part.characters) for part in found.prompt] == [
        ("system", "user", 9),
        ("tools", "look_up", 34),
        ("tools", "googleSearch", 19),
        ("schema", "", 17),
        ("user", "user", 6),
        ("media", "image/png", 38),
        ("thinking", "model", 3),
        ("tool_call", "look_up", 8),
        ("tool_result", "look_up", 13),
    ]
    assert found.prompt[5].tokens == 0


def test_the_prompt_in_its_other_spellings() -> None:
    request = {
        "cachedContent": "cachedContents/7lf",
        "system_instruction": {"parts": {"text": "You help."}},
        "tools": [{"function_declarations": [{"name": "look_up"}]}],
        "contents": {"parts": [{"file_data": {"mime_type": "video/mp4", "file_uri": "u"}}, {"new": 1}]},
    }
    found = call(FLASH, answer({"promptTokenCount": 9, "candidatesTokenCount": 7}), request=request)
    assert [(part.kind, part.name) for part in found.prompt] == [
        ("system", "cached"),
        ("system", "system"),
        ("tools", "look_up"),
        ("media", "video/mp4"),
        ("user", ""),
    ]


def test_headers_that_say_too_little_do_not_matter() -> None:
    body = sse(chunk(LATE, "", "STOP"))
    for label in ({}, JSON_LABEL, SSE_LABEL):
        assert dict(call(STREAM, body, headers=label).usage.counts()) == {"input": 11, "output": 703, "thinking": 713}


def test_a_long_stream_is_read_where_it_tells_something() -> None:
    def piece(count: int) -> dict[str, object]:
        return chunk({"promptTokenCount": 11, "candidatesTokenCount": count, "totalTokenCount": 11 + count})

    asks = chunk(None)
    asks["candidates"] = [{"content": {"parts": [{"functionCall": {"name": "look_up"}}]}}]
    events = [*map(piece, range(1, 9)), asks, *map(piece, range(9, 20))]
    whole = call(STREAM, sse(*events, chunk(LATE, "", "STOP")), headers=SSE_LABEL)
    assert counts(whole) == {"input": 11, "output": 703, "thinking": 713}
    assert (whole.tools, whole.model_served, whole.response_id) == (("look_up",), "gemini-2.5-flash", "r-2")
    for short in (events[8:9], events[7:9], events[7:10], events[7:11]):
        few = sse(*short, chunk(LATE, "", "STOP"), done=True)
        for body in (few, b": alive\n\n" + few, few.replace(b"\n", b"\r\n"), few.replace(b"\n\n", b"\n\n\n\n")):
            assert call(STREAM, body, headers=SSE_LABEL).tools == ("look_up",)
    cut = sse(*events)
    for end, said in ((len(cut), 19), (len(cut) - 40, 18)):
        found = call(STREAM, cut[:end], headers=SSE_LABEL)
        assert (found.status, dict(found.usage.counts())) == ("partial", {"input": 11, "output": said})
