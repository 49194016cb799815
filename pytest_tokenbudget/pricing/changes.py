"""What changed between two price lists, and how much it matters."""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.pricing.snapshot import PriceList

__all__ = ["EntryChange", "Kind", "RateChange", "price_changes"]

Kind = Literal["dearer", "lost", "cheaper", "new"]
"""dearer: at least one rate rose · lost: the entry or one of its rates is no longer listed · cheaper: rates only fell ·
new: the entry or one of its rates was not listed before."""

_RANK: Final[tuple[Kind, ...]] = ("dearer", "lost", "cheaper", "new")
_DIVISION: Final = Context(prec=28)
_ONE: Final = Decimal(1)
_NEVER: Final = Decimal("Infinity")
_NOTHING: Final[Mapping[str, Decimal]] = {}


class RateChange(Struct, frozen=True, kw_only=True):
    """One rate that changed.

    Attributes:
        what: The class, `<class> above <threshold>`, or `fee:<name>`.
        before: US dollars per million tokens, or each; `None` where it was not listed.
        after: The same, `None` where it is no longer listed.
    """

    what: str
    before: Decimal | None
    after: Decimal | None

    @property
    def factor(self) -> Decimal | None:
        """After divided by before; infinite from $0, `None` where either is not listed."""
        if self.before is None or self.after is None:
            return None
        return _DIVISION.divide(self.after, self.before) if self.before else _NEVER


class EntryChange(Struct, frozen=True, kw_only=True):
    """One entry, in one context, whose prices changed.

    Attributes:
        entry: The price entry.
        context: Such as `tier:flex`; empty for ordinary calls.
        kind: What the change means.
        factor: The largest rise, or the largest fall where nothing rose; `None` where no rate is on both lists.
        rates: What changed, in the order of classes.
    """

    entry: str
    context: str
    kind: Kind
    factor: Decimal | None
    rates: tuple[RateChange, ...]


def price_changes(before: PriceList, after: PriceList) -> tuple[EntryChange, ...]:
    """Compare two lists, the change with the largest effect first.

    Rises come first, the largest first; then what is no longer listed, whose cost would become unknown; then falls,
    then what is new.
    """
    return tuple(sorted(_changes(before, after), key=_weight))


def _changes(before: PriceList, after: PriceList) -> Iterator[EntryChange]:
    for key in dict.fromkeys((*before.lines, *after.lines)):
        old, new = before.lines.get(key, _NOTHING), after.lines.get(key, _NOTHING)
        rates = tuple(
            RateChange(what=what, before=old.get(what), after=new.get(what))
            for what in dict.fromkeys((*old, *new))
            if old.get(what) != new.get(what)
        )
        if rates:
            kind, factor = _judged(rates)
            yield EntryChange(entry=key[0], context=key[1], kind=kind, factor=factor, rates=rates)


def _judged(rates: tuple[RateChange, ...]) -> tuple[Kind, Decimal | None]:
    factors = [factor for rate in rates if (factor := rate.factor) is not None]
    rises = [factor for factor in factors if factor > _ONE]
    if rises:
        return "dearer", max(rises)
    least = min(factors, default=None)
    if any(rate.after is None for rate in rates):
        return "lost", least
    return ("new" if least is None else "cheaper"), least


def _weight(change: EntryChange) -> tuple[int, Decimal, str, str]:
    factor = change.factor if change.factor is not None else _ONE
    return _RANK.index(change.kind), -factor if change.kind == "dearer" else factor, change.entry, change.context
