"""A pull request that changes prices, in a real repository: what that costs stands apart, and blocks nothing."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from builders import make_call, make_run, make_task
from checkout import FAQ, REFUND, Checkout, bloated, in_actions, task
from msgspec.structs import replace

from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.store.base_settings import LARGEST

BEFORE = """\
as_of: 2026-10-01
prices:
  gpt-5-mini: {input: 0.20, output: 2, cache_read: 0.02}
"""
AFTER = """\
# moved down by a line, and of another day
as_of: 2026-11-01
prices:
  gpt-5-mini: {input: 0.40, output: 3, cache_read: 0.04}
"""


def repository(root: Path, before: dict[str, str], after: dict[str, str], folder: str = ".") -> Checkout:
    """A branch that edits settings; what its run measured is what base's lock has."""
    made = Checkout(root)
    if folder != ".":
        made.root = root / folder
        made.root.mkdir()
    for name, text in before.items():
        (made.root / name).write_text(text)
    made.measure()
    made.type("lock")
    made.commit()
    made.git("switch", "--quiet", "--create", "work")
    for name, text in after.items():
        (made.root / name).write_text(text)
    made.commit()
    made.measure()
    return made


@pytest.mark.parametrize("folder", [".", "agents"])
def test_what_new_prices_cost_is_told_apart_and_is_no_regression(tmp_path: Path, folder: str) -> None:
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": BEFORE}, {"tokenbudget.yml": AFTER}, folder)
    section = (
        " Prices changed: the same usage costs +$0.000452 a run (+1%). Base's settings differ: as_of 2026-10-01 → "
        "2026-11-01, prices. Nothing of it counts as a regression: both sides are compared at the new prices.\n"
        "   gpt-5-mini: $0.000722 → $0.00117, +$0.000452 (+63%)\n"
    )
    status, printed, said = shop.type("gate")
    assert (status, said) == (0, "")
    assert f"run.json now.\n{section} Agent cost unchanged: 2 tasks within budget, $0.0504 a run\n" in printed
    for words in (("diff",), ("diff", "main"), ("diff", "main", "HEAD")):
        status, printed, said = shop.type(*words)
        assert (status, said) == (0, "")
        assert printed.endswith(f"now.\n{section}")
    found = json.loads(shop.type("gate", "--format", "json")[1])
    assert found["base_usd"] == found["head_usd"]
    assert found["reasons"] == []
    assert found["prices"] == {
        "change_usd": "0.0004522",
        "differs": ["as_of 2026-10-01 → 2026-11-01", "prices"],
        "models": [
            {
                "name": "gpt-5-mini",
                "discounted": False,
                "base_prices_usd": "0.0007222",
                "head_prices_usd": "0.0011744",
                "change_usd": "0.0004522",
            }
        ],
        "unknown": [],
    }
    written = shop.type("comment")[1]
    assert written == shop.type("gate", "--format", "md")[1]
    assert "\n**Prices changed: the same usage costs +$0.000452 a run (+1%).** " in written


def test_the_base_of_a_pull_request_in_a_clone_that_holds_one_commit(tmp_path: Path) -> None:
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": BEFORE}, {"tokenbudget.yml": AFTER})
    shop.git("switch", "--quiet", "--create", "merged", "main")
    shop.git("merge", "--quiet", "--no-ff", "--message", "a merge, as CI tests it", "work")
    shop.git("config", "uploadpack.allowAnySHA1InWant", "true")
    clone = shop.clone(tmp_path / "clone", "--depth=1", "--branch=merged")
    clone.measure()
    status, printed, said = clone.type("gate", **in_actions(clone, tmp_path))
    assert (status, said) == (0, "")
    assert "the first parent of the merge commit that CI tests" in printed
    assert "   gpt-5-mini: $0.000722 → $0.00117, +$0.000452 (+63%)\n" in printed


def test_a_regression_is_measured_without_the_change_of_prices(tmp_path: Path) -> None:
    dear = "prices: {claude-sonnet-5: {input: 200, output: 1000, cache_read: 20, cache_write: 250}}\n"
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": ""}, {"tokenbudget.yml": dear})
    status, printed, _ = shop.type("gate")
    assert status == 0
    assert "Prices changed: the same usage costs +$4.875 a run" in printed
    assert "Agent cost unchanged" in printed
    shop.measure(bloated(REFUND))
    assert shop.type("gate")[0] == 10


def test_pyproject_toml_states_prices_too(tmp_path: Path) -> None:
    stated = "[tool.tokenbudget.prices.gpt-5-mini]\ninput = 0.2\noutput = 2\n"
    shop = repository(tmp_path / "shop", {"pyproject.toml": stated}, {"pyproject.toml": stated.replace("2\n", "4\n")})
    assert "Base's settings differ: prices. " in shop.type("gate")[1]


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        f"# a line\n{BEFORE}tolerance: 50%\nbudgets: {{'*': {{usd: 1}}}}\n",
        BEFORE.replace("prices:", "prices:\n  nobody: {input: 9}"),
    ],
    ids=["the same", "other settings", "a price of another model"],
)
def test_where_prices_are_equal_there_is_no_section(tmp_path: Path, after: str) -> None:
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": BEFORE}, {"tokenbudget.yml": after})
    assert "rices" not in shop.type("gate")[1]
    assert json.loads(shop.type("gate", "--format", "json")[1])["prices"] is None
    assert len(shop.type("comment")[1].splitlines()) == 3


