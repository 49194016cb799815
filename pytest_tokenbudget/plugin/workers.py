"""pytest-xdist: workers measure, the controller collects.

A worker's tasks travel as one text attribute on the report of their teardown; what ends after the last report travels
in the worker's output.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from pytest_tokenbudget.plugin.session import Session, new_session_name
from pytest_tokenbudget.plugin.stock import Stock
from pytest_tokenbudget.store.encoding import encode_json

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

__all__ = [
    "ATTRIBUTE",
    "OUTPUT",
    "expect",
    "has_workers",
    "keep_order",
    "refuse",
    "session_name",
    "ship",
    "worker_name",
]

ATTRIBUTE: Final = "tokenbudget_tasks"
OUTPUT: Final = "tokenbudget_tasks"
_STOCK: Final = "tokenbudget_stock"
_REFUSED: Final = "tokenbudget_refused"
_SESSION: Final = "tokenbudget_session"
_NAME: Final = pytest.StashKey[str]()
_COLLECTOR: Final = "tokenbudget-collector"


def session_name(config: pytest.Config) -> str:
    """The session's name, the same in the controller and in every worker."""
    inputs: dict[str, Any] = getattr(config, "workerinput", {})
    if _SESSION in inputs:
        return str(inputs[_SESSION])
    return config.stash.setdefault(_NAME, new_session_name())


def worker_name(config: pytest.Config) -> str:
    """The worker's name; `main` in a controller and without workers."""
    return str(getattr(config, "workerinput", {}).get("workerid", "main"))


def expect(node: "WorkerController", begin: Callable[[], Session]) -> None:
    """Tell a worker the session's name, and wait for its tasks.

    Args:
        node: The worker.
        begin: Begins to measure in this process, if that has not begun, and gives the session.
    """
    config: pytest.Config = node.config
    node.workerinput[_SESSION] = session_name(config)
    if not config.pluginmanager.hasplugin(_COLLECTOR):
        config.pluginmanager.register(_Collector(begin), _COLLECTOR)


def keep_order(config: pytest.Config) -> None:
    """Let workers take tests one by one, unless somebody said how many at a time.

    Each would be given a chunk of its own else: a benchmark's samples count in the order of the draw, and all workers
    but one would pay for samples that count long after it is decided.
    """
    if getattr(config.option, "maxschedchunk", 1) is None:
        config.option.maxschedchunk = 1


def refuse(config: pytest.Config, error: pytest.UsageError, items: list[pytest.Item]) -> None:
    """End a session whose markers or settings are wrong; a worker lets its controller end it, and runs nothing.

    Raises:
        pytest.UsageError: The same, outside of a worker.
    """
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise error
    # a worker that raises while it collects leaves its controller waiting for tests
    output[_REFUSED] = str(error)
    items.clear()


def ship(config: pytest.Config, rest: str, stock: Stock | None) -> None:
    """Hand a worker's last tasks, and what it found of recordings without a test, to its controller."""
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # pytest-xdist adds it
    output[OUTPUT] = rest
    output[_STOCK] = encode_json(stock).decode()


def has_workers(config: pytest.Config) -> bool:
    """Whether this is a controller, whose workers' tasks are collected here."""
    return config.pluginmanager.hasplugin(_COLLECTOR)


class _Collector:
    """Collects what workers measured, and begins to report with the first of it."""

    def __init__(self, begin: Callable[[], Session]) -> None:
        self._begin = begin

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the tasks that travel with a report."""
        if parcel := getattr(report, ATTRIBUTE, ""):
            self._collect(parcel)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: "WorkerController", error: object | None) -> None:
        """Take what a worker had left, or note that it died.

        Raises:
            pytest.UsageError: The worker refused markers or settings.
        """
        if refused := getattr(node, "workeroutput", {}).get(_REFUSED):
            raise pytest.UsageError(refused)
        if left := getattr(node, "workeroutput", {}).get(OUTPUT):
            self._collect(left)
        if (stock := getattr(node, "workeroutput", {}).get(_STOCK)) is not None:
            self._begin().gathered.take_stock(msgspec.json.decode(stock, type=Stock | None))
        if error:
            self._begin().gathered.worker_died(str(node.gateway.id))

    def _collect(self, parcel: str) -> None:
        self._begin().collect(parcel)
