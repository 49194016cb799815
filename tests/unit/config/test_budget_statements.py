from collections.abc import Callable
from decimal import Decimal

import pytest

from pytest_tokenbudget.config.limits import budget_of, read_statement
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.config.prices import read_price
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import ConfigError

Load = Callable[..., Settings]
Refusal = Callable[..., str]

PLACE = "tests/test_a.py:3: @pytest.mark.token_budget of test_a"


@pytest.mark.parametrize(
    ("key", "value", "read"),
    [
        ("usd", 0.30, "0.3"),
        ("usd", "0.30", "0.30"),
        ("usd", 0, "0"),
        ("tokens", 25_000, "25000"),
        ("tokens", 25_000.0, "25000"),
        ("input_tokens", 0, "0"),
        ("output_tokens", 1, "1"),
        ("thinking_tokens", 1, "1"),
        ("steps", 12, "12"),
        ("tokens_per_step", 1500.5, "1500.5"),
        ("cache_hit_rate", 0.8, "0.8"),
        ("cache_hit_rate", "80%", "0.80"),
        ("cache_hit_rate", 1, "1"),
        ("seconds", 2.5, "2.5"),
        ("tolerance", "0%", "0.00"),
        ("tolerance", Decimal("0.1"), "0.1"),
    ],
)
def test_what_a_limit_may_be(key: str, value: object, read: str) -> None:
    found = read_statement({key: value}, PLACE).values[key]
    assert (found, str(found)) == (Decimal(read), read)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("usd", -0.01, "-0.01 is not an amount of US dollars of zero or more."),
        ("usd", "$0.30", "'$0.30' is not an amount of US dollars."),
        ("usd", True, "True is not an amount of US dollars."),
        ("usd", float("nan"), "nan is not an amount of US dollars of zero or more."),
        ("usd", "1e999", "'1e999' has too many digits for an amount of US dollars."),
        ("tokens", -1, "-1 is not a whole number of zero or more."),
        ("tokens", 1.5, "1.5 is not a whole number of zero or more."),
        ("tokens", "25k", "'25k' is not a whole number of zero or more."),
        ("tokens", float("inf"), "inf is not a whole number of zero or more."),
        ("tokens", float("nan"), "nan is not a whole number of zero or more."),
        ("steps", True, "True is not a whole number of zero or more."),
        ("tokens_per_step", "many", "'many' is not a number of zero or more."),
        ("seconds", -1, "-1 is not a number of zero or more."),
        ("cache_hit_rate", "101%", "'101%' is not a share from 0 to 1 (or 0% to 100%)."),
        ("cache_hit_rate", 80, "80 would be 8000%: write 80% if that is meant, or a fraction such as 0.2."),
        ("tolerance", "5", "'5' would be 500%: write 5% if that is meant, or a fraction such as 0.2."),
        ("allow_no_calls", "yes", "'yes' is neither true nor false."),
        ("allow_no_calls", 1, "1 is neither true nor false."),
        ("workflow", 3, "3 is not a name."),
        ("workflow", " ", "' ' is not a name."),
        ("team", ["a"], "['a'] is not a name."),
    ],
)
def test_what_a_limit_may_not_be(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read_statement({key: value}, PLACE)
    assert str(raised.value) == f"{PLACE}: `{key}`: {message}"


def test_an_unknown_limit_of_a_marker() -> None:
    with pytest.raises(ConfigError) as raised:
        read_statement({"usd": 1, "step": 3}, PLACE)
    assert str(raised.value) == (
        f"{PLACE}: unknown limit or label `step` (did you mean `steps`?). Allowed: allow_no_calls, cache_hit_rate, "
        "input_tokens, output_tokens, seconds, steps, team, thinking_tokens, tokens, tokens_per_step, tolerance, usd, "
        "workflow."
    )


def test_a_limit_of_none_says_nothing() -> None:
    assert read_statement({"usd": None}, PLACE).values == {}


BUDGETS = """
budgets:
  "tests/test_faq.py::*":
    usd: 0.10
    steps: 3
workflows:
  triage: {usd: 0.30, team: support}
"""


def test_a_file_states_budgets_by_pattern_and_workflow(load: Load) -> None:
    (file,) = load(BUDGETS).budgets
    assert file.tasks["tests/test_faq.py::*"].values == {"usd": Decimal("0.1"), "steps": Decimal(3)}
    assert file.tasks["tests/test_faq.py::*"].place == "tokenbudget.yml:3: budgets.tests/test_faq.py::*"
    assert file.workflows["triage"].values == {"usd": Decimal("0.3"), "team": "support"}
    assert file.workflows["triage"].place == "tokenbudget.yml:7: workflows.triage"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "steps: 3",
            "steps: three",
            "tokenbudget.yml:5: budgets.tests/test_faq.py::*.steps: 'three' is not a whole number of zero or more.",
        ),
        (
            "steps: 3",
            "cost: 3",
            (
                "tokenbudget.yml:5: budgets.tests/test_faq.py::*.cost: unknown limit or label `cost`. Allowed: "
                "allow_no_calls, cache_hit_rate, input_tokens, output_tokens, seconds, steps, team, thinking_tokens, "
                "tokens, tokens_per_step, tolerance, usd, workflow."
            ),
        ),
        (
            "steps: 3",
            "usd: 3",
            "tokenbudget.yml:5: `budgets.tests/test_faq.py::*.usd` is stated twice, first on line 4.",
        ),
        (
            "team: support",
            "workflow: other",
            "tokenbudget.yml:7: workflows.triage.workflow: a workflow cannot belong to another workflow.",
        ),
        (
            "{usd: 0.30, team: support}",
            "0.30",
            "tokenbudget.yml:7: workflows.triage: 0.3 is not a mapping such as {triage: {usd: 0.30, team: support}}.",
        ),
    ],
)
def test_mistakes_in_a_files_budgets(refusal: Refusal, old: str, new: str, message: str) -> None:
    assert refusal(BUDGETS.replace(old, new)) == message


