"""The tasks of a run as samples, for the commands that reckon with them."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

import click

from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling import Figures, figures_of
from pytest_tokenbudget.policy.sampling.tasks import samples_of
from pytest_tokenbudget.pricing.overrides import matches
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.store.load import load_run

__all__ = ["figures_known", "of_run", "tasks_of"]

_SHOWN: Final = 3


def of_run(file: Path | None, settings: Settings) -> tuple[Run, str]:
    """A run, by default the project's last one, and its name.

    Raises:
        RunFileError: It cannot be read.
    """
    path = file or Path.cwd() / settings.out
    return load_run(path), path.name


def tasks_of(run: Run, source: str, *, workflow: str | None, task: str | None) -> list[Task]:
    """The chosen tasks of a run.

    Raises:
        RunFileError: None is chosen.
    """
    chosen = [
        each
        for each in run.tasks
        if workflow in {None, each.budget.workflow} and (task is None or matches(each.id, task))
    ]
    if not any(True for _ in samples_of(chosen)):
        labels = sorted({each.budget.workflow for each in run.tasks if each.budget.workflow})
        named = f" Its workflows: {', '.join(map(printable, labels))}." if labels else ""
        message = f"{source}: no task of it is meant that ran ({len(run.tasks)} are in it).{named}"
        raise RunFileError(message)
    return chosen


def figures_known(tasks: list[Task], cost: Callable[[Task], Decimal | None] | None = None) -> Figures:
    """The figures of tasks whose costs are all known.

    Raises:
        click.exceptions.Exit: One is not; its name was printed, and the exit status is 11.
    """
    figures = figures_of(samples_of(tasks, cost))
    if figures.unknown:
        names = ", ".join(map(printable, figures.unknown[:_SHOWN]))
        more = f" and {len(figures.unknown) - _SHOWN} more" if len(figures.unknown) > _SHOWN else ""
        click.echo(
            f"tokenbudget: what {len(figures.unknown)} of {figures.n} tasks cost is not known: {names}{more}. "
            "An unknown cost is not $0. Give the model a price under `prices:` in tokenbudget.yml, or choose tasks "
            "with --task.",
            err=True,
        )
        raise click.exceptions.Exit(11)
    return figures
