"""`tokenbudget suggest`: limits from what recorded runs took."""

from decimal import Decimal
from pathlib import Path
from typing import cast

import click

__all__ = ["command"]


def _margin(_context: click.Context, _parameter: click.Parameter, value: str) -> Decimal:
    from pytest_tokenbudget.config.kinds import FRACTION

    try:
        return cast("Decimal", FRACTION.read(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command("suggest", short_help="Suggest limits from recorded runs.")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN.json ...]")
@click.option("--margin", default="20%", callback=_margin, metavar="SHARE", help="Added to the most seen; default 20%.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "marker", "yaml", "json"]),
    default="table",
    help="A table, or text to paste.",
)
def command(runs: tuple[Path, ...], *, margin: Decimal, form: str) -> None:
    """Suggest limits from what recorded runs took, with a margin.

    RUN.json is a run file as pytest writes it; without one, the last run of this project is read. Of several runs, the
    oldest first, the most that any of them took counts.
    """
    from pytest_tokenbudget.config.load import load_settings
    from pytest_tokenbudget.policy.suggest import suggest
    from pytest_tokenbudget.report.suggest_view import about
    from pytest_tokenbudget.store.load import load_run

    files = runs or (Path.cwd() / load_settings(Path.cwd()).out,)
    loaded = [load_run(file) for file in files]
    found = suggest(loaded, margin)
    sentences = about(loaded, found, margin)
    if form == "table":
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.suggest_table import print_suggestions

        print_suggestions(found, sentences, new_console())
        return
    from pytest_tokenbudget.report.suggest import suggest_json, suggest_markers, suggest_yaml

    if form == "json":
        click.echo(suggest_json(found, margin, len(loaded)), nl=False)
    else:
        click.echo((suggest_markers if form == "marker" else suggest_yaml)(found, sentences), nl=False)
