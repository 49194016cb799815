"""What leaves is seen once and below vcrpy, whatever the client: refused in replay, let through once where approved."""

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest
import vcr
import vcr.patch
from guard_clients import CALLS
from vcr.patch import force_reset
from watched import Watched, watching

from pytest_tokenbudget.errors import EscapeRefused
from pytest_tokenbudget.traffic.recording import Recording
from pytest_tokenbudget.traffic.replay import opened

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # Google's

BELOW_VCRPY = {
    "openai_over_a_transport_of_ones_own",
    "httpcore_pool",
    "httpcore_connection",
    "httpcore_async_connection",
}
"""What no cassette sees, even undisturbed."""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watching(tmp_path) as found:
        yield found


@pytest.fixture(params=CALLS)
def call(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return CALLS[request.param]


def test_refused(watched: Watched, call: Callable[[str], None]) -> None:
    watched.refused = "test_it replays"
    with pytest.raises(EscapeRefused, match=r"^\[escape\] POST http://127.0.0.1:\d+/\S+ was not sent: .* replays\. Do"):
        call(watched.url)
    assert watched.arrived == 0
    assert watched.seen == ["refused"]  # and no SDK tried again
    assert isinstance(watched.task.stop, EscapeRefused)


def test_each_that_leaves_is_seen_once(watched: Watched, call: Callable[[str], None]) -> None:
    with suppress(Exception):  # Gemini and Bedrock are not spoken there
        call(watched.url)
    assert watched.arrived == 1
    assert watched.seen == ["escaped"]


def test_what_a_cassette_lets_out_passes_once(
    watched: Watched, request: pytest.FixtureRequest, call: Callable[[str], None], tmp_path: Path
) -> None:
    with vcr.use_cassette(str(tmp_path / "all.yaml"), record_mode="all"):
        for _ in range(2):
            with suppress(Exception):
                call(watched.url)
    assert watched.arrived == 2
    past = 2 if request.node.callspec.params["call"] in BELOW_VCRPY else 0
    assert (len(watched.task.strays), len(watched.exchanges)) == (past, 2 - past)
    # the approval is used up
    watched.refused = "test_it replays"
    with pytest.raises(EscapeRefused):
        call(watched.url)
    assert watched.arrived == 2


def test_refused_in_replay_with_vcrpys_patches_undone(
    watched: Watched, call: Callable[[str], None], tmp_path: Path
) -> None:
    watched.refused = "test_it replays"
    left_out = vcr.patch._AiohttpClientSessionRequest  # noqa: SLF001 - `force_reset` does not undo it
    with (
        vcr.use_cassette(str(tmp_path / "none.yaml"), record_mode="none"),
        force_reset(),
        patch.object(aiohttp.ClientSession, "_request", left_out),
        pytest.raises(EscapeRefused),
    ):
        call(watched.url)
    assert watched.arrived == 0


KINDS = ("openai_client", "anthropic_async", "boto3_converse", "requests_client", "aiohttp_client", "http_client")


@pytest.mark.parametrize("call", KINDS, indirect=True)
def test_a_miss_in_replay_leaves_no_approval(watched: Watched, call: Callable[[str], None], tmp_path: Path) -> None:
    watched.refused = "test_it replays"
    with vcr.use_cassette(str(tmp_path / "none.yaml"), record_mode="none"):
        missed: list[Any] = []
        for _ in range(2):
            try:
                call(watched.url)
            except BaseException as error:  # noqa: BLE001 - vcrpy's own, or a stop, or an SDK's around it
                missed.append(error)
    assert (len(missed), watched.arrived) == (2, 0)


def _refused(call: Callable[[str], None], folder: Path) -> tuple[bool, list[str]]:
    """Whether a recording waits for an answer after a call that nothing listened to, and what is left of it."""
    journals = folder / "journals"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    recording = Recording(path=folder / "it.yaml", test="it", journals=journals, record="once")
    with opened(recording) as cassette, pytest.raises(Exception, match=r".*"):
        call(f"http://127.0.0.1:{port}")
    waits = cassette.waits
    cassette.finish(complete=False)
    return waits, [file.name for file in journals.glob("*")]


def test_what_nothing_listened_to_was_not_sent_and_cannot_be_billed(
    watched: Watched, request: pytest.FixtureRequest, call: Callable[[str], None], tmp_path: Path
) -> None:
    waits, left = _refused(call, tmp_path)
    past = request.node.callspec.params["call"] in BELOW_VCRPY
    assert waits is not past  # it got no answer all the same
    assert watched.seen == (["escaped"] if past else [])
    assert left == []
