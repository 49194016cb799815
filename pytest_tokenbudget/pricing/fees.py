"""Fees that the user states: requests to external APIs, calls of tools, and counts that no list prices.

A request to a host with a fee is a call of its own, `<name>.external`: it costs money, so it belongs to the task that
made it, to its budget and to every sum. A tool's fee belongs to the model call that asked for the tool.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.model.call import Call, Status
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing.overrides import host_matches, matches
from pytest_tokenbudget.pricing.rates import EXACT, RateCard, Rates

__all__ = ["TOOL", "external_call", "external_card", "is_external", "stated_fees", "tool_cost", "with_tools"]

TOOL: Final = "tool:"
"""Opens the name under which a tool's calls are counted."""

_OPERATION: Final = ".external"
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_REDIRECT: Final = 300
_ERROR: Final = 400


def external_call(fees: Iterable[Fee], exchange: Exchange) -> Call | None:
    """The call that an exchange is where the user states a fee for its host and path; the first such fee counts.

    As with model calls, an answer of HTTP 400 and above costs nothing, nor does a redirect.
    """
    host, path = _place(exchange.url)
    fee = next((fee for fee in fees if fee.host and host_matches(host, fee.host) and _is_on(path, fee)), None)
    if fee is None or not host:
        return None
    refused = exchange.status >= _REDIRECT
    status: Status = "error" if exchange.status >= _ERROR else "unbilled" if refused else "exact"
    return Call(
        provider=host,
        api=fee.label + _OPERATION,
        host=host,
        model_asked=fee.label,
        http_status=exchange.status,
        status=status,
        usage=Usage() if refused else Usage(fees=MappingProxyType({fee.label: 1})),
        started_at=exchange.started_at,
        seconds=exchange.seconds,
        obtained=exchange.obtained,
        source=exchange.source,
        index=exchange.index,
    )


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        name, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "", ""
    host = name if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f"{name}:{port}"
    return host, parts.path.rstrip("/") or "/"


def _is_on(path: str, fee: Fee) -> bool:
    return fee.path is None or matches(path, fee.path.rstrip("/") or "/")


def is_external(call: Call) -> bool:
    """Whether a call is a request to an external API."""
    return call.api.endswith(_OPERATION)


def external_card(fees: Iterable[Fee], call: Call) -> RateCard | None:
    """What a request to an external API costs; `None` where its fee is no longer stated."""
    name = call.api.removesuffix(_OPERATION)
    fee = next((fee for fee in fees if fee.host and fee.label == name and host_matches(call.host, fee.host)), None)
    return None if fee is None else RateCard(entry=name, source=fee.place, rates=Rates(), fees={name: fee.usd})


def with_tools(fees: Iterable[Fee], call: Call) -> Call:
    """The call with the tools that it asks for counted among its fees, where the user states what they cost."""
    priced = [fee for fee in fees if fee.tool]
    counts = Counter(name for name in call.tools if any(matches(name, fee.tool or "") for fee in priced))
    if not counts:
        return call
    counted = {TOOL + name: count for name, count in sorted(counts.items())}
    return replace(call, usage=replace(call.usage, fees=MappingProxyType({**call.usage.fees, **counted})))


def stated_fees(fees: Iterable[Fee], call: Call, provider: str) -> Mapping[str, Decimal]:
    """US dollars per use, by the fee's name, of what the user states for a model call: its tools, then its counts."""
    found: dict[str, Decimal] = {}
    for fee in fees:
        if fee.tool:
            found.update({TOOL + n: fee.usd for n in call.tools if TOOL + n not in found and matches(n, fee.tool)})
        elif fee.fee and fee.provider in {None, provider}:
            found.setdefault(fee.fee, fee.usd)
    return found


def tool_cost(fees: Iterable[Fee], call: Call) -> Decimal:
    """US dollars of a call's tools: the part of its cost that is not the provider's."""
    prices = stated_fees(fees, call, "")
    total = Decimal(0)
    for name, count in call.usage.fees.items():
        if name.startswith(TOOL) and name in prices:
            total = EXACT.add(total, EXACT.multiply(prices[name], count))
    return total
