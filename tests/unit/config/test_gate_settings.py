"""`gate`, `waivers` and `volumes` as files state them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.config.waivers import Waiver

WAIVER = "{task: 'tests/*', usd: 0.75, reason: a new tool, until: 2026-12-31, approver: kim}"

Load = Callable[..., Settings]
Refusal = Callable[..., str]


def test_without_a_word_about_it_the_gate_has_its_defaults(load: Load) -> None:
    settings = load("tolerance: 10%\n")
    assert (settings.gate, settings.waivers, dict(settings.volumes)) == (GateRules(), (), {})


def test_the_gate_is_read_key_by_key_from_the_stronger_file(load: Load) -> None:
    settings = load(
        "gate: {regression: 5%, base: required}\nvolumes: {triage: 40000}\n",
        pyproject="[tool.tokenbudget]\ngate = {floor = 0.05, base = 'optional'}\nvolumes = {triage = 1, faq = 2}\n",
    )
    assert settings.gate == GateRules(regression=Decimal("0.05"), floor=Decimal("0.05"), base="required")
    assert dict(settings.volumes) == {"triage": 40000, "faq": 2}


def test_waivers_of_both_files_count(load: Load) -> None:
    settings = load(
        f"waivers:\n  - {WAIVER}\n",
        pyproject="[[tool.tokenbudget.waivers]]\ntask='t'\nusd='1'\nreason='r'\nuntil='2026-12-01'\napprover='lee'\n",
    )
    assert settings.waivers == (
        Waiver(
            task="tests/*",
            usd=Decimal("0.75"),
            reason="a new tool",
            until=date(2026, 12, 31),
            approver="kim",
            place="tokenbudget.yml:1: waivers[0]",
        ),
        Waiver(
            task="t",
            usd=Decimal(1),
            reason="r",
            until=date(2026, 12, 1),
            approver="lee",
            place="pyproject.toml: tool.tokenbudget.waivers[0]",
        ),
    )


@pytest.mark.parametrize("key", ["task", "usd", "reason", "until", "approver"])
def test_a_waiver_states_all_of_it(refusal: Refusal, key: str) -> None:
    whole = dict(entry.split(": ", 1) for entry in WAIVER.strip("{}").split(", "))
    lacking = ", ".join(f"{name}: {value}" for name, value in whole.items() if name != key)
    assert refusal(f"waivers:\n  - {WAIVER}\n  - {{{lacking}}}\n").startswith(
        f"tokenbudget.yml:1: waivers[1]: states no `{key}`. A waiver is written like {{task:"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gate: 20%", "tokenbudget.yml:1: gate: '20%' is not a mapping such as {regression: 20%, floor: 0.01}."),
        ("gate: {regresion: 20%}", "unknown key `regresion` (did you mean `regression`?)"),
        ("gate: {base: maybe}", "`base`: 'maybe' is not one of optional, required."),
        ("volumes: [1]", "tokenbudget.yml:1: volumes: [1] is not a mapping such as {triage: 40000}."),
        ("volumes: {triage: -1}", "tokenbudget.yml:1: volumes.triage: -1 is not a number of zero or more."),
        ("waivers: {a: 1}", "is not a list such as [{task:"),
        ("waivers: [{task: t, until: soon}]", "`until`: 'soon' is not a date such as 2026-11-01."),
    ],
)
def test_what_is_wrong_is_named_with_its_place(refusal: Refusal, text: str, said: str) -> None:
    assert said in refusal(f"{text}\n")
