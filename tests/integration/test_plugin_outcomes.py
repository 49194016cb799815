import pytest
from project import Project, Ran, chat

COSTLY = "@pytest.mark.token_budget(tokens=500)"
"""Its one call of 1,000 tokens breaks it."""


def run(project: Project, source: str, *args: str, test: str = "test_it") -> Ran:
    return project.tests(source).recorded(chat(1_000), test=test).run(*args)


def test_a_broken_budget_is_no_expected_failure(project: Project) -> None:
    ran = run(project, f"@pytest.mark.xfail\n{COSTLY}\ndef test_it():\n    ask()\n    assert False\n")
    assert (ran.exit, ran.counts, ran.task().outcome) == (1, {"failed": 1}, "failed")
    assert "(The test is marked xfail, but a broken budget is no expected failure.)" in ran.said


def test_a_broken_budget_does_not_hide_in_an_unexpected_pass(project: Project) -> None:
    ran = run(project, f"@pytest.mark.xfail\n{COSTLY}\ndef test_it():\n    ask()\n")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    strict = run(project, f"@pytest.mark.xfail(strict=True)\n{COSTLY}\ndef test_it():\n    ask()\n")
    assert (strict.exit, strict.counts) == (1, {"failed": 1})
    assert "XPASS(strict)" in strict.said
    assert "Over budget: 1,000 of 500 tokens" in strict.said


@pytest.mark.parametrize(
    ("mark", "body", "counts", "outcome", "status"),
    [
        ("xfail", "assert False", {"xfailed": 1}, "xfailed", 0),
        ("xfail", "pass", {"xpassed": 1}, "xpassed", 0),
        ("xfail(strict=True)", "pass", {"failed": 1}, "failed", 1),
        ("xfail(strict=True)", "assert False", {"xfailed": 1}, "xfailed", 0),
        ("xfail(raises=OSError)", "assert False", {"failed": 1}, "failed", 1),
        ("xfail(run=False)", "assert False", {"xfailed": 1}, "xfailed", 0),
        ("skip", "assert False", {"skipped": 1}, "skipped", 0),
        ("skipif(True, reason='no')", "assert False", {"skipped": 1}, "skipped", 0),
        ("filterwarnings", "pytest.skip('later')", {"skipped": 1}, "skipped", 0),
        ("filterwarnings", "pytest.xfail('later')", {"xfailed": 1}, "xfailed", 0),
    ],
)
@pytest.mark.parametrize("calls", ["ask()", ""])
def test_a_kept_budget_changes_no_outcome(
    project: Project, mark: str, body: str, counts: dict[str, int], outcome: str, status: int, calls: str
) -> None:
    source = (
        f"@pytest.mark.{mark}\n@pytest.mark.token_budget(usd=1, allow_no_calls={not calls})\n"
        f"def test_it():\n    {calls}\n    {body}\n"
    )
    ran = run(project, source)
    assert (ran.exit, ran.counts, ran.task().outcome) == (status, counts, outcome)


@pytest.mark.parametrize("body", ["assert False", "pytest.skip('later')", "pytest.xfail('later')", "raise OSError"])
def test_a_test_that_ended_early_is_not_blamed_for_calls_it_did_not_make(project: Project, body: str) -> None:
    ran = run(project, f"@pytest.mark.token_budget(usd=1)\ndef test_it():\n    {body}\n")
    assert "Not measured" not in ran.said
    assert ran.state() == "within"


def test_a_test_that_fails_by_itself_keeps_its_failure_and_gains_a_section(project: Project) -> None:
    ran = run(project, f"{COSTLY}\ndef test_it():\n    ask()\n    assert 1 == 2\n")
    assert ran.counts == {"failed": 1}
    assert "assert 1 == 2" in ran.out
    assert "token budget" in ran.out.partition("= FAILURES =")[2].partition("= token budget =")[0]
    assert "Over budget: 1,000 of 500 tokens" in ran.said


def test_what_was_spent_is_not_skipped(project: Project) -> None:
    ran = run(project, f"{COSTLY}\ndef test_it():\n    ask()\n    pytest.skip('enough')\n")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert "(The test skipped itself, but a broken budget is not skipped.)" in ran.said


def test_reruns_are_listed_the_last_is_judged_and_the_sum_is_shown(project: Project) -> None:
    ran = (
        project.tests("""
        attempts = []

        @pytest.mark.flaky(reruns=3)
        @pytest.mark.token_budget(tokens=1000)
        def test_it():
            attempts.append(1)
            for _ in range(4 - len(attempts)):
                ask()
        """)
        .recorded(chat(1_000), chat(1_000), chat(1_000))
        .run("--junitxml=junit.xml")
    )
    assert (ran.exit, ran.counts) == (0, {"passed": 1, "rerun": 2})
    task = ran.task()
    assert (len(task.calls), task.verdict.state, task.outcome) == (1, "within", "passed")
    assert [(len(attempt.calls), attempt.verdict.state) for attempt in task.earlier] == [(3, "blocked"), (2, "blocked")]
    [record] = ran.record["tasks"]
    assert (record["cost_usd"], record["all_attempts_usd"]) == ("0.001", "0.006")
    assert ran.record["totals"]["cost_usd"] == "0.006"
    junit = (project.pytester.path / "junit.xml").read_text()
    assert junit.count('name="tokenbudget_usd"') == junit.count("<testcase ")


