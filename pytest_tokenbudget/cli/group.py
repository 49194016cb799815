"""The group of commands: finds them, and turns our errors into exit statuses.

Exit statuses: 0 pass · 10 what was looked for is there · 11 incomplete · 12 nothing to compare with, or it is stale ·
13 not posted, though that was required · 2 usage or configuration error · 1 crash.
"""

import errno
import io
import sys
from importlib import import_module
from typing import IO, Any, Final

import click

from pytest_tokenbudget import __version__
from pytest_tokenbudget.cli.crash import CrashError
from pytest_tokenbudget.errors import TokenBudgetError

__all__ = ["main"]

_COMMANDS: Final = {
    "audit": "pytest_tokenbudget.cli.audit",
    "doctor": "pytest_tokenbudget.cli.doctor",
    "combine": "pytest_tokenbudget.cli.combine",
    "demo": "pytest_tokenbudget.cli.demo",
    "init": "pytest_tokenbudget.cli.init",
    "lock": "pytest_tokenbudget.cli.lock",
    "diff": "pytest_tokenbudget.cli.diff",
    "gate": "pytest_tokenbudget.cli.gate",
    "comment": "pytest_tokenbudget.cli.comment",
    "prices": "pytest_tokenbudget.cli.prices",
    "prune": "pytest_tokenbudget.cli.prune",
    "suggest": "pytest_tokenbudget.cli.suggest",
    "plan": "pytest_tokenbudget.cli.plan",
    "forecast": "pytest_tokenbudget.cli.forecast",
}
"""Each command's module, imported when it is asked for; its `command` is the click command."""


class _RefusedError(click.ClickException):
    """One of our errors, as click shows it."""

    exit_code = 2

    def __init__(self, error: TokenBudgetError) -> None:
        super().__init__(f"tokenbudget: [{error.slug}] {error}")
        self._notes: list[str] = getattr(error, "__notes__", [])

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo("\n".join([self.message, *self._notes]), file=file, err=file is None)


class _Commands(click.Group):
    """Commands by name, from modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        found: click.Command = import_module(module).command
        return found

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's signature
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a letter that it lacks is written out, and costs no report
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except TokenBudgetError as error:
            raise _RefusedError(error) from error
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if ctx.params.get("traceback") or (isinstance(error, OSError) and error.errno == errno.EPIPE):
                raise
            raise CrashError(error, f"tokenbudget {ctx.invoked_subcommand or ''}".rstrip()) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tokenbudget", message="%(prog)s %(version)s")
@click.option("--traceback", is_flag=True, help="Show a crash whole, with what the error says, to report it.")
def main(*, traceback: bool) -> None:
    """What your LLM agent costs: priced from recordings, judged by tests."""
