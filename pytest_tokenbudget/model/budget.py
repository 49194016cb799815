"""What a task may cost, and the decision whether it did."""

from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

__all__ = ["BLOCKING", "LIMITS", "SEVERITY", "UNLIMITED", "Budget", "Finding", "State", "Verdict"]

State = Literal["unlimited", "within", "over", "inconclusive", "blocked", "critical", "unknown", "unmeasured"]
"""unlimited: no limit was given · within · over: inside the tolerance, warns · inconclusive: an estimate that could be
either · blocked · critical: over three times the limit · unknown: the cost or usage is not known ·
unmeasured: a limit was given, but no model call was seen."""

SEVERITY: Final[tuple[State, ...]] = (
    "unlimited",
    "within",
    "over",
    "inconclusive",
    "unknown",
    "unmeasured",
    "blocked",
    "critical",
)
BLOCKING: Final[frozenset[State]] = frozenset({"blocked", "critical", "unknown", "unmeasured"})

LIMITS: Final = (
    "usd",
    "tokens",
    "input_tokens",
    "output_tokens",
    "thinking_tokens",
    "steps",
    "tokens_per_step",
    "cache_hit_rate",
    "seconds",
)


class Budget(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The limits of one task.

    Attributes:
        usd: US dollars for all of the task, fees included.
        tokens: Tokens of every class.
        input_tokens: Input tokens, cache included.
        output_tokens: Output tokens, thinking included.
        thinking_tokens: Thinking tokens alone.
        steps: Billed generating calls.
        tokens_per_step: Tokens of every class divided by steps.
        cache_hit_rate: A floor, 0 to 1: cache reads divided by all input tokens.
        seconds: Time spent in calls that were really sent.
        tolerance: How far over a limit still passes, with a warning; 0.20 is 20%.
        allow_no_calls: Whether a task without a model call may pass.
        workflow: A label to group by.
        team: A label to group by.
        origins: Where each limit came from, as (limit, place) pairs.
    """

    usd: Decimal | None = None
    tokens: Decimal | None = None
    input_tokens: Decimal | None = None
    output_tokens: Decimal | None = None
    thinking_tokens: Decimal | None = None
    steps: Decimal | None = None
    tokens_per_step: Decimal | None = None
    cache_hit_rate: Decimal | None = None
    seconds: Decimal | None = None
    tolerance: Decimal = Decimal("0.20")
    allow_no_calls: bool = False
    workflow: str | None = None
    team: str | None = None
    origins: tuple[tuple[str, str], ...] = ()

    def limits(self) -> tuple[tuple[str, Decimal], ...]:
        """The limits that were given, as (name, bound) pairs in the order of `LIMITS`."""
        return tuple((name, bound) for name in LIMITS if (bound := getattr(self, name)) is not None)


class Finding(Struct, frozen=True, kw_only=True):
    """One limit held against what was measured.

    Attributes:
        limit: The limit's name, or `calls` where the task was not measured at all.
        state: The decision on this limit.
        bound: The limit.
        value: What was measured, `None` where it is unknown.
        low: The least it can have been; the value itself where that is exact, `None` where unknown.
        high: The most it can have been; `None` where nothing bounds it.
        reason: Why it is unknown, inconclusive or unmeasured, and what to do; otherwise empty.
    """

    limit: str
    state: State
    bound: Decimal | None
    value: Decimal | None
    low: Decimal | None = None
    high: Decimal | None = None
    reason: str = ""


class Verdict(Struct, frozen=True, kw_only=True):
    """The decision on one task, made once; every printer reads it."""

    state: State
    findings: tuple[Finding, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether the task fails for it (under `enforce`)."""
        return self.state in BLOCKING

    @property
    def worst(self) -> Finding | None:
        """The finding that decided, the first in the order of limits where several weigh the same."""
        return max(self.findings, key=lambda finding: SEVERITY.index(finding.state), default=None)


UNLIMITED: Final = Verdict(state="unlimited")
