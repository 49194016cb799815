from decimal import Decimal

import pytest
from project import Project

from pytest_tokenbudget.plugin import markers

ALLOWED = (
    "Allowed: allow_no_calls, cache_hit_rate, input_tokens, output_tokens, seconds, steps, team, thinking_tokens, "
    "tokens, tokens_per_step, tolerance, usd, workflow."
)
USAGE_ERROR = 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("usdd=0.3", ["`usdd`", "did you mean `usd`?", ALLOWED]),
        ("zzz=1", ["`zzz`", ALLOWED]),
        ("0.30", ["(0.3) names no limit", "usd=0.30"]),
        ("usd=-1", ["usd", "-1", "of zero or more"]),
        ("usd='a lot'", ["usd", "'a lot' is not an amount of us dollars"]),
        ("usd=float('nan')", ["usd", "nan is not an amount of us dollars"]),
        ("usd=True", ["usd", "true is not an amount of us dollars"]),
        ("tokens=0.5", ["tokens", "0.5 is not a whole number"]),
        ("tokens='25k'", ["tokens", "'25k' is not a whole number"]),
        ("steps=-1", ["steps", "-1 is not a whole number of zero or more"]),
        ("cache_hit_rate=50", ["cache_hit_rate", "50"]),
        ("usd=1, tolerance=-0.1", ["tolerance", "-0.1"]),
        ("usd=1, allow_no_calls=1", ["allow_no_calls", "1 is neither true nor false"]),
        ("workflow=''", ["workflow", "'' is not a name"]),
    ],
)
def test_a_wrong_marker_is_refused(project: Project, arguments: str, said: list[str]) -> None:
    ran = project.tests(f"@pytest.mark.token_budget({arguments})\ndef test_it():\n    pass\n").run()
    assert ran.exit == USAGE_ERROR
    _, opening, message = ran.said.partition("ERROR: [config] test_it.py:3: @pytest.mark.token_budget of test_it: ")
    assert opening
    assert [words for words in said if words.lower() not in message.lower()] == []
    assert "INTERNALERROR" not in ran.said


def test_all_wrong_markers_are_named_at_once_and_each_once(project: Project) -> None:
    ran = project.tests("""
        @pytest.mark.token_budget(usdd=1)
        def test_a():
            pass

        @pytest.mark.token_budget(token=1)
        @pytest.mark.parametrize("number", range(100))
        def test_b(number):
            pass
        """).run()
    assert ran.exit == USAGE_ERROR
    assert ran.said.count("`usdd`") == 1
    assert ran.said.count("unknown limit or label `token`") == 1


def test_workers_refuse_a_wrong_marker_too(project: Project) -> None:
    ran = project.tests("@pytest.mark.token_budget(usdd=1)\ndef test_it():\n    pass\n").run_apart("-n2")
    assert ran.exit == USAGE_ERROR
    assert "INTERNALERROR" not in ran.said
    assert "ERROR: [config] test_it.py:3: @pytest.mark.token_budget of test_it: unknown limit" in ran.said


def test_the_closest_marker_wins_limit_by_limit(project: Project) -> None:
    ran = (
        project.tests("""
        pytestmark = pytest.mark.token_budget(usd=9, steps=1, team="module")

        @pytest.mark.token_budget(usd=5, workflow="triage")
        class TestAgent:
            @pytest.mark.token_budget(usd=1)
            @pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.token_budget(usd=0.5))])
            def test_it(self, number):
                ask()
        """)
        .recorded(test="TestAgent.test_it[0]")
        .recorded(test="TestAgent.test_it[1]")
        .run()
    )
    assert ran.exit == 0
    limits = {name: dict(task.budget.limits()) for name, task in ran.tasks.items()}
    assert limits["TestAgent::test_it[0]"] == {"usd": Decimal(1), "steps": Decimal(1)}
    assert limits["TestAgent::test_it[1]"] == {"usd": Decimal("0.5"), "steps": Decimal(1)}
    assert {(task.budget.workflow, task.budget.team) for task in ran.run.tasks} == {("triage", "module")}


def test_a_conftest_may_mark_tests_while_they_are_collected(project: Project) -> None:
    ran = (
        project.file(
            "conftest.py",
            """
            import pytest

            @pytest.hookimpl(trylast=True)
            def pytest_collection_modifyitems(items):
                for item in items:
                    item.add_marker(pytest.mark.token_budget(tokens=10))
            """,
        )
        .tests("def test_it():\n    ask()\n")
        .recorded()
        .run()
    )
    assert (ran.exit, ran.state()) == (1, "critical")


@pytest.mark.parametrize("added", ["fixture", "body"])
def test_a_marker_may_be_added_while_the_test_runs(project: Project, added: str) -> None:
    ran = (
        project.tests(f"""
        import vcr

        def add(request):
            request.node.add_marker(pytest.mark.token_budget(tokens=10))

        @pytest.fixture(autouse=True)
        def _budget(request):
            if {added == "fixture"}:
                add(request)

        def test_it(request):
            with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                ask()
            if {added == "body"}:
                add(request)
        """)
        .recorded()
        .run()
    )
    assert (ran.exit, ran.state()) == (1, "critical")
    assert "Over budget: 1,000 of 10 tokens" in ran.said


def test_a_wrong_marker_added_while_the_test_runs_fails_it(project: Project) -> None:
    ran = project.tests("""
        def test_it(request):
            request.node.add_marker(pytest.mark.token_budget(usdd=10))
        """).run()
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert "[config] test_it.py:4: @pytest.mark.token_budget of test_it: unknown limit or label `usdd`" in ran.said


def test_the_marker_is_declared(project: Project) -> None:
    project = project.tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n").recorded()
    ran = project.run("--strict-markers")
    assert ran.exit == 0
    assert "@pytest.mark.token_budget(**limits): what the test's model calls may cost" in project.run("--markers").out


def test_ten_thousand_items_share_one_reading_of_their_marker(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = markers.read_statement
    monkeypatch.setattr(markers, "read_statement", lambda *args: read.append(args) or original(*args))
    ran = project.tests("""
        @pytest.mark.token_budget(usd=1)
        @pytest.mark.parametrize("number", range(10_000))
        def test_it(number):
            pass
        """).run("--collect-only", "-q")
    assert ran.exit == 0
    assert "10000 tests collected" in ran.said
    assert len(read) == 1
    assert not ran.path.exists()
