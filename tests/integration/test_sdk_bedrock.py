"""boto3 over real HTTP: recorded against a Bedrock on loopback, then replayed; each metered exactly, twice.

Expected counts and dollars are written by hand from what the server answers.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from bedrock_frames import STREAM_LABEL, chunks, converse_stream

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.store.load import load_run
from pytest_tokenbudget.wire import read

pytest.importorskip("boto3", reason="boto3 is not installed")

SUITE = Path(__file__).with_name("bedrock_client.py")
JSON = {"content-type": "application/json"}
TEXT = [{"type": "text", "text": "On its way."}]
MESSAGE = {
    "id": "msg_bdrk_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": TEXT,
    "stop_reason": "end_turn",
    "usage": {
        "input_tokens": 4,
        "cache_creation_input_tokens": 30,
        "cache_read_input_tokens": 200,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 50,
    },
}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "On its way."}]}},
    "stopReason": "end_turn",
    "metrics": {"latencyMs": 5},
    "usage": {"inputTokens": 433, "outputTokens": 16, "totalTokens": 3201, "cacheReadInputTokens": 2752},
}
METRICS = {"inputTokenCount": 7, "outputTokenCount": 9, "cacheReadInputTokenCount": 1000, "invocationLatency": 5}
STREAMED = (
    {"type": "message_start", "message": MESSAGE | {"content": [], "usage": {"input_tokens": 7, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "On its way."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop", "amazon-bedrock-invocationMetrics": METRICS},
)
IN_HEADERS = {"X-Amzn-Bedrock-Input-Token-Count": "6", "X-Amzn-Bedrock-Output-Token-Count": "10"}


def answer_to(path: str) -> tuple[int, Mapping[str, str], bytes]:
    """The status, headers and body that Bedrock answers a request to a path with."""
    model, _, operation = unquote(path).removeprefix("/model/").rpartition("/")
    if model == "throttled":
        return 429, JSON | {"x-amzn-ErrorType": "ThrottlingException"}, b'{"message": "Too many requests"}'
    match operation:
        case "converse":
            return 200, JSON, json.dumps(CONVERSED).encode()
        case "converse-stream":
            usage = {"inputTokens": 5, "outputTokens": 100, "totalTokens": 105}
            return 200, STREAM_LABEL, converse_stream(usage, "On its", " way.")
        case "invoke-with-response-stream":
            return 200, STREAM_LABEL, chunks(*STREAMED)
        case "count-tokens":
            return 200, JSON, b'{"inputTokens": 15}'
    if model.startswith("mistral"):
        return 200, JSON | IN_HEADERS, b'{"outputs": [{"text": "On its way.", "stop_reason": "stop"}]}'
    if model.startswith("amazon.titan-embed"):
        return 200, JSON, b'{"embedding": [0.25], "inputTextTokenCount": 77}'
    return 200, JSON, json.dumps(MESSAGE).encode()


class _Bedrock(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        assert isinstance(self.server, Server)
        self.server.authorizations.append(self.headers["authorization"])
        status, headers, body = answer_to(self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """Bedrock on a free port of loopback; remembers each request's authorization."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Bedrock)
        self.authorizations: list[str] = []


