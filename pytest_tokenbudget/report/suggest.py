"""Suggested limits as markers and as YAML, ready to paste; and as JSON for machines."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from pytest_tokenbudget.model.budget import LIMITS
from pytest_tokenbudget.model.money import dollars_text
from pytest_tokenbudget.policy.suggest import PER_SUCCESS, Evidence, Suggestion
from pytest_tokenbudget.report.columns import printable

__all__ = ["SCHEMA", "suggest_json", "suggest_markers", "suggest_yaml"]

SCHEMA: Final = "tokenbudget/suggest/1"


def suggest_markers(found: Iterable[Suggestion], about: Sequence[str]) -> str:
    """A marker for each test; one that serves every set of parameters, where a test has several.

    Args:
        found: What is suggested.
        about: Sentences on the evidence.
    """
    lines = [f"# {sentence}" for sentence in about]
    markers: dict[str, dict[str, Decimal]] = {}
    reasons: dict[str, str] = {}
    for suggestion in found:
        function = suggestion.task.partition("[")[0] if "::" in suggestion.task else suggestion.task
        if suggestion.reason:
            reasons[function] = f"{_of(suggestion.task)}{suggestion.reason}"
        limits = markers.setdefault(function, {})
        for evidence in suggestion.evidence:
            limits[evidence.limit] = max(evidence.suggested, limits.get(evidence.limit, evidence.suggested))
    for function, limits in markers.items():
        lines += ["", f"# {printable(function)}"]
        if function in reasons:
            lines.append(f"# not suggested: {reasons[function]}")
        else:
            stated = ", ".join(f"{name}={_python(value)}" for name, value in _ordered(limits))
            lines.append(f"@pytest.mark.token_budget({stated})")
            if PER_SUCCESS in limits:
                lines.append(f"# and in token_benchmark(...): {PER_SUCCESS}={_python(limits[PER_SUCCESS])}")
    return "\n".join(lines) + "\n"


def _of(task: str) -> str:
    _, bracket, parameters = task.partition("[")
    return f"{bracket}{printable(parameters)}: " if bracket else ""


def _ordered(limits: dict[str, Decimal]) -> Iterable[tuple[str, Decimal]]:
    return ((name, limits[name]) for name in LIMITS if name in limits)


def _python(value: Decimal) -> str:
    return f"{int(value):_}" if value == value.to_integral_value() else dollars_text(value)


def suggest_yaml(found: Iterable[Suggestion], about: Sequence[str]) -> str:
    """The `budgets` of `tokenbudget.yml`, by node id.

    Args:
        found: What is suggested.
        about: Sentences on the evidence.
    """
    lines = [f"# {sentence}" for sentence in about]
    suggestions = tuple(found)
    entries = [
        f"  {_quoted(suggestion.task)}: {{{', '.join(map(_stated, _of_budgets(suggestion)))}}}"
        for suggestion in suggestions
        if not suggestion.reason
    ]
    lines += ["budgets:", *entries] if entries else ["budgets: {}"]
    lines += [
        f"  # {printable(suggestion.task)}: not suggested: {suggestion.reason}"
        for suggestion in suggestions
        if suggestion.reason
    ]
    return "\n".join(lines) + "\n"


def _of_budgets(suggestion: Suggestion) -> list[Evidence]:
    # dollars per success are stated in the benchmark's marker alone
    return [evidence for evidence in suggestion.evidence if evidence.limit != PER_SUCCESS]


def _quoted(task: str) -> str:
    # a JSON string is a YAML one, too; escaping what is printable would split characters beyond the basic plane
    return json.dumps(task, ensure_ascii=not task.isprintable())


def _stated(evidence: Evidence) -> str:
    return f"{evidence.limit}: {dollars_text(evidence.suggested)}"


def suggest_json(found: Iterable[Suggestion], margin: Decimal, runs: int) -> bytes:
    """What is suggested as JSON, schema `tokenbudget/suggest/1`; amounts and counts as text."""
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "margin": str(margin),
        "runs": runs,
        "tasks": [
            {
                "id": suggestion.task,
                "runs": suggestion.runs,
                "reason": suggestion.reason or None,
                "limits": {evidence.limit: _record(evidence) for evidence in suggestion.evidence},
            }
            for suggestion in found
        ],
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def _record(evidence: Evidence) -> dict[str, str | None]:
    return {
        "suggested": dollars_text(evidence.suggested),
        "low": dollars_text(evidence.low),
        "high": dollars_text(evidence.high),
        "bound": None if evidence.bound is None else dollars_text(evidence.bound),
    }
