"""`tokenbudget init`: settings, workflow and a first test for a repository."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pytest_tokenbudget.cli.starter import CIKind, Starter

__all__ = ["command"]


@click.command("init", short_help="Write settings, a workflow and a first test for this repository.")
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab", "none"]),
    help="Whose CI to write for; told from the repository's files unless it is said.",
)
@click.option("--force", is_flag=True, help="Replace workflows that are there and differ; never settings or tests.")
def command(*, ci: "CIKind | None", force: bool) -> None:
    """Write what a repository needs to measure, lock and judge what its agent costs.

    A file that is there already is left as it is, and named. Type it again at any time: what is as it should be stays.
    """
    from pytest_tokenbudget.cli.starter import forge_of, starters

    root = Path.cwd()
    chosen = ci or forge_of(root)
    if chosen != "none":
        _check_root(root)
    plan = list(starters(root, chosen))
    for starter in plan:
        click.echo(f" {_lines(root, starter) if starter.is_line else _whole(root, starter, force=force)}")
    click.echo()
    for line in _next(root, chosen):
        click.echo(line)


def _check_root(root: Path) -> None:
    """Refuse a folder inside a repository: a forge reads its workflows from the root alone."""
    from pytest_tokenbudget.errors import ConfigError
    from pytest_tokenbudget.store.git import Git, GitError

    try:
        inside = Git(root).ask("rev-parse", "--show-prefix").strip()
    except GitError:
        return
    if inside:
        message = f"{inside} is no repository's root, where workflows belong. Type it there, or here with --ci none."
        raise ConfigError(message)


def _whole(root: Path, starter: "Starter", *, force: bool) -> str:
    file = root / starter.path
    if file.exists():
        if file.is_file() and file.read_bytes() == starter.text.encode():
            return f"as it is  {starter.path}"
        if not (force and starter.is_ours):
            hint = ": --force replaces it" if starter.is_ours else ""
            return f"kept      {starter.path}  {starter.reason or f'It differs from what would be written{hint}.'}"
        _write(file, starter.text)
        return f"replaced  {starter.path}"
    if starter.reason:
        return f"left out  {starter.path}  {starter.reason}"
    _write(file, starter.text)
    return f"wrote     {starter.path}"


def _lines(root: Path, starter: "Starter") -> str:
    file = root / starter.path
    before = file.read_text(encoding="utf-8", errors="surrogateescape") if file.is_file() else ""
    lines = [line.strip() for line in before.splitlines()]
    if starter.text in lines or starter.text.rstrip("/") in lines:
        return f"as it is  {starter.path}"
    if starter.is_asked:
        return f"kept      {starter.path}  Add to it yourself: {starter.text}"
    end = "" if not before or before.endswith("\n") else "\n"
    _write(file, f"{before}{end}{starter.text}\n")
    return f"{'added to ' if before else 'wrote    '} {starter.path}  {starter.text}"


def _write(file: Path, text: str) -> None:
    from pytest_tokenbudget.errors import ConfigError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        message = f"{file}: it cannot be written: {error.strerror or error}."
        raise ConfigError(message) from error


def _next(root: Path, ci: "CIKind") -> list[str]:
    from pytest_tokenbudget.cli.starter import FIRST_TEST, installs_ours_alone

    is_first = (root / FIRST_TEST).exists()
    first = f"Call your agent in {FIRST_TEST}." if is_first else "Mark a test with @pytest.mark.token_budget."
    steps = [
        first,
        "Record its model calls once, with your key: pytest --tokenbudget-record=once",
        "Replay them, for $0 and without a key: pytest",
        "Write down what each test used: tokenbudget lock",
        "Commit all of it, recordings and tokenbudget.lock too.",
    ]
    if ci != "none" and installs_ours_alone(root):
        steps.insert(
            -1, "Where CI installs pytest-tokenbudget, name what your agent needs beside it, such as its SDKs."
        )
    if ci == "gitlab":
        steps.append("To comment, give CI a project access token (Reporter, scope `api`) as GITLAB_TOKEN.")
    return ["Next:", *(f" {number}. {step}" for number, step in enumerate(steps, 1))]
