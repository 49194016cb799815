"""`forecast` as files state it."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pytest_tokenbudget.config.forecast import ForecastRules, Scenario
from pytest_tokenbudget.config.settings import Settings

Load = Callable[..., Settings]
Refusal = Callable[..., str]


def test_scenarios_are_read_from_both_files_the_stronger_first(load: Load) -> None:
    settings = load(
        "forecast:\n  audience: customers\n  baseline: {agents: 5, tasks_per_day: 200}\n",
        pyproject="[tool.tokenbudget.forecast]\nmargin = '40%'\nbaseline = {agents = 1}\nstress = {factor = 4.5}\n",
    )
    assert settings.forecast == ForecastRules(
        audience="customers",
        margin=Decimal("0.4"),
        baseline=Scenario(agents=Decimal(5), tasks_per_day=Decimal(200)),
        stress=Scenario(factor=Decimal("4.5")),
    )


def test_without_a_word_about_it_nothing_is_known_of_the_baseline(load: Load) -> None:
    assert load("tolerance: 10%\n").forecast == ForecastRules()
    assert load("forecast:\n  stress:\n").forecast == ForecastRules()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forecast: 3", "forecast: 3 is not a mapping such as {baseline: "),
        ("forecast: {basline: {}}", "forecast: unknown key `basline` (did you mean `baseline`?). Allowed: audience, "),
        ("forecast: {stress: 3}", "forecast.stress: 3 is not a mapping such as {agents: 5, tasks_per_day: 200}."),
        ("forecast: {stress: {agent: 3}}", "forecast.stress: unknown key `agent` (did you mean `agents`?)."),
        ("forecast: {stress: {factor: 0}}", "forecast.stress: `factor`: 0 is not a factor above 0, such as 1.1."),
        ("forecast: {days: 0}", "forecast: `days`: 0 is not a factor above 0, such as 1.1."),
        ("forecast: {audience: all}", "forecast: `audience`: 'all' is not one of internal, customers."),
    ],
)
def test_what_a_forecast_may_not_say(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text).startswith(f"tokenbudget.yml:1: {message}")
