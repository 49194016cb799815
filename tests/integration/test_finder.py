"""vcrpy is met whenever it is imported: before us, in a conftest, in the middle of a test, or never."""

import sys

import pytest
from project import Project, Ran, chat

QUESTION = '{"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}'


def replayed(ran: Ran) -> dict[str, list[str]]:
    """How each test's answers were obtained."""
    return {name: [entry.call.obtained for entry in task.calls] for name, task in ran.tasks.items()}


def test_a_suite_that_never_imports_vcrpy_loads_nothing_of_ours(pytester: pytest.Pytester) -> None:
    ran = (
        Project.empty(pytester)
        .tests(
            """
        import sys

        def test_it():
            ours = {name.removeprefix("pytest_tokenbudget") for name in sys.modules if name.startswith("pytest_token")}
            assert ours == {"", ".plugin", ".traffic", ".traffic.finder"}
            assert not {"vcr", "yaml", "genai_prices", "msgspec"} & set(sys.modules)
        """
        )
        .run_apart()
    )
    assert ran.counts == {"passed": 1}
    assert not ran.path.exists()


def test_imported_in_the_middle_of_a_test(pytester: pytest.Pytester) -> None:
    ran = (
        Project.empty(pytester)
        .tests(
            """
            def test_before():
                pass

            def test_it():
                import vcr
                with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                    ask()

            def test_after():
                import vcr
                with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                    ask()
            """
        )
        .recorded()
        .file("pyproject.toml", "[tool.tokenbudget.prices]\ntiny = {input = 1, output = 1}\n")
        .run_apart()
    )
    assert ran.counts == {"passed": 3}
    assert replayed(ran) == {"test_it": ["replayed"], "test_after": ["replayed"]}
    assert ran.task("test_it").calls[0].phase == "call"


def test_imported_in_a_conftest_whose_functions_are_decorated(project: Project) -> None:
    ran = (
        project.file(
            "conftest.py",
            """
            import pytest
            import vcr
            from agent import ask

            @pytest.fixture
            @vcr.use_cassette("cassettes/test_it/test_it.yaml")
            def answer():
                return ask()
            """,
        )
        .tests("def test_it(answer):\n    assert answer\n")
        .recorded()
        .run_apart()
    )
    assert replayed(ran) == {"test_it": ["replayed"]}
    assert ran.task().calls[0].phase == "setup"


EARLY = """
from vcr import VCR, use_cassette
from vcr.cassette import Cassette, CassetteContextDecorator

from agent import ask

PATH = "cassettes/test_it/test_it.yaml"


class Own(Cassette):
    pass


@use_cassette(PATH)
def decorated():
    return ask()


WAYS = (
    decorated,
    VCR().use_cassette(PATH)(ask),
    Cassette.use(path=PATH)(ask),
    Own.use(path=PATH)(ask),
    CassetteContextDecorator(Cassette, lambda: {"path": PATH})(ask),
)
"""


@pytest.mark.parametrize("options", [["-p", "early"], ["-p", "early", "-p", "pytest_tokenbudget.plugin"]])
def test_imported_and_used_by_a_plugin_that_loads_before_us(project: Project, options: list[str]) -> None:
    ran = (
        project.file("early.py", EARLY)
        .file("pytest.ini", "[pytest]\npythonpath = .\n")
        .tests(
            """
            import early

            @pytest.mark.parametrize("way", early.WAYS)
            def test_it(way):
                assert way()
            """
        )
        .recorded()
        .run_apart(*options)
    )
    assert ran.counts == {"passed": 5}
    assert list(replayed(ran).values()) == [["replayed"]] * 5


def test_imported_by_what_starts_pytest(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    start = "import sys, vcr, pytest\nsys.exit(pytest.main(['-q', '-p', 'pytest_tokenbudget.plugin']))\n"
    ready = (
        project.file("start.py", start)
        .tests(
            """
            import vcr

            def test_it():
                with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                    ask()
            """
        )
        .recorded()
    )
    ready.write()
    done = ready.pytester.run(sys.executable, "start.py")
    assert done.ret == 0
    assert replayed(Ran(done, project.pytester.path / ".tokenbudget/run.json")) == {"test_it": ["replayed"]}


def test_the_module_of_vcrpy_is_as_it_is_without_us(project: Project) -> None:
    ran = project.tests(
        """
        import importlib.machinery
        import inspect
        import vcr.cassette

        def test_it():
            module = vcr.cassette
            assert type(module.__loader__) is importlib.machinery.SourceFileLoader
            assert module.__spec__.loader is module.__loader__
            assert module.__file__.endswith("cassette.py")
            assert module.Cassette.__name__ == "Cassette"
            assert module.Cassette.__module__ == "vcr.cassette"
            assert vcr.config.Cassette is module.Cassette
            assert inspect.getsource(module.Cassette).startswith("class Cassette:")
            assert issubclass(type(module.Cassette("x.yaml")), module.Cassette)
        """
    ).run_apart()
    assert ran.counts == {"passed": 1}


@pytest.mark.parametrize("options", [[], ["-W", "error"]])
def test_a_vcrpy_that_we_do_not_fit_works_for_the_suite(project: Project, options: list[str]) -> None:
    ran = (
        project.file("pytest.ini", "[pytest]\n")
        .file(
            "conftest.py",
            """
            import sys
            sys.modules["pytest_tokenbudget.traffic.cassette"] = None  # as if its import failed
            import vcr
            """,
        )
        .tests(
            """
            import vcr

            def test_it():
                with vcr.use_cassette("cassettes/test_it/test_it.yaml"):
                    assert ask()
            """
        )
        .recorded(chat())
        .run_apart(*options)
    )
    assert ran.counts == {"passed": 1}
    if not options:
        assert "pytest-tokenbudget cannot measure with this version of vcrpy" in ran.said
        assert 'python -m pip install "vcrpy>=9,<10"' in ran.said


def test_a_session_inside_a_session_hands_back(project: Project) -> None:
    ran = (
        project.file("conftest.py", "pytest_plugins = ['pytester']\n")
        .tests(
            """
            import vcr
            from pathlib import Path

            CASSETTE = str(Path(__file__).parent / "cassettes/test_it/test_it.yaml")
            INNER = '''
            import vcr
            from agent import ask

            def test_inner():
                with vcr.use_cassette(%r):
                    ask()
            ''' % CASSETTE

            def test_it(pytester, request):
                pytester.syspathinsert(request.config.rootpath)
                pytester.makepyfile(test_inside=INNER)
                assert pytester.runpytest_inprocess("-p", "pytest_tokenbudget.plugin").ret == 0
                with vcr.use_cassette(CASSETTE):
                    ask()
            """
        )
        .recorded()
        .run_apart()
    )
    assert ran.counts == {"passed": 1}
    assert replayed(ran) == {"test_it": ["replayed"]}