def test_anchors_and_merges_work(load: Load) -> None:
    (file,) = load("budgets:\n  a: &base {usd: 0.10}\n  b:\n    <<: *base\n    steps: 3\n").budgets
    assert file.tasks["b"].values == {"usd": Decimal("0.1"), "steps": Decimal(3)}


def test_a_budget_knows_where_each_limit_came_from() -> None:
    merged = budget_of(
        (read_statement({"usd": 1}, "near"), read_statement({"usd": 2, "steps": 3, "team": "support"}, "far"))
    )
    assert (merged.usd, merged.steps, merged.team) == (1, 3, "support")
    assert merged.origins == (("steps", "far"), ("team", "far"), ("usd", "near"))


def test_prices_are_read_with_their_places(load: Load, refusal: Refusal) -> None:
    text = "prices:\n  my-model:\n    input: 1.25\n    host: '*.internal'\n    fees: {web_search: 0.01}\n"
    (price,) = load(text).prices
    assert (price.model, price.host, price.provider, price.tier) == ("my-model", "*.internal", None, None)
    assert (price.rates, price.fees) == ({"input": Decimal("1.25")}, {"web_search": Decimal("0.01")})
    assert price.place == "tokenbudget.yml:2: prices.my-model"

    assert refusal(text.replace("1.25", "-1")) == (
        "tokenbudget.yml:3: prices.my-model.input: -1 is not an amount of US dollars of zero or more."
    )
    assert refusal(text.replace("'*.internal'", "3")) == ("tokenbudget.yml:4: prices.my-model.host: 3 is not a name.")
    assert refusal(text.replace("{web_search: 0.01}", "[1]")) == (
        "tokenbudget.yml:5: prices.my-model.fees: [1] is not a mapping such as {web_search: 0.01}."
    )
    assert refusal(text.replace("0.01", "free")) == (
        "tokenbudget.yml:5: prices.my-model.fees: `web_search`: 'free' is not an amount of US dollars."
    )
    assert refusal(text.replace("input", "inptu")).startswith(
        "tokenbudget.yml:3: prices.my-model.inptu: unknown token class `inptu` (did you mean `input`?). Allowed: "
    )
    assert refusal("prices:\n  my-model: {host: a}\n") == (
        "tokenbudget.yml:2: prices.my-model: prices nothing. State at least `input` and `output`, in US dollars per "
        "million tokens."
    )


def test_no_files_leave_every_default() -> None:
    budget, named = resolve_budget(Settings(), "tests/test_a.py::test_a")
    assert (budget.limits(), budget.tolerance, budget.origins, named) == (
        (),
        Decimal("0.20"),
        (("tolerance", "default"),),
        False,
    )


def test_a_price_without_lines_names_its_keys(refusal: Refusal) -> None:
    assert refusal(pyproject="[tool.tokenbudget.prices.my-model]\ninput = -1") == (
        "pyproject.toml: tool.tokenbudget.prices.my-model.input: -1 is not an amount of US dollars of zero or more."
    )
    with pytest.raises(ConfigError) as raised:
        read_price("my-model", {"input": 1, "fees": {"web_search": "a"}}, "here")
    assert str(raised.value) == "here: `fees`: `web_search`: 'a' is not an amount of US dollars."
