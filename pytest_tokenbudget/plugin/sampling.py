"""What a session knows of its benchmarks: which tasks are samples, what was decided, and who is told. Knows no pytest.

What benchmarks are made of is loaded with the first of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.meter.task import TaskMeter
from pytest_tokenbudget.model.benchmark import SPENT, UNANSWERED, BenchmarkPlan, BenchmarkRun, Drawn
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.store.sampled import SampleBoard

if TYPE_CHECKING:
    from pytest_tokenbudget.plugin.progress import Progress
    from pytest_tokenbudget.plugin.stopping import EarlyStops

__all__ = ["Sampling"]

_IN_A_ROW: Final = 3
"""So many samples whose requests got no answer, and the rest is not tried."""


class Sampling:
    """The samples of one process, and the benchmarks that they belong to.

    Attributes:
        tell: Prints a line while tests run; `None` where nobody is to be told.
        is_watched: Whether a person watches, and not a log.
    """

    def __init__(self, settings: Settings, board: SampleBoard) -> None:
        """Prepare.

        Args:
            settings: The session's settings.
            board: Where all processes of the session tell each other of samples that are paid for.
        """
        self.tell: Callable[[str], None] | None = None
        self.is_watched = False
        self._settings = settings
        self._board = board
        self._drawn: dict[str, Drawn] = {}
        self._unshipped: tuple[BenchmarkPlan, ...] = ()
        self._stops: EarlyStops | None = None
        self._unanswered: Counter[str] = Counter()
        self._progress: Progress | None = None

    def take(self, drawn: Mapping[str, Drawn], plans: Mapping[str, BenchmarkPlan]) -> None:
        """Take tasks for samples: no budget judges one alone.

        Args:
            drawn: The place of each in its benchmark, by the task's id.
            plans: The benchmarks by id.
        """
        self._drawn.update(drawn)
        self._unshipped = tuple(plans.values())
        if plans and self._settings.record != "none":
            from pytest_tokenbudget.plugin.stopping import EarlyStops

            self._stops = EarlyStops(plans, self._board)

    def of(self, task_id: str) -> Drawn | None:
        """A task's place in its benchmark; `None` where it is no sample."""
        return self._drawn.get(task_id)

    def needless(self, task: TaskMeter) -> str:
        """Why a sample need not be tried, as others of its benchmark have shown; empty where it must be."""
        if task.drawn is None or self._stops is None:
            return ""
        if self._unanswered[task.drawn.benchmark] >= _IN_A_ROW:
            return f"the model could not be reached: {_IN_A_ROW} samples in a row"
        decision = self._stops.decision(task.drawn.benchmark)
        if decision is None:
            return ""
        # when money ran out is another moment in each worker
        decided = f"decided after {decision.at} of {decision.of} samples"
        return SPENT if decision.kind == "spent" else decided

    def ended(self, task: Task) -> None:
        """Weigh a task that ended, if it is a sample that was paid for, or could not be."""
        if self._stops is None or task.drawn is None:
            return
        self._stops.ended(task)
        if any(entry.call.sent for entry in task.calls):
            self._unanswered[task.drawn.benchmark] = 0
        elif task.drawn.unmeasured == UNANSWERED:
            self._unanswered[task.drawn.benchmark] += 1

    def ship(self) -> tuple[BenchmarkPlan, ...]:
        """The benchmarks that were collected, for the process that reports; for once."""
        plans, self._unshipped = self._unshipped, ()
        return plans

    def collected(self, tasks: Iterable[Task], plans: Callable[[], Sequence[BenchmarkPlan]]) -> None:
        """Tell of benchmarks, in the process that reports.

        Args:
            tasks: Tasks that ended.
            plans: Gives the benchmarks of all processes.
        """
        if self.tell is None or not plans():
            return
        if self._progress is None:
            from pytest_tokenbudget.plugin.progress import Progress

            self._progress = Progress(self.tell, is_watched=self.is_watched)
        self._progress.take(tasks, plans)

    def outcomes(
        self, plans: Sequence[BenchmarkPlan], tasks: Sequence[Task], partial: Sequence[str]
    ) -> tuple[BenchmarkRun, ...]:
        """What came of the benchmarks.

        Args:
            plans: The benchmarks of all processes.
            tasks: The tasks of all processes.
            partial: Why only a part of the suite ran.
        """
        if not plans:
            return ()
        from pytest_tokenbudget.policy.sampling.outcome import outcome_of

        warns = self._settings.missing_usage != "error" and self._settings.unknown_model != "error"
        return tuple(outcome_of(plan, tasks, partial=partial, warns=warns) for plan in plans)
