"""What a benchmark refuses: data, markers and tests that are wrong, each in a message of ours; and hostile ids."""

import json
from pathlib import Path

import pytest
from benched import PLAIN, benched, only, rows, verdict
from project import Project, Ran, chat

QUIET = PLAIN.replace("ask(", "print(")
MARK = "@pytest.mark.token_benchmark of test_it: "


def refused(ran: Ran) -> str:
    """What was said instead of running: a message, without a traceback."""
    assert ran.exit == 2
    assert ran.result.parseoutcomes() == {"errors": 1}
    assert not any(trace in ran.said for trace in ("Traceback", "INTERNALERROR", "pytest_tokenbudget/", "pluggy/"))
    (line,) = (line for line in ran.out.splitlines() if line.startswith("[config] "))
    return line.removeprefix("[config] test_it.py:").partition(": ")[2].removeprefix(MARK)


DATA: dict[str, tuple[str, str | bytes | None, str]] = {
    "no such file": ("tickets.jsonl", None, "cannot be read: No such file or directory."),
    "a broken line": (
        "tickets.jsonl",
        '{"id": "a"}\n\n{"id": \n',
        ":3: is not JSON: Input data was truncated. Each line must hold one sample.",
    ),
    "one id twice": (
        "tickets.jsonl",
        '{"id": "a"}\n\n{"id": "a"}\n',
        ":3: the id 'a' is also that of tickets.jsonl:1. Give every sample an id of its own.",
    ),
    "ids that differ in case": (
        "tickets.jsonl",
        '{"id": "T1"}\n{"id": "t1"}\n',
        ":2: the id 't1' is, but for its case, that of tickets.jsonl:1. Give every sample an id of its own.",
    ),
    "a number that is another's id": (
        "tickets.jsonl",
        '{"id": "2"}\n{"text": "b"}\n',
        ":2: the id '2' is also that of tickets.jsonl:1. Give every sample an id of its own.",
    ),
    "an id that is a list": (
        "tickets.jsonl",
        '{"id": ["a"]}\n',
        ":1: the id ['a'] is neither a text nor a whole number.",
    ),
    "a blank id": ("tickets.jsonl", '{"id": " "}\n', ":1: the id ' ' is neither a text nor a whole number."),
    "an id that is true": ("tickets.jsonl", '{"id": true}\n', ":1: the id True is neither a text nor a whole number."),
    "nothing in it": ("tickets.jsonl", "\n\n", "holds no sample."),
    "bytes": ("tickets.jsonl", b'{"id": "\xff"}\n', "is not UTF-8 text (invalid start byte at byte 8)."),
    "another kind of file": (
        "tickets.txt",
        "a\n",
        "is no file of samples. Its name must end with one of .jsonl, .ndjson, .csv, .yaml, .yml, .json.",
    ),
    "too many columns": ("tickets.csv", "id,text\na,b\nc,d,e\n", ":3: has 3 fields, and the header 2."),
    "too few columns": ("tickets.csv", 'id,text\n"a\nb",c\nd\n', ":4: has 1 field, and the header 2."),
    "one column twice": ("tickets.csv", "id,id\na,b\n", ":1: names the column 'id' twice."),
    "an open quote": ("tickets.csv", 'id,text\n"a,b\n', ":2: is not CSV: unexpected end of data."),
    "a header alone": ("tickets.csv", "id,text\n", "holds no sample."),
    "no list in YAML": ("tickets.yaml", "a: 1\n", "holds a mapping, not a list of samples."),
    "nothing in YAML": ("tickets.yaml", "", "holds nothing, not a list of samples."),
    "broken YAML": ("tickets.yaml", "- a\n- [\n", ":3: is not YAML: did not find expected node content."),
    "an object in YAML": (
        "tickets.yaml",
        "- !!python/object:os.system x\n",
        ":1: is not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/object:os.system'.",
    ),
    "one id twice in YAML": (
        "tickets.yaml",
        "- {id: a}\n- {id: a}\n",
        ": sample 2: the id 'a' is also that of tickets.yaml: sample 1. Give every sample an id of its own.",
    ),
    "no list in JSON": ("tickets.json", '"a"', "holds a text, not a list of samples."),
    "broken JSON": ("tickets.json", "[1,", "is not JSON: Input data was truncated."),
}


@pytest.mark.parametrize("what", DATA)
def test_data_that_is_wrong(project: Project, what: str) -> None:
    name, content, message = DATA[what]
    project = project.tests(QUIET.replace("tickets.jsonl", name))
    ran = (project if content is None else project.file(name, content)).run()
    place = name if message.startswith(":") else f"{name}: "
    assert refused(ran) == f"`data`: {place}{message}"


CALLED = {
    "raise LookupError('no')": "failed: LookupError: no.",
    "raise OSError": "failed: OSError.",
    "raise SystemExit": "failed: SystemExit.",
    "yield 1; raise LookupError('no')": "failed: LookupError: no.",
    "return None": "failed: TypeError: 'NoneType' object is not iterable.",
    "return []": "holds no sample.",
    "return [{'id': 'a'}, {'id': 'a'}]": (
        "sample 2: the id 'a' is also that of give(): sample 1. Give every sample an id of its own."
    ),
}


