"""A suite that records with vcrpy or pytest-recording gains metering, and neither outcomes nor recordings change."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from loopback import LoopbackModel, Reply
from vcr.stubs import aiohttp_stubs

from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.store.load import load_run

SUITE = Path(__file__).with_name("vcr_users.py")
CONFTEST = """\
import os
import pytest
import vcr


@vcr.use_cassette("cassettes/users/conftest.yaml")
def asks():
    from test_users import ask

    return ask("conftest")


@pytest.fixture
def asks_in_conftest():
    return asks
"""
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_default_test_loop_scope = function\n"
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 0},
}
SETTINGS = "prices: {tiny: {input: 1, output: 1}}\n"
EXTRA = """\
interactions:
- request: {method: GET, uri: "http://nobody/", body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {}, body: {string: ""}}
version: 1
"""

ONE = ("recorded",), ("replayed",)
EXPECTED: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "test_context_manager": (("recorded",) * 2, ("replayed",) * 2),
    "test_decorator": ONE,
    "test_injected": ONE,
    "test_decorated_in_conftest": ONE,
    "test_generator": (("recorded",) * 2, ("replayed",) * 2),
    "test_coroutine": ONE,
    "test_own_instance_with_json": (("recorded",) * 2, ("replayed",) * 2),
    "test_own_serializer": ONE,
    "test_own_persister": ONE,
    "test_class_of_vcrpy": ONE,
    "test_own_class": ONE,
    "test_own_finding": ONE,
    "test_nested": (("recorded",) * 3, ("replayed",) * 3),
    "test_mode_new_episodes": (("recorded", "replayed", "recorded"), ("replayed",) * 2),
    "test_mode_all": (("recorded",), ("recorded",)),
    "test_mode_once_is_closed_after_recording": (("recorded", "replayed"), ("replayed",) * 2),
    "test_repeats": (("recorded", *("replayed",) * 3), ("replayed",) * 4),
    "test_dropped_response": (("live",), ("live",)),
    "test_dropped_request": (("live",), ("live",)),
    "test_ignored_host": (("live",), ("live",)),
    "test_ignored_host_with_aiohttp": (("live",), ("live",)),
    "test_filter_that_fails": (("live",), ("live",)),
    "test_scrubbed_request": ONE,
    "test_scrubbed_without_a_copy": ONE,
    "test_counting_filter": ONE,
    "test_not_saved_on_exception": (("recorded",), ("recorded",)),
    "test_threads": (("recorded",) * 12, ("replayed",) * 12),
    "test_a_thread_of_its_own": ONE,
    "test_other_traffic": ((), ()),
    "TestMixed::test_unittest": ONE,
    "test_marked": ONE,
    "test_named_cassette": ONE,
    "test_extra_cassette": ONE,
    "test_marked_with_mode[a/b]": ONE,
    "test_marked_with_mode[c]": ONE,
    "TestMarked::test_configured": ONE,
}
"""How each test's answers were obtained, while recording and afterwards."""

NOT_SEEN = ("test_mode_none_without_recording", "test_without_a_cassette")


def say(request: dict[str, Any], _: str) -> Reply:
    return Reply(text=f"You said: {request['messages'][0]['content']}", usage=USAGE)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of the suite: first recorded, then replayed.

    Attributes:
        tasks: What was measured of each test.
        outcomes: How each test ended.
        files: What was kept in files.
        sent: How many requests the model received.
    """

    tasks: tuple[Mapping[str, Task], Mapping[str, Task]]
    outcomes: tuple[str, str]
    files: tuple[Mapping[str, str], Mapping[str, str]]
    sent: tuple[int, int]


def run_suite(folder: Path, server: LoopbackModel, *options: str, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOKENBUDGET"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment | server.environment | variables | {"PYTHONHASHSEED": "0"},  # orders headers
        capture_output=True,
        text=True,
        check=False,
    )
    assert " passed" in done.stdout, done.stdout + done.stderr
    return "\n".join(sorted(re.findall(r"^(?:PASSED|FAILED|ERROR) \S+", done.stdout, re.MULTILINE)))


def tasks(folder: Path) -> dict[str, Task]:
    run = folder / ".tokenbudget" / "run.json"
    found = {task.id.partition("::")[2]: task for task in load_run(run).tasks} if run.exists() else {}
    run.unlink(missing_ok=True)
    return found


def recordings(folder: Path) -> dict[str, str]:
    """The recordings, without the server's port and the second in which each answer was given."""
    moment = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|TMG \d\d:\d\d:\d\d \d{4} \w{3} \d\d ,\w{3}")
    server = re.compile(r"127\.0\.0\.1:\d+|\d+:1\.0\.0\.721")
    return {
        str(file.relative_to(folder)): server.sub("(server)", moment.sub("(moment)", file.read_text("latin-1")))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and "cassettes" in file.parts
    }


