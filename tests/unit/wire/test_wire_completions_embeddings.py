from wire_exchanges import SSE_LABEL, call, sse

COMPLETIONS = "https://api.openai.com/v1/completions"
EMBEDDINGS = "https://api.openai.com/v1/embeddings"
USAGE = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def test_a_text_completion() -> None:
    answer = {"id": "cmpl-1", "object": "text_completion", "model": "gpt-3.5-turbo-instruct:20230824-v2"}
    answer |= {"choices": [{"text": "This is", "index": 0, "finish_reason": "length"}], "usage": USAGE}
    found = call(COMPLETIONS, answer, request={"model": "gpt-3.5-turbo-instruct", "prompt": ["Say", "this"]})
    assert (found.api, found.status, found.finish) == ("openai.completions", "exact", "length")
    assert dict(found.usage.counts()) == {"input": 5, "output": 7}
    assert [(part.kind, part.characters) for part in found.prompt] == [("user", 3), ("user", 4)]


def test_a_streamed_text_completion() -> None:
    piece = {"id": "cmpl-1", "choices": [{"text": "This", "finish_reason": None}], "usage": None}
    last = {"id": "cmpl-1", "choices": [], "usage": USAGE}
    found = call(COMPLETIONS, sse(piece, last, done=True), headers=SSE_LABEL)
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 5, "output": 7})
    assert call(COMPLETIONS, sse(piece, done=True), headers=SSE_LABEL).status == "missing"


def test_embeddings_as_numbers_or_as_base64_cost_the_same() -> None:
    for vector in ([0.1, -0.2], "AAAAAAAAgD8="):
        data = [{"object": "embedding", "index": 0, "embedding": vector}]
        answer = {"object": "list", "data": data, "model": "text-embedding-3-small"}
        answer["usage"] = {"prompt_tokens": 8, "total_tokens": 8}
        found = call(EMBEDDINGS, answer, request={"model": "text-embedding-3-small", "input": "hello there"})
        assert (found.api, found.status, found.is_step) == ("openai.embeddings", "exact", False)
        assert dict(found.usage.counts()) == {"input": 8}
        assert [(part.kind, part.characters) for part in found.prompt] == [("user", 11)]


def test_embeddings_may_tell_the_total_alone() -> None:
    found = call("http://localhost:9997/v1/embeddings", {"data": [], "usage": {"total_tokens": 3}})
    assert (found.status, dict(found.usage.counts())) == ("exact", {"input": 3})


def test_embeddings_without_usage_are_not_free() -> None:
    found = call(EMBEDDINGS, {"data": [], "model": "e"})
    assert (found.status, found.notes) == ("missing", ("no usage in the response",))
    assert call(EMBEDDINGS, {"data": [], "usage": {"prompt_tokens": 0, "total_tokens": 0}}).status == "missing"


def test_token_numbers_in_place_of_a_text_are_not_counted_as_text() -> None:
    found = call(EMBEDDINGS, {"usage": {"prompt_tokens": 3}}, request={"model": "e", "input": [[1, 2], [3]]})
    assert [(part.name, part.tokens) for part in found.prompt] == [("tokens", 0)]
