"""The options that choose tasks of a run, for every command that reckons with them."""

from collections.abc import Callable
from typing import TypeVar

import click

__all__ = ["Command", "choosing"]

Command = TypeVar("Command", bound=Callable[..., None])

_FORMS = click.Choice(["table", "json", "md"])


def choosing(command: Command) -> Command:
    """Give a command the options that choose tasks, and how to print."""
    for option in (
        click.option("--format", "form", type=_FORMS, default="table", help="How to print."),
        click.option("--workflow", metavar="NAME", help="Only this workflow's tasks."),
        click.option("--task", metavar="ID", help="Only these tasks: a node id, or a pattern with * and ?."),
    ):
        command = option(command)
    return command
