"""Where two prompts differ: which parts were added, removed and changed, and where the difference begins."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.model.prompt import Part

__all__ = ["Difference", "Revision", "compare", "same_bytes", "shared"]

_MOST_MATCHED: Final = 400
"""Beyond so many parts on one side the rest is paired by position: matching takes their square."""


class Revision(Struct, frozen=True, gc=False):
    """A part as it was and as it is.

    Attributes:
        position: Where it stands in the prompt in which it is, else in which it was, from 0.
        before: What it was; `None` where it is new.
        now: What it is; `None` where it is gone.
    """

    position: int
    before: Part | None
    now: Part | None


class Difference(Struct, frozen=True, gc=False):
    """What changed from one prompt to another, moved parts left out.

    Attributes:
        revisions: The changed, new and lost parts, in the order of the prompts.
        first: Where they first differ, moved parts included; `None` where they are equal.
    """

    revisions: tuple[Revision, ...]
    first: Revision | None


def compare(before: Sequence[Part], now: Sequence[Part]) -> Difference:
    """Align two prompts, so that one inserted message leaves those after it unchanged."""
    start, shortest = 0, min(len(before), len(now))
    while start < shortest and before[start] == now[start]:
        start += 1
    end = 0
    while end < shortest - start and before[-1 - end] == now[-1 - end]:
        end += 1
    found = [*_matched(before[start : len(before) - end], now[start : len(now) - end], start)]
    return Difference(tuple(_without_moved(found)), found[0] if found else None)


def _matched(before: Sequence[Part], now: Sequence[Part], start: int) -> Iterator[Revision]:
    if max(len(before), len(now)) > _MOST_MATCHED:
        yield from _paired(before, now, start, start)
        return
    numbers: dict[Part, int] = {}
    left, right = ([numbers.setdefault(part, len(numbers)) for part in side] for side in (before, now))
    for change, low, high, first, last in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if change != "equal":
            yield from _paired(before[low:high], now[first:last], start + low, start + first)


def _paired(before: Sequence[Part], now: Sequence[Part], was: int, position: int) -> Iterator[Revision]:
    """Pair what stands in one place by kind and name, in order; then by kind alone, so that a rename is one change."""
    partners = _partners(before, now)
    taken = set(partners.values())
    # what is gone is told where it stood, before what has come after it
    for index, part in enumerate(before):
        if index not in taken:
            yield Revision(was + index, part, None)
    for index, part in enumerate(now):
        old = partners.get(index)
        if old is None or before[old] != part:
            yield Revision(position + index, None if old is None else before[old], part)


def _partners(before: Sequence[Part], now: Sequence[Part]) -> dict[int, int]:
    partners: dict[int, int] = {}
    for strict in (True, False):
        taken = set(partners.values())
        waiting: dict[object, deque[int]] = defaultdict(deque)
        for index, part in enumerate(before):
            if index not in taken:
                waiting[_place(part, strict=strict)].append(index)
        for index, part in enumerate(now):
            if index not in partners and (queue := waiting.get(_place(part, strict=strict))):
                partners[index] = queue.popleft()
    return partners


def _place(part: Part, *, strict: bool) -> tuple[str, str, bool]:
    return part.kind, part.name if strict else "", part.opaque


def _without_moved(revisions: Sequence[Revision]) -> Iterator[Revision]:
    """Leave out what was taken from one place and put in another: it costs what it did."""
    arrived: dict[Part, int] = defaultdict(int)
    for revision in revisions:
        if revision.before is None and revision.now is not None:
            arrived[revision.now] += 1
    left: dict[Part, int] = defaultdict(int)
    for revision in revisions:
        if revision.now is None and revision.before is not None and arrived.get(revision.before, 0):
            arrived[revision.before] -= 1
            left[revision.before] += 1
    gone, come = dict(left), dict(left)
    for revision in revisions:
        if revision.now is None and revision.before is not None and gone.get(revision.before, 0):
            gone[revision.before] -= 1
        elif revision.before is None and revision.now is not None and come.get(revision.now, 0):
            come[revision.now] -= 1
        else:
            yield revision


def shared(left: str, right: str) -> tuple[int, int]:
    """How many characters two texts share at their beginning, and how many after that at their end."""
    shortest = min(len(left), len(right))
    start = _common(shortest, lambda size: left[:size] == right[:size])
    end = _common(shortest - start, lambda size: left[len(left) - size :] == right[len(right) - size :])
    return start, end


def same_bytes(left: str, right: str) -> int:
    """How many bytes two texts share at their beginning, in UTF-8."""
    one, other = left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass")
    return _common(min(len(one), len(other)), lambda size: one[:size] == other[:size])


def _common(most: int, equal: Callable[[int], bool]) -> int:
    """The largest size for which `equal` holds, by halving: comparing memory is a hundred times faster than a loop."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if equal(middle):
            low = middle
        else:
            high = middle - 1
    return low
