"""A request of which it is known how many tokens the provider counted."""

from msgspec import Struct

from pytest_tokenbudget.model.drift import Drift
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.model.usage import Usage

__all__ = ["Estimate", "Sample"]


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """A recorded request with its answer's usage.

    Attributes:
        provider: Whose price list applies, as in `Call.provider`.
        api: The wire format, as in `Call.api`.
        model: The model that answered.
        prompt: What it was asked.
        usage: What the provider counted.
    """

    provider: str
    api: str
    model: str
    prompt: Prompt
    usage: Usage


class Estimate(Struct, frozen=True, kw_only=True, gc=False):
    """What a changed request would use.

    Attributes:
        usage: The middle of the estimate, by class.
        drift: Its band, its reasons, and where the request changed.
    """

    usage: Usage
    drift: Drift