def play(folder: Path, *options: str) -> Played:
    extra = folder / "cassettes" / "test_users" / "extra.yaml"
    extra.parent.mkdir(parents=True)
    extra.write_text(EXTRA)
    (folder / "test_users.py").write_text(SUITE.read_text())
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(INI)
    (folder / "tokenbudget.yml").write_text(SETTINGS)
    with LoopbackModel(say) as server:
        outcomes = run_suite(folder, server, *options, "--record-mode=new_episodes")
        files, measured, sent = recordings(folder), tasks(folder), len(server.requests)
        outcomes_replayed = run_suite(folder, server, *options, REPLAY="1")
        return Played(
            tasks=(measured, tasks(folder)),
            outcomes=(outcomes, outcomes_replayed),
            files=(files, recordings(folder)),
            sent=(sent, len(server.requests) - sent),
        )


@pytest.fixture(scope="module")
def without_us(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("without"), "-p", "no:tokenbudget")


@pytest.fixture(scope="module")
def with_us(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("with"))


@pytest.mark.parametrize("test", EXPECTED)
@pytest.mark.parametrize("when", [0, 1], ids=["recorded", "replayed"])
def test_each_answer_is_metered_once_as_it_was_obtained(with_us: Played, when: int, test: str) -> None:
    expected = EXPECTED[test][when]
    task = with_us.tasks[when][test]
    assert tuple(entry.call.obtained for entry in task.calls) == expected
    assert task.exchanges == len(task.calls) + len(task.skipped)
    assert task.notes == ()
    if test != "test_ignored_host_with_aiohttp":
        assert task.totals.usage.total == 120 * len(expected)
        assert task.totals.incurred * 1_000_000 == 120 * sum(how != "replayed" for how in expected)


def test_an_answer_that_aiohttps_stub_keeps_from_us_is_unknown_and_not_free(with_us: Played) -> None:
    call = with_us.tasks[0]["test_ignored_host_with_aiohttp"].calls[0].call
    # the stub of vcrpy 9.0 still handed it over
    keeps = inspect.getsource(aiohttp_stubs).count("cassette.filter_request(") > 1
    expected = ("missing", "tiny", None) if keeps else ("exact", "tiny", Decimal("0.00012"))
    assert (call.status, call.model, call.cost) == expected


def test_traffic_that_is_no_model_call_is_listed(with_us: Played) -> None:
    task = with_us.tasks[0]["test_other_traffic"]
    assert [skipped.reason for skipped in task.skipped] == ["not model traffic"]


def test_nothing_else_was_measured(with_us: Played) -> None:
    escaped = {"test_without_a_cassette"}
    assert set(with_us.tasks[0]) == set(with_us.tasks[1]) == set(EXPECTED) | escaped
    # and nothing that passes a cassette is taken for what went past it
    for tasks in with_us.tasks:
        assert {name for name, task in tasks.items() if task.strays} == escaped


def test_every_test_ends_as_it_does_without_us(with_us: Played, without_us: Played) -> None:
    assert without_us.tasks == ({}, {})
    assert without_us.outcomes[0].count("PASSED") == len(EXPECTED) + len(NOT_SEEN)
    assert with_us.outcomes == without_us.outcomes


def test_what_is_sent_and_kept_is_what_is_without_us(with_us: Played, without_us: Played) -> None:
    assert len(without_us.files[0]) > len(EXPECTED) / 2
    assert with_us.files == without_us.files
    assert with_us.sent == without_us.sent
