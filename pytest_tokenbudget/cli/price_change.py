"""What a change of prices costs: the settings of base are read from git, and head's usage is priced with both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.config.load import FILE_NAME, PYPROJECT
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import BaselineError
from pytest_tokenbudget.policy.price_change import PriceChange, price_change
from pytest_tokenbudget.policy.snapshot import Snapshot
from pytest_tokenbudget.pricing import DEFAULT_AS_OF, PriceTable
from pytest_tokenbudget.pricing.as_of import RELEASE
from pytest_tokenbudget.pricing.genai import data_source
from pytest_tokenbudget.store.base_settings import base_settings

__all__ = ["price_change_of"]

_NAMES: Final = ("prices", "deployments", "discounts", "fees", "hosts", "free_hosts", "unknown_model")
_DATA: Final = "genai-prices "


def price_change_of(
    root: Path, base: Snapshot | None, head: Snapshot, prices: PriceTable, settings: Settings
) -> PriceChange | None:
    """What the prices of base would make of head's usage; `None` where nothing is to be said.

    Args:
        root: The project's root.
        base: What is compared with.
        head: What is judged.
        prices: What both are priced with.
        settings: The project's settings, which these prices are of.
    """
    if base is None:
        return None
    unknown = list(_data(head))
    found = PriceChange()
    if base.prices:
        if head.prices and base.prices != head.prices:
            unknown.append(
                f"Base was priced with {base.prices}, and head with {head.prices}. What that changes is not known: a "
                "run file holds no settings."
            )
    elif base.commit:
        try:
            before = base_settings(root, base.commit)
        except BaselineError as error:
            unknown.append(f"What a change of prices costs is not known: base's settings cannot be read ({error}).")
        else:
            table = _table(before, prices)
            if differs := _differs(before, settings, table, prices):
                found = price_change(head, table.cost_of, prices.cost_of, differs)
    if not (found.models or unknown):
        return None
    return replace(found, unknown=tuple(unknown))


def _table(before: Settings, prices: PriceTable) -> PriceTable:
    """Base's own prices, as of the instant that base's files name."""
    source = prices.as_of_source
    if source != RELEASE and not source.startswith((FILE_NAME, PYPROJECT)):
        as_of = prices.as_of  # from outside of the repository, it would have been base's too
    else:
        # the release's own instant on base is not known, where another release of this tool ran there
        as_of = before.as_of or (prices.as_of if source == RELEASE else DEFAULT_AS_OF)
    return PriceTable.of(before, as_of=as_of)


def _differs(before: Settings, after: Settings, old: PriceTable, new: PriceTable) -> list[str]:
    days = [table.as_of.isoformat().removesuffix("T00:00:00+00:00") for table in (old, new)]
    first = [] if old.as_of == new.as_of else [f"as_of {days[0]} → {days[1]}"]
    return first + [key for key in _NAMES if _stated(before, key) != _stated(after, key)]


def _stated(settings: Settings, key: str) -> object:
    found = getattr(settings, key)
    if not (isinstance(found, tuple) and any(isinstance(entry, Struct) for entry in found)):
        return found
    return tuple(replace(entry, place="") for entry in found)  # on which line it stands makes no difference


def _data(head: Snapshot) -> Iterator[str]:
    measured, _, _ = head.prices.partition(" as of ")
    if measured.startswith(_DATA) and measured != data_source():
        yield f"The run was priced with {measured}, and both sides here with {data_source()}."
