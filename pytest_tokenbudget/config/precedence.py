"""Which place wins: command line > environment > marker > tokenbudget.yml > [tool.tokenbudget] > default.

Settings and budgets are merged here and nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from re import DOTALL, Pattern, escape
from re import compile as compile_pattern
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.forecast import ForecastRules
from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.limits import Statement, budget_of
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.config.settings import FileBudgets, Settings
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.model.budget import Budget

Value = TypeVar("Value")

__all__ = ["Source", "resolve_budget", "resolve_settings"]


class Source(Struct, frozen=True, kw_only=True):
    """What one place says, checked.

    Attributes:
        values: Settings by name.
        places: Where each of them stands.
        prices: Its own prices.
        deployments: Its names for models.
        discounts: Its contracts.
        fees: Its prices by the piece.
        gate: What it says of the gate, by key.
        waivers: What it accepts.
        volumes: Its volumes, by workflow.
        forecast: What it says of forecasts, by key.
        budgets: Its budgets, if it is a file.
        above_markers: Whether it wins over a test's markers, as the command line and the environment do.
    """

    values: Mapping[str, object]
    places: Mapping[str, str]
    prices: tuple[PriceOverride, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    discounts: tuple[Discount, ...] = ()
    fees: tuple[Fee, ...] = ()
    gate: Mapping[str, object] = MappingProxyType({})
    waivers: tuple[Waiver, ...] = ()
    volumes: Mapping[str, Decimal] = MappingProxyType({})
    forecast: Mapping[str, object] = MappingProxyType({})
    budgets: FileBudgets = FileBudgets()
    above_markers: bool = False


def resolve_settings(sources: Sequence[Source]) -> Settings:
    """Merge sources, the strongest first; a setting is taken from the first that states it.

    Prices, deployments, discounts, fees and budgets of several files are kept side by side, the strongest first.
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    above: set[str] = set()
    for source in sources:
        for key, value in source.values.items():
            if key not in values:
                values[key] = value
                origins[key] = source.places[key]
                if source.above_markers:
                    above.add(key)
    return Settings(
        **values,  # type: ignore[arg-type]  # each was read by its own reader in keys.py
        as_of_source=origins.get("as_of", "release"),
        prices=tuple(price for source in sources for price in source.prices),
        deployments=tuple(deployment for source in sources for deployment in source.deployments),
        discounts=tuple(discount for source in sources for discount in source.discounts),
        fees=tuple(fee for source in sources for fee in source.fees),
        gate=GateRules(**_merged(source.gate for source in sources)),  # type: ignore[arg-type]  # as above
        waivers=tuple(waiver for source in sources for waiver in source.waivers),
        volumes=MappingProxyType(_merged(source.volumes for source in sources)),
        forecast=ForecastRules(**_merged(source.forecast for source in sources)),  # type: ignore[arg-type]  # as above
        budgets=tuple(source.budgets for source in sources if source.budgets.tasks or source.budgets.workflows),
        origins=MappingProxyType(origins),
        above_markers=frozenset(above),
    )


def _merged(strongest_first: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for values in strongest_first:
        for key, value in values.items():
            found.setdefault(key, value)
    return found


def resolve_budget(settings: Settings, node_id: str, marker: Sequence[Statement] = ()) -> tuple[Budget, bool]:
    """The budget of one task, merged limit by limit.

    The marker wins over a file's exact node id, that over its patterns in their order, those over every file's
    workflow. Of two files the stronger one wins with all it says by node id. A tolerance stated for one task wins over
    the general one, unless that comes from the command line or the environment.

    Args:
        settings: The session's settings.
        node_id: The task.
        marker: What its markers state, the closest first.

    Returns:
        The budget, and whether the task was named itself (by a marker or by its exact id), so that making no model
        call at all is worth failing.
    """
    statements = list(marker)
    named = bool(statements)
    for file in settings.budgets:
        exact = file.tasks.get(node_id)
        if exact is not None:
            statements.append(exact)
            named = True
        statements += [stated for pattern, stated in file.tasks.items() if _matches(pattern, node_id)]
    workflow = next((stated.values["workflow"] for stated in statements if "workflow" in stated.values), None)
    statements += [file.workflows[str(workflow)] for file in settings.budgets if workflow in file.workflows]
    tolerance = Statement(values={"tolerance": settings.tolerance}, place=settings.origins.get("tolerance", "default"))
    ordered = (tolerance, *statements) if "tolerance" in settings.above_markers else (*statements, tolerance)
    return budget_of(ordered), named


def _matches(pattern: str, node_id: str) -> bool:
    # most entries name one test: compiling thousands of those would cost seconds
    return ("*" in pattern or "?" in pattern) and _compiled(pattern).fullmatch(node_id) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Pattern[str]:
    # node ids hold brackets, so only * and ? are wildcards
    return compile_pattern(escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), DOTALL)
