"""`tokenbudget gate`: may this be merged."""

from pathlib import Path

import click

__all__ = ["command"]


@click.command("gate", short_help="May this be merged? Exit status 0, 10, 11 or 12.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option("--base", metavar="WHERE", help="Compare with this run file, lock or git revision.")
@click.option("--format", "form", type=click.Choice(["table", "json", "md"]), default="table", help="How to print.")
def command(run: Path | None, *, base: str | None, form: str) -> None:
    """Hold a run against its budgets and against base, and end with what that comes to.

    Exit status 0: pass, warn or waived; 10: over budget, or more than before; 11: something is not known; 12: there is
    nothing to compare with, though `gate: {base: required}` asks for it.
    """
    from pytest_tokenbudget.cli.comparing import about_of, gathered, judged_today, merged_into

    found = gathered(Path.cwd(), run, base, merged_into=merged_into())
    verdict = judged_today(found)
    if form == "json":
        from pytest_tokenbudget.report.comparison import comparison_json

        click.echo(comparison_json(found.comparison, verdict), nl=False)
    elif form == "md":
        from pytest_tokenbudget.report.comment import comment

        click.echo(comment(found.comparison, verdict, about_of(found)), nl=False)
    else:
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.comparison_table import print_comparison, print_verdict

        console = new_console()
        print_comparison(found.comparison, found.base.why, console)
        print_verdict(found.comparison, verdict, console)
    raise SystemExit(verdict.status)
