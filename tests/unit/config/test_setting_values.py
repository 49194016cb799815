from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from pytest_tokenbudget.config.settings import Settings

Load = Callable[..., Settings]
Refusal = Callable[..., str]

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("mode: enforce", "enforce"),
        ("mode: observe", "observe"),
        ("mode: off", "off"),
        ("mode: 'off'", "off"),
        ("out: build/run.json", Path("build/run.json")),
        ("as_of: 2026-11-01", MIDNIGHT),
        ("as_of: '2026-11-01'", MIDNIGHT),
        ("as_of: ' 2026-11-01 '", MIDNIGHT),
        ("as_of: 2026-11-01 12:00:00", NOON),
        ("as_of: 2026-11-01T12:00:00Z", NOON),
        ("as_of: 2026-11-01T13:00:00+01:00", NOON),
        ("as_of: '2026-11-01T12:00:00Z'", NOON),
        ("tolerance: 0", Decimal(0)),
        ("tolerance: 0.15", Decimal("0.15")),
        ("tolerance: 1", Decimal(1)),
        ("tolerance: 15%", Decimal("0.15")),
        ("tolerance: 12.5 %", Decimal("0.125")),
        ("tolerance: 200%", Decimal(2)),
        ("tolerance: '0.15'", Decimal("0.15")),
        ("unknown_model: error", "error"),
        ("unknown_model: warn", "warn"),
        ("unknown_model: free", "free"),
        ("missing_usage: warn", "warn"),
        ("free_hosts: localhost:11434", ("localhost:11434",)),
        ("free_hosts: [localhost:11434, '*.internal']", ("localhost:11434", "*.internal")),
        ("hosts: {'localhost:4000': openai}", {"localhost:4000": "openai"}),
    ],
)
def test_what_a_setting_may_be(load: Load, line: str, value: object) -> None:
    key = line.partition(":")[0]
    settings = load(line)
    assert getattr(settings, key) == value
    assert settings.origins == {key: f"tokenbudget.yml:1: {key}"}


def test_an_instant_keeps_its_offset(load: Load) -> None:
    found = load(pyproject="[tool.tokenbudget]\nas_of = 2026-11-01T13:00:00+01:00").as_of
    assert found
    assert (found, found.tzinfo) == (NOON, timezone(timedelta(hours=1)))


@pytest.mark.parametrize("line", ["mode:", "tolerance: null", "as_of: ~", "hosts:"])
def test_an_empty_setting_says_nothing(load: Load, line: str) -> None:
    assert load(line) == Settings()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mode: enforced", "mode: 'enforced' is not one of enforce, observe, off (did you mean `enforce`?)."),
        ("mode: on", "mode: True is not one of enforce, observe, off."),
        ("mode: [off]", "mode: [False] is not one of enforce, observe, off."),
        ("unknown_model: off", "unknown_model: False is not one of error, warn, free."),
        ("missing_usage: free", "missing_usage: 'free' is not one of error, warn."),
        ("out: 3", "out: 3 is not the path of a file."),
        ("out: ' '", "out: ' ' is not the path of a file."),
        (
            "as_of: 1.11.2026",
            "as_of: '1.11.2026' is neither a date such as 2026-11-01 nor an instant such as 2026-11-01T12:00:00Z.",
        ),
        (
            "as_of: 2026",
            "as_of: 2026 is neither a date such as 2026-11-01 nor an instant such as 2026-11-01T12:00:00Z.",
        ),
        ("tolerance: 20", "tolerance: 20 would be 2000%: write 20% if that is meant, or a fraction such as 0.2."),
        ("tolerance: -0.1", "tolerance: -0.1 is below zero or no number."),
        ("tolerance: -5%", "tolerance: '-5%' is below zero or no number."),
        ("tolerance: .nan", "tolerance: nan is below zero or no number."),
        (
            "tolerance: a lot",
            "tolerance: 'a lot' is neither a fraction such as 0.2 nor a percentage such as 20%.",
        ),
        ("tolerance: true", "tolerance: True is neither a fraction such as 0.2 nor a percentage such as 20%."),
        ("tolerance: [1]", "tolerance: [1] is neither a fraction such as 0.2 nor a percentage such as 20%."),
        ("free_hosts: 3", "free_hosts: 3 is not a list of host names such as [localhost:8000, '*.internal']."),
        ("free_hosts: [3]", "free_hosts: [3] is not a list of host names such as [localhost:8000, '*.internal']."),
        ("free_hosts: ['']", "free_hosts: [''] is not a list of host names such as [localhost:8000, '*.internal']."),
        ("hosts: openai", "hosts: 'openai' is not a mapping of hosts to providers such as {'localhost:4000': openai}."),
        ("hosts: {a: 1}", "hosts: {'a': 1} is not a mapping of hosts to providers such as {'localhost:4000': openai}."),
        ("budgets: 3", """budgets: 3 is not a mapping such as {"tests/test_faq.py::*": {usd: 0.10}}."""),
        ("workflows: [a]", "workflows: ['a'] is not a mapping such as {triage: {usd: 0.30, team: support}}."),
        ("prices: {m: 3}", "prices.m: 3 is not a mapping such as {my-model: {input: 1.25, output: 10}}."),
    ],
)
def test_what_a_setting_may_not_be(refusal: Refusal, line: str, message: str) -> None:
    assert refusal(f"# settings\n{line}\n") == f"tokenbudget.yml:2: {message}"


@pytest.mark.parametrize("line", ["tolerence: 0.1", "tolerence:"])
def test_an_unknown_setting(refusal: Refusal, line: str) -> None:
    assert refusal(line) == (
        "tokenbudget.yml:1: tolerence: unknown setting `tolerence` (did you mean `tolerance`?). Allowed: as_of, "
        "budgets, deployments, discounts, drift, fees, forecast, free_hosts, gate, hosts, missing_usage, mode, out, "
        "prices, record, redact, rule, samples, tolerance, unknown_model, volatile, volumes, waivers, workflows."
    )


def test_nothing_is_guessed_where_nothing_is_near(refusal: Refusal) -> None:
    assert refusal(pyproject="[tool.tokenbudget]\nxyzzy = 1") == (
        "pyproject.toml: tool.tokenbudget.xyzzy: unknown setting `xyzzy`. Allowed: as_of, budgets, "
        "deployments, discounts, drift, fees, forecast, free_hosts, gate, hosts, missing_usage, mode, out, prices, "
        "record, redact, rule, samples, tolerance, unknown_model, volatile, volumes, waivers, workflows."
    )


def test_an_option_and_a_variable_are_named_as_they_are_typed(
    refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = "'on' is not one of enforce, observe, off."
    assert refusal(mode="on") == f"--tokenbudget: {bad}"
    assert refusal(as_of="now").startswith("--tokenbudget-as-of: 'now' is neither a date")
    monkeypatch.setenv("TOKENBUDGET", "on")
    assert refusal() == f"TOKENBUDGET: {bad}"
    monkeypatch.setenv("TOKENBUDGET_MODE", "on")
    assert refusal() == f"TOKENBUDGET_MODE: {bad}"
