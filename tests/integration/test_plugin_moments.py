"""When measuring begins: with a marker, with settings, or at the moment in which vcrpy is imported."""

import pytest
from project import Project, chat


@pytest.fixture
def bare(project: Project) -> Project:
    """Without a `tokenbudget.yml`; a model that the price list knows."""
    files = {path: text for path, text in project.files.items() if path != "tokenbudget.yml"}
    return Project(project.pytester, files).recorded(chat(1_000, model="gpt-4o-mini"))


CALL = """
RECORDING = "cassettes/test_it/test_it.yaml"

def once():
    ask(model="gpt-4o-mini")

def call():
    import vcr
    with vcr.use_cassette(RECORDING, allow_playback_repeats=True):
        once()
"""

MOMENTS = {
    "in a conftest": ("import vcr", "def test_it():\n    call()\n"),
    "in the test module": ("", "import vcr\n\ndef test_it():\n    call()\n"),
    "in the test": ("", "def test_it():\n    call()\n    call()\n"),
    "in a fixture": ("", "@pytest.fixture\ndef asked():\n    call()\n\ndef test_it(asked):\n    call()\n"),
    "by a decorator": ("", "import vcr\n\n@vcr.use_cassette(RECORDING)\ndef test_it():\n    once()\n"),
    "by a class imported from it": (
        "",
        "from vcr import VCR\n\ndef test_it():\n    with VCR().use_cassette(RECORDING):\n        once()\n",
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_measuring_begins_with_the_import_of_vcrpy(bare: Project, moment: str) -> None:
    conftest, test = MOMENTS[moment]
    ran = bare.file("conftest.py", conftest).tests(CALL + test).run_apart()
    calls = 2 if moment in {"in the test", "in a fixture"} else 1
    assert (ran.exit, ran.counts) == (0, {"passed": 1})
    assert (len(ran.task().calls), ran.task().exchanges) == (calls, calls)
    assert ran.run.totals.cost
    assert ran.task().outcome == "passed"


@pytest.mark.parametrize(
    ("end", "outcome"),
    [("assert False", "failed"), ("pytest.skip()", "skipped"), ("pytest.xfail()", "xfailed"), ("pass", "passed")],
)
def test_the_outcome_of_the_test_that_imported_it_is_told(bare: Project, end: str, outcome: str) -> None:
    ran = bare.tests(f"{CALL}\ndef test_it():\n    call()\n    {end}\n\ndef test_next():\n    call()\n").run_apart()
    assert ran.task().outcome == outcome
    assert (ran.exit, len(ran.task("test_next").calls)) == (int(outcome == "failed"), 1)


def test_importing_it_with_wrong_settings_breaks_no_test(bare: Project) -> None:
    wrong = bare.file("pyproject.toml", "[tool.tokenbudget]\nmoed = 'off'\n")
    ran = wrong.tests(f"{CALL}\ndef test_it():\n    call()\n").run_apart()
    assert (ran.exit, ran.counts) == (0, {"passed": 1})


def test_a_session_inside_a_test_measures_for_itself_and_gives_back(project: Project) -> None:
    ran = (
        project.file("conftest.py", 'pytest_plugins = "pytester"\n')
        .tests("""
        import pathlib, shutil

        INNER = '''
        import pytest
        from agent import ask

        @pytest.mark.token_budget(tokens=500)
        def test_it():
            ask()
        '''

        @pytest.mark.token_budget(tokens=2000)
        def test_it(pytester, request):
            ask()
            root = request.config.rootpath
            shutil.copy(root / "agent.py", pytester.path)
            (pytester.path / "cassettes/test_inner").mkdir(parents=True)
            shutil.copy(root / "cassettes/test_it/inner.yaml", pytester.path / "cassettes/test_inner/test_it.yaml")
            pytester.makepyfile(test_inner=INNER)
            pytester.makeini("[pytest]")
            result = pytester.runpytest_inprocess("-ppytest_tokenbudget.plugin")
            result.assert_outcomes(failed=1)
            assert (pytester.path / ".tokenbudget/run.json").exists()
            ask("again")
        """)
        .recorded(chat(1_000), chat(1_000, text="again"))
        .recorded(chat(1_000), test="inner")
        .run_apart()
    )
    assert (ran.exit, ran.counts, ran.state()) == (0, {"passed": 1}, "within")
    assert [entry.call.obtained for entry in ran.task().calls] == ["replayed", "replayed"]


def test_a_suite_of_pytest_recording_gains_budgets_by_adding_markers(project: Project) -> None:
    project = project.recorded(chat(1_000)).recorded(chat(1_000), test="test_broken")
    source = """
        @pytest.mark.vcr
        def test_it():
            ask()

        @pytest.mark.vcr
        {mark}
        def test_broken():
            ask()
        """
    before = project.tests(source.format(mark="")).run()
    assert (before.exit, before.counts) == (0, {"passed": 2})
    assert {name: len(task.calls) for name, task in before.tasks.items()} == {"test_it": 1, "test_broken": 1}
    after = project.tests(source.format(mark="@pytest.mark.token_budget(tokens=500)")).run()
    assert (after.exit, after.counts, after.state("test_broken")) == (1, {"passed": 1, "failed": 1}, "blocked")
    assert after.task().exchanges == 1


def test_a_suite_of_pytest_recording_is_measured_under_workers(project: Project) -> None:
    project = project.tests("@pytest.mark.vcr\n@pytest.mark.parametrize('x', range(4))\ndef test_it(x):\n    ask()\n")
    for number in range(4):
        project = project.recorded(chat(1_000), test=f"test_it[{number}]")
    ran = project.run_apart("-n2", "-p", "pytest_recording.plugin")
    assert (ran.exit, len(ran.tasks), ran.run.totals.calls) == (0, 4, 4)
