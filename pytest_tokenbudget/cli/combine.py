"""`tokenbudget combine`: one run out of the run files of several jobs."""

from pathlib import Path
from typing import Final

import click

__all__ = ["command"]

_MEGABYTE: Final = 1_000_000


@click.command("combine", short_help="Merge the run files of several jobs into one.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.json...")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write it; in the place of the project's own run file.",
)
@click.option("--shards", type=click.IntRange(min=1), metavar="N", help="How many there must be.")
@click.option(
    "--max-size",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="MB",
    help="Refuse a larger file.",
)
def command(files: tuple[Path, ...], *, output: Path | None, shards: int | None, max_size: int) -> None:
    """Merge the run files of jobs that each ran a part of the suite, in any order.

    The files may come from anywhere, a fork included: each is checked whole, and refused if it is not what pytest
    writes. What does not fit together makes the run incomplete, which no gate passes.
    """
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.policy.combine import combine
    from pytest_tokenbudget.report.amounts import usd
    from pytest_tokenbudget.report.columns import printable
    from pytest_tokenbudget.store.runfile import write_run
    from pytest_tokenbudget.store.untrusted import load_untrusted

    root = Path.cwd()
    runs = [load_untrusted(file, largest=max_size * _MEGABYTE) for file in files]
    run = combine(runs, shards)
    out = output if output is not None else root / load_settings(root).out
    write_run(out, run)
    tasks = len(run.tasks)
    click.echo(
        f"{len(runs)} run {'file' if len(runs) == 1 else 'files'}, {tasks} {'task' if tasks == 1 else 'tasks'}, "
        f"{usd(run.totals.cost)}: {printable(str(output or out.relative_to(root)))}"
    )
    for reason in run.partial:
        click.echo(f"A part of the suite ran: {printable(reason)}.")
    for sentence in run.incomplete:
        click.echo(f"Incomplete: {printable(sentence)}")
