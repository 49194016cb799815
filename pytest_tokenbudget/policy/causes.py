"""Why a task's cost changed, in dollars by cause.

Additive and exact: the causes of a task sum to the change of its cost, those of a run to the sum over its tasks.
Swapping base and head flips every sign; a run against itself has none. No alignment of calls is needed, and no
recording: the portions of a lock are enough.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from math import floor
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.sides import Costed, Name, Weight, side
from pytest_tokenbudget.policy.split import CALLS, HIDDEN, MODEL, split

__all__ = ["Cause", "Label", "Told", "causes", "label_of", "summed", "told"]

_QUANTUM: Final = Decimal("1e-12")
_UNITS: Final = 10**12

_SMALLEST: Final = Decimal("0.0001")
_NOISE: Final = Decimal("0.01")
_NOTABLE: Final = Decimal("0.05")
_MOST: Final = 5
_OFFSETTING: Final = 3

Label = Literal["text", "behaviour", "cache luck", "prices", "provider"]
"""text: the change itself · behaviour: the steps and outputs of one recording · cache luck: what happened to be cached
when it was recorded · prices: the model's rates · provider: what the provider counted and no text explains."""

_LABELS: Final[Mapping[str, Label]] = {
    "system": "text",
    "tools": "text",
    "schema": "text",
    "user": "text",
    "result": "text",
    "media": "text",
    "cache": "text",
    "model": "prices",
    "warm": "cache luck",
    "hidden": "provider",
}


class Cause(Struct, frozen=True, kw_only=True, order=True):
    """One cause of a change.

    Attributes:
        kind: `calls`, `output`, `thinking`, `cache`, `warm`, `carry`, `model`, `hidden`, `fee`, or a family's kind.
        name: The tool whose results it is, or the fee's name; otherwise empty.
        usd: US dollars, to 10⁻¹²; negative where it made the task cheaper.
    """

    kind: str
    name: str = ""
    usd: Decimal

    @property
    def label(self) -> Label:
        """What kind of thing it is."""
        return label_of(self.kind)


def label_of(kind: str) -> Label:
    """What kind of thing a cause is."""
    return _LABELS.get(kind, "behaviour")


def causes(base: Sequence[Costed], head: Sequence[Costed], weight: Weight) -> tuple[Cause, ...]:
    """Split the change in a task's cost from base to head, the largest causes first.

    Args:
        base: The task's portions before, with their prices.
        head: The task's portions now, priced by the same table.
        weight: What a locally counted token is worth.
    """
    if [each.portion for each in base] == [each.portion for each in head]:
        return ()
    before, after = _units(base), _units(head)
    # one direction is computed, and the other is its mirror image to the last digit
    flipped = (after, _order(head)) < (before, _order(base))
    if flipped:
        base, head, before, after = head, base, after, before
    amounts = _rounded(_split(base, head, weight), after - before)
    sign = -1 if flipped else 1
    found = [
        Cause(kind=kind, name=name, usd=EXACT.multiply(Decimal(sign * units), _QUANTUM))
        for (kind, name), units in amounts.items()
        if units
    ]
    return tuple(sorted(found, key=_largest_first))


def summed(parts: Iterable[Cause]) -> tuple[Cause, ...]:
    """Causes of several tasks together, the largest first."""
    total: defaultdict[Name, Decimal] = defaultdict(Decimal)
    for part in parts:
        total[part.kind, part.name] = EXACT.add(total[part.kind, part.name], part.usd)
    found = [Cause(kind=kind, name=name, usd=usd) for (kind, name), usd in total.items() if usd]
    return tuple(sorted(found, key=_largest_first))


class Told(Struct, frozen=True, kw_only=True):
    """The causes that are worth a sentence.

    Attributes:
        causes: They, the largest first.
        smaller: How many others there are.
        rest: US dollars of those others.
        offsetting: Whether causes that oppose each other are far larger than what is left of them.
    """

    causes: tuple[Cause, ...] = ()
    smaller: int = 0
    rest: Decimal = Decimal(0)
    offsetting: bool = False


