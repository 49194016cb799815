import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_exchanges import CHAT, JSON_LABEL, MESSAGES, RESPONSES, SSE_LABEL, call, chat, chunk, exchange, message, sse

from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.wire import read
from pytest_tokenbudget.wire.endpoint import endpoint_of
from pytest_tokenbudget.wire.events import decode_events
from pytest_tokenbudget.wire.formats import format_of

COUNT = st.integers(min_value=0, max_value=10**9)
SOME = st.integers(min_value=1, max_value=10**9)

OPENAI = {
    "prompt_tokens": 1200,
    "completion_tokens": 340,
    "total_tokens": 1540,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 100},
}
ANTHROPIC = {
    "input_tokens": 4,
    "cache_creation_input_tokens": 219,
    "cache_read_input_tokens": 9116,
    "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 19},
    "output_tokens": 156,
}
RESPONSE = {
    "id": "resp_1",
    "status": "completed",
    "output": [{"type": "web_search_call", "action": {"type": "search"}}],
    "usage": {"input_tokens": 50, "output_tokens": 6, "total_tokens": 56},
}
CHAT_STREAM = [chunk(content="Hé"), chunk(finish="stop"), {"choices": [], "usage": OPENAI}]
MESSAGE_STREAM = [
    {"type": "message_start", "message": message(ANTHROPIC)},
    {"type": "content_block_delta", "delta": {"text": "Hi"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 156}},
    {"type": "message_stop"},
]
RESPONSE_STREAM = [{"type": "response.created", "response": {}}, {"type": "response.completed", "response": RESPONSE}]
GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
GEMINI = f"{GOOGLE}/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
GEMINI_USAGE = {
    "promptTokenCount": 300,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 25,
    "toolUsePromptTokenCount": 60,
    "totalTokenCount": 425,
    "cachedContentTokenCount": 128,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 200}, {"modality": "AUDIO", "tokenCount": 100}],
    "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 100}, {"modality": "AUDIO", "tokenCount": 28}],
    "serviceTier": "standard",
}
GEMINI_ANSWER = {
    "candidates": [
        {
            "content": {"parts": [{"text": "Hi"}]},
            "finishReason": "STOP",
            "groundingMetadata": {"webSearchQueries": ["who", "why"]},
        }
    ],
    "usageMetadata": GEMINI_USAGE,
    "modelVersion": "gemini-3.5-flash",
}
GEMINI_STREAM = [
    {"candidates": [{"content": {"parts": [{"text": "H"}]}}], "usageMetadata": {"promptTokenCount": 300}},
    GEMINI_ANSWER,
]
INTERACTIONS = f"{GOOGLE}/interactions"
INTERACTION = {
    "id": "v1",
    "model": "gemini-3.5-flash",
    "status": "completed",
    "usage": {
        "total_input_tokens": 300,
        "total_output_tokens": 40,
        "total_thought_tokens": 25,
        "total_tokens": 365,
        "input_tokens_by_modality": [{"modality": "image", "tokens": 30}],
    },
}
INTERACTION_STREAM = [
    {"event_type": "interaction.created", "interaction": {"id": "v1"}},
    {"event_type": "interaction.completed", "interaction": INTERACTION},
]
COHERE = "https://api.cohere.com/v2/chat"
COHERE_STREAM = [
    {"type": "message-start", "id": "m"},
    {
        "type": "message-end",
        "delta": {
            "usage": {
                "billed_units": {"input_tokens": 25.0, "output_tokens": 9.0},
                "tokens": {"input_tokens": 91.0, "output_tokens": 11.0},
            }
        },
    },
]
OLLAMA = "http://localhost:11434/api/chat"
OLLAMA_LINES = [
    {"model": "m", "message": {"content": "Hi"}, "done": False},
    {"model": "m", "done": True, "prompt_eval_count": 16, "eval_count": 51},
]
CONVERSATIONS = "https://api.mistral.ai/v1/conversations"
CONVERSATION = {
    "outputs": [{"type": "message.output", "model": "m"}],
    "usage": {"prompt_tokens": 18, "completion_tokens": 5, "connector_tokens": 72, "total_tokens": 95},
}
CONVERSATION_STREAM = [
    {"type": "conversation.response.started", "conversation_id": "c"},
    {"type": "conversation.response.done", "usage": CONVERSATION["usage"]},
]
IMAGES = "https://api.openai.com/v1/images/generations"
IMAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 1056,
    "total_tokens": 1106,
}
HEARD = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
    "output_tokens": 45,
    "total_tokens": 59,
}


