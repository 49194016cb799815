"""Numbers as a person reads them, short and never a lie.

An amount that is not zero never prints as zero, one that differs from its limit never prints equal to it or on the
limit's other side, and an unknown one prints as a question mark. Print a limit itself with `limit_usd`: in full.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

__all__ = [
    "UNKNOWN",
    "limit_usd",
    "measured",
    "percent",
    "seconds",
    "short_tokens",
    "signed_percent",
    "signed_usd",
    "tokens",
    "usd",
    "usd_range",
]

UNKNOWN: Final = "?"
_MINUS: Final = "\N{MINUS SIGN}"
_TINY: Final = Decimal("0.000001")
_WHOLE: Final = Decimal(1)
_CENTS: Final = 2
_TEN: Final = Decimal(10)
_MOST_PERCENT_DECIMALS: Final = 3


def usd(amount: Decimal | None, *, limit: Decimal | None = None) -> str:
    """US dollars with three significant digits below $1, four up to $10, and cents above.

    Args:
        amount: US dollars; `None` where unknown.
        limit: A bound printed beside it: digits are added until both stand in their true order.
    """
    if amount is None:
        return UNKNOWN
    size = abs(amount)
    if not size:
        return "$0.00"
    if size < _TINY and not (limit and abs(limit) < _TINY):
        return f"<${_TINY}" if amount > 0 else f">{_MINUS}${_TINY}"
    return f"{_MINUS if amount < 0 else ''}${_told_apart(size, _decimals(size), limit if amount > 0 else None)}"


def limit_usd(limit: Decimal) -> str:
    """US dollars in full, as whoever set the limit wrote them, with at least two decimals."""
    return f"{_MINUS if limit < 0 else ''}${_full(abs(limit), _CENTS)}"


def signed_usd(change: Decimal | None) -> str:
    """A change in US dollars with its sign; no change is `$0.00`."""
    text = usd(change)
    return text.replace("$", "+$") if change is not None and change > 0 else text


def usd_range(low: Decimal, high: Decimal | None, *, edges: Sequence[Decimal] = ()) -> str:
    """A band in US dollars, rounded outwards so that it still holds the true amount.

    Args:
        low: The least.
        high: The most, `None` where nothing bounds it.
        edges: Amounts that decide something, such as a limit: rounding never moves an end across or onto one.
    """
    least = _end(low, ROUND_FLOOR, edges)
    if high is None:
        return f"{least} or more"
    if low == high:
        return least
    return f"{least} to {_end(high, ROUND_CEILING, edges)}"


def _end(amount: Decimal, rounding: str, edges: Sequence[Decimal]) -> str:
    rounded = _outwards(amount, rounding)
    crossed = [edge for edge in edges if _sign(amount - edge) != _sign(rounded - edge)]
    return usd(amount, limit=crossed[0]) if crossed else usd(rounded)


def _sign(difference: Decimal) -> int:
    return (difference > 0) - (difference < 0)


def tokens(count: int | Decimal | None) -> str:
    """A count in full, with thousands separated."""
    if count is None:
        return UNKNOWN
    return f"{count:,}" if isinstance(count, int) or count == count.to_integral_value() else f"{count:,.1f}"


def short_tokens(count: int) -> str:
    """A count in two or three digits: `638`, `9.4K`, `14K`, `1.2M`."""
    size = Decimal(count)
    for unit in ("", "K", "M"):
        text = str(count) if not unit else _whole_or_tenth(size)
        if len(text) < len("1000"):
            return text + unit
        size /= 1000
    return f"{_whole_or_tenth(size)}B"


def percent(ratio: Decimal | float | None, *, edge: Decimal | None = None) -> str:
    """A share of 1 as a percentage: whole, with decimals only where 0%, 100% or the edge would be told wrongly.

    Args:
        ratio: 1 is 100%; `None` where unknown.
        edge: Another ratio that decides something, such as one and the tolerance.
    """
    if ratio is None:
        return UNKNOWN
    exact = ratio if isinstance(ratio, Decimal) else Decimal(str(ratio))
    edges = (Decimal(0), _WHOLE, _WHOLE if edge is None else edge)
    for decimals in range(_MOST_PERCENT_DECIMALS + 1):
        text = f"{exact:,.{decimals}%}"
        shown = Decimal(text[:-1].replace(",", "")) / 100
        crossed = [at for at in edges if exact != at and not _same_side(exact, shown, at)]
        if not crossed:
            return text.replace("-", _MINUS)
    return f"{'>' if exact > crossed[0] else '<'}{_full(crossed[0] * 100, 0)}%"


def signed_percent(change: Decimal | float | None, *, edge: Decimal | None = None) -> str:
    """A relative change with its sign: 0.5 is `+50%`."""
    text = percent(change, edge=edge)
    if change is None or change <= 0:
        return text
    return f"{text[0]}+{text[1:]}" if text[0] in "<>" else f"+{text}"


def seconds(duration: float | Decimal, *, limit: Decimal | None = None) -> str:
    """Seconds with two decimals, more where they would equal a limit that they do not."""
    exact = duration if isinstance(duration, Decimal) else Decimal(str(duration))
    return f"{_told_apart(exact, _CENTS, limit)} s"


def measured(limit: str, value: Decimal | None, *, bound: Decimal | None = None) -> str:
    """What was measured, in the unit of the limit that it is held against.

    Args:
        limit: A limit's name, such as `usd` or `cache_hit_rate`.
        value: What was measured, `None` where unknown.
        bound: The limit, where both are printed.
    """
    if value is None:
        return UNKNOWN
    if limit == "usd":
        return usd(value, limit=bound)
    if limit == "seconds":
        return seconds(value, limit=bound)
    if limit == "cache_hit_rate":
        return percent(value, edge=bound)
    return _told_apart(value, 0 if value == value.to_integral_value() else 1, bound)


def _decimals(size: Decimal) -> int:
    if size >= _TEN:
        return _CENTS
    return 3 if size >= 1 else 2 - size.adjusted()


def _told_apart(value: Decimal, decimals: int, limit: Decimal | None) -> str:
    """The value rounded, with as many more digits as it takes to stand where it does beside the limit in full."""
    text = _trimmed(f"{value:,.{decimals}f}", min(decimals, _CENTS))
    if limit is None:
        return text
    if value == limit:
        return _full(value, min(decimals, _CENTS))
    most = max(decimals, -_exponent(value))
    while decimals < most and not _same_side(value, Decimal(text.replace(",", "")), limit):
        decimals += 1
        text = _trimmed(f"{value:,.{decimals}f}", _CENTS)
    return text


def _same_side(value: Decimal, shown: Decimal, limit: Decimal) -> bool:
    return shown > limit if value > limit else shown < limit


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _full(value: Decimal, decimals: int) -> str:
    """In full, with at least so many decimals."""
    return _trimmed(f"{value:,.{max(decimals, -_exponent(value))}f}", decimals)


def _trimmed(text: str, decimals: int) -> str:
    """Without trailing zeros, but with at least so many decimals."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _outwards(amount: Decimal, rounding: str) -> Decimal:
    if abs(amount) < _TINY:
        return amount
    step = _WHOLE.scaleb(-_decimals(abs(amount)))
    return amount.quantize(step, context=Context(prec=abs(amount.adjusted()) + 28, rounding=rounding))


def _whole_or_tenth(size: Decimal) -> str:
    return _trimmed(f"{size:.1f}", 0) if size < _TEN else f"{size:.0f}"
