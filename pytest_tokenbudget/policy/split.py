"""Splitting the change of one rate card's cost into causes.

    cost = Σ over families [ fresh·(p_new − p_rep) + sent·p_rep ] − warm·(p_new − read rate) + output + fees

Each term's change is split over what it is made of: by means of both sides where two factors make it up, by Shapley's
values where three do. Nothing is left over, and swapping the sides flips every sign. Where two causes cannot be told
apart (fewer calls, each with more in it), the larger takes both.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.policy.sides import REST, UNCACHED, Amounts, Name, Side

__all__ = ["CACHE", "CALLS", "CARRY", "HIDDEN", "MODEL", "OUTPUT", "THINKING", "WARM", "split"]

CALLS: Final[Name] = ("calls", "")
CACHE: Final[Name] = ("cache", "")
WARM: Final[Name] = ("warm", "")
CARRY: Final[Name] = ("carry", "")
MODEL: Final[Name] = ("model", "")
HIDDEN: Final[Name] = ("hidden", "")
OUTPUT: Final[Name] = ("output", "")
THINKING: Final[Name] = ("thinking", "")

_Pair = tuple[float, float]
"""On base, and on head."""

_HISTORY: Final[Name] = ("history", "")
_WHOLE: Final = frozenset({"system", "tools", "schema"})
_TO_FAMILIES: Final = 0.5
"""The share of what changed families moved by that counts as what their texts did beyond the local count."""


def split(base: Side, head: Side, *, same_card: bool) -> dict[Name, float]:
    """Split the change from one side to the other, in US dollars by cause.

    Args:
        base: Before.
        head: After.
        same_card: Whether both are one rate card; otherwise what rates and the models' own counting do is the model's.
    """
    return _Split(base, head, same_card=same_card).causes()


class _Split:
    def __init__(self, base: Side, head: Side, *, same_card: bool) -> None:
        self.base, self.head, self.same_card = base, head, same_card
        self.more_calls = head.calls - base.calls
        rep_base = base.p_rep if base.p_rep is not None else head.p_rep if head.p_rep is not None else base.p_new
        rep_head = head.p_rep if head.p_rep is not None else base.p_rep if base.p_rep is not None else head.p_new
        self.rep = (rep_base + rep_head) / 2
        self.change_rep = rep_head - rep_base
        self.dearer_when_new = ((base.p_new - rep_base) + (head.p_new - rep_head)) / 2
        self.found: defaultdict[Name, float] = defaultdict(float)

    def causes(self) -> dict[Name, float]:
        self._cache()
        changed = {name: self._family(name) for name in self._names()}
        self._rest(changed)
        self._said_again(changed)
        for name, amount in changed.items():
            self.found[name] += amount
        self._generated("output", OUTPUT)
        self._generated("thinking", THINKING)
        for fee in {**self.base.fees, **self.head.fees}:
            self.found["fee", fee] += self.head.fees.get(fee, 0.0) - self.base.fees.get(fee, 0.0)
        return {name: amount for name, amount in self.found.items() if amount}

    def _names(self) -> Iterator[Name]:
        yield from (name for name in {**self.base.families, **self.head.families} if name != REST)

    def _cache(self) -> None:
        """What a token costs: the share read from a cache, and the rates where the model is another."""
        base, head = self.base, self.head
        new_change = head.p_new - base.p_new
        new_rates = 0.0 if self.same_card else self._rates_of_new()
        read_rates = 0.0 if self.same_card else head.rates["cache_read"] - base.rates["cache_read"]
        share = _mean(base.hit_share or 0.0, head.hit_share or 0.0)
        rep_rates = 0.0 if self.same_card else share * read_rates + (1 - share) * new_rates
        if base.p_rep is None or head.p_rep is None:
            rep_rates = self.change_rep
        repeated, fresh, warm = (
            _mean(base.repeated, head.repeated),
            _mean(base.fresh, head.fresh),
            _mean(base.warm, head.warm),
        )
        by_rates = repeated * rep_rates + fresh * new_rates - warm * (new_rates - read_rates)
        self.found[MODEL] += by_rates
        self.found[CACHE] += repeated * (self.change_rep - rep_rates) + fresh * (new_change - new_rates)
        saved = _mean(base.p_new - base.rates["cache_read"], head.p_new - head.rates["cache_read"])
        change = new_change - (head.rates["cache_read"] - base.rates["cache_read"])
        self.found[WARM] -= saved * (head.warm - base.warm) + warm * (change - (new_rates - read_rates))

    def _rates_of_new(self) -> float:
        base, head = self.base, self.head
        shares = [
            _mean(_share(base.tokens[name], base.uncached), _share(head.tokens[name], head.uncached))
            for name in UNCACHED
        ]
        return sum(share * (head.rates[name] - base.rates[name]) for share, name in zip(shares, UNCACHED, strict=True))

    def _family(self, name: Name) -> float:
        """What a family's own change cost; what it does to other causes is added to those."""
        before, after = self.base.families.get(name), self.head.families.get(name)
        if before is None or after is None or not (_has_shape(before) and _has_shape(after)):
            amount = self._worth(after or Amounts()) - self._worth(before or Amounts())
            if name[0] == "history" and self.more_calls:
                self.found[CALLS] += amount
                return 0.0
            return amount
        if name[0] in _WHOLE or name == REST:
            own, calls, cache = self._whole(before, after)
            self.found[CACHE] += cache
        else:
            own, calls, carry = self._accruing(before, after)
            self.found[CARRY] += carry
        own, calls = _netted(own, calls)
        self.found[CALLS] += calls
        return own

    def _worth(self, family: Amounts) -> float:
        return family.fresh * self.dearer_when_new + family.sent * self.rep

    def _whole(self, before: Amounts, after: Amounts) -> tuple[float, float, float]:
        """A family that each call sends whole: its size, how often it is sent, how many versions of it there are."""
        size_before, size_after = before.fresh / before.items, after.fresh / after.items
        size = _mean(size_before, size_after)
        sends_before, sends_after = before.sent / size_before, after.sent / size_after
        more_sends, more_items = sends_after - sends_before, after.items - before.items
        grown = (size_after - size_before) * (
            _mean(before.items, after.items) * self.dearer_when_new + _mean(sends_before, sends_after) * self.rep
        )
        # a version that comes with a new send is no more than that send; one beyond breaks the cache
        covered = _towards(more_items, more_sends)
        resent = size * (more_sends * self.rep + covered * self.dearer_when_new)
        versions = size * (more_items - covered) * self.dearer_when_new
        # a call sends each of its tools
        share = _explained(self.more_calls * self._a_call(sends_before, sends_after), more_sends)
        return grown + (1 - share) * resent, share * resent, versions

    def _a_call(self, before: float, after: float) -> float:
        """How many of something a call has, over both sides."""
        calls = self.base.calls + self.head.calls
        return (before + after) / calls if calls else 1.0

    def _accruing(self, before: Amounts, after: Amounts) -> tuple[float, float, float]:
        """A family that comes in item by item: its largest, how many like it, how far they are carried."""
        largest = before.largest, after.largest
        count = before.fresh / before.largest, after.fresh / after.largest
        carried = before.sent / before.fresh, after.sent / after.fresh
        by_size, by_count, by_carry = self._shapley(largest, count, carried)
        share = _explained(self.more_calls, count[1] - count[0])
        moves_with_calls = (carried[1] - carried[0]) * self.more_calls > 0
        calls = share * by_count + (by_carry if moves_with_calls else 0.0)
        return by_size + (1 - share) * by_count, calls, 0.0 if moves_with_calls else by_carry

    def _shapley(self, largest: _Pair, count: _Pair, carried: _Pair) -> tuple[float, float, float]:
        """Each factor's mean effect over the orders in which they may change; what is carried has a price by itself."""
        price = (self.dearer_when_new + carried[0] * self.rep, self.dearer_when_new + carried[1] * self.rep)
        return _effect(largest, count, price), _effect(count, largest, price), _effect(price, largest, count)

    def _rest(self, changed: dict[Name, float]) -> None:
        """What the provider billed beyond the local count: up to a part of it belongs to the texts that changed."""
        amount = self._family(REST)
        if not self.same_card:
            self.found[MODEL] += amount
            return
        gross = sum(abs(own) for own in changed.values())
        given = min(abs(amount), _TO_FAMILIES * gross)
        if gross:
            for name, own in changed.items():
                changed[name] += abs(own) / gross * (given if amount > 0 else -given)
        self.found[HIDDEN] += amount - (given if amount > 0 else -given) if gross else amount

    def _said_again(self, changed: dict[Name, float]) -> None:
        """What the model said is sent again with every later call: where it says more, that is the output's doing."""
        before, after = self.base.families.get(_HISTORY), self.head.families.get(_HISTORY)
        if before is None or after is None or not (self.base.calls and self.head.calls):
            return
        said = self.head.tokens["output"] / self.head.calls - self.base.tokens["output"] / self.base.calls
        more = _mean(self.base.calls, self.head.calls) * said
        own = changed[_HISTORY]
        if more * own > 0:
            share = _explained(more, after.fresh - before.fresh)
            self.found[OUTPUT] += share * own
            changed[_HISTORY] -= share * own

    def _generated(self, name: str, cause: Name) -> None:
        """Output or thinking: how many calls, how much each says, at what rate."""
        base, head = self.base, self.head
        before, after = base.tokens[name], head.tokens[name]
        rate = _mean(base.rates[name], head.rates[name])
        self.found[MODEL] += _mean(before, after) * (head.rates[name] - base.rates[name])
        mean_before = before / base.calls if base.calls else after / head.calls
        mean_after = after / head.calls if head.calls else mean_before
        own, calls = _netted(
            _mean(base.calls, head.calls) * (mean_after - mean_before) * rate,
            self.more_calls * _mean(mean_before, mean_after) * rate,
        )
        self.found[cause] += own
        self.found[CALLS] += calls


