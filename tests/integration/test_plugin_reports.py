"""What is printed, and that pytest's exit status says the same."""

from xml.etree import ElementTree as ET

import pytest
from project import Project, chat

SUITE = """
@pytest.mark.token_budget(tokens=2000)
def test_kept():
    ask()

@pytest.mark.xfail
@pytest.mark.token_budget(tokens=500)
def test_broken():
    ask()

@pytest.mark.token_budget(tokens=1000)
def test_last():
    ask()
"""


def suite(project: Project) -> Project:
    for name in ("test_kept", "test_broken", "test_last"):
        project = project.recorded(chat(1_000), test=name)
    return project.tests(SUITE)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-q"],
        ["-qq"],
        ["-v"],
        ["-x"],
        ["-n0"],
        ["-p", "no:terminalreporter"],
        ["-p", "no:cacheprovider"],
        ["--tb=no"],
        ["--tb=line"],
        ["--tb=native"],
        ["-rA"],
        ["--no-summary"],
        ["--runxfail"],
        ["--deselect", "test_it.py::test_kept"],
        ["-k", "broken"],
        ["test_it.py::test_broken"],
    ],
)
def test_the_exit_status_agrees_with_the_run(project: Project, arguments: list[str]) -> None:
    ran = suite(project).run(*arguments)
    assert ran.exit == 1
    assert ran.state("test_broken") == "blocked"
    assert ran.task("test_broken").outcome == "failed"
    assert "INTERNALERROR" not in ran.said
    if "no:terminalreporter" not in arguments and "--no-summary" not in arguments:
        assert "✗ test_it.py::test_broken" in ran.out
    agreeing = suite(project).run(*arguments, "--tokenbudget=observe")
    assert agreeing.exit == 0
    assert agreeing.state("test_broken") == "blocked"


def test_the_exit_status_agrees_with_two_workers_and_at_the_first_failure(project: Project) -> None:
    ran = suite(project).run_apart("-n2", "-x")
    assert ran.exit != 0
    assert ran.task("test_broken").outcome == "failed"
    assert any(reason.startswith("stopped: ") for reason in ran.run.partial)


def test_last_failed_runs_what_its_budget_failed(project: Project) -> None:
    project = suite(project)
    assert project.run().exit == 1
    again = project.run("--lf")
    assert (again.exit, again.counts.get("failed"), again.counts.get("passed")) == (1, 1, None)
    assert set(again.tasks) == {"test_broken"}
    assert again.run.partial == ("--last-failed",)
    healed = project.tests(SUITE.replace("500", "1000")).run("--lf")
    assert (healed.exit, healed.counts.get("xpassed"), healed.counts.get("passed")) == (0, 1, None)


@pytest.mark.parametrize(
    ("arguments", "partial"),
    [
        ([], ()),
        (["."], ()),
        (["-k", "broken"], ("-k broken",)),
        (["-m", "token_budget"], ("-m token_budget",)),
        (["--deselect", "test_it.py::test_kept"], ("--deselect",)),
        (["test_it.py::test_broken"], ("only test_it.py::test_broken",)),
        (["test_it.py"], ("only test_it.py",)),
        (["-x"], ("stopped: stopping after 1 failures",)),
    ],
)
def test_a_run_of_a_part_of_the_suite_says_so(project: Project, arguments: list[str], partial: tuple[str, ...]) -> None:
    assert suite(project).run(*arguments).run.partial == partial


def test_a_session_that_ran_no_test_leaves_no_run_to_be_taken_for_its_own(project: Project) -> None:
    project = suite(project)
    assert project.run().run.partial == ()
    # what has nothing to do with agents leaves it alone
    ran = project.tests("def test_other():\n    pass\n", module="test_other").run("test_other.py")
    assert len(ran.run.tasks) == 3
    ran = project.tests("import nothing_of_that_name\n", module="test_broken").run()
    assert ran.exit == 2
    assert (ran.run.partial, ran.run.tasks) == (("interrupted",), ())


def test_collecting_alone_measures_nothing(project: Project) -> None:
    ran = suite(project).run("--co")
    assert ran.exit == 0
    assert not ran.path.exists()
    assert "token budget" not in ran.out


