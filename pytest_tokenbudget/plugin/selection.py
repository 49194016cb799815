"""Whether the whole suite ran: a part of it decides nothing about the rest."""

import pytest

from pytest_tokenbudget.model.run import INTERRUPTED

__all__ = ["reasons_for_partial"]


def reasons_for_partial(session: pytest.Session) -> list[str]:
    """Why only a part of the suite ran, in the words of the command line; empty for all of it."""
    option = session.config.option
    reasons = []
    if getattr(option, "keyword", ""):
        reasons.append(f"-k {option.keyword}")
    if getattr(option, "markexpr", ""):
        reasons.append(f"-m {option.markexpr}")
    if getattr(option, "lf", False):
        reasons.append("--last-failed")
    if getattr(option, "deselect", None):
        reasons.append("--deselect")
    reasons += [f"only {arg}" for arg in session.config.args if "::" in arg or arg.endswith(".py")]
    if session.shouldfail or session.shouldstop:
        reasons.append(f"stopped: {session.shouldfail or session.shouldstop}")
    elif session.exitstatus == pytest.ExitCode.INTERRUPTED:
        reasons.append(INTERRUPTED)
    return reasons