SONNET = {"input": 433, "cache_read": 2752, "output": 16}
EXPECTED: dict[str, tuple[dict[str, int], str, str]] = {
    # 433 × $3.30 + 2,752 × $0.33 + 16 × $16.50 per million; through the global profile each is a tenth less dear
    "test_converse": (SONNET, "0.00260106", "bedrock.converse"),
    "test_converse_by_arn": (SONNET, "0.0023646", "bedrock.converse"),
    # 5 × $0.06 + 100 × $0.24
    "test_converse_stream": ({"input": 5, "output": 100}, "0.0000243", "bedrock.converse"),
    # 4 × $3.30 + 200 × $0.33 + 10 × $4.125 + 20 × $6.60 + 50 × $16.50
    "test_invoke_model": (
        {"input": 4, "cache_read": 200, "cache_write": 10, "cache_write_1h": 20, "output": 50},
        "0.00107745",
        "bedrock.invoke",
    ),
    # 6 × $0.15 + 10 × $0.20
    "test_invoke_model_told_in_headers": ({"input": 6, "output": 10}, "0.0000029", "bedrock.invoke"),
    # 7 × $3.30 + 1,000 × $0.33 + 9 × $16.50
    "test_invoke_model_with_response_stream": (
        {"input": 7, "cache_read": 1000, "output": 9},
        "0.0005016",
        "bedrock.invoke",
    ),
    # 77 × $0.02
    "test_embeddings": ({"input": 77}, "0.00000154", "bedrock.embeddings"),
    "test_count_tokens": ({}, "0", "count_tokens"),
    "test_throttled": ({}, "0", "bedrock.converse"),
}


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of the suite, recorded and replayed."""

    recorded: Mapping[str, Task] = field(default_factory=dict)
    replayed: Mapping[str, Task] = field(default_factory=dict)
    audited: Mapping[str, Call] = field(default_factory=dict)
    sent: int
    sent_in_replay: int
    run: str


def run_suite(folder: Path, url: str, *options: str) -> dict[str, Task]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOKENBUDGET", "AWS"))
    }
    keys = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "BEDROCK": url}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment | keys,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tasks = load_run(folder / ".tokenbudget" / "run.json").tasks
    return {task.id.partition("::")[2]: task for task in tasks}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as made:
        thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Played:
    folder = tmp_path_factory.mktemp("bedrock")
    (folder / "test_bedrock.py").write_text(SUITE.read_text())
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "tokenbudget.yml").write_text(f'hosts: {{"127.0.0.1:{server.server_port}": aws}}\n')
    url = f"http://127.0.0.1:{server.server_port}"
    recorded = run_suite(folder, url, "--record-mode=once")
    sent = len(server.authorizations)
    replayed = run_suite(folder, url)
    run = (folder / ".tokenbudget" / "run.json").read_text()
    kept = (read(item, len) for item in read_recordings([folder / "cassettes"]) if isinstance(item, Exchange))
    audited = {Path(call.source or "").stem: call for call in kept if isinstance(call, Call)}
    again = len(server.authorizations) - sent
    return Played(recorded=recorded, replayed=replayed, audited=audited, sent=sent, sent_in_replay=again, run=run)


def counts(task: Task) -> dict[str, int]:
    return dict(task.totals.usage.counts())


@pytest.mark.parametrize("test", EXPECTED)
def test_a_recorded_call_is_metered(played: Played, test: str) -> None:
    task, (usage, cost, api) = played.recorded[test], EXPECTED[test]
    assert [entry.call.obtained for entry in task.calls] == ["recorded"]
    assert task.calls[0].call.api.endswith(api)
    assert (counts(task), task.totals.cost) == (usage, Decimal(cost))
    assert task.totals.incurred == Decimal(cost)


@pytest.mark.parametrize("test", EXPECTED)
def test_the_same_call_replayed_has_the_same_cost_and_is_free(played: Played, test: str) -> None:
    task, (usage, cost, api) = played.replayed[test], EXPECTED[test]
    assert [entry.call.obtained for entry in task.calls] == ["replayed"]
    assert task.calls[0].call.api.endswith(api)
    assert (counts(task), task.totals.cost) == (usage, Decimal(cost))
    assert task.totals.incurred == 0


@pytest.mark.parametrize("test", EXPECTED)
def test_the_recording_alone_tells_the_same(played: Played, test: str) -> None:
    found, (usage, _, api) = played.audited[test], EXPECTED[test]
    assert dict(found.usage.counts()) == usage
    assert found.api.endswith(api)


def test_nothing_is_sent_in_replay_and_nothing_else_is_measured(played: Played) -> None:
    assert (played.sent, played.sent_in_replay) == (len(EXPECTED), 0)
    assert set(played.recorded) == set(played.replayed) == set(EXPECTED)


def test_no_key_or_signature_stands_in_the_run(played: Played, server: Server) -> None:
    assert all(found.startswith("AWS4-HMAC-SHA256") for found in server.authorizations)
    for secret in ("AKIAIOSFODNN7EXAMPLE", "AWS4-HMAC"):
        assert secret not in played.run