def test_what_else_is_wrong_with_the_settings_of_base_is_passed_over(tmp_path: Path) -> None:
    broken = f"{BEFORE}gate: {{bass: required}}\nof_a_later_version: 1\n"
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": BEFORE}, {})
    shop.git("switch", "--quiet", "main")
    (shop.root / "tokenbudget.yml").write_text(broken)
    shop.commit()
    shop.git("switch", "--quiet", "work")
    (shop.root / "tokenbudget.yml").write_text(AFTER)
    assert "   gpt-5-mini: $0.000722 → $0.00117, +$0.000452 (+63%)\n" in shop.type("gate", "--base", "main")[1]


BOMB = "a: &a {k: 1}\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("prices: {gpt-5-mini: {input: minus}}\n", "tokenbudget.yml of BASE:1: prices.gpt-5-mini.input: "),
        ("as_of: [\n", "tokenbudget.yml of BASE:1: is not YAML: "),
        ("as_of: !!python/object/apply:os.mkdir [pwned]\n", "tokenbudget.yml of BASE:1: is not YAML: "),
        (f"# {'x' * LARGEST}\n", "tokenbudget.yml has more than 2,000,000 bytes"),
        (BOMB, "tokenbudget.yml of BASE: is too large for a file of settings: "),
        ("as_of: \xff\n", "tokenbudget.yml of BASE: is not UTF-8 text (invalid start byte at byte 7))."),
    ],
    ids=["a wrong price", "no YAML", "a program", "too large", "a bomb", "other bytes"],
)
def test_settings_of_base_that_cannot_be_read_are_named_in_one_sentence(tmp_path: Path, text: str, why: str) -> None:
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": BEFORE}, {})
    shop.git("switch", "--quiet", "main")
    (shop.root / "tokenbudget.yml").write_text(text, encoding="latin-1")
    shop.commit()
    base = shop.git("rev-parse", "--short=7", "HEAD")
    shop.git("switch", "--quiet", "work")
    status, printed, said = shop.type("gate", "--base", "main")
    assert (status, said) == (0, "")
    line = next(line for line in printed.splitlines() if "prices" in line)
    assert line.startswith(
        f" What a change of prices costs is not known: base's settings cannot be read ({why.replace('BASE', base)}"
    )
    assert "Agent cost unchanged" in printed
    assert not (shop.root / "pwned").exists()
    comment = shop.type("comment", "--base", "main")[1].splitlines()
    assert len([line for line in comment if line]) == 4
    assert comment[3].startswith("What a change of prices costs is not known\\: ")


O3 = make_call(provider="openai", api="openai.chat", host="api.openai.com", model_served="o3")
OLD, NEW = datetime(2025, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)  # in June 2025 o3 became cheaper by 80%


@pytest.mark.parametrize(
    ("stated", "as_of", "source", "differs"),
    [
        ("as_of: 2025-03-01\n", NEW, "tokenbudget.yml:2: as_of", ["as_of 2025-03-01 → 2026-11-01"]),
        ("as_of: 2025-03-01\n", NEW, "release", ["as_of 2025-03-01 → 2026-11-01"]),
        ("", OLD, "tokenbudget.yml:2: as_of", ["as_of 2026-11-01 → 2025-03-01"]),
        ("", OLD, "release", None),
        ("as_of: 2025-03-01\n", NEW, "TOKENBUDGET_AS_OF", None),
        ("as_of: 2025-03-01\n", OLD, "tokenbudget.yml:2: as_of", None),
    ],
    ids=["a later day", "no day any more", "a day", "another release", "from the environment", "the same day"],
)
def test_the_day_of_base_is_the_one_that_its_files_state(
    tmp_path: Path, stated: str, as_of: datetime, source: str, differs: list[str] | None
) -> None:
    own = "prices: {nobody: {input: 1}}\n"
    shop = repository(tmp_path / "shop", {"tokenbudget.yml": stated + own}, {"tokenbudget.yml": f"# a line\n\n{own}"})
    hours = replace(make_task("tests/test_faq.py::test_hours", O3), portions=portions([O3], lambda _: 0))
    shop.write(make_run(hours, as_of=as_of, as_of_source=source))
    found = json.loads(shop.type("gate", "--format", "json", TOKENBUDGET_AS_OF="2024-12-01")[1])["prices"]
    assert (found and found["differs"]) == differs


def test_a_run_as_base_says_what_it_was_priced_with(tmp_path: Path) -> None:
    shop = repository(tmp_path / "shop", {}, {})
    base = tmp_path / "base.json"
    base.write_bytes((shop.root / ".tokenbudget/run.json").read_bytes())
    assert "rices" not in shop.type("gate", "--base", str(base))[1]
    shop.write(make_run(task("tests/test_faq.py::test_hours", FAQ), price_table="genai-prices 9.9.9 as of 2027 #1"))
    printed = shop.type("gate", "--base", str(base))[1]
    assert " The run was priced with genai-prices 9.9.9, and both sides here with genai-prices " in printed
    assert (
        " Base was priced with frozen, and head with genai-prices 9.9.9 as of 2027 #1. What that changes is not known: "
        "a run file holds no settings.\n"
    ) in printed
