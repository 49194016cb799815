from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from pytest_tokenbudget.config.environment import Variable, current_test, environment, inherited
from pytest_tokenbudget.config.limits import Statement, read_statement
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.config.settings import Settings

Load = Callable[..., Settings]

NODE = "tests/test_a.py::test_a[gpt-4.1]"

# the strongest first
PLACES = ("option", "environment", "yml", "pyproject")


@pytest.mark.parametrize(
    ("strong", "weak"), [(one, other) for at, one in enumerate(PLACES) for other in PLACES[at + 1 :]]
)
def test_of_two_places_the_stronger_one_wins(
    load: Load, monkeypatch: pytest.MonkeyPatch, strong: str, weak: str
) -> None:
    stated: dict[str, str] = {}
    for place, mode in ((strong, "observe"), (weak, "off")):
        match place:
            case "option":
                stated["mode"] = mode
            case "environment":
                monkeypatch.setenv("TOKENBUDGET", mode)
            case "yml":
                stated["yml"] = f"mode: {mode}"
            case _:
                stated["pyproject"] = f'[tool.tokenbudget]\nmode = "{mode}"'
    settings = load(**stated)
    assert settings.mode == "observe"
    assert settings.origins == {
        "mode": {
            "option": "--tokenbudget",
            "environment": "TOKENBUDGET",
            "yml": "tokenbudget.yml:1: mode",
        }[strong]
    }
    assert settings.above_markers == (frozenset({"mode"}) if strong in {"option", "environment"} else frozenset())


def test_each_setting_comes_from_its_own_strongest_place(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET_AS_OF", "2026-10-01")
    settings = load(
        "as_of: 2026-09-01\ntolerance: 10%",
        pyproject='[tool.tokenbudget]\ntolerance = 0.5\nmissing_usage = "warn"',
        out="x.json",
    )
    assert settings.origins == {
        "out": "--tokenbudget-out",
        "as_of": "TOKENBUDGET_AS_OF",
        "tolerance": "tokenbudget.yml:2: tolerance",
        "missing_usage": "pyproject.toml: tool.tokenbudget.missing_usage",
    }
    assert settings.as_of_source == "TOKENBUDGET_AS_OF"
    assert settings.tolerance == Decimal("0.1")


def test_prices_and_budgets_of_both_files_are_kept_the_stronger_first(load: Load) -> None:
    settings = load(
        "prices: {a: {input: 1}}\nbudgets: {x: {usd: 1}}",
        pyproject="[tool.tokenbudget.prices.a]\ninput = 2\n[tool.tokenbudget.workflows.w]\nusd = 2",
    )
    assert [price.rates["input"] for price in settings.prices] == [1, 2]
    assert [(list(file.tasks), list(file.workflows)) for file in settings.budgets] == [(["x"], []), ([], ["w"])]


def test_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET", "off")
    monkeypatch.setenv("TOKENBUDGET_TOLERANCE", "10%")
    monkeypatch.setenv("TOKENBUDGET_OUT", "")
    monkeypatch.setenv("TOKENBUDGETS", "no")
    assert environment() == {
        "mode": Variable("TOKENBUDGET", "off"),
        "tolerance": Variable("TOKENBUDGET_TOLERANCE", "10%"),
    }
    monkeypatch.setenv("TOKENBUDGET_MODE", "observe")
    assert environment()["mode"] == Variable("TOKENBUDGET_MODE", "observe")


def test_variables_of_other_programs_are_left_alone(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET_BUDGETS", "x")
    monkeypatch.setenv("TOKENBUDGET_HOSTS", "x")
    monkeypatch.setenv("TOKENBUDGET_DASHBOARD_URL", "x")
    assert load() == Settings()


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("tests/test_a.py::test_a (call)", "tests/test_a.py::test_a"),
        ("tests/test_a.py::test_a[x (y)] (teardown)", "tests/test_a.py::test_a[x (y)]"),
        ("", None),
    ],
)
def test_the_running_test(monkeypatch: pytest.MonkeyPatch, text: str, node: str | None) -> None:
    monkeypatch.setenv("PYTEST_CURRENT_TEST", text)
    assert current_test() == node


def test_no_test_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert current_test() is None


def test_a_child_process_inherits_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("Tokenbudget_mode", "off")
    monkeypatch.setenv("LANG", "C")
    left = inherited(without=("PYTEST_", "TOKENBUDGET"))
    assert left["LANG"] == "C"
    assert not {"PYTEST_ADDOPTS", "Tokenbudget_mode"} & left.keys()


# -- budgets: the strongest place first, each stating 1, 2, 3, … dollars


def marker(**stated: Any) -> Statement:
    return read_statement(stated, "marker")


def file(**sections: str) -> str:
    return "\n".join(f"{name}: {{{text}}}" for name, text in sections.items())


STATED = {
    "function marker": 1,
    "class marker": 2,
    "exact id": 3,
    "first pattern": 4,
    "second pattern": 5,
    "pyproject's exact id": 6,
    "pyproject's pattern": 7,
    "workflow": 8,
    "pyproject's workflow": 9,
}