@pytest.mark.parametrize("body", CALLED)
def test_a_callable_that_is_wrong(project: Project, body: str) -> None:
    source = f"def give():\n    {body}\n{QUIET.replace(chr(34) + 'tickets.jsonl' + chr(34), 'give')}"
    assert refused(project.tests(source).run()) == f"`data`: give(): {CALLED[body]}"


def test_a_callable_that_is_asynchronous(project: Project) -> None:
    source = f"async def give():\n    return [1]\n{QUIET.replace(chr(34) + 'tickets.jsonl' + chr(34), 'give')}"
    message = "`data`: give(): is asynchronous. Give samples by a plain function."
    assert refused(project.tests(source).run()) == message


SOUND = 'data="tickets.jsonl"'
STATED = {
    "": 'names no samples. Write for example data="tickets.jsonl".',
    "data=None": 'names no samples. Write for example data="tickets.jsonl".',
    '"tickets.jsonl"': "('tickets.jsonl') names no argument. Write for example data=\"tickets.jsonl\", samples=100.",
    f"{SOUND}, sample=3": (
        "unknown argument `sample` (did you mean `samples`?). Allowed: cluster, data, ideal_steps, samples, seed, "
        "spend, stratify, usd_per_success."
    ),
    "data=3": "`data`: 3 is neither the path of a file of samples nor a callable that gives them.",
    'data=""': "`data`: '' is neither the path of a file of samples nor a callable that gives them.",
    'data="x\\0.jsonl"': "`data`: x\\0.jsonl: cannot be read: embedded null byte.",
    f"{SOUND}, samples=0": "`samples`: 0 is not a whole number of one or more.",
    f"{SOUND}, samples=True": "`samples`: True is not a whole number of one or more.",
    f"{SOUND}, samples='many'": "`samples`: 'many' is not a whole number of one or more.",
    f"{SOUND}, seed=1.5": "`seed`: 1.5 is not a whole number from 0 to 1,000,000,000,000.",
    f"{SOUND}, seed=True": "`seed`: True is not a whole number from 0 to 1,000,000,000,000.",
    f"{SOUND}, seed=-1": "`seed`: -1 is not a whole number from 0 to 1,000,000,000,000.",
    f"{SOUND}, spend=-1": "`spend`: -1 is not an amount of US dollars of zero or more.",
    f"{SOUND}, usd_per_success='much'": "`usd_per_success`: 'much' is not an amount of US dollars.",
    f"{SOUND}, ideal_steps=0.5": "`ideal_steps`: 0.5 is not a number of one or more.",
    f"{SOUND}, cluster=''": "`cluster`: '' is not a name.",
    f"{SOUND}, cluster='customer'": "sample 'b' has no field `customer`.",
    f"{SOUND}, stratify='customer'": "sample 'b' has no field `customer`.",
}


@pytest.mark.parametrize("stated", STATED)
def test_a_marker_that_is_wrong(project: Project, stated: str) -> None:
    project = project.tests(QUIET.replace(SOUND, stated))
    project = project.file("tickets.jsonl", '{"id": "a", "customer": 1}\n{"id": "b"}\n')
    assert refused(project.run()).replace("\0", "\\0") == STATED[stated]


def test_a_test_without_a_sample(project: Project) -> None:
    project = project.file("tickets.jsonl", rows("ab"))
    message = "the test must take an argument `sample`: it is run once for each."
    assert refused(project.tests(QUIET.replace("(sample)", "()")).run()) == message
    assert refused(project.tests(QUIET.replace("(sample)", "(sample=3)")).run()) == message


def test_a_sample_may_be_taken_by_a_fixture(project: Project) -> None:
    source = "@pytest.fixture\ndef text(sample):\n    return sample['text']\n" + PLAIN.replace("(sample)", "(text)")
    ran = benched(project, {"a": 900, "b": 900}, source.replace('sample["text"]', "text")).run()
    assert (ran.exit, verdict(ran)) == (0, ("pass", ("within",)))


def test_a_test_of_another_kind(project: Project) -> None:
    source = """
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.mark.token_benchmark(data="tickets.jsonl")
            def test_it(self):
                ask()
    """
    ran = project.tests(source).file("tickets.jsonl", rows("ab")).run()
    assert ran.exit == 4
    where = "[config] test_it.py::TestIt::test_it: @pytest.mark.token_benchmark"
    assert f"{where}: no test of this kind can take a sample. Write a function or a method." in ran.said
    assert "Traceback" not in ran.said


def test_workers_refuse_alike(project: Project) -> None:
    ran = project.tests(QUIET).file("tickets.jsonl", "{").run_apart("-n2")
    assert ran.exit == 1  # which is how pytest-xdist ends after any error of collection
    assert f"[config] test_it.py:4: {MARK}`data`: tickets.jsonl:1: is not JSON" in ran.said
    assert "Traceback" not in ran.said
    assert "INTERNALERROR" not in ran.said


