"""Every setting by its key, and what its value may be."""

from collections.abc import Mapping
from typing import Final

from pytest_tokenbudget.config.kinds import (
    EXPRESSIONS,
    FIELD_NAMES,
    FRACTION,
    INSTANT,
    PATH,
    PATTERNS,
    PROVIDERS,
    SAMPLES,
    Kind,
    choice,
)
from pytest_tokenbudget.config.place import refuse, unknown_key
from pytest_tokenbudget.config.settings import DRIFTS, MODES, RECORDS, RULES

__all__ = ["OF_PRICES", "SCALARS", "STRUCTURED", "read_scalar"]

SCALARS: Final[Mapping[str, Kind]] = {
    "mode": choice(*MODES),
    "out": PATH,
    "as_of": INSTANT,
    "tolerance": FRACTION,
    "unknown_model": choice("error", "warn", "free"),
    "missing_usage": choice("error", "warn"),
    "free_hosts": PATTERNS,
    "hosts": PROVIDERS,
    "record": choice(*RECORDS),
    "drift": choice(*DRIFTS),
    "samples": SAMPLES,
    "rule": choice(*RULES),
    "volatile": FIELD_NAMES,
    "redact": EXPRESSIONS,
}
"""Settings with one value each."""

STRUCTURED: Final = (
    "budgets",
    "workflows",
    "prices",
    "deployments",
    "discounts",
    "fees",
    "gate",
    "waivers",
    "volumes",
    "forecast",
)
"""Settings with a structure of their own."""

OF_PRICES: Final = ("as_of", "prices", "deployments", "discounts", "fees", "hosts", "free_hosts", "unknown_model")
"""Settings that decide what a call costs."""


def read_scalar(key: str, value: object, place: str) -> object:
    """Check one setting.

    Raises:
        ConfigError: The key is unknown, or its value not allowed; the message names the place.
    """
    if key not in SCALARS:
        raise unknown_key(place, key, (*SCALARS, *STRUCTURED), "setting")
    try:
        return SCALARS[key].read(value)
    except ValueError as error:
        raise refuse(place, f"{error}.") from None
