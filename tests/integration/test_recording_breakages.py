"""What breaks with plain vcrpy while recording, each shown beside what we do."""

import asyncio
import gzip
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import vcr
import yaml
from botocore.config import Config
from botocore.exceptions import IncompleteReadError
from studio import Studio
from vcr.errors import CannotOverwriteExistingCassetteException
from vcr.serialize import serialize
from vcr.serializers import jsonserializer

from pytest_tokenbudget.errors import RecordingError

ANSWER = {
    "model": "m",
    "choices": [{"message": {"content": "Hi."}}],
    "content": [{"type": "text", "text": "Hi."}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    seen = threading.Event()
    came = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/slow"):
            time.sleep(0.5)
        if self.path.startswith("/stream"):
            return self._stream()
        body = json.dumps(ANSWER).encode()
        packed = gzip.compress(body) if self.path.startswith("/gzip") else body
        with suppress(OSError):  # who asked may be gone
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(packed)))
            if packed is not body:
                self.send_header("content-encoding", "gzip")
            self.end_headers()
            self.wfile.write(packed)
        return None

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        event = b'data: {"model": "m"}\n\n'
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        Handler.came = Handler.seen.wait(0.3)
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the output clean."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def plain(tmp_path: Path, mode: str = "once", **changes: Any) -> Any:
    return vcr.use_cassette(str(tmp_path / "plain.yaml"), record_mode=mode, **changes)


def ask(url: str, **changes: Any) -> httpx.Response:
    return httpx.post(f"{url}/v1/chat/completions", json=ASKED | changes)


async def cancelled(url: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.post(f"{url}/slow/v1/chat/completions", json=ASKED), 0.1)


def test_3_a_cancelled_call_was_billed_and_is_reported(studio: Studio, url: str, tmp_path: Path) -> None:
    with plain(tmp_path) as cassette:
        asyncio.run(cancelled(url))
    assert len(cassette) == 0  # and nobody is told
    with studio.open("once"):
        asyncio.run(cancelled(url))
    (stray,) = studio.task.strays
    assert (stray.kind, stray.request) == ("unanswered", f"POST {url}/slow/v1/chat/completions")


def sees_it_come(url: str) -> bool:
    """Whether the client has the first event before the model sends the rest, with which that waits a little."""
    Handler.seen.clear()
    with httpx.stream("POST", f"{url}/stream/v1/chat/completions", json=ASKED) as answer:
        lines = answer.iter_lines()
        assert next(lines)
        Handler.seen.set()
        assert len(list(lines)) > 1
    return Handler.came


def test_4_a_stream_is_handed_out_at_its_end_while_it_is_recorded(studio: Studio, url: str, tmp_path: Path) -> None:
    """A limit of vcrpy's, which collects the answer before it hands it on; documented in the guide."""
    assert sees_it_come(url)
    with plain(tmp_path):
        assert not sees_it_come(url)
    with studio.open("once"):
        assert not sees_it_come(url)
    with studio.open():
        sees_it_come(url)


def invoke(url: str) -> Any:
    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="loopback",
        config=Config(retries={"total_max_attempts": 1}),
    )
    return json.loads(client.invoke_model(modelId="anthropic.claude-v2", body=json.dumps(ASKED))["body"].read())


def test_7_gzip_reaches_boto_and_is_readable(studio: Studio, url: str, tmp_path: Path) -> None:
    with plain(tmp_path), pytest.raises(IncompleteReadError):
        invoke(f"{url}/gzip")
    with studio.open("once"):
        assert invoke(f"{url}/gzip") == ANSWER
        assert ask(f"{url}/gzip").json() == ANSWER
    with studio.open():
        assert invoke(f"{url}/gzip") == ANSWER
        assert ask(f"{url}/gzip").json() == ANSWER
    assert studio.text.count('"text": "Hi."') == 2
    assert "binary" not in studio.text


