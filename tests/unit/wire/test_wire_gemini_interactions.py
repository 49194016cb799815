from wire_exchanges import SSE_LABEL, call, sse

URL = "https://generativelanguage.googleapis.com/v1beta/interactions"
USAGE = {
    "total_tokens": 1000,
    "total_input_tokens": 600,
    "input_tokens_by_modality": [{"modality": "text", "tokens": 500}, {"modality": "image", "tokens": 100}],
    "total_cached_tokens": 200,
    "cached_tokens_by_modality": [{"modality": "text", "tokens": 200}],
    "total_output_tokens": 150,
    "total_tool_use_tokens": 50,
    "total_thought_tokens": 200,
}
COUNTS = {"input": 350, "cache_read": 200, "input_image": 100, "output": 150, "thinking": 200}
ASKS = {"type": "function_call", "id": "f", "name": "look_up", "arguments": {"id": 1}}


def body(**more: object) -> dict[str, object]:
    head = {"id": "v1_1", "object": "interaction", "model": "gemini-3.5-flash", "status": "requires_action"}
    return {**head, "steps": [ASKS], "usage": USAGE, "service_tier": "flex", **more}


def test_a_body() -> None:
    found = call(URL, body(), request={"input": "Hi"})
    assert (found.api, found.provider, found.status, found.model) == (
        "gemini.interactions",
        "google",
        "exact",
        "gemini-3.5-flash",
    )
    assert dict(found.usage.counts()) == COUNTS
    assert (found.tools, found.tier, found.finish, found.response_id) == (
        ("look_up",),
        "flex",
        "requires_action",
        "v1_1",
    )
    assert found.price_context == (("prompts", "several"),)


def test_searches_are_counted_by_the_provider() -> None:
    grounds = [{"type": "google_search", "count": 3}, {"type": "google_maps", "count": 1}]
    found = call(URL, body(usage={**USAGE, "grounding_tool_count": grounds}))
    assert dict(found.usage.fees) == {"web_search": 3, "google_maps": 1}
    found = call(URL, body(model="gemini-2.5-pro", usage={**USAGE, "grounding_tool_count": grounds}))
    assert dict(found.usage.fees) == {"web_search": 1, "google_maps": 1}


def test_a_stream() -> None:
    head = {"id": "v1_1", "model": "gemini-3.5-flash", "status": "in_progress"}
    events = [
        {"event_type": "interaction.created", "interaction": head},
        {"event_type": "step.start", "index": 0, "step": ASKS},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hi"}},
        {"event_type": "interaction.completed", "interaction": {**head, "status": "completed", "usage": USAGE}},
    ]
    found = call(URL, sse(*events, done=True), headers=SSE_LABEL)
    assert (found.status, found.stream, found.finish, found.tools) == ("exact", True, "completed", ("look_up",))
    assert dict(found.usage.counts()) == COUNTS
    failed = {"event_type": "error", "error": {"code": 500, "message": "no"}}
    cut = call(URL, sse(*events[:-1], failed), headers=SSE_LABEL)
    assert (cut.status, cut.notes) == (
        "missing",
        ("the response reports an error: 500", "the stream was cut before its usage"),
    )


def test_what_is_not_known_yet_or_at_all() -> None:
    waiting = call(URL, body(usage=None, status="in_progress"))
    assert waiting.status == "missing"
    assert waiting.notes == ("the interaction is in_progress: its usage comes with a later poll",)
    assert call(f"{URL}/v1_1", body(), method="GET").status == "unbilled"
    agent = call(URL, body(model=None, agent="deep-research-pro"))
    assert (agent.status, agent.usage.total) == ("partial", 1000)
    assert call(URL, body(usage={})).notes == ("no usage in the response",)


def test_the_prompt() -> None:
    request = {
        "model": "gemini-3.5-flash",
        "system_instruction": "Be kind.",
        "tools": [{"type": "function", "name": "look_up"}],
        "response_format": {"type": "text"},
        "input": [
            {"type": "user_input", "content": [{"type": "text", "text": "Hi"}, {"type": "image", "uri": "u"}]},
            {"type": "model_output", "content": [{"type": "text", "text": "Hello"}]},
            ASKS,
            {"type": "function_result", "name": "look_up", "result": "home"},
            {"role": "user", "content": "And?"},
            {"type": "text", "text": "Now"},
        ],
    }
    found = call(URL, body(), request=request)
    assert [(part.kind, part.name, part.characters) for part in found.prompt] == [
        ("system", "system", 8),
        ("tools", "look_up", 36),
        ("schema", "", 15),
        ("user", "user", 2),
        ("media", "image", 26),
        ("assistant", "model", 5),
        ("tool_call", "look_up", 8),
        ("tool_result", "look_up", 4),
        ("user", "user", 4),
        ("user", "user", 3),
    ]
    assert [part.characters for part in call(URL, body(), request={"input": "Hi"}).prompt] == [2]