def _has_shape(family: Amounts) -> bool:
    """Whether there is anything to take apart; where a lock was edited, its counts may contradict each other."""
    return bool(family.fresh and family.sent and family.items and family.largest)


def _effect(factor: _Pair, one: _Pair, other: _Pair) -> float:
    """Shapley's value of a factor in a product of three: its change, weighted by how often it comes after which."""
    apart = one[0] * other[1] + one[1] * other[0]
    together = one[0] * other[0] + one[1] * other[1]
    return (factor[1] - factor[0]) * (2 * together + apart) / 6


def _mean(left: float, right: float) -> float:
    return (left + right) / 2


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0


def _explained(by: float, change: float) -> float:
    """Which share of a change another one of the same sign explains: 0 to 1."""
    return min(1.0, abs(by) / abs(change)) if by * change > 0 else 0.0


def _towards(change: float, by: float) -> float:
    """As much of a change as another one of the same sign covers."""
    if change * by <= 0:
        return 0.0
    return min(abs(change), abs(by)) * (1 if change > 0 else -1)


def _netted(own: float, calls: float) -> tuple[float, float]:
    """Two effects that oppose each other, as one of the larger."""
    if own * calls >= 0:
        return own, calls
    return (own + calls, 0.0) if abs(own) >= abs(calls) else (0.0, own + calls)
