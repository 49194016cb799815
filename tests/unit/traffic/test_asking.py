"""Which requests count as model calls; bodies are looked at only where host and path leave it open."""

import pytest

from pytest_tokenbudget.traffic.asking import is_model_call


def unasked() -> bytes:
    pytest.fail("the body was looked at without need")


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("POST", "https://api.openai.com/v1/chat/completions", True),
        ("POST", "http://127.0.0.1:4000/v1/chat/completions", True),
        ("POST", "https://api.anthropic.com/v1/messages", True),
        ("POST", "https://api.openai.com/v1/fine_tuning/jobs", True),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens", False),
        ("GET", "https://api.openai.com/v1/models", False),
        ("CONNECT", "https://api.openai.com", False),
        ("POST", "https://api.github.com/graphql", False),
        ("?", "", False),
    ],
)
def test_where_the_request_line_settles_it(method: str, url: str, *, expected: bool) -> None:
    assert is_model_call(method, url, unasked) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b'{"model": "tiny"}', True), (b'{"to": "ann", "text": "Hi"}', False), (b"", False), (None, True)],
)
def test_where_the_body_does(body: bytes | None, *, expected: bool) -> None:
    assert is_model_call("POST", "http://chat.example.com/v1/messages", lambda: body) is expected
