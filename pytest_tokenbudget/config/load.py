"""Reading the places that state settings: options, environment, `tokenbudget.yml`, `pyproject.toml`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.config.deployments import read_deployments
from pytest_tokenbudget.config.discounts import read_discounts
from pytest_tokenbudget.config.documents import (
    Document,
    pyproject_document,
    read_pyproject,
    read_yaml,
    yaml_document,
)
from pytest_tokenbudget.config.environment import Variable, environment
from pytest_tokenbudget.config.fees import read_fees
from pytest_tokenbudget.config.forecast import read_forecast
from pytest_tokenbudget.config.gate import read_gate, read_volumes
from pytest_tokenbudget.config.keys import OF_PRICES, SCALARS, STRUCTURED, read_scalar
from pytest_tokenbudget.config.limits import Statement, read_statement
from pytest_tokenbudget.config.place import refuse
from pytest_tokenbudget.config.precedence import Source, resolve_settings
from pytest_tokenbudget.config.prices import PriceOverride, read_price
from pytest_tokenbudget.config.settings import FileBudgets, Settings
from pytest_tokenbudget.config.waivers import read_waivers

__all__ = ["FILE_NAME", "PYPROJECT", "load_settings", "price_settings"]

FILE_NAME: Final = "tokenbudget.yml"
PYPROJECT: Final = "pyproject.toml"
_ONLY_IN_FILES: Final = frozenset({"hosts", "free_hosts", "volatile", "redact"})


def load_settings(
    root: Path, *, options: Mapping[str, str | None] | None = None, config: Path | None = None
) -> Settings:
    """Read and merge every place that states settings.

    Args:
        root: The project's root, where `tokenbudget.yml` and `pyproject.toml` are looked for.
        options: Settings from the command line by name; those that are `None` were not given.
        config: Another file in the place of `tokenbudget.yml`.

    Raises:
        ConfigError: A place states something that is unknown, contradictory or out of range.
    """
    sources = [_from_options(options or {}), _from_environment(environment())]
    file = config or root / FILE_NAME
    misnamed = root / "tokenbudget.yaml"
    if config is None and misnamed.is_file():
        raise refuse(misnamed.name, f"is not read: {'merge it into' if file.is_file() else 'name it'} {FILE_NAME}.")
    if file.is_file():
        sources.append(_from_document(read_yaml(file)))
    elif config is not None:
        raise refuse(str(config), f"there is no such file. Without one, {FILE_NAME} is read if it is there.")
    if (root / PYPROJECT).is_file() and (document := read_pyproject(root / PYPROJECT)):
        sources.append(_from_document(document))
    return resolve_settings(sources)


def price_settings(yaml: str | None, pyproject: bytes | None, suffix: str = "") -> Settings:
    """What files say of prices that are not in the work tree; everything else in them is passed over unread.

    The environment's word counts as it does here, but for `as_of`.

    Args:
        yaml: The text of `tokenbudget.yml`, if there was one.
        pyproject: The content of `pyproject.toml`, if there was one.
        suffix: What messages say after a file's name, such as ` of 4be01aa`.

    Raises:
        ConfigError: A file is none, or states a price wrongly.
    """
    variables = {key: found for key, found in environment().items() if key in OF_PRICES and key != "as_of"}
    documents = [
        None if yaml is None else yaml_document(yaml, f"{FILE_NAME}{suffix}"),
        None if pyproject is None else pyproject_document(pyproject, f"{PYPROJECT}{suffix}"),
    ]
    of_prices = [
        replace(document, values={key: value for key, value in document.values.items() if key in OF_PRICES})
        for document in documents
        if document is not None
    ]
    return resolve_settings([_from_environment(variables), *map(_from_document, of_prices)])


def _from_options(options: Mapping[str, str | None]) -> Source:
    stated = {key: value for key, value in options.items() if value is not None}
    places = {key: _option_name(key) for key in stated}
    return Source(
        values={key: read_scalar(key, value, places[key]) for key, value in stated.items()},
        places=places,
        above_markers=True,
    )


def _option_name(key: str) -> str:
    return "--tokenbudget" if key == "mode" else f"--tokenbudget-{key.replace('_', '-')}"


def _from_environment(variables: Mapping[str, Variable]) -> Source:
    # other programs may own variables that begin like ours: only known names count
    stated = {key: found for key, found in variables.items() if key in SCALARS and key not in _ONLY_IN_FILES}
    return Source(
        values={key: read_scalar(key, found.value, found.name) for key, found in stated.items()},
        places={key: found.name for key, found in stated.items()},
        above_markers=True,
    )


def _from_document(document: Document) -> Source:
    values: dict[str, object] = {}
    places: dict[str, str] = {}
    for key, value in document.values.items():
        if key in STRUCTURED or (key in SCALARS and value is None):
            continue
        places[key] = place = document.place(key)
        values[key] = read_scalar(key, value, place)
    return Source(
        values=values,
        places=places,
        prices=_prices(document),
        deployments=read_deployments(document),
        discounts=read_discounts(document),
        fees=read_fees(document),
        gate=read_gate(document),
        waivers=read_waivers(document),
        volumes=read_volumes(document),
        forecast=read_forecast(document),
        budgets=FileBudgets(tasks=_statements(document, "budgets"), workflows=_statements(document, "workflows")),
    )


def _section(document: Document, key: str, example: str) -> Mapping[str, Mapping[str, object]]:
    section = document.values.get(key)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise refuse(document.place(key), f"{section!r} is not a mapping such as {example}.")
    for name, entry in section.items():
        if not isinstance(entry, dict):
            raise refuse(document.place(key, name), f"{entry!r} is not a mapping such as {example}.")
    return section


def _statements(document: Document, key: str) -> Mapping[str, Statement]:
    example = '{"tests/test_faq.py::*": {usd: 0.10}}' if key == "budgets" else "{triage: {usd: 0.30, team: support}}"
    found = {}
    for name, entry in _section(document, key, example).items():
        if key == "workflows" and "workflow" in entry:
            raise refuse(document.place(key, name, "workflow"), "a workflow cannot belong to another workflow.")
        found[name] = read_statement(entry, document.place(key, name), _places(document, key, name, entry))
    return MappingProxyType(found)


def _prices(document: Document) -> tuple[PriceOverride, ...]:
    section = _section(document, "prices", "{my-model: {input: 1.25, output: 10}}")
    return tuple(
        read_price(name, entry, document.place("prices", name), _places(document, "prices", name, entry))
        for name, entry in section.items()
    )


def _places(document: Document, section: str, name: str, entry: Mapping[str, object]) -> Mapping[str, str]:
    return {field: document.place(section, name, field) for field in entry}
