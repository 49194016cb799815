"""`tokenbudget lock`: write down what each task used, to be committed and compared with."""

from pathlib import Path

import click

from pytest_tokenbudget.store.lock import FILE_NAME

__all__ = ["command"]

_STALE = 12


@click.command("lock", short_help="Write tokenbudget.lock from the last run.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help=f"Write this file in the place of {FILE_NAME}."
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 12 where the lock is not what it would be.")
def command(run: Path | None, *, output: Path | None, check: bool) -> None:
    """Write what each task used, by rate card and part of its prompts, without a price.

    RUN.json is a run file as pytest writes it; without one, the last run of this project is read. It must be of the
    whole suite. Commit the lock: pull requests are compared with it, and its diff shows what they change.
    """
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.store.load import load_run
    from pytest_tokenbudget.store.lock import lock_of_run, lock_text
    from pytest_tokenbudget.store.replacing import write_whole

    root = Path.cwd()
    file = run if run is not None else root / load_settings(root).out
    target = output if output is not None else root / FILE_NAME
    text = lock_text(lock_of_run(load_run(file), file.name))
    tasks = sum(not line.startswith(("#", "@")) for line in text.splitlines())
    shown = target.name if target.parent == root else str(target)
    if check:
        if target.is_file() and target.read_bytes() == text.encode():
            click.echo(f"{shown} is what the run measured.")
            return
        click.echo(f"{shown} is stale. Type: tokenbudget lock", err=True)
        raise SystemExit(_STALE)
    write_whole(target, text)
    click.echo(f"{shown}: {tasks} line{'' if tasks == 1 else 's'}. Commit it.")
