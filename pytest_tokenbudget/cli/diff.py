"""`tokenbudget diff`: what changed between two runs, locks or commits, and why."""

from pathlib import Path

import click

__all__ = ["command"]


@click.command("diff", short_help="What changed between two runs, locks or commits, and why.")
@click.argument("base", required=False, metavar="[BASE]")
@click.argument("head", required=False, metavar="[HEAD]")
@click.option("--format", "form", type=click.Choice(["table", "json", "md"]), default="table", help="How to print.")
def command(base: str | None, head: str | None, *, form: str) -> None:
    """Compare what each task costs, at today's prices of this project for both sides.

    BASE and HEAD are run files, locks or git revisions whose lock is meant. Without HEAD it is the last run; without
    BASE the lock of the commit where this branch left the default branch.
    """
    from pytest_tokenbudget.cli.comparing import compared

    found = compared(Path.cwd(), base, head)
    if form == "json":
        from pytest_tokenbudget.report.comparison import comparison_json

        click.echo(comparison_json(found.comparison), nl=False)
    elif form == "md":
        from pytest_tokenbudget.cli.comparing import about_of, judged_today
        from pytest_tokenbudget.report.comment import comment

        click.echo(comment(found.comparison, judged_today(found), about_of(found)), nl=False)
    else:
        from pytest_tokenbudget.cli.audit_table import new_console
        from pytest_tokenbudget.cli.comparison_table import print_comparison

        print_comparison(found.comparison, found.base.why, new_console())
