"""The JSON Schemas of a run file and of `tokenbudget audit --format json`."""

from collections.abc import Mapping
from typing import Any, Final, get_args

import msgspec

from pytest_tokenbudget.model.budget import LIMITS, State
from pytest_tokenbudget.model.call import Status
from pytest_tokenbudget.model.exchange import Obtained
from pytest_tokenbudget.model.portion import FamilyKind
from pytest_tokenbudget.model.prompt import SegmentKind
from pytest_tokenbudget.model.run import SCHEMA
from pytest_tokenbudget.model.task import Outcome, Phase, StrayKind, Traffic
from pytest_tokenbudget.store.benchmarks import benchmark_definitions

__all__ = ["audit_schema", "run_schema", "schema_text"]

Json = dict[str, Any]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TEXT: Final[Json] = {"type": "string"}
_TEXT_OR_NULL: Final[Json] = {"type": ["string", "null"]}
_COUNT: Final[Json] = {"type": "integer", "minimum": 0}
_FLAG: Final[Json] = {"type": "boolean"}
_SENTENCES: Final[Json] = {"type": "array", "items": _TEXT}
_INSTANT: Final[Json] = {"type": "string", "format": "date-time"}
_COUNTS: Final[Json] = {"type": "object", "additionalProperties": _COUNT}
_COUNTS_OR_NULL: Final[Json] = {"type": ["object", "null"], "additionalProperties": _COUNT}
_NUMBER: Final = r"^\d+(\.\d+)?$"
_USD: Final[Json] = {"type": "string", "pattern": _NUMBER, "description": "US dollars as text, in full"}
_USD_OR_NULL: Final[Json] = {
    "type": ["string", "null"],
    "pattern": _NUMBER,
    "description": "US dollars as text, in full; null where unknown",
}
_NUMBER_OR_NULL: Final[Json] = {"type": ["string", "null"], "pattern": _NUMBER}


def _one_of(kind: object) -> Json:
    return {"enum": list(get_args(kind))}


def _list(item: str) -> Json:
    return {"type": "array", "items": {"$ref": f"#/$defs/{item}"}}


