from collections.abc import Iterator
from pathlib import Path

import pytest
from vcr.request import Request

from pytest_tokenbudget.errors import RecordingMiss
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.traffic import cassette as seam
from pytest_tokenbudget.traffic import intake
from pytest_tokenbudget.traffic.places import cassette_path
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.traffic.replay import opened

RECORDING = """\
interactions:
- request: {method: POST, uri: "https://api.openai.com/v1/chat/completions", body: "{}", headers: {}}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: "{}"}}
version: 1
"""
CHAT = "https://api.openai.com/v1/chat/completions"


def replayed(path: Path) -> Recording:
    journals = path.parent / ".tokenbudget" / "journal"
    return Recording(path=path, test="test_it.py::test_it[a b]", journals=journals)


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[list[Exchange]]:
    found: list[Exchange] = []

    def take(exchange: Exchange) -> Skipped:
        found.append(exchange)
        return Skipped(reason="")

    seam.install()
    detach = intake.attach(Meter(take, lambda *_: None), tmp_path)
    yield found
    detach()


@pytest.mark.parametrize(
    ("test_class", "test", "expected"),
    [
        (None, "test_it", "tests/cassettes/test_agent/test_it.yaml"),
        ("TestAgent", "test_it", "tests/cassettes/test_agent/TestAgent.test_it.yaml"),
        (None, "test_it[a/b:c]", "tests/cassettes/test_agent/test_it[a-b-c].yaml"),
        (None, "test_it[<>?%*:|\"'\\]", "tests/cassettes/test_agent/test_it[----------].yaml"),
    ],
)
def test_a_recording_stands_where_pytest_recording_would_put_it(
    test_class: str | None, test: str, expected: str
) -> None:
    assert cassette_path(Path("tests/test_agent.py"), test_class, test) == Path(expected)


def test_recorded_calls_are_answered_and_the_next_one_stops(tmp_path: Path, seen: list[Exchange]) -> None:
    (tmp_path / "it.yaml").write_text(RECORDING)
    with opened(replayed(tmp_path / "it.yaml")) as cassette:
        asked = Request("POST", CHAT, b"{}", {})
        assert cassette.can_play_response_for(asked)
        assert cassette.play_response(asked)["status"]["code"] == 200
        with pytest.raises(RecordingMiss) as stopped:
            cassette.can_play_response_for(Request("POST", f"{CHAT}?key=secret", b"{}", {}))
    assert str(stopped.value) == (
        f"[miss] POST {CHAT} was not sent: this test replays, and the one answer in it.yaml is used. "
        "It is step 1. "
        "To send it and add it, type: pytest 'test_it.py::test_it[a b]' --tokenbudget-record=new "
        "(--tokenbudget-record=all records all of the test anew)."
    )
    assert [exchange.obtained for exchange in seen] == ["replayed"]
    assert (tmp_path / "it.yaml").read_text() == RECORDING


@pytest.mark.parametrize(
    ("method", "url", "body", "stops"),
    [
        ("POST", CHAT, b"", True),
        ("POST", "https://api.anthropic.com/v1/messages", b"{}", True),
        ("POST", "https://api.openai.com/v1/images/generations", b"{}", True),
        ("POST", "http://127.0.0.1:8000/v1/chat/completions", b"{}", True),
        ("POST", "http://127.0.0.1:8000/v1/messages", b'{"model": "m"}', True),
        ("POST", "http://127.0.0.1:8000/v1/messages", b'{"to": "Ann"}', False),
        ("GET", "http://127.0.0.1:8000/health", None, False),
        ("POST", "https://example.com/form", b"a=b", False),
    ],
)
def test_a_model_call_without_a_recording_stops_and_other_traffic_passes(
    tmp_path: Path,
    seen: list[Exchange],
    method: str,
    url: str,
    body: bytes | None,
    stops: bool,  # noqa: FBT001 - a parameter
) -> None:
    with opened(replayed(tmp_path / "missing.yaml")) as cassette:
        asked = Request(method, url, body, {})
        if stops:
            with pytest.raises(RecordingMiss, match=r"there is no missing\.yaml"):
                cassette.can_play_response_for(asked)
            assert isinstance(intake.attached().outside.stop, RecordingMiss)  # type: ignore[union-attr]  # the fixture's
        else:
            assert not cassette.can_play_response_for(asked)
            assert not cassette.write_protected
            cassette.append(asked, {"status": {"code": 200}})
            assert len(cassette) == 0
    assert [exchange.obtained for exchange in seen] == ([] if stops else ["live"])
    assert not (tmp_path / "missing.yaml").exists()
