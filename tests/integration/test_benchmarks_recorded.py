"""A benchmark while it is recorded: each sample's own recording, and no call once enough is known or spent."""

from collections.abc import Iterator
from decimal import Decimal
from textwrap import dedent

import pytest
import scipy.stats  # noqa: F401 - pytester forgets what its inner session imported, and numpy cannot be imported twice
from benched import only, rows, verdict
from loopback import LoopbackModel, Reply
from project import Project, Ran

ONCE = "--tokenbudget-record=once"
CLOSED = "http://127.0.0.1:9"
REACHED = "the model could not be reached: 3 samples in a row"
NAMES = [f"t{number}" for number in range(30)]

PLAIN = """
@pytest.mark.token_budget(usd=0.001)
@pytest.mark.token_benchmark(data="tickets.jsonl")
def test_it(sample):
    ask(sample["id"])
"""


@pytest.fixture
def costs() -> dict[str, int]:
    """Tokens by what is asked; 1,000 for what is not in here."""
    return {}


@pytest.fixture
def model(costs: dict[str, int]) -> Iterator[LoopbackModel]:
    def reply(asked: dict[str, object], _: str) -> Reply:
        messages = asked["messages"]
        assert isinstance(messages, list)
        text = messages[0]["content"]
        tokens = costs.get(text, costs.get("*", 1000))
        return Reply(text=text, usage={"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens})

    with LoopbackModel(reply) as server:
        yield server


@pytest.fixture
def benchmark(project: Project, model: LoopbackModel) -> Project:
    """A project with a benchmark of 30 samples that asks the model on loopback."""
    agent = project.files["agent.py"]
    assert isinstance(agent, str)
    project = project.file("agent.py", agent.replace("https://api.openai.com", model.url))
    return project.tests(PLAIN).file("tickets.jsonl", rows(NAMES))


def asked(model: LoopbackModel) -> list[str]:
    """What the model was asked since the last time this was asked."""
    found = [received.json["messages"][0]["content"] for received in model.requests]
    model.requests.clear()
    return found


def recordings(ran: Ran) -> set[str]:
    """The samples that have a recording."""
    folder = ran.path.parents[1] / "cassettes" / "test_it"
    return {file.stem.partition("[")[2][:-1] for file in folder.glob("*.yaml")}


def drawn(project: Project) -> list[str]:
    """Samples in the order of the draw."""
    lines = project.run("--collect-only", "-q").out.splitlines()
    return [line.partition("[")[2][:-1] for line in lines if "::test_it[" in line]


def leftovers(ran: Ran) -> list[str]:
    """What processes told each other, left behind."""
    return [file.name for file in ran.path.parent.glob("calls/*")]


def test_each_sample_has_a_recording_of_its_own(benchmark: Project, model: LoopbackModel) -> None:
    ran = benchmark.run(ONCE)
    assert (ran.exit, ran.counts, verdict(ran)) == (0, {"passed": 30}, ("pass", ("within",)))
    assert sorted(asked(model)) == sorted(NAMES)
    assert recordings(ran) == set(NAMES)
    again = benchmark.run()
    assert (again.counts, asked(model)) == ({"passed": 30}, [])
    assert only(again) == only(ran)
    assert leftovers(ran) == []


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_benchmark_far_over_its_budget_stops(
    benchmark: Project, model: LoopbackModel, costs: dict[str, int], workers: list[str]
) -> None:
    costs["*"] = 5000
    order = drawn(benchmark)
    ran = benchmark.run_apart(ONCE, *workers) if workers else benchmark.run(ONCE)
    sent = asked(model)
    early = only(ran).result.verdict.early
    assert early is not None
    assert (ran.exit, verdict(ran)) == (1, ("block", ("early",)))
    assert early.at < 30
    assert set(order[: early.at]) <= set(sent)
    # a worker has begun samples behind those that decided; how many, depends on how long the others took
    assert len(sent) < 30 if workers else len(sent) == early.at
    assert ran.counts == {"passed": len(sent), "skipped": 30 - len(sent)}
    assert f"decided after {early.at} of 30 samples" in ran.said
    assert only(ran).unmeasured == (f"decided after {early.at} of 30 samples",)
    assert leftovers(ran) == []
    again = benchmark.run()
    assert (again.exit, asked(model)) == (1, [])
    assert only(again).result == only(ran).result
    assert recordings(again) == set(sent)
    # recording goes on where nothing was recorded, and stops at once for the same reason
    more = benchmark.run(ONCE)
    assert (verdict(more), asked(model)) == (("block", ("early",)), [])


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_benchmark_spends_no_more_than_it_may(benchmark: Project, model: LoopbackModel, workers: list[str]) -> None:
    project = benchmark.tests(PLAIN.replace('.jsonl"', '.jsonl", spend=0.0055'))
    ran = project.run_apart(ONCE, *workers) if workers else project.run(ONCE)
    sent = asked(model)
    assert 6 <= len(sent) <= 6 + len(workers)
    assert (ran.exit, verdict(ran)) == (0, ("inconclusive", ("unfinished",)))
    assert f"{len(sent)} of 30 samples were measured (its money is spent)." in ran.said
    assert ran.counts == {"passed": len(sent), "skipped": 30 - len(sent)}
    # what is recorded costs nothing: the next run goes on
    project.run(ONCE)
    assert len(asked(model)) == 6


def test_money_that_measured_nothing_is_spent_too(benchmark: Project, model: LoopbackModel) -> None:
    source = """
        @pytest.fixture
        def broken(sample):
            ask("setup " + sample["id"])
            raise LookupError
    """
    plain = PLAIN.replace("(sample)", "(sample, broken)").replace('.jsonl"', '.jsonl", spend=0.0055')
    ran = benchmark.tests(dedent(source) + plain).run(ONCE)
    assert len(asked(model)) == 6
    assert ran.counts == {"errors": 6, "skipped": 24}


def test_money_spent_on_samples_behind_one_that_was_skipped_counts(benchmark: Project, model: LoopbackModel) -> None:
    first = drawn(benchmark)[0]
    skips = PLAIN.replace("    ask(", f"    if sample['id'] == '{first}': pytest.skip()\n    ask(")
    ran = benchmark.tests(skips.replace('.jsonl"', '.jsonl", spend=0.0055')).run(ONCE)
    assert len(asked(model)) == 6
    assert ran.counts == {"passed": 6, "skipped": 24}


WAITS = """
import pathlib, time

def wait_for(sample):
    pathlib.Path(f"began-{{sample}}").touch()
    until = time.monotonic() + 20
    while sample == {first!r} and not pathlib.Path("began-{other}").exists() and time.monotonic() < until:
        time.sleep(0.01)
"""


def test_samples_count_in_the_order_of_the_draw_and_not_as_they_come(
    benchmark: Project, model: LoopbackModel, costs: dict[str, int]
) -> None:
    # the first of the draw waits for some that come after it: they are there before it, and decide nothing yet
    costs["*"] = 9000
    first, *others = drawn(benchmark)
    slow = PLAIN.replace("    ask(", "    wait_for(sample['id'])\n    ask(") + WAITS.format(
        first=first, other=others[4]
    )
    ran = benchmark.tests(slow).run_apart(ONCE, "-n2")
    early = only(ran).result.verdict.early
    assert early is not None
    assert first in asked(model)
    assert (verdict(ran), early.at < 30) == (("block", ("early",)), True)
    assert only(benchmark.run()).result == only(ran).result


@pytest.mark.parametrize(("options", "alone"), [([], 2), (["--maxschedchunk=3"], 3)])
def test_workers_take_samples_one_by_one_while_they_pay(benchmark: Project, options: list[str], alone: int) -> None:
    order = drawn(benchmark)
    tells = "import os\n" + PLAIN + "    open(sample['id'] + os.environ['PYTEST_XDIST_WORKER'], 'w').close()\n"
    ran = benchmark.tests(tells).run_apart(ONCE, "-n2", *options)
    assert (ran.exit, ran.counts) == (0, {"passed": 30})
    root = ran.path.parents[1]
    first = {(root / f"{name}gw0").exists() for name in order[:alone]}
    assert len(first) == 1
    assert (root / f"{order[alone]}gw0").exists() not in first


def test_a_sample_whose_agent_raises_after_its_last_answer_is_recorded_whole(
    benchmark: Project, model: LoopbackModel
) -> None:
    project = benchmark.tests(PLAIN + "    if sample['id'] == 't3':\n        raise LookupError('no such ticket')\n")
    ran = project.run(ONCE)
    assert (ran.exit, ran.counts) == (0, {"passed": 29, "xfailed": 1})
    asked(model)
    assert "t3" in recordings(ran)
    assert not list((ran.path.parent / "journal").glob("*"))
    again = project.run()
    assert (again.counts, asked(model), only(again)) == (ran.counts, [], only(ran))
    assert only(again).result.figures.successes == 29


BROKEN = """
import socket, threading, urllib.request

def hang_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        def accept():
            taken, _ = server.accept()
            taken.recv(65536)
            taken.close()
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            ask("lost", url=f"http://127.0.0.1:{port}/v1/chat/completions")
        finally:
            thread.join()
"""


def test_a_sample_whose_request_fails_keeps_what_it_paid_for(benchmark: Project, model: LoopbackModel) -> None:
    project = benchmark.file("tickets.jsonl", rows(["a", "b"]))
    ran = project.tests(BROKEN + PLAIN + "    if sample['id'] == 'b':\n        hang_up()\n").run(ONCE)
    assert sorted(asked(model)) == ["a", "b"]
    assert recordings(ran) == {"a"}
    (journal,) = (ran.path.parent / "journal").glob("*.jsonl")
    assert [f'"{kind}":{number}' in journal.read_text() for kind, number in (("sent", 2), ("sent", 3))] == [True, False]
    assert (ran.exit, ran.counts) == (1, {"passed": 1, "failed": 1})
    assert (verdict(ran), only(ran).unmeasured) == (("inconclusive", ("unfinished",)), ("a request got no answer",))
    assert "1 answer is kept in .tokenbudget/journal, and will not be paid for twice. To go on, type:" in ran.said
    # it goes on after the answer that it has
    whole = project.tests(PLAIN).run(ONCE)
    assert (whole.exit, asked(model), verdict(whole)) == (0, [], ("pass", ("within",)))


def test_a_smaller_benchmark_grows(benchmark: Project, model: LoopbackModel) -> None:
    benchmark.run(ONCE, "--tokenbudget-samples=4")
    first = asked(model)
    ran = benchmark.run(ONCE, "--tokenbudget-samples=6")
    assert (len(first), len(asked(model)), ran.counts) == (4, 2, {"passed": 6})
    assert only(ran).result.figures.mean == Decimal("0.001")


def test_a_model_that_cannot_be_reached_is_not_tried_for_every_sample(benchmark: Project, model: LoopbackModel) -> None:
    agent = benchmark.files["agent.py"]
    assert isinstance(agent, str)
    down = benchmark.file("agent.py", agent.replace(model.url, CLOSED))
    ran = down.run(ONCE, "-rs")
    assert (ran.exit, ran.counts) == (1, {"failed": 3, "skipped": 27})
    assert verdict(ran) == ("inconclusive", ("no_samples",))
    assert only(ran).unmeasured == ("a request got no answer", REACHED)
    assert "SKIPPED [27] test_it.py:" in ran.out
    assert ran.out.count("a request got no answer: ConnectionRefusedError: ") == 3
    assert "urllib/request.py" not in ran.out
    assert "possibly billed" not in ran.out
    assert not list((ran.path.parent / "journal").glob("*.jsonl"))
    # what was recorded before is replayed, and is no sign that the model is there again
    benchmark.run(ONCE, "--tokenbudget-samples=5")
    model.__exit__(None, None, None)
    again = benchmark.run(ONCE)
    assert again.counts == {"passed": 5, "failed": 3, "skipped": 22}


def test_a_model_that_answers_now_and_then_is_asked_on(benchmark: Project, model: LoopbackModel) -> None:
    names = drawn(benchmark)
    down = {name for place, name in enumerate(names) if place % 3}
    url = f"('{CLOSED}' if sample['id'] in {sorted(down)} else '{model.url}') + '/v1/chat/completions'"
    ran = benchmark.tests(PLAIN.replace('ask(sample["id"])', f'ask(sample["id"], url={url})')).run(ONCE)
    assert ran.counts == {"passed": 10, "failed": 20}
