"""`@pytest.mark.token_benchmark` over recordings: a test for each sample, and one verdict on all of them."""

from decimal import Decimal

import pytest
from benched import FAILING, PLAIN, benched, only, order, rows, section, verdict
from project import Project, chat


def test_a_benchmark_within_its_budget_passes(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": 1000, "c": 1000}).run()
    assert (ran.exit, ran.counts, verdict(ran)) == (0, {"passed": 3}, ("pass", ("within",)))
    assert (
        section(ran)
        == """
 ✓ Benchmark passes: test_it: a task costs $0.000967 on average, 97% of its
   budget of $0.001.
   3 samples, all there are in tickets.jsonl; 3 succeeded (100%).
   mean   $0.000967  $0.000869 to $0.00107
   worst     $0.001  test_it[b]
 3 tasks cost $0.0029; this run paid $0.00 (3 calls replayed). Prices of
   2026-11-01 (release)."""
    )


def test_a_benchmark_inside_its_tolerance_passes_and_says_so(project: Project) -> None:
    ran = benched(project, {"a": 1200, "b": 1200}).run()
    assert (ran.exit, verdict(ran)) == (0, ("pass", ("tolerated",)))
    assert "120% of its budget of $0.001 (more than $0.0012 blocks)" in ran.said


COSTLY = {"a": 1100, "b": 2000}


def test_a_benchmark_over_its_budget_fails_the_build_though_every_test_passed(project: Project) -> None:
    ran = benched(project, COSTLY).run()
    assert (ran.exit, ran.counts, verdict(ran)) == (1, {"passed": 2}, ("block", ("above",)))
    said, _, last = section(ran).rpartition("\n")
    assert last.startswith(
        "BLOCKED test_it.py::test_it - a task costs $0.00155 on average, 155% of its budget of $0.001 ("
    )
    assert (
        said
        == """
 ✗ Benchmark blocked: test_it: a task costs $0.00155 on average, 155% of its
   budget of $0.001 (more than $0.0012 blocks).
   2 samples, all there are in tickets.jsonl; 2 succeeded (100%).
   mean   $0.00155  $0.00 to $0.0044
   worst    $0.002  test_it[b]
 2 tasks cost $0.0031; this run paid $0.00 (2 calls replayed). Prices of
   2026-11-01 (release)."""
    )


def test_a_blocked_benchmark_is_named_behind_the_failed_tests(project: Project) -> None:
    ran = benched(project, COSTLY, f"{PLAIN}\ndef test_fails():\n    assert False\n").run()
    (failed, blocked, _) = ran.out.splitlines()[-3:]
    assert (ran.exit, failed) == (1, "FAILED test_it.py::test_fails - assert False")
    assert blocked.startswith("BLOCKED test_it.py::test_it - a task costs $0.00155 on average, 155% of its budget")


def test_a_benchmark_that_is_observed_is_shown_and_fails_nothing(project: Project) -> None:
    ran = benched(project, COSTLY).run("--tokenbudget=observe")
    assert (ran.exit, ran.counts, verdict(ran)) == (0, {"passed": 2}, ("block", ("above",)))
    assert "Benchmark blocked: test_it" in ran.said
    assert "BLOCKED" not in ran.out


def test_a_benchmark_that_is_off_still_runs_its_samples(project: Project) -> None:
    project = benched(project, COSTLY, PLAIN.replace("ask(", "print("))
    ran = project.run("--tokenbudget=off")
    assert (ran.exit, ran.counts, ran.path.exists()) == (0, {"passed": 2}, False)


def test_an_unsuccessful_sample_of_a_benchmark_that_is_off_fails_the_build(project: Project) -> None:
    ran = benched(project, COSTLY, FAILING.replace("ask(", "print(")).run("--tokenbudget=off")
    assert (ran.exit, ran.counts) == (1, {"passed": 1, "failed": 1})


def test_the_rule_confident_does_not_block_what_two_samples_cannot_show(project: Project) -> None:
    ran = benched(project, COSTLY).run("--tokenbudget-rule=confident")
    assert (ran.exit, verdict(ran)) == (0, ("inconclusive", ("few_samples",)))
    assert "too few samples for the rule `confident`, which needs 10" in ran.said


def test_a_benchmark_without_a_budget_is_measured_and_decides_nothing(project: Project) -> None:
    ran = benched(project, COSTLY, PLAIN.replace("@pytest.mark.token_budget(usd=0.001)\n", "")).run()
    assert (ran.exit, verdict(ran)) == (0, ("pass", ("no_budget",)))
    assert "a task costs $0.00155 on average, and has no budget" in ran.said


def test_a_budget_of_the_settings_holds_for_a_benchmark_too(project: Project) -> None:
    project = project.settings('budgets: {"test_it.py::test_it": {usd: 0.001, workflow: triage, team: support}}\n')
    ran = benched(project, COSTLY, PLAIN.replace("@pytest.mark.token_budget(usd=0.001)\n", "")).run()
    assert (ran.exit, verdict(ran)) == (1, ("block", ("above",)))
    assert (only(ran).plan.workflow, only(ran).plan.team) == ("triage", "support")
    assert {part.key for part in only(ran).result.slices["team"]} == {"support"}


def test_a_sample_that_fails_is_unsuccessful_and_fails_no_build(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": 1000}, FAILING).run("-rx", "--junitxml=junit.xml")
    assert (ran.exit, ran.counts) == (0, {"passed": 1, "xfailed": 1})
    assert verdict(ran) == ("pass", ("within",))
    figures = only(ran).result.figures
    assert (figures.n, figures.successes, figures.per_success) == (2, 1, Decimal("0.0019"))
    assert (ran.run.failed, ran.task("test_it[b]").outcome) == (0, "failed")
    assert "unsuccessful sample: AssertionError: no answer" in ran.said


@pytest.mark.parametrize(
    "statement",
    [
        "raise LookupError",
        "pytest.fail('no')",
        "raise ValueError('x' * 9000)",
        "raise ExceptionGroup('g', [OSError()])",
    ],
)
def test_however_a_sample_fails_it_is_unsuccessful(project: Project, statement: str) -> None:
    ran = benched(project, {"a": 900, "b": 900}, PLAIN + f"    if sample['id'] == 'b': {statement}\n").run()
    assert (ran.exit, ran.counts, only(ran).result.figures.successes) == (0, {"passed": 1, "xfailed": 1}, 1)


def test_a_benchmark_whose_success_costs_too_much_is_blocked(project: Project) -> None:
    source = FAILING.replace('.jsonl"', '.jsonl", usd_per_success=0.0015')
    ran = benched(project, {"a": 900, "b": 1000}, source).run()
    assert (ran.exit, verdict(ran)) == (1, ("block", ("within", "above")))
    assert "Benchmark blocked: test_it: a success costs $0.0019, 127% of its budget of $0.0015" in ran.said


def test_a_benchmark_without_a_success_is_blocked(project: Project) -> None:
    source = PLAIN.replace('.jsonl"', '.jsonl", usd_per_success=1') + "    assert False\n"
    ran = benched(project, {"a": 100, "b": 100}, source).run()
    assert (ran.exit, ran.counts) == (1, {"xfailed": 2})
    assert verdict(ran)[0] == "block"
    assert ran.record["benchmarks"][0]["result"]["figures"]["per_success"] == "Infinity"
    assert "none of 2 samples succeeded, so that a success costs infinitely much" in ran.said


def test_a_sample_whose_setup_breaks_is_an_error_and_not_measured(project: Project) -> None:
    source = "@pytest.fixture\ndef broken(sample):\n    assert sample['id'] != 'b'\n" + PLAIN.replace(
        "(sample)", "(sample, broken)"
    )
    ran = benched(project, {"a": 900, "b": 1000, "c": 900}, source).run()
    assert (ran.exit, ran.counts) == (1, {"passed": 2, "errors": 1})
    assert verdict(ran) == ("inconclusive", ("unfinished",))
    assert only(ran).unmeasured == ("its setup failed",)
    assert "2 of 3 samples were measured (its setup failed)" in ran.said
    assert "To settle it" not in ran.said


def test_a_sample_whose_teardown_breaks_is_an_error_and_measured(project: Project) -> None:
    source = "@pytest.fixture\ndef broken(sample):\n    yield\n    assert sample['id'] != 'b'\n" + PLAIN.replace(
        "(sample)", "(sample, broken)"
    )
    ran = benched(project, {"a": 900, "b": 1000}, source).run()
    assert (ran.exit, ran.counts) == (1, {"passed": 2, "errors": 1})
    assert verdict(ran) == ("pass", ("within",))
    assert only(ran).result.figures.successes == 1


def test_a_sample_that_skips_itself_is_not_measured(project: Project) -> None:
    source = PLAIN.replace("    ask(", "    if sample['id'] == 'b': pytest.skip('later')\n    ask(")
    ran = benched(project, {"a": 900, "b": 1000, "c": 900}, source).run()
    assert (ran.exit, ran.counts) == (0, {"passed": 2, "skipped": 1})
    assert verdict(ran) == ("inconclusive", ("unfinished",))
    assert only(ran).unmeasured == ("skipped",)


def test_a_sample_whose_recording_does_not_answer_fails(project: Project) -> None:
    source = PLAIN + "    if sample['id'] == 'b':\n        ask('more')\n"
    ran = benched(project, {"a": 900, "b": 1000}, source).run()
    assert (ran.exit, ran.counts) == (1, {"passed": 1, "failed": 1})
    assert verdict(ran) == ("inconclusive", ("unfinished",))
    assert "[miss] POST https://api.openai.com/v1/chat/completions was not sent" in ran.said
    assert "1 of 2 samples were measured (its recording does not answer it)" in ran.said
    assert "To settle it, type: pytest test_it.py::test_it --tokenbudget-record=new" in ran.said


def test_a_sample_without_a_recording_is_skipped(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": None, "c": 1000}).run("-rs")
    assert (ran.exit, ran.counts) == (0, {"passed": 2, "skipped": 1})
    assert verdict(ran) == ("inconclusive", ("unfinished",))
    assert "2 of 3 samples were measured (not recorded)" in ran.said
    assert "To settle it, type: pytest test_it.py::test_it --tokenbudget-record=once" in ran.said
    assert "not recorded" in ran.out.partition("short test summary")[2]


def test_samples_without_a_recording_do_not_hide_what_the_others_decided(project: Project) -> None:
    # in the order of the draw the first of four costs more than all four may
    costs = dict.fromkeys("abcd")
    first = next(iter(order(project, costs)))
    ran = benched(project, {**costs, first: 5000}).run()
    assert (ran.exit, ran.counts) == (1, {"passed": 1, "skipped": 3})
    assert verdict(ran) == ("block", ("early",))
    assert "decided after 1 of 4 samples" in ran.said


def test_samples_that_were_left_out_before_the_first_decide_nothing(project: Project) -> None:
    costs = dict.fromkeys("abcd")
    last = list(order(project, costs))[-1]
    ran = benched(project, {**costs, last: 4000}).run()
    assert (ran.exit, ran.counts) == (0, {"passed": 1, "skipped": 3})
    assert verdict(ran) == ("inconclusive", ("unfinished",))


def test_no_recording_at_all_is_undecided(project: Project) -> None:
    ran = benched(project, {"a": None, "b": None}).run("--tokenbudget-out=run.json", out="run.json")
    assert (ran.exit, ran.counts) == (0, {"skipped": 2})
    assert verdict(ran) == ("inconclusive", ("no_samples",))
    assert "no sample was measured (not recorded)" in ran.said


def test_a_sample_without_a_call_costs_nothing(project: Project) -> None:
    source = PLAIN.replace("    ask(", "    if sample['id'] != 'b': ask(")
    ran = benched(project, {"a": 1000, "b": None}, source).run()
    assert (ran.exit, ran.counts) == (0, {"passed": 2})
    figures = only(ran).result.figures
    assert (figures.n, figures.mean, figures.successes) == (2, Decimal("0.0005"), 2)
    assert verdict(ran) == ("pass", ("within",))


def test_a_benchmark_without_any_call_measured_nothing(project: Project) -> None:
    ran = benched(project, {"a": None, "b": None}, PLAIN.replace("ask(", "print(")).run()
    assert (ran.exit, ran.counts) == (0, {"passed": 2})
    assert verdict(ran) == ("inconclusive", ("no_samples",))
    assert "Benchmark undecided: test_it: no sample was measured (no model call was made)." in ran.said
    assert "To settle it" not in ran.said


def test_one_sample(project: Project) -> None:
    ran = benched(project, {"a": 900}).run()
    assert verdict(ran) == ("pass", ("within",))
    assert (only(ran).result.figures.cv, only(ran).result.intervals.mean.method) == (None, "none")
    assert "1 sample, all there are in tickets.jsonl; 1 succeeded (100%)." in ran.said
    failed = project.tests(PLAIN + "    assert False\n").recorded(chat(900), test="test_it[a]")
    failed = failed.file("tickets.jsonl", rows("a")).run()
    assert "its one sample failed, so that a success costs infinitely much" in failed.said


def test_equal_costs(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": 900, "c": 900}).run()
    assert (only(ran).result.figures.cv, only(ran).result.intervals.mean.method) == (0.0, "constant")
    assert "mean   $0.0009  all equal" in ran.out


def test_one_unpriced_sample_blocks(project: Project) -> None:
    project = benched(project, {"a": 900, "b": 900})
    project = project.recorded(chat(900, model="nobody-knows-me"), test="test_it[b]")
    model = '"tiny" if sample["id"] == "a" else "nobody-knows-me"'
    source = PLAIN.replace('sample["text"]', f'sample["text"], {model}')
    ran = project.tests(source).run()
    assert (ran.exit, ran.counts) == (1, {"passed": 2})
    assert verdict(ran) == ("block", ("unknown_cost",))
    assert "the cost of 1 of 2 samples is unknown (test_it[b])" in ran.said
    warned = project.tests(source).settings("unknown_model: warn\nmissing_usage: warn\n").run()
    assert (warned.exit, verdict(warned)) == (0, ("inconclusive", ("unknown_cost",)))


def test_a_selection_of_samples_decides_nothing(project: Project) -> None:
    project = benched(project, {"a": 9000, "b": 9000})
    for options in (["-k", "[a]"], ["test_it.py::test_it[a]"], ["--deselect", "test_it.py::test_it[b]"]):
        ran = project.run(*options)
        assert (ran.exit, ran.counts["passed"], verdict(ran)) == (0, 1, ("inconclusive", ("partial",))), options
        assert "a selection decides nothing" in ran.said


def test_a_selection_that_leaves_out_no_sample_decides(project: Project) -> None:
    project = benched(project, {"a": 9000, "b": 9000}, PLAIN + "\ndef test_else():\n    pass\n")
    for options in (["-k", "test_it"], ["test_it.py::test_it"]):
        assert verdict(project.run(*options)) == ("block", ("above",))


def test_what_failed_last_decides_nothing(project: Project) -> None:
    source = PLAIN + "    if sample['id'] == 'b':\n        ask('more')\n"
    project = benched(project, {"a": 900, "b": 1000}, source)
    project.run()
    ran = project.tests(PLAIN).run("--lf")
    assert verdict(ran) == ("inconclusive", ("partial",))
    assert "--last-failed" in ran.said


def test_a_session_that_stops_at_the_first_failure_decides_nothing(project: Project) -> None:
    source = PLAIN + "\n    ask('more')\n"
    ran = benched(project, {"a": 900, "b": 1000}, source).run("-x")
    assert (ran.exit, ran.counts) == (1, {"failed": 1})
    assert verdict(ran)[0] == "inconclusive"
    assert "stopping after 1 failures" in ran.said


def test_an_unsuccessful_sample_stops_no_session(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": 900}, PLAIN + "    assert False\n").run("-x")
    assert ran.counts == {"xfailed": 2}


def test_a_benchmark_tells_how_far_it_is_unless_it_is_to_be_quiet(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_tokenbudget.plugin.progress._EVERY_IN_A_LOG", 0)
    project = benched(project, {"a": 900, "b": 1000, "c": 1100})
    lines = [line for line in project.run().out.splitlines() if line.startswith("test_it: ")]
    assert [line.partition(",")[0] for line in lines] == ["test_it: 1 of 3 samples", "test_it: 2 of 3 samples"]
    assert lines[0].endswith(" a task, $0.00 paid, within budget so far")
    assert "of 3 samples" not in project.run("-q").out.partition("= token budget =")[0]


def test_recordings_that_cannot_be_read_are_no_samples(project: Project) -> None:
    project = benched(project, {"a": 900, "b": 900}).file("cassettes/test_it/test_it[b].yaml", "interactions: [")
    ran = project.run()
    assert (ran.exit, verdict(ran)) == (1, ("inconclusive", ("unfinished",)))
    assert "Traceback" not in ran.said


def test_a_drifted_sample_is_an_estimate_and_a_sample(project: Project) -> None:
    ran = benched(
        project, {"a": 900, "b": 900}, PLAIN.replace('sample["text"]', '"Hello there, " + sample["id"]')
    ).run()
    assert (ran.exit, only(ran).result.figures.n) == (0, 2)
    assert {entry.call.obtained for task in ran.run.tasks for entry in task.calls} == {"drifted"}


def test_labels_of_the_settings_reach_every_sample(project: Project) -> None:
    project = project.settings('budgets: {"test_it.py::test_it": {workflow: triage}, "*[a]": {workflow: other}}\n')
    ran = benched(project, {"a": 900, "b": 900}).run()
    assert {task.budget.workflow for task in ran.run.tasks} == {"triage"}


def test_a_test_that_breaks_before_any_call_fails_and_is_no_unsuccessful_agent(project: Project) -> None:
    source = PLAIN.replace('sample["text"]', 'sample["txt"]')
    ran = benched(project, dict.fromkeys("abc", 900), source).run()
    assert (ran.exit, ran.counts) == (1, {"failed": 3})
    assert verdict(ran) == ("inconclusive", ("no_samples",))
    assert only(ran).unmeasured == ("its test broke before any model call",)
    assert section(ran).startswith(
        """\
 ~ Benchmark undecided: test_it: no sample was measured (its test broke before
   any model call).
   3 failed with KeyError: 'txt' (test_it.py:7).
"""
    )
    assert [(failure.count, failure.text) for failure in only(ran).failures] == [(3, "KeyError: 'txt' (test_it.py:7)")]
    assert ran.task("test_it[b]").outcome == "failed"


def test_what_unsuccessful_samples_failed_with_is_told(project: Project) -> None:
    source = PLAIN + (
        "    if sample['id'] < 'd': 1 / 0\n"
        "    assert sample['id'] < 'g', f'no {sample}'\n"
        "    if sample['id'] < 'f': raise LookupError('x' * 200)\n"
        "    raise OSError\n"
    )
    ran = benched(project, dict.fromkeys("abcdefgh", 900), source).run()
    assert (ran.exit, ran.counts) == (1, {"xfailed": 8})
    first, *others = [(failure.count, failure.text, failure.alike) for failure in only(ran).failures]
    assert [first, *sorted(others, key=lambda found: found[1])] == [
        (3, "ZeroDivisionError: division by zero (test_it.py:8)", True),
        (2, "AssertionError: no {'id': 'g', 'text': 'Hello'} (test_it.py:9)", False),
        (2, f"LookupError: {'x' * 90}… (test_it.py:10)", True),
    ]
    assert "3 failed with ZeroDivisionError: division by zero (test_it.py:8). 2 failed with" in ran.said
    assert "2 failed with AssertionError: no {'id': 'g', 'text': 'Hello'} (test_it.py:9), or the like." in ran.said


@pytest.mark.parametrize(
    "wrapped",
    [
        "{}",
        "try:\n        {}\n    except BaseException as error:\n        raise LookupError from error",
        "try:\n        {}\n    except BaseException:\n        pass",
    ],
)
def test_no_traceback_is_made_of_samples_without_a_recording(project: Project, wrapped: str) -> None:
    """However an agent wraps the miss: printing what nobody sees took most of the time."""
    tells = "def pytest_exception_interact(call):\n    print('MADE', call.excinfo)\n"
    source = PLAIN.replace('ask(sample["text"])', wrapped.format('ask(sample["text"])'))
    project = benched(project, dict.fromkeys("abc"), source).file("conftest.py", _REPR + tells)
    ran = project.run("-rs", "-s")
    assert (ran.exit, ran.counts) == (0, {"skipped": 3})
    assert only(ran).unmeasured == ("not recorded",)
    assert "MADE" not in ran.out


_REPR = """
import pytest

class Function(pytest.Function):
    def repr_failure(self, excinfo):
        print("MADE", excinfo)
        return super().repr_failure(excinfo)

def pytest_pycollect_makeitem(collector, name, obj):
    return None

@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items):
    for item in items:
        item.__class__ = Function
    return (yield)
"""