def told(found: Sequence[Cause], base: Decimal) -> Told:
    """Choose what is worth a sentence: at most five causes, and none of a change that is noise.

    Args:
        found: The causes of a change, the largest first.
        base: US dollars before it.
    """
    gross = sum((abs(cause.usd) for cause in found), Decimal(0))
    if gross < max(_SMALLEST, EXACT.multiply(base, _NOISE)):
        return Told()
    least = max(_SMALLEST, EXACT.multiply(gross, _NOTABLE))
    shown = tuple(cause for cause in found if abs(cause.usd) >= least)[:_MOST]
    net = sum((cause.usd for cause in found), Decimal(0))
    left = EXACT.subtract(net, sum((cause.usd for cause in shown), Decimal(0)))
    return Told(causes=shown, smaller=len(found) - len(shown), rest=left, offsetting=gross > _OFFSETTING * abs(net))


def _largest_first(cause: Cause) -> tuple[Decimal, str, str]:
    return -abs(cause.usd), cause.kind, cause.name


def _order(costed: Sequence[Costed]) -> str:
    return repr([each.portion for each in costed])


def _units(costed: Sequence[Costed]) -> int:
    """What portions cost, in 10⁻¹² US dollars, each rounded down."""
    total = 0
    for each in costed:
        total += int(EXACT.divide(each.usd, _QUANTUM).to_integral_value(ROUND_FLOOR))
    return total


def _split(base: Sequence[Costed], head: Sequence[Costed], weight: Weight) -> dict[Name, float]:
    """Rate cards that both sides have are compared alone, the others together."""
    total: defaultdict[Name, float] = defaultdict(float)
    moves: list[tuple[int, float]] = []
    on_base = {each.portion.key: each for each in base}
    on_head = {each.portion.key: each for each in head}
    pairs: list[tuple[list[Costed], list[Costed], bool]] = [
        ([each], [on_head[key]], True) for key, each in on_base.items() if key in on_head
    ]
    left = [each for key, each in on_base.items() if key not in on_head]
    right = [each for key, each in on_head.items() if key not in on_base]
    if left and right:
        pairs.append((left, right, False))
    for before, after, same_card in pairs:
        one, other = side(before, weight), side(after, weight)
        found = split(one, other, same_card=same_card)
        moves.append((other.calls - one.calls, found.pop(CALLS, 0.0)))
        for name, amount in found.items():
            total[name] += amount
    if not (left and right):
        for each in (*left, *right):
            sign = 1 if right else -1
            moves.append((sign * each.portion.calls, sign * float(each.usd)))
    _settle_calls(total, moves)
    return total


def _settle_calls(total: dict[Name, float], moves: Sequence[tuple[int, float]]) -> None:
    """Calls that one model lost and another one gained were moved: what that cost is the model's."""
    gained = sum(more for more, _ in moves if more > 0)
    lost = -sum(more for more, _ in moves if more < 0)
    moved = min(gained, lost)
    for more, amount in moves:
        of = gained if more > 0 else lost
        share = moved / of if of else 0.0
        total[MODEL] = total.get(MODEL, 0.0) + share * amount
        total[CALLS] = total.get(CALLS, 0.0) + (1 - share) * amount


def _rounded(amounts: Mapping[Name, float], target: int) -> dict[Name, int]:
    """Whole units that sum to the target, by largest remainder; ties by name."""
    scaled = {name: amount * _UNITS for name, amount in amounts.items()}
    units = {name: floor(amount) for name, amount in scaled.items()}
    missing = target - sum(units.values())
    if not units:
        return {HIDDEN: target} if target else {}
    if not 0 <= missing <= len(units):  # what floats lost of a large amount: the largest cause takes it
        units[max(units, key=lambda name: (abs(units[name]), name))] += missing
        return units
    order = sorted(scaled, key=lambda name: (units[name] - scaled[name], name))
    for name in order[:missing]:
        units[name] += 1
    return units
