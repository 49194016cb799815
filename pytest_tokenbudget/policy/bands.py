"""The least and the most that a limit's value can be, where drifted calls are estimates."""

from collections.abc import Sequence
from decimal import Context, Decimal
from typing import Final

from pytest_tokenbudget.model.task import TaskCall, Totals
from pytest_tokenbudget.model.usage import Usage

__all__ = ["Band", "band_of", "value_of"]

_DIVISION: Final = Context(prec=28)

Band = tuple[Decimal | None, Decimal | None]
"""Low and high; `None` where there is no bound."""


def band_of(limit: str, calls: Sequence[TaskCall], totals: Totals) -> Band:
    """What a limit's value is at least and at most, of what is known; both the value itself where nothing drifted.

    Steps and seconds are counted, whatever a call used, and so are exact.

    Args:
        limit: The limit's name.
        calls: A task's calls.
        totals: Their sums.
    """
    if limit == "usd":
        return totals.known_low, totals.known_high
    if limit in {"steps", "seconds"} or not totals.drifted:
        value = value_of(limit, totals)
        return value, value
    if limit == "cache_hit_rate":
        return _hit_rates(calls)
    low = _of_usage(limit, totals.low, totals.steps)
    return low, None if totals.high is None else _of_usage(limit, totals.high, totals.steps)


def value_of(limit: str, totals: Totals) -> Decimal | None:
    """A limit's value: in US dollars, tokens, steps, seconds, or as a ratio; `None` for one of nothing."""
    match limit:
        case "usd":
            return totals.known
        case "steps":
            return Decimal(totals.steps)
        case "seconds":
            return Decimal(str(totals.seconds))
        case _:
            return _of_usage(limit, totals.usage, totals.steps)


def _of_usage(limit: str, usage: Usage, steps: int) -> Decimal | None:
    match limit:
        case "tokens":
            return Decimal(usage.total)
        case "input_tokens":
            return Decimal(usage.total_input)
        case "output_tokens":
            return Decimal(usage.total_output)
        case "thinking_tokens":
            return Decimal(usage.thinking)
        case "tokens_per_step":
            return _DIVISION.divide(Decimal(usage.total), Decimal(steps)) if steps else Decimal(0)
        case _:
            return _DIVISION.divide(usage.cache_read, usage.total_input) if usage.total_input else None


def _hit_rates(calls: Sequence[TaskCall]) -> Band:
    """Between the fewest hits beside the most other input, and the most hits beside the least other input.

    The bounds of an estimate are its cheapest and its dearest case, and the cheapest is mostly the one with more hits:
    so hits and the rest of the input are bounded apart, call by call.
    """
    fewest_hits = most_hits = least_rest = most_rest = 0
    for entry in calls:
        low, high = entry.call.band
        if high is None:
            return None, None
        hits = low.cache_read, high.cache_read
        rests = low.total_input - low.cache_read, high.total_input - high.cache_read
        fewest_hits += min(hits)
        most_hits += max(hits)
        least_rest += min(rests)
        most_rest += max(rests)
    if not most_hits + most_rest:
        return None, None
    return _share(fewest_hits, most_rest), _share(most_hits, least_rest)


def _share(hits: int, rest: int) -> Decimal:
    return _DIVISION.divide(Decimal(hits), Decimal(hits + rest)) if hits else Decimal(0)
