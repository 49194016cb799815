"""Which recordings may answer a request at all: what the user's own matchers say, as far as possible by a key.

vcrpy asks every matcher about every recording. Those that look at the request line alone accept exactly what has an
equal key, so that recordings can be found by it; the others are asked.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from vcr import matchers
from vcr.matchers import requests_match

from pytest_tokenbudget.traffic.canonical import Forms, line_of
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["Matching", "same_endpoint"]

Key = tuple[Any, ...]


def same_endpoint(sent: Any, recorded: Any) -> bool:
    """A matcher for `match_on`: the same API on the same host, and both streamed or neither.

    The model may differ, also where it stands in the URL.
    """
    if _endpoint(sent) != _endpoint(recorded):
        return False
    forms = Forms()
    return forms.of(sent).stream == forms.of(recorded).stream


def _endpoint(request: Any) -> Key:
    method, scheme, host, port, path, _ = line_of(request.method, request.uri)
    route = route_of(request.method, request.uri)
    if route.kind not in {"read", "unsupported"}:
        return method, scheme, host, port, path
    return method, scheme, host, port, route.api, "stream" in path.lower()


def _uri(request: Any) -> Any:
    uri = request.uri
    parsed = request.parsed_uri
    authority = f"{parsed.scheme}://{parsed.netloc}"
    return uri if parsed.path or not uri.startswith(authority) else f"{authority}/{uri[len(authority) :]}"


_KEYS: Final[dict[Any, Callable[[Any], Any]]] = {
    matchers.method: lambda request: request.method,
    matchers.uri: _uri,
    matchers.scheme: lambda request: request.scheme,
    matchers.host: lambda request: request.host,
    matchers.port: lambda request: request.port,
    matchers.path: lambda request: request.path or "/",
    matchers.query: lambda request: tuple(request.query),
    same_endpoint: _endpoint,
}
"""What matchers of request lines compare."""

_OF_THE_BODY: Final = frozenset({matchers.body, matchers.raw_body})
_OF_EQUALITY: Final = _OF_THE_BODY | {matchers.headers}


class Matching:
    """The matchers of one cassette.

    Attributes:
        asks: Whether there are matchers to be asked about each recording, beside the key.
        picky: Whether what those accept is as good as equal, so that the first in order is taken.
        streams: Whether a streamed answer must not stand in for one that is not, nor the reverse.
    """

    def __init__(self, match_on: Sequence[Any]) -> None:
        self._keys = tuple(_KEYS[matcher] for matcher in match_on if matcher in _KEYS)
        self._others = tuple(matcher for matcher in match_on if matcher not in _KEYS)
        self._beside_bodies = tuple(matcher for matcher in self._others if matcher not in _OF_THE_BODY)
        self._compares_bodies = len(self._beside_bodies) < len(self._others)
        self._spells_out = matchers.uri in match_on
        self._known: dict[tuple[Any, Any], Key] = {}
        self.asks = bool(self._others)
        self.picky = bool(_OF_EQUALITY.intersection(self._others))
        self.streams = same_endpoint in match_on

    def key(self, request: Any) -> Key:
        """What recordings that may answer a request have in common with it."""
        line = request.method, request.uri
        found = self._known.get(line)
        if found is None:
            # an agent's calls share a handful of lines
            found = self._known[line] = tuple([key(request) for key in self._keys])
        return found

    def accepts(self, sent: Any, recorded: Any, *, same_bytes: bool = False) -> bool:
        """Whether the matchers accept a recording.

        Args:
            sent: The request.
            recorded: The recorded one, whose request line is the same but for its spelling.
            same_bytes: Whether their bodies are known to be equal.
        """
        # the key of equal lines is equal, but where it is the URL as it is written
        if self._spells_out and self.key(sent) != self.key(recorded):
            return False
        if not self.asks:
            return True
        # no body and an empty one are not the same to vcrpy, nor are bytes and an object of aiohttp's
        same_bytes = same_bytes and type(sent.body) is type(recorded.body) is bytes and sent.body != b""
        asked = self._beside_bodies if same_bytes else self._others
        return not asked or bool(requests_match(sent, recorded, asked))

    def proves_different(self, sent: Any, recorded: Any) -> bool:
        """Whether bodies that differ in canonical form need not be compared once more, both being JSON.

        vcrpy describes every difference that it finds, which takes it some milliseconds.
        """
        return self._compares_bodies and _is_labelled(sent) and _is_labelled(recorded)


def _is_labelled(request: Any) -> bool:
    label = request.headers.get("Content-Type", "")
    return "application/json" in (label.decode("latin-1") if isinstance(label, bytes) else label).lower()