def test_without_the_plugin_nothing_of_it_is_left(project: Project) -> None:
    ran = project.tests("def test_it():\n    pass\n").run_apart("-p", "no:pytest_tokenbudget.plugin")
    assert ran.exit == 0
    assert not ran.path.exists()


def test_a_suite_without_model_calls_hears_nothing(project: Project) -> None:
    ran = project.tests("def test_it():\n    pass\n").run()
    assert ran.exit == 0
    assert "token budget" not in ran.out
    assert not (project.pytester.path / ".tokenbudget").exists()


def test_the_summary_is_a_section_of_pytests_own_before_its_last_line(project: Project) -> None:
    ran = suite(project).run("-p", "no:cacheprovider")
    before, _, section = ran.out.partition("= token budget =")
    assert "= FAILURES =" in before
    assert "✗ test_it.py::test_broken" in section
    assert "✓ test_it.py::test_kept" in section
    assert "3 tasks cost $0.003; this run paid $0.00" in " ".join(section.split())
    assert "= short test summary info =" in section


def test_junit_tells_the_figures_of_each_test(project: Project) -> None:
    ran = suite(project).run("--junitxml=junit.xml")
    assert ran.exit == 1
    cases = ET.parse(project.pytester.path / "junit.xml").iter("testcase")  # noqa: S314 - pytest wrote it
    told = {case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases}
    assert told["test_broken"] == {
        "tokenbudget_usd": "0.001",
        "tokenbudget_incurred_usd": "0",
        "tokenbudget_tokens": "1000",
        "tokenbudget_steps": "1",
        "tokenbudget_verdict": "blocked",
        "tokenbudget_traffic": "replayed",
    }
    failed = next(ET.parse(project.pytester.path / "junit.xml").iter("failure"))  # noqa: S314 - likewise
    assert failed.get("message", "").startswith("Over budget: 1,000 of 500 tokens")


def test_junit_tells_the_band_of_a_drifted_test(project: Project) -> None:
    source = "@pytest.mark.token_budget\ndef test_it():\n    ask('another question')\n"
    project.tests(source).recorded(chat()).run("--junitxml=junit.xml")
    text = (project.pytester.path / "junit.xml").read_text()
    # "another question" has a token more than "Hello", and a test recorded 1,000
    for name, value in (("traffic", "drifted"), ("usd", "0.001001"), ("usd_low", "0.001"), ("usd_high", "0.001002")):
        assert f'name="tokenbudget_{name}" value="{value}"' in text


def test_junit_tells_that_nothing_bounds_a_drifted_test(project: Project) -> None:
    source = "@pytest.mark.token_budget\ndef test_it():\n    ask()\n"
    interaction = chat()
    interaction["request"]["body"] = "{"
    project.tests(source).recorded(interaction).run("--junitxml=junit.xml")
    text = (project.pytester.path / "junit.xml").read_text()
    for name, value in (("traffic", "drifted"), ("usd", "0.001"), ("usd_low", "0"), ("usd_high", "unknown")):
        assert f'name="tokenbudget_{name}" value="{value}"' in text


def test_an_unknown_cost_is_not_zero_in_junit(project: Project) -> None:
    source = "@pytest.mark.token_budget\ndef test_it():\n    ask()\n"
    project.tests(source).recorded(chat(usage=None)).run("--junitxml=junit.xml")
    assert 'name="tokenbudget_usd" value="unknown"' in (project.pytester.path / "junit.xml").read_text()


def test_the_prices_instant_is_named_with_its_source(project: Project) -> None:
    ran = suite(project).run()
    assert (ran.run.as_of.isoformat(), ran.run.as_of_source) == ("2026-11-01T00:00:00+00:00", "release")
    ran = suite(project).settings("as_of: 2026-10-01").run()
    assert ran.run.as_of.isoformat() == "2026-10-01T00:00:00+00:00"
    assert ran.run.as_of_source.startswith("tokenbudget.yml:2")
    assert "Prices of 2026-10-01 (tokenbudget.yml:2" in ran.said


def test_the_commit_is_named(project: Project) -> None:
    project = suite(project)
    project.write()
    for command in ("init -q", "-c user.name=a -c user.email=a@b.c commit -q --allow-empty -m a"):
        assert project.pytester.run("git", *command.split()).ret == 0
    commit = project.pytester.run("git", "rev-parse", "HEAD").stdout.str().strip()
    assert project.run().run.commit == commit