def test_one_wrong_benchmark_leaves_the_others(project: Project) -> None:
    project = project.tests(QUIET.replace("tickets.jsonl", "missing.jsonl"), module="test_other")
    ran = benched(project, {"a": 900}).run("--continue-on-collection-errors")
    assert (ran.exit, ran.counts, verdict(ran)) == (1, {"passed": 1, "errors": 1}, ("pass", ("within",)))


HOSTILE = [
    "line\nbreak",
    "a[b]",
    "b]",
    "a::b",
    "../../escape",
    "/etc/passwd",
    "a/b",
    "a:b",
    "a-b",
    "🙂",
    "\u202egnp.exe",
    "x" * 5000,
    "x" * 5000 + "y",
    "a b",
    "a\tb",
    "\x00",
    "\\x00",
    "é",
    "e\u0301",
    "\\xe9",
    "--tokenbudget-record=all",
    "'; rm -rf ~; '",
    "nul.",
    ".",
    "..",
    "@",
    "\x1b[31mred",
]


def test_ids_that_are_hostile(project: Project) -> None:
    sees = "def see(name):\n    with open('seen.txt', 'a') as file:\n        print(ascii(name), file=file)\n"
    recorded = project.file("tickets.jsonl", rows(HOSTILE)).tests(
        sees + PLAIN.replace('ask(sample["text"])', "see(sample['id'])")
    )
    ran = recorded.run()
    assert (ran.exit, ran.counts) == (0, {"passed": len(HOSTILE)})
    assert sorted(Path("seen.txt").read_text().splitlines()) == sorted(map(ascii, HOSTILE))
    assert len({task.id for task in ran.run.tasks}) == len(HOSTILE)
    assert {task.drawn.benchmark for task in ran.run.tasks if task.drawn} == {"test_it.py::test_it"}
    assert sorted(task.drawn.place for task in ran.run.tasks if task.drawn) == list(range(len(HOSTILE)))
    assert "\x1b[31mred" not in ran.out
    assert "\u202e" not in ran.out


def test_no_two_ids_share_a_recording(project: Project) -> None:
    """Every sample records one answer, in a file inside of the folder of recordings, and finds it again."""
    from loopback import LoopbackModel, Reply

    ids = HOSTILE
    agent = project.files["agent.py"]
    assert isinstance(agent, str)
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "total_tokens": 1000}
    with LoopbackModel(lambda *_: Reply(text="Hi", usage=usage)) as model:
        project = project.file("agent.py", agent.replace("https://api.openai.com", model.url))
        project = project.tests(PLAIN.replace('"text"', '"id"')).file("tickets.jsonl", rows(ids))
        before = {*project.pytester.path.parent.rglob("*")}
        ran = project.run("--tokenbudget-record=once")
        assert (ran.exit, ran.counts, len(model.requests)) == (0, {"passed": len(ids)}, len(ids))
        root = project.pytester.path
        files = [*(root / "cassettes" / "test_it").iterdir()]
        assert len(files) == len(ids)
        assert len({file.name.casefold() for file in files}) == len(ids)
        assert all(root in file.parents for file in {*root.parent.rglob("*")} - before)
        again = project.run()
        assert (again.exit, again.counts, len(model.requests)) == (0, {"passed": len(ids)}, len(ids))
        assert only(again).result == only(ran).result


def test_a_hostile_id_among_further_parameters(project: Project) -> None:
    further = '@pytest.mark.parametrize("mood", ["calm", "[x]-"])\n'
    source = further + QUIET.lstrip().replace("(sample)", "(sample, mood)")
    project = project.tests(source).file("tickets.jsonl", rows(["a-calm", "calm-", "[x]-", "-", "é", "b\n"]))
    ran = project.run()
    assert ran.counts == {"passed": 12}
    found = {benchmark.plan.id for benchmark in ran.run.benchmarks}
    assert found == {"test_it.py::test_it[calm]", "test_it.py::test_it[[x]-]"}
    assert {task.drawn.benchmark for task in ran.run.tasks if task.drawn} == found


def test_a_field_that_is_large(project: Project) -> None:
    ran = (
        project.tests(QUIET.replace("tickets.jsonl", "tickets.csv"))
        .file("tickets.csv", f"id,text\na,{'x' * 200_000}\n")
        .run()
    )
    assert ran.counts == {"passed": 1}


def test_numbers_and_texts_are_ids(project: Project) -> None:
    project = project.file("tickets.jsonl", '{"id": 7, "text": "Hello"}\n{"text": "Hello"}\n')
    ran = project.tests(PLAIN).recorded(chat(900), test="test_it[7]").recorded(chat(900), test="test_it[2]").run()
    assert (ran.exit, {task.id for task in ran.run.tasks}) == (0, {"test_it.py::test_it[7]", "test_it.py::test_it[2]"})


def test_what_the_workers_see_is_what_the_file_says(project: Project) -> None:
    values = [{"id": "a", "text": "é", "nested": {"x": [1, 2.5, None, True]}}, {"id": "b", "text": ""}]
    project = project.tests(QUIET.replace('print(sample["text"])', "print('seen', sample)"))
    ran = project.file("tickets.jsonl", "".join(json.dumps(value) + "\n" for value in values)).run("-s")
    for value in values:
        assert f"seen {value}" in ran.out
