"""`tokenbudget prune`: recordings that no test needs, listed and, if told so, removed."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pytest_tokenbudget.model.run import Recording
    from pytest_tokenbudget.policy.hygiene import Sweep

__all__ = ["command"]


@click.command("prune", short_help="List and remove recordings that no test needs.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH ...]")
@click.option("--yes", is_flag=True, help="Remove what is listed.")
@click.option("--dry-run", is_flag=True, help="Only list, whatever else is said; the default.")
@click.option("--run", "run_file", type=click.Path(path_type=Path), metavar="FILE", help="The run that tells.")
def command(paths: tuple[Path, ...], *, yes: bool, dry_run: bool, run_file: Path | None) -> None:
    """List recorded answers that no test played and recordings that belong to no test; remove them with --yes.

    The last run tells what was played: it must have been of the whole suite, and every test must have passed. With
    PATH, only recordings at or below it.
    """
    from msgspec.structs import replace

    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.errors import RunFileError
    from pytest_tokenbudget.policy.hygiene import sweep
    from pytest_tokenbudget.report.unused import unused_lines
    from pytest_tokenbudget.store.load import load_run

    root = Path.cwd()
    file = run_file or root / load_settings(root).out
    found = sweep(load_run(file))
    if found.refusal:
        message = f"{file}: {found.refusal} Run the whole suite, until it passes, and prune then."
        raise RunFileError(message)
    below = [path.resolve() for path in paths]
    found = replace(
        found,
        unused=tuple(recording for recording in found.unused if _within(root / recording.source, below)),
        orphans=tuple(orphan for orphan in found.orphans if _within(root / orphan, below)),
    )
    for line in unused_lines(found):
        click.echo(f" {line}")
    if not (found.unused or found.orphans):
        click.echo("Every recording is needed.")
    elif yes and not dry_run:
        _remove(root, found, judged=file.stat().st_mtime)
    else:
        click.echo("Nothing was removed. To remove it: tokenbudget prune --yes")


def _within(file: Path, below: Sequence[Path]) -> bool:
    return not below or any(file.resolve().is_relative_to(path) for path in below)


def _remove(root: Path, found: "Sweep", *, judged: float) -> None:
    from pytest_tokenbudget.errors import RecordingError

    refused = []
    removed = 0
    for file, recording in _files(root, found):
        try:
            _remove_one(file, recording, judged)
            removed += 1
        except RecordingError as error:
            refused.append(error)
    click.echo(f"Removed from {removed} {'recording' if removed == 1 else 'recordings'}.")
    if refused:
        message = "\n".join(map(str, refused))
        raise RecordingError(message)


def _files(root: Path, found: "Sweep") -> Iterator[tuple[Path, "Recording | None"]]:
    everything: Iterable[tuple[str, Recording | None]] = [
        *((recording.source, recording) for recording in found.unused),
        *((orphan, None) for orphan in found.orphans),
    ]
    for source, recording in everything:
        yield root / source, recording


def _remove_one(file: Path, recording: "Recording | None", judged: float) -> None:
    from pytest_tokenbudget.errors import RecordingError
    from pytest_tokenbudget.recordings.pruning import remove_file, remove_interactions

    try:
        changed = file.stat().st_mtime > judged
    except OSError as error:
        message = f"{file}: it is not there any more."
        raise RecordingError(message) from error
    if changed:
        message = f"{file}: it changed after the run: run pytest again."
        raise RecordingError(message)
    if recording is None:
        remove_file(file)
    else:
        remove_interactions(file, recording.unused, recording.interactions)
