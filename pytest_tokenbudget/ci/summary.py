"""What a step of GitHub Actions leaves behind: its summary and its outputs, in the files that the runner names."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pytest_tokenbudget.ci.sticky import Posted
from pytest_tokenbudget.model.money import EXACT
from pytest_tokenbudget.policy.compare import Comparison
from pytest_tokenbudget.policy.gate import GateVerdict

__all__ = ["LARGEST_SUMMARY", "append_outputs", "append_summary", "outputs_of"]

LARGEST_SUMMARY: Final = 1024 * 1024
"""Bytes that one step's summary may have; with more GitHub shows none of it (Workflow commands, 2026-10)."""

_REST: Final = "\n\n_The rest is left out: a step's summary has room for 1 MiB._\n"


def append_summary(file: Path, text: str) -> str:
    """Add Markdown to a step's summary, as much as there is room for.

    Args:
        file: What `GITHUB_STEP_SUMMARY` names.
        text: The Markdown.

    Returns:
        What went wrong, as a sentence; empty where nothing did.
    """
    try:
        room = LARGEST_SUMMARY - (file.stat().st_size if file.exists() else 0)
        raw = f"{text.rstrip()}\n\n".encode()
        if len(raw) > room:
            raw = _cut(raw, room)
            if not raw:
                return "The step's summary is full: nothing was added."
        with file.open("ab") as opened:
            opened.write(raw)
    except OSError as error:
        return f"The step's summary cannot be written: {error.strerror or type(error).__name__}."
    return ""


def _cut(raw: bytes, room: int) -> bytes:
    """Whole paragraphs that fit, and a line that says so."""
    rest = _REST.encode()
    end = raw.rfind(b"\n\n", 0, max(room - len(rest), 0))
    return raw[:end] + rest if end > 0 else b""


def outputs_of(
    comparison: Comparison, verdict: GateVerdict, *, comment: Path | None = None, posted: Posted | None = None
) -> dict[str, str]:
    """What later steps of a job may ask of this one, by name. An unknown amount is empty, not 0.

    Args:
        comparison: Base and head.
        verdict: The decision.
        comment: Where the comment was written to, if it was.
        posted: What became of it on the forge, if it was posted.
    """
    head, base = comparison.total("head"), comparison.total("base")
    has_base = comparison.base is not None and base is not None
    change = EXACT.subtract(head, base) if head is not None and base is not None and has_base else None
    return {
        "verdict": verdict.state,
        "status": str(verdict.status),
        "cost_usd": f"{head:f}" if head is not None else "",
        "change_usd": f"{change:f}" if change is not None else "",
        "comment": comment.as_posix() if comment is not None else "",
        "comment_url": posted.url if posted is not None else "",
        "posted": posted.kind if posted is not None else "",
    }


def append_outputs(
    file: Path, outputs: Mapping[str, str], *, random: Callable[[], str] = lambda: secrets.token_hex(16)
) -> str:
    """Add outputs to a step's, so that no value can end itself early and pose as another.

    Args:
        file: What `GITHUB_OUTPUT` names.
        outputs: Values by name; of any text.
        random: A word that nobody can guess.

    Returns:
        What went wrong, as a sentence; empty where nothing did.
    """
    entries = []
    for name, value in outputs.items():
        end = f"tokenbudget_{random()}"
        while end in value:
            end = f"tokenbudget_{random()}"
        entries.append(f"{name}<<{end}\n{value}\n{end}\n")
    try:
        with file.open("a", encoding="utf-8", newline="\n", errors="backslashreplace") as opened:
            opened.write("".join(entries))
    except OSError as error:
        return f"The step's outputs cannot be written: {error.strerror or type(error).__name__}."
    return ""