def test_reruns_that_never_pass_fail_once(project: Project) -> None:
    ran = run(project, f"@pytest.mark.flaky(reruns=2)\n{COSTLY}\ndef test_it():\n    ask()\n")
    assert (ran.exit, ran.counts) == (1, {"failed": 1, "rerun": 2})
    assert len(ran.task().earlier) == 2


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest has subtests of its own since 9.0")
def test_subtests_keep_their_outcomes_and_the_test_is_judged_once(project: Project) -> None:
    source = """
        {mark}
        def test_it(subtests):
            for number in range(3):
                with subtests.test(number=number):
                    ask()
                    assert number != {bad}
        """
    project = project.recorded(chat(1_000), chat(1_000), chat(1_000))
    within = project.tests(source.format(mark="@pytest.mark.token_budget(tokens=3000)", bad=9)).run()
    assert (within.exit, within.state(), len(within.task().calls)) == (0, "within", 3)
    broken = project.tests(source.format(mark="@pytest.mark.token_budget(tokens=2000)", bad=9)).run()
    assert (broken.exit, broken.state()) == (1, "blocked")
    assert broken.counts["failed"] == 1
    own = project.tests(source.format(mark="@pytest.mark.token_budget(tokens=3000)", bad=1)).run()
    plain = project.tests(source.format(mark="", bad=1)).run("--tokenbudget=off")
    assert own.exit == plain.exit == 1
    assert own.task().outcome == "failed"


UNITTEST = """
import unittest

class TestAgent(unittest.TestCase):
    @pytest.mark.token_budget(tokens={tokens})
    def test_it(self):
        {body}
"""


@pytest.mark.parametrize(
    ("tokens", "body", "counts", "state"),
    [
        (1_000, "ask()", {"passed": 1}, "within"),
        (500, "ask()", {"failed": 1}, "blocked"),
        (500, "ask(); self.fail('mine')", {"failed": 1}, "blocked"),
        (500, "self.fail('mine')", {"failed": 1}, "within"),
        (500, "self.skipTest('later')", {"skipped": 1}, "within"),
        (500, "pass", {"failed": 1}, "unmeasured"),
    ],
)
def test_unittest_is_judged_alike(project: Project, tokens: int, body: str, counts: dict[str, int], state: str) -> None:
    ran = run(project, UNITTEST.format(tokens=tokens, body=body), test="TestAgent.test_it")
    assert (ran.counts, ran.state("TestAgent::test_it")) == (counts, state)
    assert ("mine" in body) == ("AssertionError: mine" in ran.out)


def test_subtests_of_unittest(project: Project) -> None:
    body = """
        for number in range(2):
            with self.subTest(number=number):
                ask()
"""
    project = project.recorded(chat(1_000), chat(1_000), test="TestAgent.test_it")
    assert project.tests(UNITTEST.format(tokens=2_000, body=body)).run().exit == 0
    broken = project.tests(UNITTEST.format(tokens=1_000, body=body)).run()
    assert (broken.exit, broken.state("TestAgent::test_it")) == (1, "blocked")


def test_an_expected_failure_of_unittest_does_not_hide_a_broken_budget(project: Project) -> None:
    source = UNITTEST.format(tokens=500, body="ask(); self.fail()").replace(
        "@pytest", "@unittest.expectedFailure\n    @pytest"
    )
    ran = run(project, source, test="TestAgent.test_it")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})


def test_duplicates_of_an_item_are_attempts(project: Project) -> None:
    project = project.tests("@pytest.mark.token_budget\ndef test_it():\n    ask()\n\ndef test_else():\n    pass\n")
    ran = project.recorded().run("--keep-duplicates", "test_it.py", "test_it.py")
    assert ran.counts == {"passed": 4}
    assert (len(ran.task().calls), len(ran.task().earlier)) == (1, 1)
    assert ran.run.totals.calls == 2


def test_outcomes_of_unmarked_tests_never_change(project: Project) -> None:
    source = """
        import unittest
        import vcr

        def call(name="test_it"):
            with vcr.use_cassette(f"cassettes/test_it/{name}.yaml", allow_playback_repeats=True):
                ask("drifted", model="nobody-knows-me")

        def test_passes():
            call()

        def test_fails():
            call()
            assert False

        @pytest.mark.xfail
        def test_xfails():
            call()
            assert False

        @pytest.mark.xfail
        def test_xpasses():
            call()

        def test_skips():
            call()
            pytest.skip()

        def test_misses():
            with vcr.use_cassette("cassettes/nothing.yaml", record_mode="none"):
                ask()

        def test_corrupt():
            call("corrupt")

        @pytest.fixture
        def broken():
            call()
            raise OSError
            yield

        def test_errors(broken):
            pass

        @pytest.fixture
        def breaking():
            yield
            call()
            raise OSError

        def test_errors_later(breaking):
            pass

        class TestU(unittest.TestCase):
            def test_u(self):
                call()
                self.fail()
        """
    project = project.tests(source).recorded(chat(usage=None)).file("cassettes/test_it/corrupt.yaml", "interactions: [")
    off = project.run("--tokenbudget=off")
    on = project.run()
    assert (on.exit, on.counts) == (off.exit, off.counts)
    assert on.counts == {"passed": 2, "failed": 4, "errors": 2, "skipped": 1, "xfailed": 1, "xpassed": 1}
    assert {task.verdict.state for task in on.run.tasks} == {"unlimited"}
