"""What a month will cost, from sampled tasks: a budget, a daily limit, and the amount at which everything stops.

A sum of N tasks of mean x̄ and standard deviation s, known from n samples, is N·x̄ ± z·s·√(N + N²/n): their own chance,
and that of the samples. The margin on top is what such a month may exceed its expectation by, and at least 15% for
internal agents and 30% for those that customers talk to.
"""

from collections.abc import Mapping
from decimal import Decimal
from math import sqrt
from statistics import NormalDist
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.forecast import ForecastRules, Scenario
from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.sampling.figures import Figures
from pytest_tokenbudget.policy.sampling.interval import rounded

__all__ = ["Band", "Forecast", "Margin", "Outlook", "forecast_of"]

_ONE: Final = Decimal(1)
_LEAST_MARGIN: Final = {"internal": Decimal("0.15"), "customers": Decimal("0.30")}
_ASSUMED: Final[Mapping[str, Decimal]] = {"baseline": _ONE, "growth": Decimal("1.5"), "stress": Decimal(3)}


class Band(Struct, frozen=True, kw_only=True):
    """US dollars that are expected, and the 5% and 95% points around them; `None` where the spread is unknown."""

    expected: Decimal
    low: Decimal | None
    high: Decimal | None


class Outlook(Struct, frozen=True, kw_only=True):
    """One scenario.

    Attributes:
        name: `baseline`, `growth` or `stress`.
        tasks_per_day: Tasks of all agents, those that are run once more included.
        day: US dollars of a day.
        month: US dollars of a month.
        assumed: The factor on the baseline that nobody stated; otherwise `None`.
    """

    name: str
    tasks_per_day: Decimal
    day: Band
    month: Band
    assumed: Decimal | None = None


class Margin(Struct, frozen=True, kw_only=True):
    """What is put on top, as a share.

    Attributes:
        least: That of the audience, or the stated one.
        computed: What a month of the baseline exceeds its expectation by, at most, in 95 of 100; `None` where the
            spread is unknown.
    """

    least: Decimal
    computed: Decimal | None

    @property
    def used(self) -> Decimal:
        """The larger of the two."""
        return self.least if self.computed is None else max(self.least, self.computed)


class Forecast(Struct, frozen=True, kw_only=True):
    """A month, forecast.

    Attributes:
        n: How many samples it rests on.
        mean: US dollars of a task.
        cv: The samples' coefficient of variation; `None` of fewer than two.
        days: Days of a month.
        margin: What is put on top.
        outlooks: Baseline, growth and stress.
        monthly_budget: US dollars: the baseline's month and the margin.
        daily_limit: US dollars: the baseline's p95 day; `None` where the spread is unknown.
        emergency_stop: US dollars a day: the stress scenario's p95 day and the margin; `None` where the spread is.
    """

    n: int
    mean: Decimal
    cv: float | None
    days: Decimal
    margin: Margin
    outlooks: tuple[Outlook, ...]
    monthly_budget: Decimal
    daily_limit: Decimal | None
    emergency_stop: Decimal | None


def forecast_of(figures: Figures, rules: ForecastRules) -> Forecast:
    """Forecast a month.

    Args:
        figures: Of the sampled tasks.
        rules: The scenarios.

    Raises:
        ValueError: The baseline does not say how many tasks a day there are, or the samples' mean is not known.
    """
    if figures.mean is None:
        message = "no mean cost is known to forecast with."
        raise ValueError(message)
    if rules.baseline.tasks_per_day is None:
        message = "the baseline does not say how many tasks a day there are."
        raise ValueError(message)
    mean, cv, n = figures.mean, figures.cv, figures.n
    outlooks = tuple(
        _outlook(name, scenario, rules, figures)
        for name, scenario in (("baseline", rules.baseline), ("growth", rules.growth), ("stress", rules.stress))
    )
    baseline, _, stress = outlooks
    month = float(EXACT.multiply(baseline.tasks_per_day, rules.days))
    margin = Margin(
        least=_LEAST_MARGIN[rules.audience] if rules.margin is None else rules.margin,
        computed=rounded(_z() * cv * sqrt(1 / month + 1 / n)) if cv is not None and month else None,
    )
    more = EXACT.add(_ONE, margin.used)
    return Forecast(
        n=n,
        mean=mean,
        cv=cv,
        days=rules.days,
        margin=margin,
        outlooks=outlooks,
        monthly_budget=EXACT.multiply(baseline.month.expected, more),
        daily_limit=baseline.day.high,
        emergency_stop=None if stress.day.high is None else EXACT.multiply(stress.day.high, more),
    )


def _outlook(name: str, scenario: Scenario, rules: ForecastRules, figures: Figures) -> Outlook:
    agents = scenario.agents if scenario.agents is not None else rules.baseline.agents
    tasks = scenario.tasks_per_day if scenario.tasks_per_day is not None else rules.baseline.tasks_per_day
    silent = scenario.factor is None and scenario.agents is None and scenario.tasks_per_day is None
    factor = scenario.factor or (_ASSUMED[name] if silent else _ONE)
    for part in (agents if agents is not None else _ONE, factor, EXACT.add(_ONE, scenario.retry_rate)):
        tasks = EXACT.multiply(tasks or Decimal(0), part)
    a_day = tasks or Decimal(0)
    return Outlook(
        name=name,
        tasks_per_day=a_day,
        day=_band(a_day, figures),
        month=_band(EXACT.multiply(a_day, rules.days), figures),
        assumed=factor if silent and factor != _ONE else None,
    )


def _band(tasks: Decimal, figures: Figures) -> Band:
    expected = EXACT.multiply(tasks, figures.mean or Decimal(0))
    if figures.cv is None:
        return Band(expected=expected, low=None, high=None)
    number = float(tasks)
    deviation = figures.cv * float(figures.mean or 0)
    reach = rounded(_z() * deviation * sqrt(number + number**2 / figures.n))
    return Band(
        expected=expected,
        low=max(EXACT.subtract(expected, reach), Decimal(0)),
        high=EXACT.add(expected, reach),
    )


def _z() -> float:
    return NormalDist().inv_cdf(0.95)
