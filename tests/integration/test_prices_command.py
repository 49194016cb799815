"""`tokenbudget prices`: on price data that the project froze, and twice on the installed one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from published_prices import PROVIDERS

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.pricing import genai


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(genai, "_providers", lambda: PROVIDERS)
    monkeypatch.setattr(genai, "installed_version", lambda: "9.9.9")


def prices(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["prices", *arguments])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [line.rstrip() for line in result.output.splitlines()]


def test_one_model_in_full() -> None:
    assert lines(prices("gpt-6-sol")) == [
        "openai/gpt-6-sol (genai-prices 9.9.9)",
        "                            input  cache read  output",
        "standard                    $2.00       $0.20  $10.00",
        "  prompts above 272,000     $4.00       $0.40  $15.00",
        "tier:flex since 2026-10-12  $1.00       $0.10   $5.00",
        "  prompts above 272,000     $2.00       $0.20   $7.50",
        "tier:fast since 2026-10-12  $4.00       $0.40  $20.00",
        "  prompts above 272,000     $8.00       $0.80  $30.00",
        "  no price for: cache write, cache write 1h, input audio, output audio, output image",
        "  regional hosts: ×1.1",
        "",
        "1 entry at prices of 2026-11-01 (release), from genai-prices 9.9.9; US dollars per million tokens.",
    ]


def test_what_had_no_price_yet_and_what_will_change() -> None:
    shown = lines(prices("--as-of", "2026-10-01", "gemini-3.8-flash"))

    assert "  unpriced: google/gemini-3.8-flash has no price for tier:flex as of 2026-10-01" in shown
    assert "  a price changes or begins on 2026-10-15: tokenbudget prices diff 2026-10-01 2026-10-15" in shown
    assert shown[-1].startswith("1 entry at prices of 2026-10-01 (--as-of)")


def test_many_models_in_a_line_each() -> None:
    shown = lines(prices("gpt-*"))

    assert shown[0].split() == ["entry", "input", "cache", "read", "cache", "write", "output", "since", "also"]
    assert shown[1].split() == ["openai/gpt-4.1", "$2.00", "$8.00"]
    assert "openai/gpt-6-sol" in shown[-2]
    assert shown[-1].startswith("8 entries at prices of 2026-11-01")


def test_json_holds_every_rate_as_text() -> None:
    record = json.loads(prices("gpt-5.6-sol", "--format", "json").output)

    assert (record["schema"], record["as_of"], record["source"]) == (
        "tokenbudget/prices/1",
        "2026-11-01T00:00:00+00:00",
        "genai-prices 9.9.9",
    )
    assert record["entries"] == [
        {
            "entry": "openai/gpt-5.6-sol",
            "context": "",
            "source": "genai-prices 9.9.9",
            "effective": "2026-08-21",
            "rates": {
                "input": "4",
                "cache_read": "0.4",
                "cache_write": "5",
                "input_image": "4",
                "output": "20",
                "thinking": "20",
            },
            "long_prompts": [],
            "fees": {},
            "unpriced": None,
            "coming": [],
            "multipliers": {"regional hosts": "1.1"},
        }
    ]


def test_ones_own_prices_come_first_with_their_place() -> None:
    Path("tokenbudget.yml").write_text("prices: {gpt-5.4: {input: 2, output: 12}}\n", encoding="utf-8")

    assert lines(prices("gpt-5.4"))[:3] == [
        "gpt-5.4 (tokenbudget.yml:1: prices.gpt-5.4)",
        "          input  output",
        "standard  $2.00  $12.00",
    ]


def test_a_model_that_nobody_knows_has_near_ones() -> None:
    refused = prices("gpt5.2")

    assert refused.exit_code == 2
    assert "tokenbudget: [price] nobody lists a model 'gpt5.2'. Near it: gpt-5.2, " in refused.output


def test_a_provider_that_nobody_knows() -> None:
    refused = prices("gpt-5.2", "--provider", "opnai")

    assert refused.exit_code == 2
    assert "no price list is known for 'opnai'" in refused.output


def test_a_change_between_two_days() -> None:
    assert lines(prices("diff", "2026-11-30", "2026-12-01")) == [
        "entry                  effect  US dollars per million tokens",
        "google/gemini-4-argon      ×2  input $2.00 → $4.00, cache read $0.10 → $0.20, output $10.00 → $20.00",
        "openai/o3                  ×2  input $2.00 → $4.00, output $8.00 → $16.00",
        "genai-prices 9.9.9 as of 2026-11-30 → genai-prices 9.9.9 as of 2026-12-01: 2 dearer.",
    ]
    assert "1 dearer." in lines(prices("diff", "2026-11-30", "2026-12-01", "--provider", "google"))[-1]
    assert "1 dearer." in lines(prices("diff", "2026-11-30", "2026-12-01", "--model", "o*"))[-1]


def test_no_change_is_said() -> None:
    assert lines(prices("diff", "2026-11-01", "2026-11-02")) == [
        "genai-prices 9.9.9 as of 2026-11-01 → genai-prices 9.9.9 as of 2026-11-02: no price changes."
    ]


def test_a_change_between_two_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(prices("export", "prices.json", "--as-of", "2026-11-01"))[0].startswith("prices.json: 30 entries at")
    without = {name: provider for name, provider in PROVIDERS.items() if name != "perplexity"}
    monkeypatch.setattr(genai, "_providers", lambda: without)
    monkeypatch.setattr(genai, "installed_version", lambda: "9.9.10")

    # of the same day, whatever the project's own is
    Path("tokenbudget.yml").write_text("as_of: 2026-12-24\n", encoding="utf-8")
    assert lines(prices("diff", "prices.json", "."))[-1] == (
        "genai-prices 9.9.9 as of 2026-11-01 → genai-prices 9.9.10 as of 2026-11-01: no price changes."
    )
    later = lines(prices("diff", "prices.json", ".", "--as-of", "2026-12-01"))
    assert later[-1].endswith("→ genai-prices 9.9.10 as of 2026-12-01: 2 dearer.")


def test_a_model_that_is_no_longer_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    prices("export", "prices.json")
    monkeypatch.setattr(genai, "_providers", lambda: {"openai": PROVIDERS["openai"]})

    shown = lines(prices("diff", "prices.json", ".", "--model", "grok*"))
    assert shown[1].split() == [
        *("x-ai/grok-4.20", "lost", "input", "$1.25", "→", "none,", "cache", "read", "$0.20", "→", "none,"),
        *("output", "$2.50", "→", "none,", "input", "above", "199,999", "$2.50", "→", "none,", "2", "more"),
    ]


def test_changes_as_json() -> None:
    record = json.loads(prices("diff", "2026-11-30", "2026-12-01", "--format", "json", "--model", "o3").output)

    assert record["changes"][0]["rates"][0] == {"what": "input", "before": "2", "after": "4"}
    assert (record["schema"], record["changes"][0]["kind"], record["changes"][0]["factor"]) == (
        "tokenbudget/prices-diff/1",
        "dearer",
        "2",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("diff", "soon", "."), "neither a date such as 2026-11-01"),
        (("--as-of", "soon"), "neither a date such as 2026-11-01"),
        (("diff", "notes.txt", "."), "no price list can be read"),
        (("export", "no/such/folder/prices.json"), "the price list cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_done(arguments: tuple[str, ...], message: str) -> None:
    Path("notes.txt").write_text("hello", encoding="utf-8")
    refused = prices(*arguments)

    assert refused.exit_code == 2
    assert message in " ".join(refused.output.split())


def test_the_installed_data_doubles_two_prices_in_december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    genai._providers.cache_clear()  # noqa: SLF001 - the real data again

    shown = lines(prices("diff", "2026-11-30", "2026-12-01"))
    doubled = [line for line in shown if "×2 " in line]
    assert [line.split("  ")[0] for line in doubled] == ["google/gemini-4-argon", "google/gemini-4-argon tier:batch"]
    assert shown[-1].endswith("as of 2026-12-01: 2 dearer.")


def test_every_installed_entry_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert len(lines(prices())) > 2000
