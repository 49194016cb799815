"""One pytest item (or a wider fixture) with the model calls it made."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from math import fsum
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.model.benchmark import Drawn
from pytest_tokenbudget.model.budget import UNLIMITED, Budget, Verdict
from pytest_tokenbudget.model.call import UNKNOWN_STATUSES, Call, Skipped
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.portion import Portion
from pytest_tokenbudget.model.usage import NO_USAGE, Usage

__all__ = ["Attempt", "Opened", "Outcome", "Phase", "Stray", "StrayKind", "Task", "TaskCall", "Totals", "Traffic"]

Phase = Literal["setup", "call", "teardown"]
Outcome = Literal["passed", "failed", "skipped", "xfailed", "xpassed", "rerun", "died", "fixture"]
"""died: the process ended inside the task · fixture: the calls of a fixture wider than one test."""


StrayKind = Literal["refused", "escaped", "unanswered"]
"""refused: stopped below the recorder; nothing left this machine · escaped: it left this machine past the recorder ·
unanswered: sent, but cancelled, timed out or killed before its answer was seen: possibly billed."""

Traffic = Literal["none", "replayed", "recorded", "drifted", "live", "escaped"]
"""Where a task's answers came from; of several, the last in this order."""


class Stray(Struct, frozen=True, kw_only=True, gc=False):
    """A model request of which no answer was measured.

    Attributes:
        kind: What became of it.
        request: Its method and its URL without the query.
        how: Through what it tried to leave, such as `httpcore` or `a subprocess`; or why no answer came.
    """

    kind: StrayKind
    request: str
    how: str = ""


class Opened(Struct, frozen=True, kw_only=True, gc=False):
    """A recording that was opened while a task ran.

    Attributes:
        source: Its path as given.
        interactions: How many answers it held then.
        own: Whether it is the recording of a marked test that opens none itself: ours to keep.
    """

    source: str
    interactions: int
    own: bool = False


_TRAFFIC: Final[tuple[Traffic, ...]] = ("none", "replayed", "recorded", "drifted", "live", "escaped")


class TaskCall(Struct, frozen=True, kw_only=True, gc=False):
    """A call with its place in the task.

    Attributes:
        call: The call, priced.
        phase: During which of pytest's phases it was made.
        step: Its number among the task's billed generating calls, from 1; `None` for other calls.
    """

    call: Call
    phase: Phase = "call"
    step: int | None = None


class Totals(Struct, frozen=True, kw_only=True, gc=False):
    """Sums over calls; they add.

    Attributes:
        usage: Of the calls whose usage is known; a lower bound where `unknown` is not 0.
        low: The least that `usage` can be. A drifted call whose estimate nothing bounds counts for nothing here.
        high: The most that it can be; `None` where nothing bounds a drifted call.
        known: US dollars of the calls whose cost is known.
        known_low: The least that `known` can be.
        known_high: The most that it can be; `None` where nothing bounds a drifted call.
        incurred: US dollars that this run really paid, of the calls whose cost is known.
        calls: How many calls.
        steps: How many of them are billed generating calls.
        sent: How many left this machine.
        drifted: How many were answered from a recording of another request.
        estimated: How many of those have an estimate with a least and a most.
        unknown: How many have an unknown cost.
        unknown_usage: How many have missing, partial or unreadable usage.
        unknown_sent: How many of those with unknown cost left this machine.
        seconds: Time spent in calls that left this machine.
    """

    usage: Usage = NO_USAGE
    low: Usage = NO_USAGE
    high: Usage | None = NO_USAGE
    known: Decimal = ZERO
    known_low: Decimal = ZERO
    known_high: Decimal | None = ZERO
    incurred: Decimal = ZERO
    calls: int = 0
    steps: int = 0
    sent: int = 0
    drifted: int = 0
    estimated: int = 0
    unknown: int = 0
    unknown_usage: int = 0
    unknown_sent: int = 0
    seconds: float = 0.0

    @property
    def cost(self) -> Decimal | None:
        """US dollars, or `None` where a call's cost is unknown."""
        return None if self.unknown else self.known

    @property
    def stale(self) -> int:
        """How many drifted calls nothing bounds: their figures are those of the request that was recorded."""
        return self.drifted - self.estimated

    @classmethod
    def of(cls, calls: Iterable[TaskCall]) -> "Totals":
        """Sum the calls of a task; their order makes no difference, not even to the seconds' last digit."""
        entries = tuple(calls)
        total = sum((cls._one(entry) for entry in entries), cls())
        return replace(total, seconds=fsum(entry.call.seconds or 0.0 for entry in entries))

    @classmethod
    def _one(cls, entry: TaskCall) -> "Totals":
        call = entry.call
        unknown = call.cost is None
        drifted = call.obtained == "drifted"
        usage, known = call.usage, call.cost or ZERO
        low, high = call.band if drifted else (usage, usage)
        known_low, known_high = call.cost_band if drifted else (known, known)
        return cls(
            usage=usage,
            low=low,
            high=high,
            known=known,
            known_low=known_low,
            known_high=known_high,
            incurred=call.incurred or ZERO,
            calls=1,
            steps=int(entry.step is not None),
            sent=int(call.sent),
            drifted=int(drifted),
            estimated=int(drifted and high is not None),
            unknown=int(unknown),
            unknown_usage=int(call.status in UNKNOWN_STATUSES),
            unknown_sent=int(unknown and call.sent),
            seconds=call.seconds or 0.0,
        )

    def __add__(self, other: object) -> "Totals":
        if not isinstance(other, Totals):
            return NotImplemented
        usage, known = self.usage + other.usage, EXACT.add(self.known, other.known)
        # most calls are exact, and so their own bounds: three sums are then one
        same = not (self.drifted or other.drifted)
        return Totals(
            usage=usage,
            low=usage if same else self.low + other.low,
            high=usage if same else _or_unbounded(self.high, other.high),
            known=known,
            known_low=known if same else EXACT.add(self.known_low, other.known_low),
            known_high=known if same else _dollars_or_unbounded(self.known_high, other.known_high),
            incurred=EXACT.add(self.incurred, other.incurred),
            calls=self.calls + other.calls,
            steps=self.steps + other.steps,
            sent=self.sent + other.sent,
            drifted=self.drifted + other.drifted,
            estimated=self.estimated + other.estimated,
            unknown=self.unknown + other.unknown,
            unknown_usage=self.unknown_usage + other.unknown_usage,
            unknown_sent=self.unknown_sent + other.unknown_sent,
            seconds=self.seconds + other.seconds,
        )

    def __radd__(self, other: object) -> "Totals":
        # sum() starts from 0
        return self if other == 0 else NotImplemented


