from pathlib import Path

import pytest
from project import Project, chat

USAGE_ERROR = 4
TEST = """
import vcr

@pytest.mark.parametrize("case", ["a", "b[1]", "b*"])
def test_it(case):
    with vcr.use_cassette("cassettes/test_it/test_it.yaml", allow_playback_repeats=True):
        ask()
"""


def states(project: Project) -> dict[str, str]:
    ran = project.recorded(chat(1_000)).run()
    return {name.partition("[")[2][:-1]: task.verdict.state for name, task in ran.tasks.items()}


def test_a_budget_by_exact_node_id_brackets_and_all(project: Project) -> None:
    found = states(project.tests(TEST).settings('budgets: {"test_it.py::test_it[b[1]]": {tokens: 500}}'))
    assert found == {"a": "unlimited", "b[1]": "blocked", "b*": "unlimited"}


def test_an_exact_node_id_that_looks_like_a_pattern_is_exact_first(project: Project) -> None:
    found = states(
        project.tests(TEST).settings("""\
            budgets:
              "test_it.py::test_it[b*]": {tokens: 500}
              "test_it.py::test_it[b[1]]": {tokens: 1000}
            """)
    )
    assert found == {"a": "unlimited", "b[1]": "within", "b*": "blocked"}


def test_a_budget_by_pattern(project: Project) -> None:
    assert states(project.tests(TEST).settings('budgets: {"*::test_it*": {tokens: 500}}')) == dict.fromkeys(
        ["a", "b[1]", "b*"], "blocked"
    )
    assert set(states(project.tests(TEST).settings('budgets: {"other/*": {tokens: 500}}')).values()) == {"unlimited"}


def test_a_budget_by_workflow(project: Project) -> None:
    ran = (
        project.settings("""\
            workflows: {triage: {tokens: 500, team: support}}
            """)
        .tests("""
        @pytest.mark.token_budget(workflow="triage")
        def test_it():
            ask()
        """)
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.exit, ran.state(), ran.task().budget.team) == (1, "blocked", "support")
    assert "Budget from tokenbudget.yml:2: workflows.triage" in ran.said


def test_a_pattern_asks_nothing_of_tests_without_model_calls(project: Project) -> None:
    ran = project.settings('budgets: {"*": {usd: 1}}').tests("def test_it():\n    pass\n").run()
    assert (ran.exit, ran.counts, ran.state()) == (0, {"passed": 1}, "within")


def test_an_exact_node_id_asks_for_a_model_call(project: Project) -> None:
    ran = project.settings('budgets: {"test_it.py::test_it": {usd: 1}}').tests("def test_it():\n    pass\n").run()
    assert (ran.exit, ran.state()) == (1, "unmeasured")


def test_pyproject_states_settings_and_budgets(project: Project) -> None:
    bare = Project(project.pytester, {path: text for path, text in project.files.items() if path != "tokenbudget.yml"})
    ran = (
        bare.file("pyproject.toml", '[tool.tokenbudget.budgets."test_it.py::test_it"]\ntokens = 500\n')
        .tests(
            "import vcr\ndef test_it():\n    with vcr.use_cassette('cassettes/test_it/test_it.yaml'):\n        ask()\n"
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.exit, ran.state()) == (1, "blocked")


@pytest.mark.parametrize(
    ("places", "steps", "from_place"),
    [
        ("pyproject", 5, "pyproject.toml"),
        ("pyproject yml", 4, "tokenbudget.yml"),
        ("pyproject yml marker", 3, "test_it.py:4"),
    ],
)
def test_the_stronger_place_states_the_limit(project: Project, places: str, steps: int, from_place: str) -> None:
    if "pyproject" in places:
        project = project.file("pyproject.toml", '[tool.tokenbudget.budgets."test_it.py::test_it"]\nsteps = 5\n')
    if "yml" in places:
        project = project.settings('budgets: {"test_it.py::test_it": {steps: 4}}')
    mark = "@pytest.mark.token_budget(steps=3)" if "marker" in places else "@pytest.mark.token_budget"
    ran = project.tests(f"\n{mark}\ndef test_it():\n    ask()\n").recorded().run()
    assert dict(ran.task().budget.limits()) == {"steps": steps}
    assert dict(ran.task().budget.origins)["steps"].startswith(from_place)


@pytest.mark.parametrize(
    ("places", "mode"),
    [
        ("pyproject", "observe"),
        ("pyproject yml", "enforce"),
        ("pyproject yml variable", "observe"),
        ("pyproject yml variable option", "enforce"),
    ],
)
def test_the_stronger_place_states_the_mode(
    project: Project, monkeypatch: pytest.MonkeyPatch, places: str, mode: str
) -> None:
    project = project.tests("@pytest.mark.token_budget\ndef test_it():\n    ask()\n").recorded()
    if "pyproject" in places:
        project = project.file("pyproject.toml", '[tool.tokenbudget]\nmode = "observe"\n')
    if "yml" in places:
        project = project.settings("mode: enforce")
    if "variable" in places:
        monkeypatch.setenv("TOKENBUDGET", "observe")
    ran = project.run(*(["--tokenbudget=enforce"] if "option" in places else []))
    assert ran.run.mode == mode


def test_the_environment_is_stronger_than_a_marker(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project.tests("@pytest.mark.token_budget(tokens=1000, tolerance=0)\ndef test_it():\n    ask()\n")
    project = project.recorded(chat(1_100))
    assert project.run().state() == "blocked"
    monkeypatch.setenv("TOKENBUDGET_TOLERANCE", "20%")
    assert project.run().state() == "over"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("tokenbudget.yml", "mode: enforce\ntolerence: 5%\n", "tokenbudget.yml:2: tolerence: unknown setting"),
        ("tokenbudget.yml", "a: [1\nb: 2\n", "tokenbudget.yml:2: is not YAML:"),
        (
            "tokenbudget.yml",
            "mode: enforce\nmode: off\n",
            "tokenbudget.yml:2: `mode` is stated twice, first on line 1.",
        ),
        ("tokenbudget.yml", "- mode\n", "tokenbudget.yml: holds list, not settings"),
        ("tokenbudget.yml", b"\xff\xfe\x00", "tokenbudget.yml: is not UTF-8 text"),
        ("tokenbudget.yml", "mode: strict\n", "tokenbudget.yml:1: mode: 'strict' is not one of enforce, observe, off."),
        ("tokenbudget.yml", "budgets:\n  'a::b':\n    usd: -1\n", "tokenbudget.yml:3: budgets.a::b.usd: "),
        ("tokenbudget.yml", "budgets: {a: {usdd: 1}}\n", "tokenbudget.yml:1: budgets.a.usdd: unknown limit"),
        (
            "tokenbudget.yml",
            "prices:\n  tiny: {inputs: 1}\n",
            "tokenbudget.yml:2: prices.tiny.inputs: unknown token class",
        ),
        ("tokenbudget.yaml", "mode: off\n", "tokenbudget.yaml"),
        ("pyproject.toml", "[tool.tokenbudget]\nmoed = 'off'\n", "pyproject.toml: tool.tokenbudget.moed: unknown"),
    ],
)
def test_a_wrong_file_is_refused(project: Project, file: str, content: str | bytes, said: str) -> None:
    # the module imports vcrpy: whoever imports it is not to blame
    project = project.tests("import vcr\n\n\n@pytest.mark.token_budget\ndef test_it():\n    ask()\n").recorded()
    project = Project(
        project.pytester, {path: text for path, text in project.files.items() if path != "tokenbudget.yml"}
    )
    ran = project.file(file, content).run()
    assert ran.exit == USAGE_ERROR
    assert f"ERROR: [config] {said}" in ran.said
    assert "INTERNALERROR" not in ran.said
    assert not ran.path.exists()