def test_8_bedrocks_byte_headers_and_its_credentials(studio: Studio, url: str, tmp_path: Path) -> None:
    with plain(tmp_path) as cassette:
        invoke(url)
    with pytest.raises(TypeError):
        serialize({"requests": cassette.requests, "responses": cassette.responses}, jsonserializer)
    headers = yaml.safe_load((tmp_path / "plain.yaml").read_bytes())["interactions"][0]["request"]["headers"]
    assert b"AKIAIOSFODNN7EXAMPLE" in headers["Authorization"][0]  # in base64, where no scanner of texts sees it
    with studio.open("once"):
        invoke(url)
    headers = yaml.safe_load(studio.text)["interactions"][0]["request"]["headers"]
    assert all(type(value) is str for values in headers.values() for value in values)
    assert "authorization" not in headers


def test_10_a_stop_does_not_leave_a_recording_that_blocks(studio: Studio, url: str, tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), plain(tmp_path):
        ask(url)
        raise KeyboardInterrupt
    with plain(tmp_path):
        ask(url)
        with pytest.raises(CannotOverwriteExistingCassetteException):
            ask(url, temperature=0)
    with suppress(KeyboardInterrupt), studio.open("once"):
        ask(url)
        raise KeyboardInterrupt
    with studio.open("once"):
        ask(url)
        ask(url, temperature=0)
    assert studio.obtained == ["recorded", "replayed", "recorded"]


TAGGED = """\
interactions:
- request:
    body: '{"model": "m", "messages": [{"role": "user", "content": "Hello"}]}'
    headers: {}
    method: POST
    uri: URL/v1/chat/completions
  response:
    body: {string: '{"model": "m"}'}
    headers:
      ? !!python/object/apply:multidict._multidict.istr [Content-Type]
      : [application/json]
    status: {code: 200, message: OK}
version: 1
"""


def test_12_tags_of_python_objects_load_and_nothing_is_called(studio: Studio, url: str, tmp_path: Path) -> None:
    (tmp_path / "plain.yaml").write_text(TAGGED.replace("URL", url))
    with pytest.raises(ValueError, match="problem loading the cassette"), plain(tmp_path, "none"):
        pass
    studio.path.parent.mkdir(parents=True)
    studio.path.write_text(TAGGED.replace("URL", url))
    with studio.open():
        assert ask(url).headers["content-type"] == "application/json"
    studio.path.write_text(TAGGED.replace("multidict._multidict.istr [Content-Type]", "os.mkdir [hacked]"))
    with studio.open():
        pass
    assert not Path("hacked").exists()


KILLED = """\
import os, signal, sys
import httpx, vcr
with vcr.use_cassette(sys.argv[1]):
    for number in range(3):
        httpx.post(sys.argv[2] + "/v1/chat/completions", json={"model": "m"})
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_13_plain_vcrpy_loses_all_that_a_killed_recording_was_answered(url: str, tmp_path: Path) -> None:
    """Ours loses none of it: see test_killed_recordings.py."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "plain.yaml"), url], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "plain.yaml").exists()


BROKEN = {
    "cut off": (TAGGED[:100], 3),
    "no cassette": ("- a\n- b\n", 1),
    "half an interaction": (TAGGED.partition("  response:")[0], 2),
    "no text": ("interactions:\n- \x00\n", 2),
    "no JSON": ('{"interactions": [', 1),
    "an unknown tag": ("interactions:\n- !ruby/object:Thing {}\n", 2),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_recording_is_named_with_its_line_and_a_way_out(studio: Studio, how: str) -> None:
    content, line = BROKEN[how]
    studio.path.parent.mkdir(parents=True)
    studio.path.write_text(content)
    with pytest.raises(RecordingError) as refused, studio.open():
        pass
    assert str(refused.value).startswith(f"{studio.name}:{line}: the recording cannot be read: ")
    assert "--tokenbudget-record=once" in str(refused.value)


def test_recordings_in_json_are_read_too(studio: Studio, url: str, tmp_path: Path) -> None:
    with vcr.use_cassette(str(tmp_path / "plain.json"), serializer="json"):
        ask(url)
    studio.path.parent.mkdir(parents=True)
    (tmp_path / "plain.json").rename(studio.path)
    with studio.open():
        assert ask(url).json() == ANSWER
    assert studio.obtained == ["replayed"]
