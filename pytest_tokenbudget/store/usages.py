"""Usage as a JSON object, and back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.model.usage import CLASSES, Usage

__all__ = ["usage_from_record", "usage_record"]

_CLASSES: Final = frozenset(CLASSES)


def usage_record(usage: Usage) -> dict[str, int]:
    """Tokens by class, the classes without any left out."""
    return dict(usage.counts())


def usage_from_record(tokens: Mapping[str, int], fees: Mapping[str, int]) -> Usage:
    """Read usage back from its tokens by class and its fees, which stand apart in files."""
    other = {name: count for name, count in tokens.items() if name not in _CLASSES}
    named = {name: count for name, count in tokens.items() if name in _CLASSES}
    return Usage(fees=MappingProxyType(dict(fees)), other=MappingProxyType(other), **named)
