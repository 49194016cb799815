"""What a wire format is, and what it reads."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct

from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.endpoint import Endpoint

__all__ = ["Format", "Json", "PromptReader", "Reading", "WholeReader"]

Json = Mapping[str, Any]
"""A decoded JSON object, as it came: nothing in it can be trusted to have its documented type."""


class Reading(Struct, frozen=True, kw_only=True, gc=False):
    """What a response says of itself; see `Call` for the meaning of each field."""

    status: Status
    usage: Usage = NO_USAGE
    model: str | None = None
    tier: str | None = None
    price_context: tuple[tuple[str, str], ...] = ()
    reported_cost: Decimal | None = None
    tools: tuple[str, ...] = ()
    finish: str | None = None
    response_id: str | None = None
    notes: tuple[str, ...] = ()


WholeReader = Callable[[Exchange, bytes], tuple[Reading, bool]]
"""What a format may have as `read_response`, beside what `Format` asks for: it is then given each response whole, for
those whose usage stands in headers or in a binary stream. It takes the exchange and the response's body without its
content encoding, and says what it reads and whether that was a stream. It may raise `DecodeError`."""


PromptReader = Callable[[Json], Prompt]
"""What a format may have as `whole_prompt`, beside what `Format` asks for: it takes the request, and says what else of
it decides how many tokens it becomes. It is asked for requests that drifted from their recording; without it only the
parts of `prompt` are known of them."""


class Format(Protocol):
    """One wire format. Implementations hold no state and never raise on a malformed body: they note it.

    Where most events of its streams say nothing of interest, a format may have `telling`, a tuple of bytes: an event
    that does contains one of them. The others, but for the first and the last, then need not be decoded.

    Attributes:
        api: The format's name in `Call.api`, such as `openai.chat`.
    """

    api: str

    def matches(self, endpoint: Endpoint) -> bool:
        """Whether requests to this endpoint speak the format."""

    def read_body(self, body: Json) -> Reading:
        """Read a whole JSON response (HTTP status below 400)."""

    def read_stream(self, events: Iterable[tuple[str, Json]], *, complete: bool) -> Reading:
        """Read a streamed response.

        Args:
            events: (event name, decoded data) pairs in order; the name is empty where the stream gives none.
            complete: Whether the stream ended as its framing says it should (`data: [DONE]`), for formats that say so.
        """

    def prompt(self, request: Json) -> Iterator[Part]:
        """Yield the prompt's parts in the order in which the provider sees them."""
