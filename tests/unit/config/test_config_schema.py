import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.config import deployments, discounts, fees
from pytest_tokenbudget.config.keys import SCALARS, STRUCTURED
from pytest_tokenbudget.config.kinds import Kind
from pytest_tokenbudget.config.limits import FIELDS
from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.schema import schema, schema_text
from pytest_tokenbudget.errors import ConfigError

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs/reference/tokenbudget.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_the_published_schema_is_the_one_of_this_version() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), (
        f"Write it anew: python -c 'from pytest_tokenbudget.config.schema import schema_text; "
        f"print(schema_text(), end=str())' > {PUBLISHED.relative_to(ROOT)}"
    )


def test_it_is_a_schema_that_describes_every_key() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    found = schema()
    assert set(found["properties"]) == {*SCALARS, *STRUCTURED}
    assert set(found["$defs"]["budget"]["properties"]) == set(FIELDS)
    objects = [found, *found["$defs"].values()]
    assert all(value["description"] for item in objects for value in item["properties"].values())


VALUES: list[Any] = [
    *(True, 0, 1, 3, -1, 0.0, 0.2, 1.0, 1.5, -0.5, 25_000, 1e12),
    *("", " ", "a", "enforce", "observe", "off", "error", "warn", "free", "Off", "openai", "localhost:4000"),
    *("0", "1", "0.2", "1.5", "-1", "20%", "0%", "100%", "150%", "-5%", "%", "20 percent", ".5", "1e3"),
    *("2026-11-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:00+01:00", "2026-13-01", "1.11.2026", "today"),
    *([], ["a"], [""], [1], {}, {"a": "b"}, {"a": ""}, {"a": 1}, {"": "b"}),
]
# ways of writing that are read, though the schema does not advertise them
LENIENT = (".5", "1e3")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (key, kind)
        for table in (SCALARS, FIELDS, deployments.FIELDS, discounts.FIELDS, fees.FIELDS)
        for key, kind in table.items()
    ],
)
@pytest.mark.parametrize("value", VALUES)
def test_the_schema_allows_what_the_reader_allows(key: str, kind: Kind, value: Any) -> None:
    del key
    try:
        kind.read(value)
    except ValueError:
        read = False
    else:
        read = True
    allowed = jsonschema.Draft202012Validator(kind.schema).is_valid(value)
    assert allowed == read or (read and value in LENIENT)


@given(
    st.dictionaries(
        st.sampled_from(["mode", "tolerance", *STRUCTURED, "tolerence"]),
        st.recursive(
            st.sampled_from(VALUES),
            lambda inner: (
                st.dictionaries(
                    st.sampled_from(["t::a", "usd", "steps", "usdd", "workflow", "input", "host", "fees", "tool"]),
                    inner,
                    max_size=3,
                )
                | st.dictionaries(
                    st.sampled_from(["provider", "percent", "from", "until", "model", "factor"]), inner, max_size=3
                )
                | st.lists(inner, max_size=2)
            ),
            max_leaves=6,
        ),
        max_size=3,
    )
)
def test_a_file_that_the_schema_allows_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "tokenbudget.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
    refused = None
    try:
        load_settings(root)
    except ConfigError as error:
        refused = str(error)
    assert refused is None or not VALIDATOR.is_valid(values)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tolerence: 0.1", "'tolerence' was unexpected"),
        ("mode: on", "True is not one of"),
        ("budgets: {t: {usdd: 1}}", "'usdd' was unexpected"),
        ("budgets: {t: {usd: -1}}", "-1 is not valid under any of the given schemas"),
        ("workflows: {w: {workflow: v}}", "'workflow' was unexpected"),
        ("prices: {m: {host: a}}", "is not valid under any of the given schemas"),
        ("prices: {m: {inptu: 1, input: 1}}", "'inptu' was unexpected"),
        ("deployments: {d: {host: a}}", "is not valid under any of the given schemas"),
        ("discounts: [{provider: openai}]", "'percent' is a required property"),
        ("discounts: {provider: openai}", "is not of type 'array'"),
        ("fees: [{usd: 1}]", "is not valid under any of the given schemas"),
        ("fees: [{host: a, tool: b, usd: 1}]", "is valid under each of"),
        ("fees: [{tool: a, path: /b, usd: 1}]", "'host' is a dependency of 'path'"),
    ],
)
def test_mistakes_that_an_editor_shows(text: str, problem: str) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]
    assert len(errors) == 1
    assert problem in errors[0]


def test_the_demo_has_a_valid_file() -> None:
    for file in ROOT.glob("fixtures/*/tokenbudget.yml"):
        # dates stay text, as in an editor
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - builds only text
        assert json.dumps(values)
        load_settings(file.parent)
