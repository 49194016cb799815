"""The tasks of a run as samples, for the commands that reckon with them."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import click
from msgspec import Struct

from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.sample import Sample
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.sampling import Figures, figures_of
from pytest_tokenbudget.policy.sampling.outcome import sample_of
from pytest_tokenbudget.policy.sampling.spread import independent_cv
from pytest_tokenbudget.policy.sampling.tasks import samples_of
from pytest_tokenbudget.pricing.overrides import matches
from pytest_tokenbudget.report.columns import printable
from pytest_tokenbudget.store.load import load_run

__all__ = ["Pilot", "figures_known", "of_run", "pilots_of", "tasks_of"]

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
        if workflow in {None, each.budget.workflow}
        and (task is None or matches(each.id, task))
        and not (each.drawn and each.drawn.unmeasured)
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
    return _known(figures_of(samples_of(tasks, cost)))


class Pilot(Struct, frozen=True, kw_only=True):
    """Tasks that are alike, or are taken for it.

    Attributes:
        benchmark: The benchmark whose samples they are; empty where they are of no one benchmark.
        tests: Their tests, without parameters, sorted.
        figures: Their figures.
        cv: Their spread, as that of independent samples; `None` where unknown.
    """

    benchmark: str
    tests: tuple[str, ...]
    figures: Figures
    cv: float | None


def pilots_of(run: Run, source: str, *, workflow: str | None, task: str | None) -> list[Pilot]:
    """Each benchmark of a run, where it has any and nothing else is chosen; otherwise the chosen tasks as one.

    Raises:
        RunFileError: None is chosen.
        click.exceptions.Exit: A cost is not known; its task was named, and the exit status is 11.
    """
    found = []
    for benchmark in run.benchmarks if workflow is None and task is None else ():
        own = [each for each in run.tasks if each.drawn and each.drawn.benchmark == benchmark.plan.id]
        samples = [sample for each in own if (sample := sample_of(each)) is not None]
        if samples:
            found.append(_pilot(samples, benchmark.plan.id, [benchmark.plan.id]))
    if found:
        return found
    tasks = tasks_of(run, source, workflow=workflow, task=task)
    return [_pilot(list(samples_of(tasks)), "", [each.id.partition("[")[0] for each in tasks])]


def _pilot(samples: Sequence[Sample], benchmark: str, tests: Iterable[str]) -> Pilot:
    figures = _known(figures_of(samples))
    cv = independent_cv(samples, figures)
    return Pilot(benchmark=benchmark, tests=tuple(sorted(set(tests))), figures=figures, cv=cv)


def _known(figures: Figures) -> Figures:
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
