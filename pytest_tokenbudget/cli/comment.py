"""`tokenbudget comment`: what a pull request's readers see."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pytest_tokenbudget.ci.posting import WHENS
from pytest_tokenbudget.ci.sticky import MODES

if TYPE_CHECKING:
    from pytest_tokenbudget.ci.sticky import Posted
    from pytest_tokenbudget.cli.comparing import Gathered
    from pytest_tokenbudget.policy.gate import GateVerdict

__all__ = ["command"]

_NOT_POSTED: Final = 13


@click.command("comment", short_help="Write the pull request's comment, and post it in CI.")
@click.argument("run", required=False, type=click.Path(path_type=Path), metavar="[RUN.json]")
@click.option("--base", metavar="WHERE", help="Compare with this run file, lock or git revision.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a file, too.")
@click.option("--post", type=click.Choice(["auto", "off"]), default="auto", help="Post it where CI has a pull request.")
@click.option("--key", default="default", metavar="NAME", help="Tells several comments on one pull request apart.")
@click.option("--mode", type=click.Choice(MODES), default="update", help="What becomes of a comment that is there.")
@click.option("--when", type=click.Choice(WHENS), default="changes", help="When to make one where there is none.")
@click.option("--require-post", is_flag=True, help="Exit with 13 where it could not be posted.")
def command(
    run: Path | None,
    *,
    base: str | None,
    output: Path | None,
    post: str,
    key: str,
    mode: str,
    when: str,
    require_post: bool,
) -> None:
    """Write the comment that answers: may I merge, how much more does it cost, where, why, what to do.

    In GitHub Actions and GitLab CI it is posted to the pull request, and goes into the step's summary, annotations and
    outputs; elsewhere it is printed. It decides nothing: its exit status is 0 whatever the verdict is. `tokenbudget
    gate` decides, by the same rules.
    """
    from pytest_tokenbudget.cli.comparing import about_of, ci_event, gathered, judged_today, merged_into
    from pytest_tokenbudget.report.comment import comment
    from pytest_tokenbudget.store.replacing import write_whole

    found = gathered(Path.cwd(), run, base, merged_into=merged_into())
    verdict = judged_today(found)
    text = comment(found.comparison, verdict, about_of(found, key=key))
    if output is not None:
        write_whole(output, text)
    event = ci_event()
    if post == "off" or event.forge == "none":
        if output is None:
            click.echo(text, nl=False)
        return
    posted = _posted(text, found, verdict, key=key, mode=mode, when=when)
    _tell_ci(text, found, verdict, posted, output)
    click.echo(f"tokenbudget: {posted.kind}. {posted.reason} {posted.url}".rstrip(), err=True)
    if require_post and posted.failed:
        raise SystemExit(_NOT_POSTED)


def _posted(text: str, found: "Gathered", verdict: "GateVerdict", *, key: str, mode: str, when: str) -> "Posted":
    from pytest_tokenbudget.ci.activity import activity_of
    from pytest_tokenbudget.ci.posting import PostOptions, post
    from pytest_tokenbudget.ci.token import Token
    from pytest_tokenbudget.cli.comparing import ci_event
    from pytest_tokenbudget.config.environment import ci_token
    from pytest_tokenbudget.report.comment import has_news

    event = ci_event()
    token = Token(ci_token(event.forge))
    options = PostOptions(
        token=token,
        key=key,
        mode=mode,  # type: ignore[arg-type]  # click allows no other
        when=when,  # type: ignore[arg-type]  # as above
        has_news=has_news(found.comparison, verdict),
    )
    return post(activity_of(event, has_token=bool(token)), text, options)


def _tell_ci(text: str, found: "Gathered", verdict: "GateVerdict", posted: "Posted", output: Path | None) -> None:
    """Add to the step's summary, annotations and outputs; what goes wrong there is said, and costs nothing else."""
    from pytest_tokenbudget.ci.annotations import annotations, workflow_commands
    from pytest_tokenbudget.ci.summary import append_outputs, append_summary, outputs_of
    from pytest_tokenbudget.cli.comparing import ci_event

    event = ci_event()
    problems = []
    if event.summary is not None:
        problems.append(append_summary(event.summary, text))
    if event.output is not None:
        outputs = outputs_of(found.comparison, verdict, comment=output, posted=posted)
        problems.append(append_outputs(event.output, outputs))
    if event.forge == "github":
        for line in workflow_commands(annotations(found.comparison, verdict)):
            click.echo(line)
    for problem in filter(None, problems):
        click.echo(f"tokenbudget: {problem}", err=True)
