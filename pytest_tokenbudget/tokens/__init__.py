"""Counting tokens locally: how large a prompt's parts are."""

from pytest_tokenbudget.tokens.counter import COUNTER, count

__all__ = ["COUNTER", "count"]
