"""The `tokenbudget` command. One module per command; `main` is the console script."""

from pytest_tokenbudget.cli.group import main

__all__ = ["main"]
