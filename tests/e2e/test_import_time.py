"""A suite without model calls does not pay for what it does not use."""

import subprocess
import sys
from pathlib import Path
from typing import Final

PRICES_AND_REPORTS: Final = frozenset({"genai_prices", "jinja2", "pydantic", "sqlalchemy", "tiktoken"})
HEAVY: Final = PRICES_AND_REPORTS | {
    "click",
    "httpx",
    "httpx2",
    "msgspec",
    "requests",
    "rich",
    "urllib3",
    "vcr",
    "yaml",
}


def loaded(script: str, *, where: Path) -> set[str]:
    """The names that a script prints after LOADED."""
    process = subprocess.run([sys.executable, "-c", script], cwd=where, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    return set(process.stdout.rpartition("LOADED")[2].split())


def session(test: str, where: Path) -> set[str]:
    """What a pytest session with one test has imported when it ends."""
    (where / "test_one.py").write_text(f"import pytest\n\n{test}")
    script = (
        "import sys, pytest\n"
        "status = pytest.main(['-q', '--disable-plugin-autoload', '-p', 'tokenbudget'])\n"
        "print('LOADED', *sys.modules)\n"
        "sys.exit(status)\n"
    )
    return loaded(script, where=where)


def test_loading_the_plugin_imports_nothing_heavy(tmp_path: Path) -> None:
    found = loaded("import sys, pytest_tokenbudget.plugin; print('LOADED', *sys.modules)", where=tmp_path)
    assert "pytest_tokenbudget.plugin" in found
    assert found & HEAVY == set()


def test_a_suite_without_markers_imports_nothing_heavy(tmp_path: Path) -> None:
    found = session("def test_adds():\n    assert 1 + 1 == 2\n", tmp_path)
    assert "pytest_tokenbudget.plugin" in found
    assert found & HEAVY == set()


def test_a_marked_test_without_calls_loads_no_prices(tmp_path: Path) -> None:
    marker = "@pytest.mark.token_budget(usd=1, allow_no_calls=True)\n"
    found = session(f"{marker}def test_adds():\n    assert 1 + 1 == 2\n", tmp_path)
    assert "vcr" in found  # its cassettes are ready
    assert found & PRICES_AND_REPORTS == set()
    assert (
        found & {"scipy", "numpy", "pytest_tokenbudget.policy.sampling", "pytest_tokenbudget.traffic.redaction"}
        == set()
    )


def test_deciding_what_to_post_loads_no_forge(tmp_path: Path) -> None:
    script = (
        "import sys, pytest_tokenbudget.ci.posting, pytest_tokenbudget.ci.event, pytest_tokenbudget.ci.github\n"
        "import pytest_tokenbudget.ci.gitlab\n"
        "print('LOADED', *sys.modules)\n"
    )
    found = loaded(script, where=tmp_path)
    assert "pytest_tokenbudget.ci.gitlab" in found
    assert found & {"github", "gitlab", "requests", "urllib3"} == set()
