"""Which samples a benchmark draws, of which tests and data; and the same in every process of pytest-xdist."""

import json
from decimal import Decimal
from textwrap import dedent

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what its inner session imported, and numpy cannot be imported twice
from benched import FAILING, MANY, PLAIN, benched, only, rows, verdict
from project import Project, chat


@pytest.mark.parametrize(
    ("stated", "option", "drawn"),
    [(None, None, 12), (5, None, 5), (5, 3, 3), (5, 8, 8), (5, 99, 12), (99, None, 12), (None, 1, 1)],
)
def test_how_many_samples_are_drawn(project: Project, stated: int | None, option: int | None, drawn: int) -> None:
    source = PLAIN.replace('.jsonl"', f'.jsonl", samples={stated}')
    ran = benched(project, MANY, source).run(*([] if option is None else [f"--tokenbudget-samples={option}"]))
    assert (ran.exit, ran.counts) == (0, {"passed": drawn})
    plan = only(ran).plan
    assert (plan.samples, plan.population, only(ran).result.figures.n) == (drawn, 12, drawn)
    assert ran.run.partial == ()


def test_a_smaller_draw_is_the_beginning_of_a_larger_one(project: Project) -> None:
    project = benched(project, MANY)
    few = {task.id for task in project.run("--tokenbudget-samples=4").run.tasks}
    more = {task.id for task in project.run("--tokenbudget-samples=8").run.tasks}
    other = benched(project, MANY, PLAIN.replace('.jsonl"', '.jsonl", seed=1'))
    assert few < more
    assert few != {task.id for task in other.run("--tokenbudget-samples=4").run.tasks}


def test_recordings_of_samples_that_were_not_drawn_belong_to_them(project: Project) -> None:
    project = benched(project, MANY).recorded(chat(), test="test_it[gone]").recorded(chat(), test="test_else[t1]")
    project = project.tests(PLAIN + "\ndef test_else():\n    pass\n")
    few = project.run("--tokenbudget-samples=4")
    assert few.run.orphans == ("cassettes/test_it/test_else[t1].yaml",)
    every = project.run()
    assert every.run.orphans == ("cassettes/test_it/test_else[t1].yaml", "cassettes/test_it/test_it[gone].yaml")


@pytest.mark.parametrize("wrong", ["0", "-1", "1.5", "many", "", "9" * 30])
def test_a_number_of_samples_that_is_none_is_refused(project: Project, wrong: str) -> None:
    ran = benched(project, {"a": 900}).run(f"--tokenbudget-samples={wrong}")
    assert ran.exit != 0
    assert "Traceback" not in ran.said
    assert "samples" in ran.said


def test_the_variable_says_how_many_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET_SAMPLES", "2")
    assert benched(project, MANY).run().counts == {"passed": 2}


@pytest.mark.parametrize("place", ["inner", "outer"])
def test_a_further_parameter_makes_a_benchmark_of_each(project: Project, place: str) -> None:
    further = '@pytest.mark.parametrize("mood", ["calm-x", "angry"])\n'
    body = PLAIN.replace("(sample)", "(sample, mood)")
    source = further + body.lstrip() if place == "outer" else body.replace("\ndef ", f"\n{further}def ")
    project = project.tests(source).file("tickets.jsonl", rows(["a", "b-x"]))
    names = [line.partition("::")[2] for line in project.run("--collect-only", "-q").out.splitlines() if "::" in line]
    assert len(names) == 4
    for name in names:
        project = project.recorded(chat(900 if "calm" in name else 5000), test=name)
    ran = project.run()
    assert (ran.exit, ran.counts) == (1, {"passed": 4})
    assert {found.plan.id: (found.result.verdict.state, found.result.figures.n) for found in ran.run.benchmarks} == {
        "test_it.py::test_it[calm-x]": ("pass", 2),
        "test_it.py::test_it[angry]": ("block", 2),
    }


def test_a_parameter_without_a_name_of_its_own_makes_benchmarks_too(project: Project) -> None:
    further = '@pytest.mark.parametrize("mood", [object(), object()])\n'
    source = further + PLAIN.lstrip().replace("(sample)", "(sample, mood)")
    project = project.tests(source).file("tickets.jsonl", rows("ab"))
    for name in ("mood0-a", "mood0-b", "mood1-a", "mood1-b", "a-mood0", "b-mood0", "a-mood1", "b-mood1"):
        project = project.recorded(chat(900), test=f"test_it[{name}]")
    ran = project.run()
    assert [(found.plan.id, found.result.figures.n) for found in ran.run.benchmarks] == [
        ("test_it.py::test_it[mood0]", 2),
        ("test_it.py::test_it[mood1]", 2),
    ]


def test_methods_of_a_class_are_benchmarks(project: Project) -> None:
    source = """
        @pytest.mark.token_benchmark(data="tickets.jsonl")
        @pytest.mark.token_budget(usd=0.001)
        class TestIt:
            def test_one(self, sample):
                ask(sample["text"])

            def test_two(self, sample):
                ask(sample["text"])
    """
    project = benched(project, {"a": 900, "b": 900}, source, test="TestIt.test_one")
    ran = benched(project, {"a": 5000, "b": 900}, source, test="TestIt.test_two").run()
    assert {found.plan.id: found.result.verdict.state for found in ran.run.benchmarks} == {
        "test_it.py::TestIt::test_one": "pass",
        "test_it.py::TestIt::test_two": "block",
    }


