"""The user's filters, left out where they cannot make a difference.

vcrpy copies a request for every filter to work on, three times for each replayed call, also where there is no filter: a
quarter of a millisecond. Filters of headers change nothing where no matcher looks at headers.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from vcr import matchers
from vcr.filters import replace_headers

__all__ = ["without_needless_copies"]

_VCRPYS_OWN: Final = "VCR._build_before_record_request.<locals>.before_record_request"
_OF_LINES: Final = frozenset(
    {
        matchers.method,
        matchers.uri,
        matchers.scheme,
        matchers.host,
        matchers.port,
        matchers.path,
        matchers.query,
    }
)


def without_needless_copies(
    request_filter: Callable[[Any], Any], match_on: Sequence[Any], is_asking: Callable[[], bool]
) -> Callable[[Any], Any]:
    """A filter that gives a request back as it is while its answer is looked for, if that finds the same.

    Args:
        request_filter: What vcrpy made of the user's filters.
        match_on: The cassette's matchers.
        is_asking: Whether an answer is looked for; requests that are stored are always filtered.
    """
    steps = _steps(request_filter)
    if steps is None or not all(map(_is_of_headers, steps)) or (steps and not _OF_LINES.issuperset(match_on)):
        return request_filter
    return lambda request: request if is_asking() else request_filter(request)


def _steps(request_filter: Any) -> Sequence[Any] | None:
    """The functions that a filter made by vcrpy runs one after the other."""
    if getattr(request_filter, "__qualname__", "") != _VCRPYS_OWN:
        return None
    try:
        names = request_filter.__code__.co_freevars
        steps = request_filter.__closure__[names.index("filter_functions")].cell_contents
    except (AttributeError, ValueError, TypeError):
        return None
    return steps if isinstance(steps, list) else None


def _is_of_headers(step: Any) -> bool:
    if not isinstance(step, partial) or step.func is not replace_headers:
        return False
    replacements = step.keywords.get("replacements", [(None, replace_headers)])
    return not any(callable(value) for _, value in replacements)
