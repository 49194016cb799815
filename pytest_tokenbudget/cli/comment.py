"""`tokenbudget comment`: what a pull request's readers see."""

from pathlib import Path

import click

__all__ = ["command"]


@click.command("comment", short_help="Write the pull request's comment.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option("--base", metavar="WHERE", help="Compare with this run file, lock or git revision.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file; else it is printed."
)
@click.option("--key", default="default", metavar="NAME", help="Tells several comments on one pull request apart.")
def command(run: Path | None, *, base: str | None, output: Path | None, key: str) -> None:
    """Write the comment that answers: may I merge, how much more does it cost, where, why, what to do.

    It decides nothing: its exit status is 0 whatever the verdict is. `tokenbudget gate` decides, by the same rules.
    """
    from pytest_tokenbudget.cli.comparing import about_of, gathered, judged_today, merged_into
    from pytest_tokenbudget.report.comment import comment
    from pytest_tokenbudget.store.replacing import write_whole

    found = gathered(Path.cwd(), run, base, merged_into=merged_into())
    text = comment(found.comparison, judged_today(found), about_of(found, key=key))
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text)