def test_a_whole_module_may_be_benchmarks(project: Project) -> None:
    source = """
        pytestmark = [pytest.mark.token_benchmark(data="tickets.jsonl"), pytest.mark.token_budget(usd=0.001)]

        def test_it(sample):
            ask(sample["text"])
    """
    ran = benched(project, {"a": 900, "b": 900}, source).run()
    assert (ran.exit, verdict(ran)) == (0, ("pass", ("within",)))


def test_two_benchmarks_of_one_file(project: Project) -> None:
    source = PLAIN + PLAIN.replace("test_it", "test_other").replace("0.001", "0.0001")
    project = benched(project, {"a": 900, "b": 900}, source)
    ran = benched(project, {"a": 900, "b": 900}, source, test="test_other").run()
    assert {found.plan.id.partition("::")[2]: found.result.verdict.state for found in ran.run.benchmarks} == {
        "test_it": "pass",
        "test_other": "block",
    }


def test_the_file_may_lie_at_the_root(project: Project) -> None:
    project = project.file("tests/test_deep.py", "import pytest\n" + PLAIN.replace("ask(", "print("))
    ran = project.file("tickets.jsonl", rows("ab")).run()
    assert (ran.counts, only(ran).plan.data) == ({"passed": 2}, "tickets.jsonl")


FORMS = {
    "tickets.csv": "id,text\na,Hello\nb,Hello\n",
    "tickets.yaml": "- {id: a, text: Hello}\n- {id: b, text: Hello}\n",
    "tickets.json": '[{"id": "a", "text": "Hello"}, {"id": "b", "text": "Hello"}]',
    "tickets.jsonl": '\ufeff{"id": "a", "text": "Hello"}\r\n\r\n{"id": "b", "text": "Hello"}',
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_data(project: Project, name: str) -> None:
    ran = benched(project, {"a": 900, "b": 900}, PLAIN.replace("tickets.jsonl", name)).file(name, FORMS[name]).run()
    assert (ran.exit, verdict(ran), only(ran).plan.data) == (0, ("pass", ("within",)), name)


def test_a_callable_gives_samples(project: Project) -> None:
    plain = PLAIN.replace('"tickets.jsonl"', "tickets").replace('sample["text"]', "sample")
    source = f"def tickets():\n    yield from ('Hello', 'Hello')\n{plain}"
    ran = benched(project, {"1": 900, "2": 900}, source).run()
    assert (ran.exit, verdict(ran), only(ran).plan.data) == (0, ("pass", ("within",)), "tickets()")


def test_workers_come_to_the_same_benchmarks(project: Project) -> None:
    stated = 'samples=10, cluster="customer", stratify="kind", ideal_steps=1, usd_per_success=0.01'
    source = FAILING.replace('.jsonl"', f'.jsonl", {stated}')
    project = benched(project, {**MANY, "b": 700}, source)
    text = "".join(
        json.dumps({"id": name, "text": "Hello", "customer": number // 2, "kind": number % 3}) + "\n"
        for number, name in enumerate([*MANY, "b"])
    )
    project = project.file("tickets.jsonl", text)
    none = project.run("--tokenbudget-out=none.json", out="none.json")
    two = project.run_apart("-n2", "--tokenbudget-out=two.json", out="two.json")
    assert none.counts == two.counts
    assert (none.exit, two.exit) == (0, 0)
    assert none.record["benchmarks"] == two.record["benchmarks"]
    assert none.record["tasks"] == two.record["tasks"]
    assert only(two).result.figures.n == 10


def test_workers_fail_a_build_that_is_over_budget(project: Project) -> None:
    ran = benched(project, {"a": 1100, "b": 2000}).run_apart("-n2")
    assert (ran.exit, ran.counts, verdict(ran)) == (1, {"passed": 2}, ("block", ("above",)))
    assert ran.out.count("BLOCKED test_it.py::test_it - a task costs $0.00155") == 1


def test_an_attempt_that_was_rerun_counts_once(project: Project) -> None:
    fixture = """
        tried = []

        @pytest.fixture
        def shaky():
            ask()
            tried.append(1)
            assert len(tried) > 1
    """
    project = benched(project, {"a": 900}, dedent(fixture) + PLAIN.replace("(sample)", "(sample, shaky)"))
    ran = project.recorded(chat(900), chat(900), test="test_it[a]").run("--reruns=2")
    figures = only(ran).result.figures
    assert (ran.exit, ran.counts, figures.n, figures.mean) == (1, {"passed": 1, "rerun": 1}, 1, Decimal("0.0018"))
    assert verdict(ran) == ("block", ("above",))


def test_an_unsuccessful_sample_is_not_tried_again(project: Project) -> None:
    ran = benched(project, {"a": 900, "b": 900}, FAILING).run("--reruns=2")
    assert (ran.exit, ran.counts, only(ran).result.figures.successes) == (0, {"passed": 1, "xfailed": 1}, 1)


def test_a_worker_that_dies_leaves_the_benchmark_undecided(project: Project) -> None:
    source = "import os\n" + PLAIN + "    if sample['id'] == 'b':\n        os._exit(3)\n"
    ran = benched(project, {"a": 900, "b": 900, "c": 900}, source).run_apart("-n2")
    assert ran.exit == 1
    assert verdict(ran) == ("inconclusive", ("unfinished",))
    assert "2 of 3 samples were measured (its process died)" in ran.said
    assert "To settle it, type: pytest test_it.py::test_it" in ran.said
    assert ran.task("test_it[b]").outcome == "died"