def rows(*lines: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


BODIES = [
    (GEMINI, json.dumps(GEMINI_ANSWER).encode(), JSON_LABEL),
    (GEMINI, sse(*GEMINI_STREAM), SSE_LABEL),
    (GEMINI, json.dumps(GEMINI_STREAM, indent=1).encode(), JSON_LABEL),
    (INTERACTIONS, json.dumps(INTERACTION).encode(), JSON_LABEL),
    (INTERACTIONS, sse(*INTERACTION_STREAM), SSE_LABEL),
    (COHERE, sse(*COHERE_STREAM), SSE_LABEL),
    (OLLAMA, rows(*OLLAMA_LINES), {"content-type": "application/x-ndjson"}),
    (CONVERSATIONS, json.dumps(CONVERSATION).encode(), JSON_LABEL),
    (CONVERSATIONS, sse(*CONVERSATION_STREAM), SSE_LABEL),
    (IMAGES, json.dumps({"data": [], "usage": IMAGE}).encode(), JSON_LABEL),
    ("https://api.openai.com/v1/audio/transcriptions", json.dumps({"usage": HEARD}).encode(), JSON_LABEL),
    ("https://api.voyageai.com/v1/embeddings", b'{"data": [], "usage": {"total_tokens": 8}}', JSON_LABEL),
    (
        f"{GOOGLE}/models/e:embedContent",
        b'{"embedding": {}, "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}}',
        JSON_LABEL,
    ),
    (CHAT, json.dumps(chat(OPENAI)).encode(), JSON_LABEL),
    (MESSAGES, json.dumps(message(ANTHROPIC)).encode(), JSON_LABEL),
    (RESPONSES, json.dumps(RESPONSE).encode(), JSON_LABEL),
    (CHAT, sse(*CHAT_STREAM, done=True), SSE_LABEL),
    (MESSAGES, sse(*MESSAGE_STREAM), SSE_LABEL),
    (RESPONSES, sse(*RESPONSE_STREAM), SSE_LABEL),
    (
        "https://api.openai.com/v1/embeddings",
        b'{"data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}',
        JSON_LABEL,
    ),
]


@given(SOME, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_chat_classes_sum_to_the_totals(
    plain: int, cached: int, audio: int, said: int, thought: int, spoken: int
) -> None:
    prompt, completion = plain + cached + audio, said + thought + spoken
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached, "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": spoken},
    }
    found = call(CHAT, chat(usage))
    assert (found.status, bool(found.notes)) == (("partial", True) if cached and audio else ("exact", False))
    assert (found.usage.total_input, found.usage.total_output) == (prompt, completion)
    assert (found.usage.input, found.usage.cache_read, found.usage.input_audio) == (plain, cached, audio)
    assert (found.usage.output, found.usage.thinking, found.usage.output_audio) == (said, thought, spoken)


@given(SOME, COUNT, COUNT, COUNT, COUNT, COUNT)
def test_anthropic_classes_sum_to_the_totals(
    plain: int, read_back: int, five: int, hour: int, said: int, thought: int
) -> None:
    usage = {
        "input_tokens": plain,
        "cache_read_input_tokens": read_back,
        "cache_creation_input_tokens": five + hour,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
        "output_tokens": said + thought,
        "output_tokens_details": {"thinking_tokens": thought},
    }
    found = call(MESSAGES, message(usage))
    assert (found.status, found.usage.total) == ("exact", plain + read_back + five + hour + said + thought)
    assert (found.usage.output, found.usage.thinking) == (said, thought)


