"""Real clients over real HTTP: recorded against a model on loopback, then replayed; each metered exactly, twice.

Expected counts and dollars are written by hand from what the model is made to report.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loopback import LoopbackModel, Received, Reply, ToolCall
from loopback.answer import Answer

from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.store.load import load_run

SUITE = Path(__file__).with_name("sdk_clients.py")

CHAT_USAGE = {
    "prompt_tokens": 1200,
    "completion_tokens": 340,
    "total_tokens": 1540,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 128},
}
RESPONSES_USAGE = {
    "input_tokens": 900,
    "output_tokens": 200,
    "total_tokens": 1100,
    "input_tokens_details": {"cached_tokens": 512},
    "output_tokens_details": {"reasoning_tokens": 64},
}
MESSAGE_USAGE = {
    "input_tokens": 50,
    "cache_read_input_tokens": 15872,
    "cache_creation_input_tokens": 768,
    "cache_creation": {"ephemeral_5m_input_tokens": 512, "ephemeral_1h_input_tokens": 256},
    "output_tokens": 340,
    "output_tokens_details": {"thinking_tokens": 100},
}
COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "gpt-5-mini",
    "choices": [{"index": 0, "text": " upon a time", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}
SETTINGS = """\
hosts: {{"127.0.0.1:{port}": openai}}
prices:
  gpt-5-mini: {{input: 1, cache_read: 0.10, output: 10, thinking: 10}}
  text-embedding-3-small: {{input: 0.02}}
  claude-sonnet-4-5: {{input: 3, cache_read: 0.30, cache_write: 3.75, cache_write_1h: 6, output: 15, thinking: 15}}
"""
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\nasyncio_default_test_loop_scope = function\n"

CHAT = ({"input": 176, "cache_read": 1024, "output": 212, "thinking": 128}, "0.0036784")
# 176 × $1 + 1,024 × $0.10 + 340 × $10 per million
RESPONSES = ({"input": 388, "cache_read": 512, "output": 136, "thinking": 64}, "0.0024392")
# 388 × $1 + 512 × $0.10 + 200 × $10 per million
EMBEDDING = ({"input": 77}, "0.00000154")
COMPLETED = ({"input": 7, "output": 3}, "0.000037")
MESSAGE = (
    {"input": 50, "cache_read": 15872, "cache_write": 512, "cache_write_1h": 256, "output": 240, "thinking": 100},
    "0.0134676",
)
# 50 × $3 + 15,872 × $0.30 + 512 × $3.75 + 256 × $6 + 340 × $15 per million
UNKNOWN: tuple[dict[str, int], None] = ({}, None)

PLAIN = (
    "httpx",
    "httpx_in_pieces",
    "httpx_from_an_iterator",
    "httpx2",
    "requests",
    "requests_in_pieces",
    "urllib3",
    "the_standard_library",
    "http_client",
)
PLAIN_ASYNC = ("httpx_async", "httpx2_async", "aiohttp", "aiohttp_in_pieces", "aiohttp_from_bytes")

EXPECTED: dict[str, tuple[dict[str, int], str | None]] = {
    "test_openai_chat": CHAT,
    "test_openai_chat_streamed": CHAT,
    "test_openai_chat_streamed_without_usage": UNKNOWN,
    "test_openai_responses": RESPONSES,
    "test_openai_responses_streamed": RESPONSES,
    "test_openai_embeddings": EMBEDDING,
    "test_openai_completions": COMPLETED,
    "test_openai_with_raw_response": CHAT,
    "test_openai_chat_async": CHAT,
    "test_openai_chat_streamed_async": CHAT,
    "test_openai_responses_streamed_async": RESPONSES,
    "test_openai_embeddings_async": EMBEDDING,
    "test_anthropic_message": MESSAGE,
    "test_anthropic_message_streamed": MESSAGE,
    "test_anthropic_message_async": MESSAGE,
    "test_anthropic_message_streamed_async": MESSAGE,
    "test_anthropic_counts_tokens": ({}, "0"),
    **{f"test_plain[{client}]": CHAT for client in PLAIN},
    **{f"test_plain_streamed[{client}]": CHAT for client in PLAIN},
    **{f"test_plain_async[{client}]": CHAT for client in PLAIN_ASYNC},
    **{f"test_plain_streamed_async[{client}]": CHAT for client in PLAIN_ASYNC},
}


class Model(LoopbackModel):
    """The model on loopback, which also completes texts as the old endpoint does."""

    def reply_to(self, received: Received) -> tuple[Reply, Answer]:
        if received.path == "/v1/completions":
            return Reply(raw=json.dumps(COMPLETION).encode()), Answer()
        return super().reply_to(received)


def say(request: dict[str, Any], path: str) -> Reply:
    match path:
        case "/v1/messages":
            asked = ToolCall(name="lookup", arguments={"id": "A-1"})
            return Reply(text="On its way.", thinking="Look.", tool_calls=(asked,), usage=MESSAGE_USAGE)
        case "/v1/responses":
            return Reply(text="On its way.", usage=RESPONSES_USAGE)
        case "/v1/embeddings":
            return Reply(usage={"prompt_tokens": 77, "total_tokens": 77})
        case _:
            assert request["model"] == "gpt-5-mini"
            return Reply(text="On its way.", usage=CHAT_USAGE)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of the suite: its outcomes and recordings without us, recorded with us, and replayed."""

    recorded: Mapping[str, Task]
    replayed: Mapping[str, Task]
    sent_in_replay: int
    outcomes: tuple[str, str, str]
    cassettes: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]


