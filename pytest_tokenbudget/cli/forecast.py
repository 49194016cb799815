"""`tokenbudget forecast`: what a month will cost, from the tasks of a run."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from pytest_tokenbudget.cli.choosing import choosing

if TYPE_CHECKING:
    from pytest_tokenbudget.config.forecast import ForecastRules
    from pytest_tokenbudget.config.settings import Settings
    from pytest_tokenbudget.model.run import Run
    from pytest_tokenbudget.model.task import Task
    from pytest_tokenbudget.report.forecast_view import Shock

__all__ = ["command"]


def _number(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Decimal | None:
    from pytest_tokenbudget.config.kinds import NUMBER

    try:
        return None if value is None else cast("Decimal", NUMBER.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _as_of(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    from pytest_tokenbudget.config.kinds import INSTANT

    try:
        return None if value is None else cast("datetime", INSTANT.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("forecast", short_help="What a month will cost, from the tasks of a run.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option("--agents", callback=_number, metavar="N", help="Agents in the baseline.")
@click.option("--tasks-per-day", callback=_number, metavar="N", help="Tasks a day of each, in the baseline.")
@click.option("--as-of", callback=_as_of, metavar="DATE", help="Show it at the prices of this date, too.")
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Show it at the `prices:` of this file, too; it is written like tokenbudget.yml.",
)
@choosing
def command(
    run: Path | None,
    *,
    agents: Decimal | None,
    tasks_per_day: Decimal | None,
    as_of: datetime | None,
    prices: Path | None,
    workflow: str | None,
    task: str | None,
    form: str,
) -> None:
    """Forecast a month: a budget, a daily burn limit, and the amount a day at which everything should stop.

    RUN.json is a run file as pytest writes it; without one, the last run of this project is read. How many tasks a day
    there are stands under `forecast:` in tokenbudget.yml. Exits with 11 where a task's cost is not known.
    """
    from pytest_tokenbudget.cli.piloting import figures_known, of_run, tasks_of
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.policy.forecast import forecast_of

    settings = load_settings(Path.cwd())
    loaded, source = of_run(run, settings)
    rules = _rules(settings, agents, tasks_per_day)
    tasks = tasks_of(loaded, source, workflow=workflow, task=task)
    found = forecast_of(figures_known(tasks), rules)
    shock = _shock(tasks, rules, loaded, settings, as_of, prices)
    if form == "table":
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.forecast_table import print_rows
        from pytest_tokenbudget.report.forecast_view import COLUMNS, rows, sentences

        print_rows(COLUMNS, rows(found), sentences(found, source, shock), new_console())
        return
    from pytest_tokenbudget.report.forecast import forecast_json, forecast_markdown

    click.echo(forecast_json(found, shock) if form == "json" else forecast_markdown(found, source, shock), nl=False)


def _rules(settings: "Settings", agents: Decimal | None, tasks_per_day: Decimal | None) -> "ForecastRules":
    from msgspec.structs import replace

    from pytest_tokenbudget.errors import ConfigError

    rules = settings.forecast
    stated = {"agents": agents, "tasks_per_day": tasks_per_day}
    baseline = replace(rules.baseline, **{name: value for name, value in stated.items() if value is not None})
    if baseline.tasks_per_day is None:
        message = (
            "forecast: nobody says how many tasks a day there are. Type --tasks-per-day 200, or write "
            "`forecast: {baseline: {agents: 5, tasks_per_day: 200}}` in tokenbudget.yml."
        )
        raise ConfigError(message)
    return replace(rules, baseline=baseline)


def _shock(
    tasks: "list[Task]",
    rules: "ForecastRules",
    run: "Run",
    settings: "Settings",
    as_of: datetime | None,
    prices: Path | None,
) -> "Shock | None":
    if as_of is None and prices is None:
        return None
    from msgspec.structs import replace

    from pytest_tokenbudget.cli.piloting import figures_known
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.policy.forecast import forecast_of
    from pytest_tokenbudget.policy.sampling.tasks import repriced
    from pytest_tokenbudget.pricing import PriceTable
    from pytest_tokenbudget.report.forecast_view import Shock

    names = []
    if prices is not None:
        stated = load_settings(Path.cwd(), config=prices)
        settings = replace(settings, prices=(*stated.prices, *settings.prices))
        names.append(f"of {prices.name}")
    if as_of is not None:
        names.append(f"of {as_of.date().isoformat()}")
    table = PriceTable.of(settings, as_of=as_of or run.as_of)
    figures = figures_known(tasks, repriced(table.card_of))
    return Shock(prices=", ".join(names), forecast=forecast_of(figures, rules))
