"""The wire formats that are read, ours and the user's."""

from functools import lru_cache
from typing import Final

from pytest_tokenbudget.wire.endpoint import Endpoint
from pytest_tokenbudget.wire.format import Format
from pytest_tokenbudget.wire.openai_chat import OpenAIChat

__all__ = ["format_of"]

_FORMATS: Final[tuple[Format, ...]] = (OpenAIChat(),)


@lru_cache(maxsize=1024)
def format_of(endpoint: Endpoint) -> Format | None:
    """The format that requests to an endpoint speak, or `None`."""
    return next((known for known in _FORMATS if known.matches(endpoint)), None)