@given(SOME, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, st.booleans())
def test_gemini_classes_sum_to_the_total(
    plain: int,
    cached: int,
    cached_audio: int,
    audio: int,
    said: int,
    thought: int,
    brought: int,
    inside: bool,  # noqa: FBT001 - drawn
) -> None:
    prompt, stored = plain + cached + cached_audio + audio, cached + cached_audio
    usage = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": stored,
        "candidatesTokenCount": said + (thought if inside else 0),
        "thoughtsTokenCount": thought,
        "toolUsePromptTokenCount": brought,
        "totalTokenCount": prompt + said + thought + brought,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": audio + cached_audio}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": cached_audio}],
    }
    found = call(GEMINI, {**GEMINI_ANSWER, "usageMetadata": usage})
    assert (found.status, found.usage.total) == ("exact", prompt + said + thought + brought)
    if inside and thought == brought:
        return  # of two equal counts the total cannot tell which one stands inside
    assert (found.usage.input, found.usage.cache_read, found.usage.input_audio) == (plain + brought, cached, audio)
    assert (found.usage.output, found.usage.thinking) == (said, thought)
    assert found.usage.other.get("cache_read_audio", 0) == cached_audio


@given(COUNT, COUNT)
def test_cohere_bills_what_it_says(plain: int, said: int) -> None:
    usage = {"billed_units": {"input_tokens": float(plain), "output_tokens": float(said)}}
    found = call(COHERE, {"usage": usage})
    assert (found.usage.input, found.usage.output) == (plain, said)
    assert found.status == ("exact" if plain or said else "missing")


