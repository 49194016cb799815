"""Recordings killed with SIGKILL at random points, and continued; `test_killed_recordings.py` runs it and judges.

One process that has everything imported forks a server, and for each round an agent that it kills and another one that
goes on. It prints for each round, as a line of JSON, what the agent was handed, what was kept, and what the server
received.
"""
# ruff: noqa: T201 - it prints what it found

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from studio import Studio

from pytest_tokenbudget.traffic.cassette_file import load_cassette
from pytest_tokenbudget.traffic.journal import read_journal

QUESTIONS = [f"question {number}" for number in range(12)]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    received: int

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["messages"][0]["content"]
        os.write(self.received, f"{asked}\n".encode())
        time.sleep(0.002)
        said = {"model": "m", "choices": [{"message": {"content": f"{asked}!"}}], "usage": USAGE}
        body = json.dumps(said).encode()
        # whoever asked may be dead
        with suppress(OSError):
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        """Keep the output clean."""


def log(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def forked(run: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - the parent sees the status
        print(repr(error), file=sys.stderr)
        os._exit(1)
    os._exit(0)


def agent(studio: Studio, url: str, handed: int) -> None:
    """Ask three questions at a time; note each answer once it is there."""

    def ask(question: str) -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": question}]}
        assert client.post(f"{url}/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]
        os.write(handed, f"{question}\n".encode())

    with httpx.Client(verify=False) as client, studio.open("once"), ThreadPoolExecutor(3) as pool:  # noqa: S501 - http
        list(pool.map(ask, QUESTIONS))


def kept(studio: Studio) -> list[str]:
    """The questions whose answers are in the journal or the cassette."""
    found = list(load_cassette(studio.path)) if studio.path.exists() else []
    for file in studio.journals.glob("*.jsonl"):
        journal = read_journal(file)
        found += [answer.interaction for answer in journal.answers] if journal else []
    return [json.loads(one.request_body or b"")["messages"][0]["content"] for one in found]


def play(root: Path, url: str, received: Path, after: tuple[int, float] | None) -> dict[str, Any]:
    """Kill an agent some seconds after it was handed so many answers, and let another one go on."""
    studio = Studio(root)
    root.mkdir()
    had = len(lines(received))
    status = 0
    if after is None:
        agent(studio, url, log(root / "handed"))  # here, so that all is imported of which children are forked
    else:
        child = forked(lambda: agent(studio, url, log(root / "handed")))
        answers, seconds = after
        while len(lines(root / "handed")) < answers:
            time.sleep(0.0005)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    found: dict[str, Any] = {
        "killed": os.WIFSIGNALED(status),
        "handed": lines(root / "handed"),
        "kept": kept(studio),
    }
    if found["killed"]:
        time.sleep(0.01)  # what was sent arrives

        def resume() -> None:
            agent(studio, url, log(root / "handed again"))
            os.write(log(root / "strays"), json.dumps([stray.how for stray in studio.task.strays]).encode())

        status = os.waitpid(forked(resume), 0)[1]
    found |= {
        "status": status,
        "handed again": lines(root / "handed again"),
        "received": Counter(lines(received)[had:]),
        "strays": json.loads("".join(lines(root / "strays")) or "[]"),
        "recorded": [
            json.loads(one.request_body or b"")["messages"][0]["content"] for one in load_cassette(studio.path)
        ],
        "journals": len(list(studio.journals.glob("*.jsonl"))),
    }
    return found


def main(folder: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - to be the same each time
    received = folder / "received"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.received = log(received)
    serving = forked(server.serve_forever)
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        print(json.dumps(play(folder / "whole", url, received, None)))
        for number in range(rounds):
            after = dice.randrange(len(QUESTIONS)), dice.uniform(0, 0.01)
            print(json.dumps(play(folder / str(number), url, received, after)))
    finally:
        os.kill(serving, signal.SIGKILL)
        os.waitpid(serving, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
