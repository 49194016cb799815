"""A task's portions as JSON objects in a run file, and back."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.portion import Family, FamilyKind, Portion, RateKey
from pytest_tokenbudget.store.usages import usage_from_record

__all__ = ["PortionFields", "portion_from_record", "portion_of", "portion_record"]


_Count = Annotated[int, msgspec.Meta(ge=0, lt=10**18)]
"""What a lock can hold, too."""


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


class PortionFields(msgspec.Struct):
    """A portion as a run file has it."""

    provider: str
    api: str
    host: str
    model: str
    model_asked: str
    tier: str
    context: dict[str, str]
    above: _Count
    calls: _Count
    drifted: _Count
    usage: dict[str, _Count]
    fees: dict[str, _Count]
    families: list[tuple[FamilyKind, str, _Count, _Count, _Count, _Count]]
    tools: dict[str, _Count]


def portion_from_record(record: Mapping[str, Any], *, place: str) -> Portion:
    """Read a portion back.

    Raises:
        RunFileError: A field is missing or of the wrong type.
    """
    try:
        return portion_of(msgspec.convert(record, PortionFields))
    except msgspec.ValidationError as error:
        message = f"{place}: {error}. Write the file again with this version of pytest-tokenbudget."
        raise RunFileError(message) from error


def portion_of(fields: PortionFields) -> Portion:
    """A portion out of its fields."""
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
        usage=usage_from_record(fields.usage, fields.fees),
        families=tuple(
            Family(kind=kind, name=name, items=items, largest=largest, fresh=fresh, sent=sent)
            for kind, name, items, largest, fresh, sent in fields.families
        ),
        tools=tuple(fields.tools.items()),
    )
