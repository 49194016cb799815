"""A benchmark in the run file, and back: its plan, its figures, and the verdict as it was made."""

from collections.abc import Mapping
from decimal import Decimal
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from pytest_tokenbudget.errors import RunFileError
from pytest_tokenbudget.model.benchmark import BenchmarkRun, Drawn
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.store.usages import usage_from_record, usage_record

if TYPE_CHECKING:
    from pytest_tokenbudget.policy.sampling.pairs import Pairs

__all__ = ["benchmark_definitions", "benchmark_from_record", "benchmark_record", "pairs_record"]

_AMOUNT: Final = r"^(-?\d+(\.\d+)?|Infinity)$"
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_PLAIN: Final[Mapping[Any, Mapping[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Decimal: {"type": "string", "pattern": _AMOUNT},
}


def benchmark_record(run: BenchmarkRun) -> dict[str, Any]:
    """A benchmark as plain JSON values; amounts are text in full, and dollars per success `Infinity` without any."""
    record: dict[str, Any] = _texts(msgspec.to_builtins(run, builtin_types=(Decimal,), enc_hook=dict))
    figures = record["result"]["figures"]
    figures["usage"] = usage_record(run.result.figures.usage)
    figures["fees"] = dict(sorted(run.result.figures.usage.fees.items()))
    return record


def pairs_record(pairs: "Pairs") -> dict[str, Any]:
    """Two runs of the same samples as plain JSON values; amounts are text in full."""
    record: dict[str, Any] = _texts(msgspec.to_builtins(pairs, builtin_types=(Decimal,)))
    return record


def _texts(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, Decimal):
        return dollars_text(value) if value.is_finite() and value >= 0 else f"{value:f}"
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    return [_texts(item) for item in value] if isinstance(value, list | tuple) else value


def benchmark_from_record(record: Mapping[str, Any], place: str) -> BenchmarkRun:
    """Read a benchmark back.

    Args:
        record: What the file holds.
        place: Where it stands, for messages.

    Raises:
        RunFileError: A field is missing or of the wrong type.
    """
    try:
        result = record["result"]
        figures = dict(result["figures"])
        usage = msgspec.convert(figures.pop("usage"), dict[str, int])
        fees = msgspec.convert(figures.pop("fees", {}), dict[str, int])
        plain = {**record, "result": {**result, "figures": {**figures, "usage": {}}}}
        run = msgspec.convert(plain, BenchmarkRun)
    except (msgspec.ValidationError, KeyError, TypeError, ValueError) as error:
        message = f"{place}: the benchmark cannot be read: {error}. Run pytest again to write a new one."
        raise RunFileError(message) from error
    steps = run.plan.ideal_steps
    if steps is not None and not (steps.is_finite() and steps > 0):
        message = f"{place}: the benchmark cannot be read: its `ideal_steps` is no number above 0. Run pytest again."
        raise RunFileError(message)
    whole = msgspec.structs.replace(run.result.figures, usage=usage_from_record(usage, fees))
    return msgspec.structs.replace(run, result=msgspec.structs.replace(run.result, figures=whole))


def benchmark_definitions() -> dict[str, Any]:
    """The JSON Schema of each value in a benchmark, by its name; `BenchmarkRun` is the whole."""
    definitions: dict[str, Any] = {}
    for root in (BenchmarkRun, Drawn):
        _schema(root, definitions)
    figures = definitions["Figures"]
    figures["properties"]["fees"] = _COUNTS
    figures["required"].append("fees")
    return dict(sorted(definitions.items()))


def _schema(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a type as it is annotated
    """The schema of a type; that of a class of values is put among the definitions and referred to."""
    if kind is Usage:
        return {**_COUNTS, "description": "tokens by class, only those above zero"}
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in {Union, UnionType}:
        return {"anyOf": [_schema(each, definitions) for each in arguments]}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arguments[0], definitions)}
    if origin is tuple:
        items = [_schema(each, definitions) for each in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _schema(arguments[1], definitions)}
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # it may hold itself
        fields = {name: _schema(each, definitions) for name, each in get_type_hints(kind).items()}
        definitions[kind.__name__] = {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{kind.__name__}"}
