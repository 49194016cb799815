from project import Project, chat

OPEN = "cassettes/test_it/test_it.yaml"
SHARED = f"""
import vcr

def call(text="Hello"):
    with vcr.use_cassette("{OPEN}", allow_playback_repeats=True):
        ask(text)
"""
"""A call from anywhere: the recording is opened around it."""


def phases(project: Project, source: str, *args: str) -> dict[str, list[str]]:
    ran = project.tests(SHARED + source).recorded(chat(1_000)).run(*args)
    return {name: [entry.phase for entry in task.calls] for name, task in ran.tasks.items()}


def test_calls_are_counted_to_their_phase(project: Project) -> None:
    found = phases(
        project,
        """
@pytest.fixture
def around():
    call()
    yield
    call()
    call()

def test_it(around):
    call()
""",
    )
    assert found == {"test_it": ["setup", "call", "teardown", "teardown"]}


def test_setup_and_call_are_judged_together(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture
def before():
    call()

@pytest.mark.token_budget(tokens=1500)
def test_it(before):
    call()
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.counts, ran.state()) == ({"failed": 1}, "blocked")


def test_calls_of_the_teardown_can_fail_the_teardown(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture
def after():
    yield
    call()

@pytest.mark.token_budget(tokens=1500)
def test_it(after):
    call()

def test_next():
    pass
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.exit, ran.counts, ran.state()) == (1, {"passed": 2, "errors": 1}, "blocked")
    assert "ERROR at teardown of test_it" in ran.out
    assert ran.task().outcome == "failed"
    assert "Over budget: 2,000 of 1,500 tokens" in ran.said


def test_a_broken_budget_fails_once(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture
def after():
    yield
    call()

@pytest.mark.token_budget(tokens=500)
def test_it(after):
    call()
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.counts, ran.state()) == ({"failed": 1}, "critical")
    assert len(ran.task().calls) == 2


def test_calls_of_a_failing_setup_are_judged_too(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture
def broken():
    call()
    raise OSError("no database")

@pytest.mark.token_budget(tokens=500)
def test_it(broken):
    pass
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.counts, ran.state()) == ({"errors": 1}, "blocked")
    assert "OSError: no database" in ran.said
    assert "Over budget: 1,000 of 500 tokens" in ran.said


def test_a_fixture_for_a_test_without_budget_costs_the_test(project: Project) -> None:
    assert phases(
        project, "@pytest.fixture(autouse=True)\ndef before():\n    call()\n\ndef test_it():\n    pass\n"
    ) == {"test_it": ["setup"]}


WIDER = """
@pytest.fixture(scope="{scope}")
def wide():
    call()
    yield
    call()

class TestA:
    def test_1(self, wide):
        call()
    def test_2(self, wide):
        pass
    def test_3(self):
        call()
"""


def test_a_wider_fixture_is_a_task_of_its_own(project: Project) -> None:
    for scope, node in {
        "class": "test_it.py::TestA",
        "module": "test_it.py",
        "package": ".",
        "session": ".",
    }.items():
        ran = project.tests(SHARED + WIDER.format(scope=scope)).recorded(chat(1_000)).run()
        assert ran.counts == {"passed": 3}
        assert {name: len(task.calls) for name, task in ran.tasks.items()} == {"TestA::test_1": 1, "TestA::test_3": 1}
        assert {name: len(task.calls) for name, task in ran.fixtures.items()} == {f"{node}::wide [{scope} fixture]": 2}
        assert {sum(portion.calls for portion in task.portions) for task in ran.fixtures.values()} == {2}