@given(st.integers(0, 3), st.integers(0, 60), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_how_rows_are_laid_out_never_matters(
    indent: int,
    cut: int,
    newline: str,
    labelled: bool,  # noqa: FBT001 - drawn
) -> None:
    whole = json.dumps(GEMINI_STREAM, indent=indent or None).replace("\n", newline).encode()
    label = JSON_LABEL if labelled else {}
    plain = call(GEMINI, sse(*GEMINI_STREAM), headers=SSE_LABEL)
    assert call(GEMINI, whole, headers=label) == plain
    torn = call(GEMINI, whole[: len(whole) - len(newline) - 3 - cut], headers=label)
    assert (torn.status, torn.usage.total) == ("partial", 300)
    lines = (newline * (1 + indent)).join(json.dumps(line) for line in OLLAMA_LINES).encode()
    found = call(OLLAMA, lines, headers={"content-type": "application/x-ndjson"} if labelled else {})
    assert (found.status, found.stream, found.usage.total) == ("exact", True, 67)


@given(
    st.sampled_from(
        [
            (CHAT, CHAT_STREAM, True),
            (MESSAGES, MESSAGE_STREAM, False),
            (RESPONSES, RESPONSE_STREAM, False),
            (GEMINI, GEMINI_STREAM, False),
            (INTERACTIONS, INTERACTION_STREAM, True),
            (COHERE, COHERE_STREAM, False),
            (CONVERSATIONS, CONVERSATION_STREAM, False),
        ]
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.sampled_from([": keep-alive", ":", "id: 7", "retry: 100", ""]), max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_how_a_stream_is_framed_never_matters(
    source: tuple[str, list[object], bool],
    newline: str,
    noise: list[str],
    split: bool,  # noqa: FBT001 - drawn
    spaced: bool,  # noqa: FBT001 - drawn
) -> None:
    url, events, done = source
    plain = call(url, sse(*events, done=done), headers=SSE_LABEL)
    lines: list[str] = []
    for event in [json.dumps(event) for event in events] + ["[DONE]"] * done:
        pieces = event.split(", ", 1) if split and event != "[DONE]" else [event]
        data = [piece + ("," if len(pieces) > 1 and number == 0 else "") for number, piece in enumerate(pieces)]
        lines += noise + [("data: " if spaced else "data:") + piece for piece in data] + [""]
    framed = call(url, newline.join([*lines, ""]).encode(), headers=SSE_LABEL)
    assert framed == plain
    assert framed.status == "exact"


def mutated(body: bytes, chance: random.Random) -> bytes:
    kind = chance.randrange(6)
    at = chance.randrange(len(body))
    if kind == 0:
        return body[:at]
    if kind == 1:
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    if kind == 2:
        return body[:at] + body[at + chance.randrange(1, 30) :]
    if kind == 3:
        return body[:at] + body[chance.randrange(len(body)) :] + body[at:]
    numbers = [place for place, byte in enumerate(body) if 48 <= byte <= 57]
    place = chance.choice(numbers)
    odd = [b"null", b"-1", b'"x"', b"[]", b"{}", b"1.5", b"1e400", b"true", b"0", b"99999999999999999999999"]
    end = place
    while body[end : end + 1].isdigit():
        end += 1
    return body[:place] + chance.choice(odd) + body[end:]


@pytest.mark.parametrize("seed", range(4))
def test_no_body_raises_or_turns_unknown_into_nothing(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    seen = {"exact": 0, "partial": 0, "missing": 0}
    for _ in range(5000):
        url, body, headers = chance.choice(BODIES)
        label = chance.choice([headers, {}, JSON_LABEL, SSE_LABEL])
        found = read(exchange(url, mutated(body, chance), headers=label, request=mutated(BODIES[0][1], chance)), len)
        assert isinstance(found, Call)
        assert found.status in seen
        seen[found.status] += 1
        assert (found.usage.total == 0 and not found.usage.fees) == (found.status == "missing"), found
        assert all(count >= 0 for _, count in found.usage.counts())
        assert found.notes or found.status != "missing"
    assert all(count > 250 for count in seen.values()), seen


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(["POST", "GET", ""]), st.text(max_size=30))
def test_no_exchange_raises(request: bytes, response: bytes, method: str, encoding: str) -> None:
    for url in (*{url for url, _, _ in BODIES}, f"{RESPONSES}/resp_1", encoding):
        headers = {"content-encoding": encoding, "content-type": encoding}
        assert isinstance(
            read(exchange(url, response, request=request, method=method, headers=headers), len), (Call, Skipped)
        )


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*OPENAI, *ANTHROPIC, *GEMINI_USAGE, *INTERACTION["usage"], "type", "modality", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(sorted({url for url, _, _ in BODIES})))
def test_no_usage_object_raises_or_is_exactly_nothing(usage: object, url: str) -> None:
    names = ("output", "content", "choices", "status", "usageMetadata", "candidates", "outputs", "steps", "message")
    found = call(url, {**chat(usage), **dict.fromkeys(names, usage), "billed_units": usage})
    assert (found.usage.total == 0) == (found.status == "missing")


LONG: dict[str, tuple[object, list[Any]]] = {
    CHAT: (
        chunk(content="word"),
        [
            chunk(tool_calls=[{"index": 0, "function": {"name": "look_up", "arguments": ""}}]),
            chunk(finish="tool_calls"),
            chunk({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}),
            {"error": {"code": 502}},
            {**chunk(), "x_groq": {"usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}}},
        ],
    ),
    MESSAGES: (
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "an end_turn, and a word"}},
        [
            {"type": "message_start", "message": message({"input_tokens": 3, "output_tokens": 1}, stop_reason=None)},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "name": "look_up"}},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
            {"type": "message_stop"},
            {"type": "error", "error": {"type": "overloaded_error"}},
        ],
    ),
    RESPONSES: (
        {"type": "response.output_text.delta", "delta": "a response.word"},
        [
            {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
            {
                "type": "response.completed",
                "response": {
                    "id": "resp_1",
                    "status": "completed",
                    "output": [{"type": "function_call", "name": "look_up"}],
                    "usage": {"input_tokens": 3, "output_tokens": 9},
                },
            },
            {"type": "error", "code": "server_error"},
        ],
    ),
}


@given(
    st.sampled_from(list(LONG)),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=7),
    st.booleans(),
    st.sampled_from([b"\n", b"\r\n"]),
)
def test_a_stream_is_read_as_if_every_event_were_looked_at(
    url: str,
    parts: list[tuple[int, int]],
    done: bool,  # noqa: FBT001 - drawn
    newline: bytes,
) -> None:
    word, telling = LONG[url]
    events = [event for what, words in parts for event in [*[word] * words, telling[what % len(telling)]]]
    body = sse(*events, *[word] * 9, done=done).replace(b"\n", newline)
    decoded = decode_events(body)
    known = format_of(endpoint_of("POST", url))
    assert known is not None
    everything = known.read_stream(decoded.events, complete=decoded.done)
    few = decode_events(body, getattr(known, "telling", ()))
    assert known.read_stream(few.events, complete=few.done) == everything
    assert len(few.events) <= len(parts) + 5  # the first one, and the last
