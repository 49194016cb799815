"""What a test may ask about its own cost while it runs."""

from decimal import Decimal

from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.task import Totals
from pytest_tokenbudget.model.usage import Usage

__all__ = ["TokenMeter"]


class TokenMeter:
    """The running test's calls up to now."""

    def __init__(self, task: TaskMeter, *, measuring: bool = True) -> None:
        self._task = task
        self._measuring = measuring

    @property
    def calls(self) -> tuple[Call, ...]:
        """The model calls, priced, in order."""
        return tuple(entry.call for entry in tuple(self._task.calls))

    @property
    def _totals(self) -> Totals:
        return Totals.of(tuple(self._task.calls))

    @property
    def usd(self) -> Decimal | None:
        """US dollars; `None` where the cost of a call is unknown, and where measuring is off."""
        return self._totals.cost if self._measuring else None

    @property
    def usage(self) -> Usage:
        """Tokens by class and fees."""
        return self._totals.usage

    @property
    def steps(self) -> int:
        """Billed generating calls."""
        return self._totals.steps
