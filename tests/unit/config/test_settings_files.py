from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import ConfigError

Load = Callable[..., Settings]
Refusal = Callable[..., str]


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "null\n", "\ufeff", "\ufeff# nothing yet\n"])
def test_an_empty_file_says_nothing(load: Load, text: str) -> None:
    assert load(text) == Settings()


def test_no_file_says_nothing(load: Load) -> None:
    assert load() == Settings()


def test_a_byte_order_mark_is_no_part_of_the_first_key(load: Load) -> None:
    assert load("\ufeffmode: observe").mode == "observe"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode:\n\tobserve", ":2: is not YAML: a tab stands where only spaces may indent."),
        ("mode: [", ":1: is not YAML: did not find expected node content."),
        ("mode: observe\n---\nmode: off", ":2: is not YAML: but found another document."),
        ("mode: \0", ": is not YAML: control characters are not allowed."),
        (
            "mode: !!python/name:os.system",
            ":1: is not YAML: could not determine a constructor for the tag 'tag:yaml.org,2002:python/name:os.system'.",
        ),
        ("as_of: 2026-13-01", ": holds a value that YAML does not allow: month must be in 1..12."),
        ("mode: off\nmode: observe", ":2: `mode` is stated twice, first on line 1."),
        ("- mode: off", ": holds list, not settings such as `tolerance: 20%`."),
        ("observe", ": holds str, not settings such as `tolerance: 20%`."),
        ("[" * 40_000 + "]" * 40_000, ":1: is nested too deeply for a file of settings."),
        ("on: 1", ":1: the key `on` means true or false in YAML: put it in quotes."),
        ("prices:\n  4.1: {input: 1}", ":2: the key `4.1` means a number in YAML: put it in quotes."),
        ("? [mode]\n: off", ":1: a key must be text."),
        (
            "budgets: &all {test_a: *all}",
            (
                ":1: budgets.test_a.test_a: unknown limit or label `test_a` (did you mean `team`?). Allowed: "
                "allow_no_calls, cache_hit_rate, input_tokens, output_tokens, seconds, steps, team, thinking_tokens, "
                "tokens, tokens_per_step, tolerance, usd, workflow."
            ),
        ),
    ],
)
def test_what_is_no_file_of_settings(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(text) == f"tokenbudget.yml{message}"


@pytest.mark.parametrize("entry", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merged mappings"])
def test_a_few_aliases_that_stand_for_millions_of_values(refusal: Refusal, entry: str) -> None:
    lines = ["a: &a {k: 1}"]
    lines += [
        f"{new}: &{new} {entry.format(', '.join([f'*{old}'] * 9))}"
        for old, new in zip("abcdefghij", "bcdefghijk", strict=True)
    ]
    assert refusal("\n".join(lines)) == (
        "tokenbudget.yml: is too large for a file of settings: with its aliases, more than 1,000,000 values."
    )


def test_a_file_in_another_encoding(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "tokenbudget.yml").write_bytes("hosts: {bücher: openai}".encode("latin-1"))
    assert refusal() == "tokenbudget.yml: is not UTF-8 text (invalid start byte at byte 9)."


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch, load: Load, refusal: Refusal) -> None:
    load("mode: off")

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    assert refusal() == "tokenbudget.yml: cannot be read: Permission denied."


def test_the_misnamed_file_is_not_passed_over(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "tokenbudget.yaml").write_text("mode: off", encoding="utf-8")
    assert refusal() == "tokenbudget.yaml: is not read: name it tokenbudget.yml."
    assert refusal("mode: off") == "tokenbudget.yaml: is not read: merge it into tokenbudget.yml."


def test_another_file_can_stand_in(tmp_path: Path) -> None:
    other = tmp_path / "ci.yml"
    (tmp_path / "tokenbudget.yml").write_text("mode: off", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path, config=other)
    assert str(raised.value) == f"{other}: there is no such file. Without one, tokenbudget.yml is read if it is there."
    other.write_text("mode: observe", encoding="utf-8")
    settings = load_settings(tmp_path, config=other)
    assert (settings.mode, settings.origins) == ("observe", {"mode": "ci.yml:1: mode"})


@pytest.mark.parametrize(
    "text",
    [
        '[tool.tokenbudget]\nmode = "observe"',
        '[tool]\ntokenbudget = {mode = "observe"}',
        '[ tool . "tokenbudget" ]\nmode = "observe"',
    ],
)
def test_pyproject_can_state_settings(load: Load, text: str) -> None:
    settings = load(pyproject=text)
    assert (settings.mode, settings.origins) == ("observe", {"mode": "pyproject.toml: tool.tokenbudget.mode"})


@pytest.mark.parametrize(
    "text",
    [
        "[tool.ruff]\nline-length = 100",
        '[project]\ndependencies = ["pytest-tokenbudget"]',
        "tool = 'tokenbudget'",
        "[this is broken, but not by us",
    ],
)
def test_pyproject_without_our_table_says_nothing(load: Load, text: str) -> None:
    assert load(pyproject=text) == Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.tokenbudget]\nmode = ",
            "is not TOML: Invalid value (at end of document).",
        ),
        ("[tool]\ntokenbudget = 3", "tool.tokenbudget: 3 is not a table such as [tool.tokenbudget]."),
        (
            '[tool.tokenbudget.budgets."tests/test_a.py::test_a"]\nusd = "much"',
            "tool.tokenbudget.budgets.tests/test_a.py::test_a.usd: 'much' is not an amount of US dollars.",
        ),
    ],
)
def test_mistakes_in_our_table(refusal: Refusal, text: str, message: str) -> None:
    assert refusal(pyproject=text) == f"pyproject.toml: {message}"


def test_a_pyproject_in_another_encoding(tmp_path: Path, load: Load, refusal: Refusal) -> None:
    (tmp_path / "pyproject.toml").write_bytes("# bücher".encode("latin-1"))
    assert load() == Settings()
    (tmp_path / "pyproject.toml").write_bytes("# bücher\n[tool.tokenbudget]".encode("latin-1"))
    assert refusal() == (
        "pyproject.toml: is not TOML: 'utf-8' codec can't decode byte 0xfc in position 3: invalid start byte."
    )
