"""An estimate of what a changed request costs, from the recorded answer to the request as it was."""

from decimal import Decimal

from msgspec import Struct

from pytest_tokenbudget.model.prompt import SegmentKind
from pytest_tokenbudget.model.usage import Usage

__all__ = ["Change", "Drift"]


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """Where two prompts first differ.

    Attributes:
        kind: What the part is that differs.
        name: Its tool's or role's name, or empty.
        position: Which part of the prompt it is, from 0.
        byte: The first byte of the part's UTF-8 text that differs, from 0.
        before: The part's tokens as recorded, by the estimate's counter; 0 where it was not there.
        after: The part's tokens now; 0 where it is gone.
    """

    kind: SegmentKind
    name: str
    position: int
    byte: int
    before: int
    after: int


class Drift(Struct, frozen=True, kw_only=True, gc=False):
    """The estimate of one drifted call; `Call.usage` and `Call.cost` hold its middle.

    Attributes:
        recorded_usage: What the recorded answer says was used for the request as it was.
        low: The least that it can be now.
        high: The most that it can be now; `None` where nothing bounds it.
        cold: The estimate if nothing were read from the provider's cache.
        cost_low: US dollars of `low`; `None` where unknown or not yet priced.
        cost_high: US dollars of `high`; `None` where unknown, unbounded or not yet priced.
        cost_cold: US dollars of `cold`; `None` where unknown or not yet priced.
        cost_recorded: US dollars of `recorded_usage`; `None` where unknown or not yet priced.
        counter: What counted the changed texts, such as `o200k_base`.
        reasons: Why the band is wider than counting would make it, in sentences; where `high` is `None`, why it cannot
            be estimated.
        first: Where the prompts first differ; `None` where they are equal and only other fields of the requests differ.
        volatile: Names of parts that look as if they changed at every run, such as a date or a random id.
    """

    recorded_usage: Usage
    low: Usage
    high: Usage | None
    cold: Usage | None = None
    cost_low: Decimal | None = None
    cost_high: Decimal | None = None
    cost_cold: Decimal | None = None
    cost_recorded: Decimal | None = None
    counter: str = ""
    reasons: tuple[str, ...] = ()
    first: Change | None = None
    volatile: tuple[str, ...] = ()
