"""A task under guard, with a model on loopback that its calls may reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopback import LoopbackModel, Reply, Script

from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.traffic import guard, intake

__all__ = ["Watched", "watching"]


class Watched:
    """A task under guard.

    Attributes:
        server: The model.
        url: Where it listens.
        task: The task.
        refused: Why model calls are refused, as the guard's ruling has it; empty while they are only counted.
        exchanges: What cassettes handed over.
    """

    def __init__(self, server: LoopbackModel) -> None:
        self.server = server
        self.url = server.url
        self.task = TaskMeter("test_it")
        self.refused = ""
        self.exchanges: list[Exchange] = []

    def read(self, exchange: Exchange) -> Call | Skipped:
        """Take in an exchange, without a look at it."""
        self.exchanges.append(exchange)
        return Skipped(source=None, index=None, reason="not of interest")

    def rule(self) -> guard.Ruling:
        """Refuse or count, as is said here."""
        return guard.Ruling(task=self.task, refused=self.refused, advice="Do as is said.")

    @property
    def arrived(self) -> int:
        """How many requests reached the model."""
        return len(self.server.requests)

    @property
    def seen(self) -> list[str]:
        """What became of each model call that no cassette let out."""
        return [stray.kind for stray in self.task.strays]


def _says_hi(*_: object) -> Reply:
    return Reply(text="Hi.")


@contextmanager
def watching(folder: Path, script: Script = _says_hi) -> Iterator[Watched]:
    """A task under guard for the length of a `with` block, whose cassettes are metered too."""
    with LoopbackModel(script) as server:
        found = Watched(server)
        meter = Meter(found.read, lambda *_: None)
        meter.enter(found.task)
        detach = intake.attach(meter, folder)
        uninstall = guard.install(meter, found.rule)
        try:
            yield found
        finally:
            uninstall()
            detach()
