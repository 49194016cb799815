"""`tokenbudget plan`: how many samples a benchmark needs, and what they would cost."""

from decimal import Decimal
from pathlib import Path
from typing import cast

import click

from pytest_tokenbudget.cli.choosing import choosing

__all__ = ["command"]


def _share(_context: click.Context, parameter: click.Parameter, value: str) -> float:
    from pytest_tokenbudget.config.kinds import FRACTION

    try:
        share = cast("Decimal", FRACTION.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    if not share or (parameter.name != "effect" and share >= 1):
        message = f"{value} is not a share such as 20%"
        raise click.BadParameter(message)
    return float(share)


@click.command("plan", short_help="How many samples a benchmark needs, and what they would cost.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option("--effect", default="20%", callback=_share, metavar="SHARE", help="The rise to be seen; default 20%.")
@click.option("--power", default="80%", callback=_share, metavar="SHARE", help="How often it shall be; default 80%.")
@click.option(
    "--alpha", default="5%", callback=_share, metavar="SHARE", help="How often one may be seen that is not there."
)
@choosing
def command(
    run: Path | None,
    *,
    effect: float,
    power: float,
    alpha: float,
    workflow: str | None,
    task: str | None,
    form: str,
) -> None:
    """Plan a benchmark from a pilot: the samples that a wanted effect needs, and what they would cost. Runs nothing.

    RUN.json is a run file of the pilot, as pytest writes it; without one, the last run of this project is read. The
    pilot is each of its benchmarks on its own, or without any, or with --task or --workflow, the tasks that are chosen.
    Exits with 11 where a task's cost is not known.
    """
    from pytest_tokenbudget.cli.piloting import of_run, pilots_of
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.policy.sampling import plan_of
    from pytest_tokenbudget.report.plan import Planned, columns, plan_json, plan_markdown, plan_rows, plan_sentences

    loaded, source = of_run(run, load_settings(Path.cwd()))
    planned = [
        Planned(
            benchmark=pilot.benchmark,
            tests=pilot.tests,
            plans=tuple(
                plan_of(pilot.figures, effect=wanted, power=power, alpha=alpha, cv=pilot.cv)
                for wanted in (effect / 2, effect, effect * 2)
            ),
        )
        for pilot in pilots_of(loaded, source, workflow=workflow, task=task)
    ]
    if form == "table":
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.forecast_table import print_rows

        print_rows(columns(planned), plan_rows(planned), plan_sentences(planned, source), new_console())
        return
    click.echo(plan_json(planned, source) if form == "json" else plan_markdown(planned, source), nl=False)