def _or_null(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _pair(schema: Json) -> Json:
    return {"type": "array", "items": schema, "minItems": 2, "maxItems": 2, "description": "the least and the most"}


def _object(properties: Mapping[str, Json], optional: tuple[str, ...] = ()) -> Json:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_CALL: Final[Mapping[str, Json]] = {
    "source": _TEXT_OR_NULL | {"description": "the recording, as given"},
    "index": {"type": ["integer", "null"], "minimum": 0, "description": "the position in the recording, from 0"},
    "provider": _TEXT,
    "api": _TEXT | {"description": "the wire format, such as openai.chat"},
    "host": _TEXT,
    "model": _TEXT_OR_NULL | {"description": "the model served, else the one asked for"},
    "tier": _TEXT_OR_NULL,
    "stream": _FLAG,
    "http_status": {"type": "integer"},
    "status": _one_of(Status),
    "usage": _COUNTS | {"description": "tokens by class, only those above zero"},
    "fees": _COUNTS | {"description": "what is billed by the piece"},
    "cost_usd": _USD_OR_NULL,
    "unpriced": _SENTENCES | {"description": "classes, fee:<name> or model that have no price"},
    "reported_usd": _USD_OR_NULL,
    "response_id": _TEXT_OR_NULL,
    "notes": _SENTENCES,
}

_RUN_CALL: Final[Mapping[str, Json]] = {
    **_CALL,
    "step": {"type": ["integer", "null"], "minimum": 1},
    "phase": _one_of(Phase),
    "obtained": _one_of(Obtained),
    "model_asked": _TEXT_OR_NULL,
    "tools": _SENTENCES,
    "finish": _TEXT_OR_NULL,
    "seconds": {"type": ["number", "null"], "minimum": 0},
    "prompt": {
        "type": "array",
        "description": "kind, name, parts and locally counted tokens of what the request carried",
        "items": {
            "type": "array",
            "prefixItems": [_one_of(SegmentKind), _TEXT, _COUNT, _COUNT],
            "items": False,
            "minItems": 4,
        },
    },
    "recorded_usage": _COUNTS | {"description": "of drifted calls: the usage of the request that was recorded"},
    "band": _or_null({"$ref": "#/$defs/band"}),
    "drift": _or_null({"$ref": "#/$defs/drift"}),
}

_DRIFT: Final[Mapping[str, Json]] = {
    "low": _COUNTS | {"description": "the least that it can be now"},
    "high": _COUNTS_OR_NULL | {"description": "the most; null where nothing bounds it"},
    "cold": _COUNTS_OR_NULL | {"description": "the estimate if nothing were read from the provider's cache"},
    "cold_usd": _USD_OR_NULL,
    "recorded_usd": _USD_OR_NULL,
    "counter": _TEXT,
    "reasons": _SENTENCES,
    "first": _or_null({"$ref": "#/$defs/change"}),
    "volatile": _SENTENCES,
}

_CHANGE: Final[Mapping[str, Json]] = {
    "kind": _one_of(SegmentKind),
    "name": _TEXT,
    "position": _COUNT,
    "byte": _COUNT,
    "before": _COUNT,
    "after": _COUNT,
}

_BAND: Final[Mapping[str, Json]] = {
    "input": _pair({"type": ["integer", "null"], "minimum": 0}),
    "usd": _pair(_USD_OR_NULL),
}

_RECORDING: Final[Mapping[str, Json]] = {
    "source": _TEXT,
    "interactions": _COUNT,
    "used": {"type": "array", "items": _COUNT},
    "own": _FLAG,
    "settled": _FLAG,
}

_STRAY: Final[Mapping[str, Json]] = {"kind": _one_of(StrayKind), "request": _TEXT, "how": _TEXT}

_SKIPPED: Final[Mapping[str, Json]] = {
    "source": _TEXT_OR_NULL,
    "index": {"type": ["integer", "null"], "minimum": 0},
    "reason": _TEXT,
}

_SUMS: Final[Mapping[str, Json]] = {
    "usage": _COUNTS,
    "fees": _COUNTS,
    "cost_usd": _USD_OR_NULL,
    "known_usd": _USD,
    "incurred_usd": _USD_OR_NULL,
    "call_count": _COUNT,
    "steps": _COUNT,
    "drifted": _COUNT,
    "estimated": _COUNT,
    "band": _or_null({"$ref": "#/$defs/band"}),
    "unknown": _COUNT,
}

_TASK: Final[Mapping[str, Json]] = {
    "id": _TEXT,
    "workflow": _TEXT_OR_NULL,
    "team": _TEXT_OR_NULL,
    "outcome": _one_of(Outcome),
    **_SUMS,
    "all_attempts_usd": _USD_OR_NULL,
    "traffic": _one_of(Traffic),
    "strays": _list("stray"),
    "sample": _or_null({"$ref": "#/$defs/Drawn"}),
    "budget": {"$ref": "#/$defs/budget"},
    "verdict": {"$ref": "#/$defs/verdict"},
    "exchanges": _COUNT,
    "notes": _SENTENCES,
    "skipped": _list("skipped"),
    "calls": _list("call"),
    "portions": _list("portion"),
    "earlier": _list("attempt"),
}

_PORTION: Final[Mapping[str, Json]] = {
    "provider": _TEXT,
    "api": _TEXT,
    "host": _TEXT,
    "model": _TEXT,
    "model_asked": _TEXT,
    "tier": _TEXT,
    "context": {"type": "object", "additionalProperties": _TEXT},
    "above": _COUNT | {"description": "the threshold of prompt tokens above which these rates hold, or 0"},
    "calls": _COUNT,
    "drifted": _COUNT,
    "usage": _COUNTS,
    "fees": _COUNTS,
    "families": {
        "description": "kind, name, how many different ones, tokens of the largest, tokens sent first, and in all",
        "type": "array",
        "items": {
            "type": "array",
            "prefixItems": [_one_of(FamilyKind), _TEXT, _COUNT, _COUNT, _COUNT, _COUNT],
            "minItems": 6,
            "maxItems": 6,
        },
    },
    "tools": _COUNTS,
}

_FINDING: Final[Mapping[str, Json]] = {
    "limit": {"enum": [*LIMITS, "calls", "exchanges"]},
    "state": _one_of(State),
    "bound": _NUMBER_OR_NULL,
    "value": _NUMBER_OR_NULL,
    "low": _NUMBER_OR_NULL,
    "high": _NUMBER_OR_NULL,
    "reason": _TEXT,
}

_BUDGET: Final[Mapping[str, Json]] = {
    **{name: {"type": "string", "pattern": _NUMBER} for name in LIMITS},
    "tolerance": {"type": "string", "pattern": _NUMBER},
    "allow_no_calls": _FLAG,
    "origins": {"type": "object", "additionalProperties": _TEXT, "description": "where each field was stated"},
}

_RUN: Final[Mapping[str, Json]] = {
    "schema": {"const": SCHEMA},
    "tool_version": _TEXT,
    "as_of": _INSTANT | {"description": "the instant whose prices were used"},
    "as_of_source": _TEXT,
    "price_table": _TEXT,
    "counter": _TEXT,
    "mode": {"enum": ["enforce", "observe"]},
    "commit": _TEXT_OR_NULL,
    "unfinished": _TEXT_OR_NULL,
    "partial": _SENTENCES,
    "incomplete": _SENTENCES,
    "totals": _object(_SUMS),
    "tasks": _list("task"),
    "fixtures": _list("task"),
    "failed": _COUNT,
    "recordings": _list("recording"),
    "orphans": _SENTENCES,
    "benchmarks": _list("BenchmarkRun"),
}


def run_schema() -> Json:
    """The schema of a run file."""
    return {
        "$schema": _DIALECT,
        "title": "A run of pytest-tokenbudget",
        **_object(_RUN, optional=("benchmarks",)),
        "$defs": {
            **benchmark_definitions(),
            "task": _object(_TASK, optional=("portions", "sample")),
            "call": _object(_RUN_CALL, optional=("recorded_usage", "band", "drift")),
            "drift": _object(_DRIFT),
            "change": _object(_CHANGE),
            "band": _object(_BAND),
            "stray": _object(_STRAY),
            "recording": _object(_RECORDING),
            "skipped": _object(_SKIPPED),
            "budget": _object(_BUDGET, optional=LIMITS),
            "verdict": _object({"state": _one_of(State), "blocks": _FLAG, "findings": _list("finding")}),
            "finding": _object(_FINDING),
            "portion": _object(_PORTION),
            "attempt": _object(
                {"outcome": _one_of(Outcome), "verdict": {"$ref": "#/$defs/verdict"}, "calls": _list("call")}
            ),
        },
    }


def audit_schema() -> Json:
    """The schema of what `tokenbudget audit --format json` prints."""
    totals = {
        "recordings": _COUNT,
        "calls": _COUNT,
        "skipped": _COUNT,
        "statuses": {"type": "object", "propertyNames": _one_of(Status), "additionalProperties": _COUNT},
        "usage": _COUNTS,
        "fees": _COUNTS,
        "cost_usd": _USD,
        "contract_usd": _USD,
        "unknown": _COUNT,
    }
    return {
        "$schema": _DIALECT,
        "title": "An audit of recordings by pytest-tokenbudget",
        **_object(
            {
                "schema": {"const": "tokenbudget/audit/1"},
                "as_of": _INSTANT,
                "as_of_source": _TEXT,
                "price_table": _TEXT,
                "calls": _list("call"),
                "skipped": _list("skipped"),
                "totals": _object(totals, optional=("contract_usd",)),
            }
        ),
        "$defs": {"call": _object(_CALL), "skipped": _object(_SKIPPED)},
    }


def schema_text(schema: Json) -> str:
    """A schema as it is published."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
