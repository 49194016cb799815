"""All settings of one session, checked and frozen."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.forecast import ForecastRules
from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.limits import Statement
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.config.waivers import Waiver

__all__ = [
    "DRIFTS",
    "MODES",
    "RECORDS",
    "RULES",
    "DriftMode",
    "FileBudgets",
    "Mode",
    "RecordMode",
    "Rule",
    "Settings",
    "Strictness",
    "UnknownModel",
]

Mode = Literal["enforce", "observe", "off"]
"""enforce: a broken budget fails its test · observe: it is only shown · off: nothing is measured."""

MODES: Final[tuple[Mode, ...]] = ("enforce", "observe", "off")

RecordMode = Literal["none", "once", "new", "all"]
"""none: send nothing · once: record tests that have no recording · new: record the calls that are in none · all: record
every call again."""

RECORDS: Final[tuple[RecordMode, ...]] = ("none", "once", "new", "all")

DriftMode = Literal["estimate", "error", "record"]
"""What happens to a request that changed since it was recorded. estimate: it is answered from the recording, and its
cost estimated · error: the test is stopped · record: it is sent, and recorded anew."""

DRIFTS: Final[tuple[DriftMode, ...]] = ("estimate", "error", "record")

Rule = Literal["point", "confident"]
"""When a benchmark blocks. point: its mean is over budget and tolerance · confident: the mean's whole interval is."""

RULES: Final[tuple[Rule, ...]] = ("point", "confident")

UnknownModel = Literal["error", "warn", "free"]
Strictness = Literal["error", "warn"]

_NONE: Final[Mapping[str, Statement]] = MappingProxyType({})


class FileBudgets(Struct, frozen=True, kw_only=True):
    """The budgets that one file states.

    Attributes:
        tasks: By node id, or by a pattern in which `*` and `?` are wildcards, in the file's order.
        workflows: By workflow.
    """

    tasks: Mapping[str, Statement] = _NONE
    workflows: Mapping[str, Statement] = _NONE


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of one session.

    Attributes:
        mode: Whether broken budgets fail tests.
        out: Where the run file goes, relative to the project's root.
        as_of: The instant whose prices are used; the release's own where nobody names one.
        as_of_source: Who chose it.
        tolerance: How far over a limit still passes, where no budget says otherwise.
        unknown_model: What a model without a price means.
        missing_usage: What a call without usage means for dollar and token limits.
        free_hosts: Host patterns whose models cost nothing.
        hosts: Host patterns to provider ids, for gateways and proxies.
        prices: The user's own prices.
        deployments: Names that hide a model, and the models behind them.
        discounts: What contracts take off list prices; shown beside them.
        fees: What external APIs, tools and counted things cost by the piece.
        record: Whether model calls are sent and recorded, in tests whose recording is ours to keep.
        drift: What happens to a request that changed since it was recorded.
        samples: How many samples a benchmark draws, where its marker names no number; 100 where nobody does.
        rule: When a benchmark blocks.
        volatile: Fields of request bodies that say nothing about what is asked, beside those known to be so: names, or
            paths such as `metadata.trace_id`.
        redact: Regular expressions of secrets, beside those known to be some: what they match reaches no recording.
        gate: What the gate holds a pull request against.
        waivers: Costs that somebody accepted, the strongest file's first.
        volumes: How many tasks of a workflow run in a month.
        forecast: What a forecast assumes.
        budgets: What files say about tasks, the strongest file first.
        origins: Where each setting came from, for those that are not the default.
        above_markers: The settings that came from a place stronger than a test's markers.
    """

    mode: Mode = "enforce"
    out: Path = Path(".tokenbudget/run.json")
    as_of: datetime | None = None
    as_of_source: str = "release"
    tolerance: Decimal = Decimal("0.20")
    unknown_model: UnknownModel = "error"
    missing_usage: Strictness = "error"
    free_hosts: tuple[str, ...] = ()
    hosts: Mapping[str, str] = MappingProxyType({})
    prices: tuple[PriceOverride, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    discounts: tuple[Discount, ...] = ()
    fees: tuple[Fee, ...] = ()
    record: RecordMode = "none"
    drift: DriftMode = "estimate"
    samples: int | None = None
    rule: Rule = "point"
    volatile: tuple[str, ...] = ()
    redact: tuple[str, ...] = ()
    gate: GateRules = GateRules()
    waivers: tuple[Waiver, ...] = ()
    volumes: Mapping[str, Decimal] = MappingProxyType({})
    forecast: ForecastRules = ForecastRules()
    budgets: tuple[FileBudgets, ...] = ()
    origins: Mapping[str, str] = MappingProxyType({})
    above_markers: frozenset[str] = frozenset()
