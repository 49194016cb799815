from decimal import Decimal
from math import sqrt

import pytest
from samples import make_samples

from pytest_tokenbudget.config.forecast import ForecastRules, Scenario
from pytest_tokenbudget.policy.forecast import Forecast, forecast_of
from pytest_tokenbudget.policy.sampling import figures_of

BASELINE = Scenario(agents=Decimal(5), tasks_per_day=Decimal(200))


def forecast(*costs: str, **stated: object) -> Forecast:
    rules = ForecastRules(**{"baseline": BASELINE, **stated})  # type: ignore[arg-type]
    return forecast_of(figures_of(make_samples(*costs)), rules)


def test_a_month_is_agents_by_tasks_by_thirty_days() -> None:
    found = forecast(*["0.2", "0.4"] * 50, growth=Scenario(factor=Decimal(2)), stress=Scenario(agents=Decimal(20)))

    assert [(outlook.name, outlook.tasks_per_day, outlook.month.expected) for outlook in found.outlooks] == [
        ("baseline", 1000, 9000),
        ("growth", 2000, 18000),
        ("stress", 4000, 36000),
    ]
    assert [outlook.assumed for outlook in found.outlooks] == [None, None, None]


def test_its_band_has_the_tasks_chance_and_the_samples() -> None:
    found = forecast(*["0.2", "0.4"] * 50)
    spread = 0.1 * sqrt(100 / 99)

    baseline, _, stress = found.outlooks
    for band, number in ((baseline.day, 1000), (baseline.month, 30_000), (stress.day, 3000)):
        reach = 1.6449 * spread * sqrt(number + number**2 / 100)
        assert float(band.low or 0) == pytest.approx(float(band.expected) - reach, rel=1e-5)
        assert float(band.high or 0) == pytest.approx(float(band.expected) + reach, rel=1e-5)
    assert found.daily_limit == baseline.day.high
    assert found.emergency_stop == (stress.day.high or 0) * Decimal("1.15")


def test_growth_and_stress_that_say_nothing_are_assumed_and_told() -> None:
    found = forecast("1", "1")

    assert [(outlook.tasks_per_day, outlook.assumed) for outlook in found.outlooks] == [
        (1000, None),
        (1500, Decimal("1.5")),
        (3000, 3),
    ]
    more = forecast("1", "1", stress=Scenario(tasks_per_day=Decimal(300), retry_rate=Decimal("0.1"))).outlooks[2]
    assert (more.tasks_per_day, more.assumed) == (1650, None)


@pytest.mark.parametrize(
    ("cv", "audience", "used"),
    [
        (0.90, "internal", "least"),
        (0.93, "internal", "computed"),
        (1.80, "customers", "least"),
        (1.85, "customers", "computed"),
    ],
)
def test_the_margin_is_the_larger_one(cv: float, audience: str, used: str) -> None:
    # half of the tasks cost nothing but a share: (1 - d, 1 + d) has a cv of d, and beyond 1 a few carry it all
    costs = [str(1 - cv), str(1 + cv)] * 50 if cv < 1 else _few_dear(cv)
    found = forecast(*costs, audience=audience)

    least = Decimal("0.15") if audience == "internal" else Decimal("0.30")
    assert found.margin.least == least
    assert (found.margin.used > least) == (used == "computed")
    assert found.monthly_budget == found.outlooks[0].month.expected * (1 + found.margin.used)


def _few_dear(cv: float) -> list[str]:
    """Of a hundred, twenty carry the spread."""
    deviation = cv * 0.995
    return [f"{1 - deviation / 2:.6f}"] * 80 + [f"{1 + 2 * deviation:.6f}"] * 20


def test_a_stated_margin_takes_the_audiences_place() -> None:
    found = forecast("1", "1", margin=Decimal("0.05"))

    assert (found.margin.used, found.monthly_budget) == (Decimal("0.05"), Decimal(31500))


def test_one_sample_has_no_spread_and_equal_ones_none_to_tell() -> None:
    one = forecast("0.3")
    assert (one.monthly_budget, one.daily_limit, one.emergency_stop) == (Decimal(10350), None, None)
    equal = forecast("0.3", "0.3")
    assert (equal.margin.computed, equal.daily_limit, equal.emergency_stop) == (0, 300, 1035)


def test_what_nobody_knows_is_not_forecast() -> None:
    with pytest.raises(ValueError, match="no mean cost is known"):
        forecast("1", None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="how many tasks a day"):
        forecast("1", baseline=Scenario(agents=Decimal(5)))
