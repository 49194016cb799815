"""vcrpy undoes its patches in every thread whenever one of them makes a connection: calls go live in replay.

Provoked with plain vcrpy, and held by the guard.
"""

import http.client
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import vcr
import yaml
from loopback import LoopbackModel, Reply
from project import chat

from pytest_tokenbudget.errors import EscapeRefused
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.traffic import guard, intake

PATH = "/v1/chat/completions"
THREADS = 8
CALLS = 800
ROUNDS = 12


@pytest.fixture
def server() -> Iterator[LoopbackModel]:
    with LoopbackModel(lambda *_: Reply(text="Live.")) as found:
        yield found


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns often, as they do on a busy machine.

    Those that start meanwhile are not traced: two at once cannot install a trace function, and the later one dies.
    """
    before, trace = sys.getswitchinterval(), threading.gettrace()
    threading.settrace(None)
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
    threading.settrace(trace)  # None where nothing traced


def ask(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", PATH, b'{"model": "tiny"}', {"Content-Type": "application/json"})
        return "replayed" if b"Hi." in connection.getresponse().read() else "live"
    except EscapeRefused:
        return "refused"
    except http.client.HTTPException:
        return "broken"
    finally:
        connection.close()


def replay(server: LoopbackModel, folder: Path) -> list[str]:
    """How each of many replay-only calls was answered, from several threads."""
    port = int(server.url.rpartition(":")[2])
    recorded: dict[str, Any] = {"interactions": [chat(url=server.url + PATH)], "version": 1}
    path = folder / "recorded.yaml"
    path.write_text(yaml.safe_dump(recorded))
    with (
        vcr.use_cassette(str(path), record_mode="none", allow_playback_repeats=True),
        ThreadPoolExecutor(THREADS) as pool,
    ):
        return list(pool.map(ask, [port] * CALLS))


@pytest.mark.usefixtures("hasty")
def test_what_goes_live_under_plain_vcrpy_is_held_by_the_guard(server: LoopbackModel, tmp_path: Path) -> None:
    task, free = TaskMeter("test_it"), TaskMeter("test_without_guard")
    meter = Meter(lambda _: Skipped(source=None, index=None, reason="not of interest"), lambda *_: None)
    detach = intake.attach(meter, tmp_path)
    live = refused = 0
    try:
        for _ in range(ROUNDS):
            uninstall = guard.install(meter, lambda: guard.Ruling(task=free))
            live += replay(server, tmp_path).count("live")
            uninstall()
            assert len(server.requests) == len(free.strays) == live
            uninstall = guard.install(meter, lambda: guard.Ruling(task=task, refused="test_it replays"))
            refused += replay(server, tmp_path).count("refused")
            uninstall()
            assert len(server.requests) == live
            assert len(task.strays) == refused
            if live and refused:
                break
    finally:
        detach()
    assert live, f"{ROUNDS * CALLS} calls did not provoke it: see whether vcrpy has mended `force_reset`"
    assert refused