def _or_unbounded(one: Usage | None, other: Usage | None) -> Usage | None:
    return None if one is None or other is None else one + other


def _dollars_or_unbounded(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else EXACT.add(one, other)


class Attempt(Struct, frozen=True, kw_only=True):
    """An earlier, superseded try of a task that was rerun."""

    outcome: Outcome
    calls: tuple[TaskCall, ...] = ()
    verdict: Verdict = UNLIMITED

    @property
    def totals(self) -> Totals:
        """Sums over this attempt's calls."""
        return Totals.of(self.calls)


class Task(Struct, frozen=True, kw_only=True, dict=True):
    """One pytest item, or one execution of a wider fixture, with its calls and its verdict.

    Attributes:
        id: The node id; for a wider fixture `<base id>::<fixture name> [<scope> fixture, <worker>]`.
        outcome: How the last attempt ended.
        calls: The calls of the last attempt, in order.
        skipped: Exchanges that are no model calls.
        exchanges: How many exchanges were counted at the seam: must equal calls + skipped.
        budget: Its limits and labels.
        verdict: The decision on the last attempt.
        earlier: Attempts that were rerun, oldest first.
        notes: What went wrong while measuring, in sentences.
        strays: Model requests of which no answer was measured, of every attempt.
        opened: Recordings that were opened, of every attempt; only those that hold something.
        portions: The calls of the last attempt, summed by rate card and prompt family.
        drawn: Its place in a benchmark, where it is one of its samples.
    """

    id: str
    outcome: Outcome
    calls: tuple[TaskCall, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    exchanges: int = 0
    budget: Budget = Budget()
    verdict: Verdict = UNLIMITED
    earlier: tuple[Attempt, ...] = ()
    notes: tuple[str, ...] = ()
    strays: tuple[Stray, ...] = ()
    opened: tuple[Opened, ...] = ()
    portions: tuple[Portion, ...] = ()
    drawn: Drawn | None = None

    @property
    def adds_up(self) -> bool:
        """Whether every call of known usage is in a portion: one that is in none would cost a comparison nothing."""
        return sum(portion.calls for portion in self.portions) == sum(e.call.status == "exact" for e in self.calls)

    @property
    def escaped(self) -> int:
        """How many requests left this machine past the recorder: the cost is then unknown."""
        return sum(stray.kind == "escaped" for stray in self.strays)

    @property
    def possibly_billed(self) -> int:
        """How many requests were sent whose answer was not seen: what this run paid is then unknown."""
        return sum(stray.kind != "refused" for stray in self.strays)

    @property
    def traffic(self) -> Traffic:
        """Where its answers came from, strays included."""
        found: set[Traffic] = {entry.call.obtained for entry in self.calls}
        if any(stray.kind == "escaped" for stray in self.strays):
            found.add("escaped")
        return max(found, key=_TRAFFIC.index, default="none")

    @cached_property
    def totals(self) -> Totals:
        """Sums over the last attempt, the one that is judged."""
        return Totals.of(self.calls)

    @cached_property
    def all_attempts(self) -> Totals:
        """Sums over every attempt: what was really consumed."""
        return sum((attempt.totals for attempt in self.earlier), self.totals)