def test_a_wrong_file_is_refused_under_xdist(project: Project) -> None:
    bare = Project(project.pytester, {path: text for path, text in project.files.items() if path != "tokenbudget.yml"})
    ran = (
        bare.file("pyproject.toml", "[tool.tokenbudget]\nmoed = 'off'\n")
        .tests("@pytest.mark.token_budget\ndef test_it():\n    ask()\n")
        .run_apart("-n2")
    )
    assert ran.exit == USAGE_ERROR
    assert "ERROR: [config] pyproject.toml: tool.tokenbudget.moed: unknown setting `moed`" in ran.said


def test_a_wrong_variable_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENBUDGET", "loud")
    ran = project.tests("def test_it():\n    pass\n").run()
    assert ran.exit == USAGE_ERROR
    assert "ERROR: [config] TOKENBUDGET" in ran.said


def test_settings_of_ours_do_not_bother_a_suite_that_measures_nothing(project: Project) -> None:
    bare = Project(project.pytester, {path: text for path, text in project.files.items() if path != "tokenbudget.yml"})
    ran = (
        bare.file("pyproject.toml", "[tool.tokenbudget]\nmoed = 'off'\n")
        .tests("def test_it():\n    pass\n")
        .run_apart()
    )
    assert ran.exit == 0


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_the_run_goes_where_the_option_says_from_where_it_was_typed(
    project: Project, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    inner = project.pytester.mkdir("inner")
    monkeypatch.chdir(inner)
    project = project.tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n").recorded()
    ran = project.run_apart(workers, "--rootdir=..", "--tokenbudget-out=sub/out.json", "..", out="inner/sub/out.json")
    assert (ran.exit, ran.state()) == (0, "within")
    assert not (project.pytester.path / ".tokenbudget").exists()
    assert sorted(path.name for path in (inner / "sub").iterdir()) == ["out.json"]


def test_the_file_says_where_the_run_goes_from_the_root(project: Project) -> None:
    project = project.settings("out: build/cost.json").tests("@pytest.mark.token_budget\ndef test_it():\n    ask()\n")
    ran = project.recorded().run(out="build/cost.json")
    assert [task.id for task in ran.run.tasks] == ["test_it.py::test_it"]


@pytest.mark.parametrize("below", [True, False])
def test_a_run_that_cannot_be_written_is_said_and_fails_no_test(project: Project, below: bool) -> None:  # noqa: FBT001 - a case
    target = "taken/run.json" if below else "folder"
    project = project.tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n").recorded()
    project = project.file("taken", "a file").file("folder/file", "")
    ran = project.run(f"--tokenbudget-out={target}")
    assert (ran.exit, ran.counts) == (0, {"passed": 1})
    assert "[run-file]" in ran.said
    assert f"{target}: the run cannot be written" in ran.said
    assert "Say where with --tokenbudget-out." in ran.said
    assert "✓ test_it.py::test_it" in ran.out
    assert (project.pytester.path / "taken").read_text() == "a file"


def test_paths_of_this_machine_stay_out_of_the_run(project: Project) -> None:
    ran = project.tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n").recorded().run()
    assert str(Path(project.pytester.path)) not in ran.path.read_text()
