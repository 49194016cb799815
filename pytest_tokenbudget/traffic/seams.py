"""Where requests leave clients, below vcrpy: one step before the first byte, once for each request that is sent.

Nothing here is imported for its own sake: a client's module is met when the suite has loaded it. Private names that are
relied on are listed, with what breaks without them, in `tests/integration/test_guard_contract.py`.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from types import ModuleType
from typing import Any, Final, NamedTuple
from weakref import WeakSet

from pytest_tokenbudget.traffic.exchanges import body_bytes
from pytest_tokenbudget.traffic.unsent import telling

__all__ = ["SEAMS", "Leaving", "Patches", "Seam"]

Leaving = Callable[[str, str, str, Callable[[], bytes | None]], None]
"""Asked with a client's layer and a request's method, its URL and what gives its body; raises to keep it here."""

_asked: ContextVar[object | None] = ContextVar("tokenbudget_asked", default=None)
"""The pool or connection that has asked about what it is sending now: the layer below does not ask again."""


class Seam(NamedTuple):
    """A method by which requests leave a client.

    Attributes:
        layer: How the client's layer is called in messages.
        module: Where its class is.
        owner: The class.
        method: The method.
        wrap: Gives the method that asks first.
    """

    layer: str
    module: str
    owner: str
    method: str
    wrap: Callable[[Any, str, Leaving], Any]


def _pool(send: Any, layer: str, leaving: Leaving) -> Any:
    @wraps(send)
    def handle_request(self: Any, request: Any) -> Any:
        leaving(layer, *_of_httpcore(request))
        _asked.set(self)
        try:
            return send(self, request)
        finally:
            _asked.set(None)

    return handle_request


def _async_pool(send: Any, layer: str, leaving: Leaving) -> Any:
    @wraps(send)
    async def handle_async_request(self: Any, request: Any) -> Any:
        leaving(layer, *_of_httpcore(request))
        _asked.set(self)
        try:
            return await send(self, request)
        finally:
            _asked.set(None)  # and not `reset`, which fails where a coroutine is closed by another context

    return handle_async_request


def _lone(send: Any, layer: str, leaving: Leaving) -> Any:
    """Of a connection that is used without a pool."""

    @wraps(send)
    def handle_request(self: Any, request: Any) -> Any:
        if _asked.get() is None:
            leaving(layer, *_of_httpcore(request))
        return send(self, request)  # a coroutine where the method is asynchronous

    return handle_request


def _of_httpcore(request: Any) -> tuple[str, str, Callable[[], bytes | None]]:
    url = request.url
    host, target = url.host.decode("latin-1"), url.target.decode("latin-1")
    port = "" if url.port is None else f":{url.port}"
    return (
        request.method.decode("latin-1"),
        f"{url.scheme.decode('latin-1')}://{host}{port}{target}",
        lambda: _streamed(request.stream),
    )


def _streamed(stream: Any) -> bytes | None:
    # httpx and httpcore each have such a class, and both can be read again and again
    return b"".join(stream) if type(stream).__name__ == "ByteStream" else None


def _urllib3(send: Any, layer: str, leaving: Leaving) -> Any:
    @wraps(send)
    def _make_request(self: Any, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if hasattr(conn, "real_connection"):  # vcrpy's stand-in: a cassette decides first
            return send(self, conn, method, url, *args, **kwargs)
        leaving(layer, method, _absolute(self.scheme, self.host, self.port, url), lambda: _given(kwargs.get("body")))
        _asked.set(conn)
        try:
            return send(self, conn, method, url, *args, **kwargs)
        finally:
            _asked.set(None)

    return _make_request


def _http_client(send: Any, layer: str, leaving: Leaving) -> Any:
    @wraps(send)
    def endheaders(self: Any, message_body: Any = None, **kwargs: Any) -> Any:
        if _asked.get() is not self:
            method, target = _request_line(self._buffer)
            tunnelled = getattr(self, "_tunnel_host", None)
            host, port = (tunnelled, self._tunnel_port) if tunnelled else (self.host, self.port)
            scheme = "https" if self.default_port == _HTTPS_PORT else "http"
            lines = self._buffer
            leaving(layer, method, _absolute(scheme, host, port, target), lambda: _announced(message_body, lines))
        return send(self, message_body, **kwargs)

    return endheaders


def _request_line(buffer: Any) -> tuple[str, str]:
    line = buffer[0] if buffer else b""
    words = (line.decode("latin-1") if isinstance(line, bytes) else str(line)).split(" ")
    return words[0], words[1] if len(words) > 1 else "/"


def _announced(body: Any, lines: Any) -> bytes | None:
    """A body that goes out with its headers; one that is sent after them, in steps of its own, is not seen."""
    if body is not None:
        return _given(body)
    return b"" if any(line.lower() == b"content-length: 0" for line in lines if isinstance(line, bytes)) else None


_HTTPS_PORT: Final = 443


def _absolute(scheme: str | None, host: str | None, port: int | None, target: str) -> str:
    if not target.startswith("/"):  # to a proxy that forwards
        return target
    name = f"[{host}]" if host and ":" in host and not host.startswith("[") else host
    return f"{scheme}://{name}{'' if port is None else f':{port}'}{target}"


def _given(body: Any) -> bytes | None:
    """A body as it was handed over; `None` where reading it would take it from the client."""
    if body is None or isinstance(body, (bytes, str, bytearray, memoryview)):
        return body_bytes(body)
    try:
        position = body.tell()
        found = body_bytes(body)
        body.seek(position)
    except (AttributeError, OSError, ValueError):
        return None
    return found


def _aiohttp_connector(send: Any, layer: str, leaving: Leaving) -> Any:
    @wraps(send)
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        leaving(layer, *_of_aiohttp(req))
        _connecting.add(req)
        return await send(self, req, *args, **kwargs)

    return connect


def _aiohttp_request(send: Any, layer: str, leaving: Leaving) -> Any:
    """Of a connector of somebody's own, which connects in its own way."""

    @wraps(send)
    def send_request(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self in _connecting:
            _connecting.discard(self)
        else:
            leaving(layer, *_of_aiohttp(self))
        return send(self, *args, **kwargs)

    return send_request


_connecting: WeakSet[Any] = WeakSet()
"""Requests of aiohttp's that were asked about when their connection was."""


def _of_aiohttp(request: Any) -> tuple[str, str, Callable[[], bytes | None]]:
    return request.method, str(request.url), lambda: _payload(getattr(request, "body", None))


def _payload(body: Any) -> bytes | None:
    value = getattr(body, "_value", body)
    return _given(value) if value is None or isinstance(value, (bytes, str, bytearray, memoryview)) else None


SEAMS: Final = (
    *(
        seam
        for core in ("httpcore", "httpcore2")
        for seam in (
            Seam(core, core, "ConnectionPool", "handle_request", _pool),
            Seam(core, core, "AsyncConnectionPool", "handle_async_request", _async_pool),
            Seam(core, core, "HTTPConnection", "handle_request", _lone),
            Seam(core, core, "AsyncHTTPConnection", "handle_async_request", _lone),
        )
    ),
    Seam("urllib3", "urllib3.connectionpool", "HTTPConnectionPool", "_make_request", _urllib3),
    Seam("http.client", "http.client", "HTTPConnection", "endheaders", _http_client),
    Seam("aiohttp", "aiohttp.connector", "BaseConnector", "connect", _aiohttp_connector),
    Seam("aiohttp", "aiohttp.client_reqrep", "ClientRequest", "send", _aiohttp_request),
)
"""urllib3 and aiohttp each have two: they connect before they send, and a refused request shall not even do that."""


class Patches:
    """The seams that are in place."""

    def __init__(self, leaving: Leaving) -> None:
        """Prepare; nothing is put in place yet.

        Args:
            leaving: Asked about every request.
        """
        self._leaving = leaving
        self._placed: list[tuple[type, str, Any, Any]] = []

    def place(self, module: ModuleType) -> None:
        """Put the seams of a module in place, once."""
        for seam in SEAMS:
            owner = getattr(module, seam.owner, None) if seam.module == module.__name__ else None
            original = getattr(owner, "__dict__", {}).get(seam.method)
            if owner is None or original is None or any(original is ours for _, _, _, ours in self._placed):
                continue
            ours = seam.wrap(telling(original), seam.layer, self._leaving)
            setattr(owner, seam.method, ours)
            self._placed.append((owner, seam.method, original, ours))

    def remove(self) -> None:
        """Put back what was there, unless somebody has put something of their own over it since."""
        while self._placed:
            owner, method, original, ours = self._placed.pop()
            if owner.__dict__.get(method) is ours:
                setattr(owner, method, original)