def usd_and_origin(load: Load, *places: str) -> tuple[object, str | None]:
    def entry(place: str, name: str) -> str:
        return f'"{name}": {{usd: {STATED[place]}}}' if place in places else ""

    tasks = [
        entry("first pattern", "tests/*::test_a*"),
        entry("exact id", NODE),
        entry("second pattern", "*"),
    ]
    toml = [
        f'[tool.tokenbudget.{section}."{name}"]\nusd = {STATED[place]}'
        for place, section, name in (
            ("pyproject's pattern", "budgets", "*"),
            ("pyproject's exact id", "budgets", NODE),
            ("pyproject's workflow", "workflows", "triage"),
        )
        if place in places
    ]
    settings = load(
        file(budgets=", ".join(filter(None, tasks)), workflows=entry("workflow", "triage")),
        pyproject="\n".join(toml),
    )
    markers = [
        read_statement({"usd": STATED[place]}, place)
        for place in ("function marker", "class marker")
        if place in places
    ]
    budget, _ = resolve_budget(settings, NODE, (*markers, marker(workflow="triage")))
    return budget.usd, dict(budget.origins).get("usd")


@pytest.mark.parametrize(
    ("strong", "weak"),
    [(one, other) for at, one in enumerate(STATED) for other in list(STATED)[at + 1 :]],
)
def test_of_two_budgets_the_stronger_one_wins(load: Load, strong: str, weak: str) -> None:
    usd, origin = usd_and_origin(load, strong, weak)
    assert usd == STATED[strong]
    assert origin
    if "marker" in strong:
        assert origin == strong
    else:
        assert origin.startswith("pyproject.toml: " if "pyproject" in strong else "tokenbudget.yml:")


def test_limits_are_merged_one_by_one(load: Load) -> None:
    settings = load(
        file(
            budgets=f'"{NODE}": {{usd: 2, steps: 2}}, "tests/*": {{usd: 3, tokens: 3}}',
            workflows="triage: {usd: 4, seconds: 4, team: support}",
        )
    )
    budget, named = resolve_budget(settings, NODE, (marker(usd=1, workflow="triage"),))
    assert budget.limits() == (("usd", 1), ("tokens", 3), ("steps", 2), ("seconds", 4))
    assert (budget.team, named) == ("support", True)


def test_a_file_can_put_a_task_into_a_workflow(load: Load) -> None:
    settings = load(file(budgets='"tests/*": {workflow: triage}', workflows="triage: {usd: 4}, other: {usd: 5}"))
    assert resolve_budget(settings, NODE)[0].usd == 4
    assert resolve_budget(settings, NODE, (marker(workflow="other"),))[0].usd == 5
    assert resolve_budget(settings, NODE, (marker(workflow="unlisted"),))[0].usd is None


@pytest.mark.parametrize(
    ("budgets", "markers", "named"),
    [
        ("", (), False),
        ('"*": {usd: 1}', (), False),
        ('"*": {usd: 1}', ({},), True),
        (f'"{NODE}": {{usd: 1}}', (), True),
    ],
)
def test_a_task_is_named_by_its_marker_or_its_exact_id(
    load: Load,
    budgets: str,
    markers: tuple[dict[str, object], ...],
    named: bool,  # noqa: FBT001 - a column of the table
) -> None:
    statements = tuple(read_statement(stated, "marker") for stated in markers)
    assert resolve_budget(load(file(budgets=budgets)), NODE, statements)[1] is named


@pytest.mark.parametrize(
    ("pattern", "node", "matches"),
    [
        ("tests/test_a.py::test_a[gpt-4.1]", "tests/test_a.py::test_a[gpt-4.1]", True),
        ("tests/test_a.py::test_a[gpt-4.1]", "tests/test_a.py::test_ag", False),
        ("tests/test_a.py::test_a[*]", "tests/test_a.py::test_a[gpt-4.1]", True),
        ("tests/test_a.py::test_a[gpt-4?1]", "tests/test_a.py::test_a[gpt-4.1]", True),
        ("tests/test_a.py::test_a[gpt-4.1]", "tests/test_a.py::test_a[gpt-4x1]", False),
        ("tests/*", "tests/deep/er/test_a.py::test_a", True),
        ("tests/*", "tests/test_a.py::test_a[two\nlines]", True),
        ("*::test_a", "tests/test_a.py::test_a[x]", False),
        ("*::test_?", "tests/test_a.py::test_ab", False),
        ("a\\*", "a\\b", True),
    ],
)
def test_only_stars_and_question_marks_are_wild(load: Load, pattern: str, node: str, matches: bool) -> None:  # noqa: FBT001 - a column of the table
    settings = load(f"budgets: {{'{pattern}': {{usd: 1}}}}")
    assert (resolve_budget(settings, node)[0].usd == 1) is matches


@pytest.mark.parametrize(
    ("general", "stated", "tolerance", "origin"),
    [
        (None, None, "0.20", "default"),
        ("yml", None, "0.5", "tokenbudget.yml:1: tolerance"),
        ("yml", "0.1", "0.1", "marker"),
        ("environment", None, "0.5", "TOKENBUDGET_TOLERANCE"),
        ("environment", "0.1", "0.5", "TOKENBUDGET_TOLERANCE"),
        ("option", "0.1", "0.5", "--tokenbudget-tolerance"),
    ],
)
def test_the_tolerance_of_a_task(
    load: Load,
    monkeypatch: pytest.MonkeyPatch,
    general: str | None,
    stated: str | None,
    tolerance: str,
    origin: str,
) -> None:
    if general == "environment":
        monkeypatch.setenv("TOKENBUDGET_TOLERANCE", "50%")
    settings = load(
        "tolerance: 0.5" if general == "yml" else "", **({"tolerance": "0.5"} if general == "option" else {})
    )
    markers = () if stated is None else (marker(tolerance=stated),)
    budget, _ = resolve_budget(settings, NODE, markers)
    assert (budget.tolerance, dict(budget.origins)["tolerance"]) == (Decimal(tolerance), origin)
