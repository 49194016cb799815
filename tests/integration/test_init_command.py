"""`tokenbudget init`: what it writes works at once, and what is there stays."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.settings import Settings

WRITTEN = """\
 wrote     tokenbudget.yml
 wrote     tests/test_agent_cost.py
 wrote     tests/conftest.py
 wrote     .github/workflows/agent-cost.yml
 wrote     .github/workflows/agent-cost-comment.yml
 wrote     .gitignore  .tokenbudget/

Next:
 1. Call your agent in tests/test_agent_cost.py.
 2. Record its model calls once, with your key: pytest --tokenbudget-record=once
 3. Replay them, for $0 and without a key: pytest
 4. Write down what each test used: tokenbudget lock
 5. Where CI installs pytest-tokenbudget, name what your agent needs beside it, such as its SDKs.
 6. Commit all of it, recordings and tokenbudget.lock too.
"""


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


def contents() -> dict[str, str]:
    return {path.as_posix(): path.read_text() for path in Path().rglob("*") if path.is_file()}


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_an_empty_folder_gets_everything_and_typing_it_again_changes_nothing() -> None:
    first = init()
    written = contents()

    assert (first.exit_code, first.output) == (0, WRITTEN)
    assert len(written) == 6

    again = init()

    assert again.output.count("as it is") == 6
    assert contents() == written


def test_the_settings_load_and_are_the_defaults_that_they_show() -> None:
    init("--ci", "none")

    settings = load_settings(Path.cwd())

    assert settings.gate == Settings().gate
    assert settings.tolerance == Settings().tolerance


def test_the_first_test_runs_and_says_what_to_do() -> None:
    init("--ci", "none")
    options = ["-p", "no:cacheprovider", "--disable-plugin-autoload", "-p", "tokenbudget", "-rs"]

    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert ran.returncode == 0, ran.stdout
    assert "Call your agent here. Then record its model calls once: pytest --tokenbudget-record=once" in ran.stdout


def test_what_is_there_stays_and_is_named() -> None:
    put("pyproject.toml", "[build-system]\n[tool.tokenbudget]\ntolerance = 0.1\n")
    mine, marker = "src/shop/test_shop.py", "@pytest.mark.token_budget"
    put(mine, "def test_it(): ...\n")
    put(".gitignore", "*.pyc")
    put(".github/workflows/agent-cost.yml", "name: mine\n")
    put("tests/conftest.py", "import shop\n")
    before = contents()

    result = init()

    assert result.output.splitlines()[:6] == [
        " left out  tokenbudget.yml  `[tool.tokenbudget]` in pyproject.toml has the settings.",
        f" left out  tests/test_agent_cost.py  There are tests, such as {mine}: mark one with {marker}.",
        " kept      tests/conftest.py  It would go with a first test.",
        " kept      .github/workflows/agent-cost.yml  It differs from what would be written: --force replaces it.",
        " wrote     .github/workflows/agent-cost-comment.yml",
        " added to  .gitignore  .tokenbudget/",
    ]
    assert contents().items() >= (before | {".gitignore": "*.pyc\n.tokenbudget/\n"}).items()


def test_force_replaces_workflows_and_nothing_of_the_users() -> None:
    init()
    for path in contents():
        put(path, "# mine\n")

    result = init("--force")

    after = contents()
    assert [path for path, text in after.items() if text == "# mine\n"] == [
        path for path in after if path in {"tokenbudget.yml", "tests/conftest.py", "tests/test_agent_cost.py"}
    ]
    assert after[".gitignore"] == "# mine\n.tokenbudget/\n"
    assert result.output.count("replaced") == 2


@pytest.mark.parametrize(
    ("file", "text", "install"),
    [
        ("requirements.txt", "openai\n", "-r requirements.txt pytest-tokenbudget"),
        ("pyproject.toml", "[build-system]\n", "-e . pytest-tokenbudget"),
        ("pyproject.toml", "[tool.ruff]\n", "pytest-tokenbudget"),
        ("setup.py", "", "-e . pytest-tokenbudget"),
    ],
)
@pytest.mark.parametrize(
    ("ci", "workflow"), [("github", ".github/workflows/agent-cost.yml"), ("gitlab", ".gitlab/agent-cost.gitlab-ci.yml")]
)
def test_the_project_is_installed_as_its_files_say(file: str, text: str, install: str, ci: str, workflow: str) -> None:
    put(file, text)

    init("--ci", ci)

    assert f"python -m pip install -q {install}\n" in contents()[workflow]
    assert "@INSTALL@" not in "".join(contents().values())


def test_gitlab_is_told_from_its_file_which_is_the_users() -> None:
    put(".gitlab-ci.yml", "stages: [test]\n")

    result = init()

    assert " kept      .gitlab-ci.yml  Add to it yourself: include: [{local: .gitlab/agent-cost.gitlab-ci.yml}]\n" in (
        result.output
    )
    assert contents()[".gitlab-ci.yml"] == "stages: [test]\n"
    assert "7. To comment, give CI a project access token (Reporter, scope `api`) as GITLAB_TOKEN." in result.output
    assert not Path(".github").exists()


def test_gitlab_without_a_file_of_its_own_gets_one() -> None:
    init("--ci", "gitlab")

    assert contents()[".gitlab-ci.yml"] == "include: [{local: .gitlab/agent-cost.gitlab-ci.yml}]\n"
    assert " as it is  .gitlab-ci.yml" in init("--ci", "gitlab").output


def test_a_folder_inside_a_repository_gets_no_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q"], check=True)  # noqa: S607 - whichever git there is
    Path("agents").mkdir()
    monkeypatch.chdir("agents")

    result = init()

    assert result.exit_code == 2
    assert "agents/ is no repository's root, where workflows belong." in result.output
    assert contents() == {}
    assert init("--ci", "none").exit_code == 0


def test_a_folder_that_cannot_be_written_to_is_said() -> None:
    put("tests", "a file where a folder should be")

    result = init()

    assert result.exit_code == 2
    assert "it cannot be written" in result.output
