"""The cost of LLM agents as a test result: recorded, replayed, priced, judged.

The names below are the public interface. They load on first use, so that a test suite which makes no model call pays
nothing for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_tokenbudget.errors import RecordingMiss, Stop, TokenBudgetError
    from pytest_tokenbudget.model.call import Call
    from pytest_tokenbudget.model.exchange import Exchange
    from pytest_tokenbudget.model.prompt import Segment
    from pytest_tokenbudget.model.run import Run
    from pytest_tokenbudget.model.task import Task
    from pytest_tokenbudget.model.usage import Usage

__version__ = "0.1.0"

__all__ = [
    "Call",
    "Exchange",
    "RecordingMiss",
    "Run",
    "Segment",
    "Stop",
    "Task",
    "TokenBudgetError",
    "Usage",
    "__version__",
]

_HOMES = {
    "Call": "model.call",
    "Exchange": "model.exchange",
    "RecordingMiss": "errors",
    "Run": "model.run",
    "Segment": "model.prompt",
    "Stop": "errors",
    "Task": "model.task",
    "TokenBudgetError": "errors",
    "Usage": "model.usage",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
