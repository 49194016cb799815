"""A task's portions as JSON objects in a run file, and back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.portion import Family, Portion, RateKey
from pytest_tokenbudget.model.usage import CLASSES, Usage

__all__ = ["portion_from_record", "portion_record"]


def portion_record(portion: Portion) -> dict[str, Any]:
    """A portion as plain JSON values; of its usage only counts above zero."""
    key = portion.key
    return {
        "provider": key.provider,
        "api": key.api,
        "host": key.host,
        "model": key.served,
        "model_asked": key.asked,
        "tier": key.tier,
        "context": dict(key.context),
        "above": key.above,
        "calls": portion.calls,
        "drifted": portion.drifted,
        "usage": dict(portion.usage.counts()),
        "fees": {name: count for name, count in sorted(portion.usage.fees.items()) if count},
        "families": [[f.kind, f.name, f.items, f.largest, f.fresh, f.sent] for f in portion.families],
        "tools": dict(portion.tools),
    }


class _Record(msgspec.Struct):
    provider: str
    api: str
    host: str
    model: str
    model_asked: str
    tier: str
    context: dict[str, str]
    above: int
    calls: int
    drifted: int
    usage: dict[str, int]
    fees: dict[str, int]
    families: list[tuple[str, str, int, int, int, int]]
    tools: dict[str, int]


def portion_from_record(record: Mapping[str, Any], *, place: str) -> Portion:
    """Read a portion back.

    Raises:
        RunFileError: A field is missing or of the wrong type.
    """
    try:
        fields = msgspec.convert(record, _Record)
        return Portion(
            key=RateKey(
                provider=fields.provider,
                api=fields.api,
                host=fields.host,
                served=fields.model,
                asked=fields.model_asked,
                tier=fields.tier,
                context=tuple(fields.context.items()),
                above=fields.above,
            ),
            calls=fields.calls,
            drifted=fields.drifted,
            usage=Usage(
                fees=MappingProxyType(fields.fees),
                other=MappingProxyType({name: n for name, n in fields.usage.items() if name not in CLASSES}),
                **{name: n for name, n in fields.usage.items() if name in CLASSES},
            ),
            families=tuple(
                msgspec.convert(dict(zip(Family.__struct_fields__, family, strict=True)), Family)
                for family in fields.families
            ),
            tools=tuple(fields.tools.items()),
        )
    except msgspec.ValidationError as error:
        message = f"{place}: {error}. Write the file again with this version of pytest-tokenbudget."
        raise RunFileError(message) from error
