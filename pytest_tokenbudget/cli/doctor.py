"""`tokenbudget doctor`: secrets in recordings that exist already, and a set-up that does not fit."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from pytest_tokenbudget.cli.doctor_scan import Examined

__all__ = ["command"]

_FOUND, _MISCONFIGURED, _INCOMPLETE = 10, 2, 11
_SCHEMA: Final = "tokenbudget/doctor/1"


@click.command("doctor", short_help="Find secrets in recordings, and what is wrong with the set-up.")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", help="How to print.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read this file in the place of tokenbudget.yml.",
)
@click.pass_context
def command(context: click.Context, paths: tuple[str, ...], *, form: str, config: Path | None) -> None:
    """Find secrets in recordings that exist already; the secrets themselves are not printed.

    A PATH is a recording (vcrpy, pytest-recording, HAR, nock, ...) or a directory of recordings; without one, the
    recordings below this directory are looked through. Exits with 10 where a secret was found.
    """
    from pytest_tokenbudget.cli.doctor_scan import examined, vcrpy_problem
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.errors import ConfigError
    from pytest_tokenbudget.traffic.redaction import Redactor

    patterns: tuple[str, ...] = ()
    problems = []
    try:
        patterns = load_settings(Path.cwd(), config=config).redact
    except ConfigError as error:
        problems.append(f"[{error.slug}] {error} Its `redact` patterns were not looked for.")
    misconfigured = bool(problems)
    if (problem := vcrpy_problem()) is not None:
        problems.append(problem)
    files = list(examined(paths or (".",), Redactor(patterns), named=bool(paths)))
    if form == "json":
        click.echo(_json(files, problems), nl=False)
    else:
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.doctor_table import print_findings

        print_findings(files, problems, new_console())
    if any(file.secrets for file in files):
        context.exit(_FOUND)
    if misconfigured:
        context.exit(_MISCONFIGURED)
    if any(file.unread is not None for file in files):
        context.exit(_INCOMPLETE)


def _json(files: "Sequence[Examined]", problems: Sequence[str]) -> str:
    import msgspec

    document = {
        "schema": _SCHEMA,
        "recordings": len(files),
        "secrets": [secret for file in files for secret in file.secrets],
        "unread": [{"source": file.source, "reason": file.unread} for file in files if file.unread is not None],
        "problems": list(problems),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