def test_each_execution_of_a_wider_fixture_is_listed(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture(scope="module", params=["x", "y"])
def wide(request):
    call()

def test_1(wide):
    pass
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert sorted(ran.fixtures) == [
        "test_it.py::wide [module fixture, execution 2]",
        "test_it.py::wide [module fixture]",
    ]
    assert ran.run.totals.calls == 2


def test_wider_fixtures_that_need_each_other_keep_their_own_calls(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture(scope="session")
def outer():
    call()
    yield
    call()
    call()

@pytest.fixture(scope="module")
def inner(outer):
    call()
    yield
    call()

@pytest.fixture(scope="session")
def asking(request):
    request.getfixturevalue("outer")
    call()

def test_1(inner, asking):
    call()
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert {name.partition("::")[2]: len(task.calls) for name, task in ran.fixtures.items()} == {
        "outer [session fixture]": 3,
        "inner [module fixture]": 2,
        "asking [session fixture]": 1,
    }
    assert len(ran.task("test_1").calls) == 1


def test_a_wider_fixture_does_not_count_against_the_test_that_came_first(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture(scope="module")
def wide():
    call()
    call()

@pytest.mark.token_budget(tokens=1000)
def test_1(wide):
    call()
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert (ran.exit, ran.state("test_1")) == (0, "within")


def test_xunit_and_unittest_fixtures_are_wider_fixtures(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
import unittest

def setup_module():
    call()

class TestX:
    @classmethod
    def setup_class(cls):
        call()

    def setup_method(self):
        call()

    def test_1(self):
        pass

class TestU(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        call()

    def setUp(self):
        call()

    def test_1(self):
        pass
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert {name: len(task.calls) for name, task in ran.tasks.items()} == {"TestX::test_1": 1, "TestU::test_1": 1}
    assert len(ran.fixtures) == 3


def test_a_failing_wider_fixture_keeps_its_calls(project: Project) -> None:
    ran = (
        project.tests(
            SHARED
            + """
@pytest.fixture(scope="module")
def wide():
    call()
    raise OSError

def test_1(wide):
    pass

def test_2(wide):
    pass
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert ran.counts == {"errors": 2}
    assert {name: len(task.calls) for name, task in ran.fixtures.items()} == {"test_it.py::wide [module fixture]": 1}


def test_calls_outside_of_any_test_are_kept(project: Project) -> None:
    ran = project.tests(SHARED + "call()\n\ndef test_it():\n    pass\n").recorded(chat(1_000)).run()
    assert ran.counts == {"passed": 1}
    assert {name: len(task.calls) for name, task in ran.fixtures.items()} == {"(outside of any test)": 1}


def test_the_meter_is_there_for_the_test(project: Project) -> None:
    ran = (
        project.tests(
            """
from decimal import Decimal

@pytest.mark.token_budget
def test_it(token_meter):
    assert (token_meter.usd, token_meter.steps, token_meter.calls) == (0, 0, ())
    ask()
    assert token_meter.usd == Decimal("0.001")
    assert token_meter.steps == 1
    assert token_meter.usage.input == 1000
    [call] = token_meter.calls
    assert call.model == "tiny"
"""
        )
        .recorded(chat(1_000))
        .run()
    )
    assert ran.counts == {"passed": 1}


def test_the_meter_says_unknown(project: Project) -> None:
    source = "@pytest.mark.token_budget\ndef test_it(token_meter):\n    ask()\n    assert token_meter.usd is None\n"
    assert project.tests(source).recorded(chat(usage=None)).run().counts == {"passed": 1}


def test_without_setting_the_meter_measures_an_unmarked_test(project: Project) -> None:
    files = {path: text for path, text in project.files.items() if path != "tokenbudget.yml"}
    ran = (
        Project(project.pytester, files)
        .tests(SHARED + "def test_it(token_meter):\n    call()\n    assert token_meter.usage.input == 1000\n")
        .recorded(chat(1_000))
        .run_apart()
    )
    assert ran.counts == {"passed": 1}


def test_setup_only_blames_nobody(project: Project) -> None:
    ran = project.tests("@pytest.mark.token_budget(usd=1)\ndef test_it():\n    ask()\n").recorded().run("--setup-only")
    assert ran.exit == 0
