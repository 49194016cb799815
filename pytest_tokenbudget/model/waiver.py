"""A cost that somebody accepted, for a while and up to a bound."""

from datetime import date
from decimal import Decimal

from msgspec import Struct

__all__ = ["Waiver"]


class Waiver(Struct, frozen=True, kw_only=True):
    """An entry under `waivers:` in `tokenbudget.yml`.

    Attributes:
        task: The task's id, or a pattern with `*` and `?`.
        usd: What the task may cost: above it the waiver lapses.
        reason: Why it was accepted.
        until: The last day on which it holds.
        approver: Who accepted it.
        place: Where it stands.
    """

    task: str
    usd: Decimal
    reason: str
    until: date
    approver: str
    place: str = ""