def run_suite(folder: Path, server: LoopbackModel, *options: str) -> tuple[dict[str, Task], str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOKENBUDGET"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment | server.environment | {"PYTHONHASHSEED": "0"},  # orders headers
        capture_output=True,
        text=True,
        check=False,
    )
    run = folder / ".tokenbudget" / "run.json"
    tasks = {task.id.partition("::")[2]: task for task in load_run(run).tasks} if run.exists() else {}
    outcomes = "\n".join(sorted(re.findall(r"^(?:PASSED|FAILED|ERROR) \S+", done.stdout, re.MULTILINE)))
    assert outcomes, done.stdout + done.stderr
    return tasks, outcomes


def cassettes(folder: Path) -> dict[str, str]:
    """The recordings, without the server's port and the second in which each answer was given."""
    moment = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
    return {
        file.name: re.sub(r"127\.0\.0\.1:\d+", "(server)", moment.sub("(moment)", file.read_text()))
        for file in sorted(folder.glob("cassettes/**/*.yaml"))
    }


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    with_us, without_us = tmp_path_factory.mktemp("with"), tmp_path_factory.mktemp("without")
    for folder in (with_us, without_us):
        (folder / "test_clients.py").write_text(SUITE.read_text())
        (folder / "pytest.ini").write_text(INI)
    with Model(say) as server:
        (with_us / "tokenbudget.yml").write_text(SETTINGS.format(port=server.url.rpartition(":")[2]))
        recorded, outcomes = run_suite(with_us, server, "--record-mode=once")
        found = cassettes(with_us)
        asked = len(server.requests)
        replayed, outcomes_replayed = run_suite(with_us, server)
        sent_in_replay = len(server.requests) - asked
    with Model(say) as server:
        _, outcomes_without = run_suite(without_us, server, "--record-mode=once", "-p", "no:tokenbudget")
    return Played(
        recorded=recorded,
        replayed=replayed,
        sent_in_replay=sent_in_replay,
        outcomes=(outcomes_without, outcomes, outcomes_replayed),
        cassettes=(cassettes(without_us), found, cassettes(with_us)),
    )


def counts(task: Task) -> dict[str, int]:
    usage = task.totals.usage
    return {name: count for name in usage.__struct_fields__ if isinstance(count := getattr(usage, name), int) and count}


@pytest.mark.parametrize("test", EXPECTED)
def test_a_recorded_call_is_metered_and_paid(played: Played, test: str) -> None:
    task, (usage, cost) = played.recorded[test], EXPECTED[test]
    assert [entry.call.obtained for entry in task.calls] == ["recorded"]
    assert counts(task) == usage
    assert task.totals.cost == (None if cost is None else Decimal(cost))
    assert task.totals.incurred == Decimal(cost or "0")
    assert task.totals.unknown_sent == (cost is None)
    assert task.exchanges == 1
    assert task.calls[0].call.seconds


@pytest.mark.parametrize("test", EXPECTED)
def test_the_same_call_replayed_has_the_same_usage_and_is_free(played: Played, test: str) -> None:
    task, (usage, cost) = played.replayed[test], EXPECTED[test]
    assert [entry.call.obtained for entry in task.calls] == ["replayed"]
    assert counts(task) == usage
    assert task.totals.cost == (None if cost is None else Decimal(cost))
    assert task.totals.incurred == 0
    assert task.totals.unknown_sent == 0
    assert task.exchanges == 1
    assert task.calls[0].call.source == f"cassettes/test_clients/{test}.yaml"
    assert task.calls[0].call.index == 0


def test_nothing_else_was_measured(played: Played) -> None:
    assert set(played.recorded) == set(played.replayed) == set(EXPECTED)
    assert [task.notes for task in (*played.recorded.values(), *played.replayed.values()) if task.notes] == []


def test_a_replayed_suite_sends_nothing(played: Played) -> None:
    assert played.sent_in_replay == 0


def test_every_test_ends_as_it_does_without_us(played: Played) -> None:
    without_us, recorded, replayed = played.outcomes
    assert without_us.count("PASSED") == len(EXPECTED)
    assert recorded == without_us
    assert replayed == without_us


def test_recordings_are_what_they_are_without_us(played: Played) -> None:
    without_us, recorded, replayed = played.cassettes
    assert len(without_us) == len(EXPECTED)
    assert recorded == without_us
    assert replayed == without_us
