"""The JSON Schema of `tokenbudget.yml`, built from the tables that read it."""

import inspect
import json
import re
from collections.abc import Mapping
from typing import Any

from pytest_tokenbudget.config import deployments, discounts, fees, forecast, gate, waivers
from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.forecast import ForecastRules, Scenario
from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.keys import SCALARS
from pytest_tokenbudget.config.kinds import DOLLARS, LABEL, NUMBER, Kind
from pytest_tokenbudget.config.limits import FIELDS
from pytest_tokenbudget.config.prices import NAMES, OTHER_CLASSES, PRICED, PriceOverride
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.usage import Usage

__all__ = ["schema", "schema_text"]


def schema() -> dict[str, Any]:
    """The schema as plain values; editors check and complete `tokenbudget.yml` by it."""
    settings = _texts(Settings)
    budget = _object(_described(FIELDS, _texts(Budget)))
    workflow = _object(_described({key: kind for key, kind in FIELDS.items() if key != "workflow"}, _texts(Budget)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tokenbudget.yml",
        **_object(
            {
                **_described(SCALARS, settings),
                "budgets": {
                    "description": "What single tests may cost, by node id or by a pattern with * and ?.",
                    "type": "object",
                    "additionalProperties": {"$ref": "#/$defs/budget"},
                },
                "workflows": {
                    "description": "What each test of a workflow may cost, by the workflow's name.",
                    "type": "object",
                    "additionalProperties": {"$ref": "#/$defs/workflow"},
                },
                "prices": {
                    "description": "Your own prices, by a model's name or a pattern with * and ?.",
                    "type": "object",
                    "additionalProperties": {"$ref": "#/$defs/price"},
                },
                "deployments": {
                    "description": "Names that hide a model, or patterns with * and ?, to the models behind them.",
                    "type": "object",
                    "additionalProperties": {"anyOf": [LABEL.schema, {"$ref": "#/$defs/deployment"}]},
                },
                "discounts": {
                    "description": "What your contracts take off list prices; shown beside them.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/discount"},
                },
                "gate": {
                    "description": "What the gate holds a pull request against.",
                    **_object(_described(gate.FIELDS, _texts(GateRules))),
                },
                "waivers": {
                    "description": "Costs that somebody accepted, for a while and up to a bound.",
                    "type": "array",
                    "items": {
                        **_object(_described(waivers.FIELDS, _texts(Waiver))),
                        "required": list(waivers.FIELDS),
                    },
                },
                "volumes": {
                    "description": "How many tasks of a workflow run in a month, by the workflow's name.",
                    "type": "object",
                    "additionalProperties": NUMBER.schema,
                },
                "forecast": {
                    "description": "What a forecast assumes: how many tasks a day, now and in bad times.",
                    **_forecast(),
                },
                "fees": {
                    "description": "What external APIs, tools and counted things cost by the piece.",
                    "type": "array",
                    "items": {"$ref": "#/$defs/fee"},
                },
            }
        ),
        "$defs": {
            "budget": budget,
            "workflow": workflow,
            "price": _price(),
            "deployment": {**_object(_described(deployments.FIELDS, _texts(Deployment))), "required": ["model"]},
            "discount": {
                **_object(_described(discounts.FIELDS, {**_texts(Discount), "from": _texts(Discount)["since"]})),
                "required": list(discounts.REQUIRED),
            },
            "fee": {
                **_object(_described(fees.FIELDS, _texts(Fee))),
                "required": ["usd"],
                "oneOf": [{"required": [subject]} for subject in fees.SUBJECTS],
                "dependentRequired": {key: [needed] for key, needed in fees.GOES_WITH.items()},
            },
        },
    }


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2) + "\n"


def _forecast() -> dict[str, Any]:
    texts = _texts(ForecastRules)
    scenario = _object(_described(forecast.SCENARIO_FIELDS, _texts(Scenario)))
    scenarios = {name: {"description": texts[name], **scenario} for name in forecast.SCENARIOS}
    return _object({**_described(forecast.FIELDS, texts), **scenarios})


def _price() -> dict[str, Any]:
    usage, override = _texts(Usage), _texts(PriceOverride)
    texts = {**usage, **{name: f"Tokens counted as `{name}`." for name in OTHER_CLASSES}}
    rates = {name: {"description": f"US dollars per million. {texts[name]}", **DOLLARS.schema} for name in PRICED}
    names = {name: {"description": override[name], **LABEL.schema} for name in NAMES}
    fees = {
        "description": override["fees"],
        "type": "object",
        "additionalProperties": DOLLARS.schema,
        "minProperties": 1,
    }
    return {
        **_object({**rates, "fees": fees, **names}),
        "anyOf": [{"required": [name]} for name in (*PRICED, "fees")],
    }


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _described(kinds: Mapping[str, Kind], texts: Mapping[str, str]) -> dict[str, Any]:
    return {key: {"description": texts[key], **kind.schema} for key, kind in kinds.items()}


def _texts(values: type) -> dict[str, str]:
    """What the docstring of a class of values says about each attribute."""
    section = inspect.getdoc(values).partition("Attributes:\n")[2]  # type: ignore[union-attr]  # ours all have one
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in entries}
