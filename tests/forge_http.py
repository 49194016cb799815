"""A forge's API on loopback: comments that are really kept, and faults that are really sent."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

__all__ = ["TOKEN", "Answer", "Asked", "Fault", "ForgeServer", "StoredComment"]

TOKEN: Final = "ghs_veryVerySecret123"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A reply."""

    json: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Fault:
    """What goes wrong, so many times, for requests whose `METHOD path` matches.

    Args:
        done: Whether what was asked is done all the same, and only the answer is lost.
        delay: Seconds before the answer.
    """

    match: str
    status: int = 502
    message: str = "Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    after: int = 0
    done: bool = False
    delay: float = 0.0


@dataclass(kw_only=True)
class StoredComment:
    """A comment on the forge."""

    id: int
    author: str
    body: str
    hidden: bool = False
    system: bool = False


class ForgeServer:
    """Keeps the comments of one pull request. The forge's own API is the subclass's `answer`."""

    per_page = 100

    def __init__(self, *, head: str, me: str) -> None:
        self.head, self.me = head, me
        self.comments: list[StoredComment] = []
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.before: Callable[[Asked], None] = lambda _: None
        """Called before each request is answered: what somebody else does meanwhile."""
        self.lock = Lock()
        self._next = 100
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"forge": self}))
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def add(self, body: str, author: str | None = None, **fields: Any) -> StoredComment:
        self._next += 1
        self.comments.append(StoredComment(id=self._next, author=author or self.me, body=body, **fields))
        return self.comments[-1]

    def remove(self, ident: int) -> bool:
        before = len(self.comments)
        self.comments = [comment for comment in self.comments if comment.id != ident]
        return len(self.comments) < before

    def get(self, ident: int) -> StoredComment | None:
        return next((comment for comment in self.comments if comment.id == ident), None)

    def count(self, match: str) -> int:
        return sum(re.search(match, f"{one.method} {one.path}") is not None for one in self.asked)

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def handle(self, asked: Asked) -> Answer:
        self.before(asked)
        with self.lock:
            self.asked.append(asked)
            given = asked.headers.get("authorization", "").removeprefix("token ") or asked.headers.get(
                "private-token", ""
            )
            if given.removeprefix("Bearer ") != TOKEN:
                return Answer(json={"message": "Bad credentials"}, status=401)
            fault = self._fault(asked)
            if fault is None or fault.done:
                answer = self.answer(asked)
        if fault is not None:
            time.sleep(fault.delay)
            if fault.status:
                return Answer(json={"message": fault.message}, status=fault.status, headers=fault.headers)
        return answer

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if re.search(fault.match, f"{asked.method} {asked.path}") and fault.times:
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def page(self, asked: Asked) -> tuple[list[StoredComment], str, int, int]:
        """The comments of the page that is asked for, the `Link` header, the page and the number of pages."""
        number, size = int(asked.query.get("page", 1)), min(int(asked.query.get("per_page", 30)), self.per_page)
        pages = max(1, -(-len(self.comments) // size))
        others = {"next": number + 1, "last": pages} if number < pages else {}
        links = [f'<{self.url}{asked.path}?per_page={size}&page={page}>; rel="{rel}"' for rel, page in others.items()]
        return self.comments[(number - 1) * size : number * size], ", ".join(links), number, pages


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    forge: ForgeServer

    def _any(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            json=json.loads(raw) if raw else None,
        )
        answer = self.forge.handle(asked)
        body = b"" if answer.json is None else json.dumps(answer.json).encode()
        try:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the client did not wait

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def do_PATCH(self) -> None:
        self._any()

    def do_PUT(self) -> None:
        self._any()

    def do_DELETE(self) -> None:
        self._any()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""
