"""`@pytest.mark.token_benchmark(...)`: a test becomes one item for each sample that is drawn.

Every process that collects draws for itself, and comes to the same draw: workers of pytest-xdist and shards of CI agree
without talking to each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import Struct

from pytest_tokenbudget.config.limits import Statement
from pytest_tokenbudget.config.place import refuse
from pytest_tokenbudget.config.precedence import resolve_budget
from pytest_tokenbudget.config.sampling import BenchmarkMark, read_benchmark
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import ConfigError, TokenBudgetError
from pytest_tokenbudget.model.benchmark import BenchmarkPlan, Drawn
from pytest_tokenbudget.policy.sampling.draw import draw
from pytest_tokenbudget.store.samples import Row, called_rows, read_rows

__all__ = ["BENCHMARK", "SAMPLE", "Benchmarks"]

BENCHMARK: Final = "token_benchmark"
SAMPLE: Final = "sample"
_DEFAULT_SAMPLES: Final = 100


class _Draw(Struct, frozen=True):
    mark: BenchmarkMark
    rows: tuple[Row, ...]
    population: int
    shown: str


class Benchmarks:
    """The benchmarks that one process collected.

    Attributes:
        plans: What each was asked to measure, by its id; complete for those that a test of this session belongs to.
        sparing: The samples of benchmarks that did not draw all there are: the others have recordings, too.
    """

    def __init__(self, settings: Settings, root: Path) -> None:
        """Prepare.

        Args:
            settings: The session's settings.
            root: The project's root.
        """
        self.plans: dict[str, BenchmarkPlan] = {}
        self.sparing: set[pytest.Item] = set()
        self._settings = settings
        self._root = root
        self._draws: dict[str, _Draw] = {}
        self._read: dict[Path, tuple[Row, ...]] = {}

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """Draw the samples of a marked test, one item each.

        Raises:
            pytest.Collector.CollectError: The marker or the data is wrong, or the test takes no `sample`.
        """
        mark = metafunc.definition.get_closest_marker(BENCHMARK)
        if mark is None:
            return
        try:
            found = self._draw(metafunc, mark)
        except TokenBudgetError as error:
            message = f"[{error.slug}] {error}"
            raise pytest.Collector.CollectError(message) from error
        self._draws[metafunc.definition.nodeid] = found
        # each item's own mark says its place: pytest numbers parameters anew where there are several
        values = [
            pytest.param(row.value, id=row.key, marks=pytest.mark.token_benchmark(place))
            for place, row in enumerate(found.rows)
        ]
        metafunc.parametrize(SAMPLE, values)

    def drawn(
        self, items: Iterable[pytest.Item], marked: Mapping[pytest.Item, Sequence[Statement]]
    ) -> dict[pytest.Item, Drawn]:
        """The items that are samples, each with its place in its benchmark.

        Args:
            items: The tests that are to run.
            marked: What their `token_budget` markers state: of them, a benchmark takes dollars and labels.

        Raises:
            ConfigError: A test is marked for whose kind no samples can be drawn.
        """
        found = {}
        for item in items:
            drawn = self._place(item, marked.get(item, ())) if self._draws else None
            if drawn is not None:
                found[item] = drawn
                plan = self.plans[drawn.benchmark]
                if plan.samples < plan.population:
                    self.sparing.add(item)
            elif item.get_closest_marker(BENCHMARK) is not None:
                place = f"{item.nodeid}: @pytest.mark.{BENCHMARK}"
                raise refuse(place, "no test of this kind can take a sample. Write a function or a method.")
        return found

    def _place(self, item: pytest.Item, statements: Sequence[Statement]) -> Drawn | None:
        callspec = getattr(item, "callspec", None)
        name = getattr(item, "originalname", None)
        if callspec is None or name is None or item.parent is None:
            return None
        test = f"{item.parent.nodeid}::{name}"
        found = self._draws.get(test)
        if found is None:
            return None
        place = next(mark.args[0] for mark in item.iter_markers(BENCHMARK) if mark.args)
        row = found.rows[place]
        others = _others(callspec, row.key)
        benchmark = f"{test}[{others}]" if others else test
        if benchmark not in self.plans:
            self.plans[benchmark] = self._plan(benchmark, found, statements)
        cluster = "" if found.mark.cluster is None else str(row.value[found.mark.cluster])
        return Drawn(benchmark=benchmark, place=place, cluster=cluster)

    def _draw(self, metafunc: pytest.Metafunc, mark: pytest.Mark) -> _Draw:
        test = metafunc.definition
        path, line, _ = test.location
        place = f"{path}:{'?' if line is None else line + 1}: @pytest.mark.{BENCHMARK} of {test.name}"
        if mark.args:
            shown = ", ".join(map(repr, mark.args))
            raise refuse(place, f'({shown}) names no argument. Write for example data="tickets.jsonl", samples=100.')
        stated = read_benchmark(mark.kwargs, place)
        if SAMPLE not in metafunc.fixturenames:
            raise refuse(place, f"the test must take an argument `{SAMPLE}`: it is run once for each.")
        rows, shown = self._rows(stated, Path(test.path))
        strata = None if stated.stratify is None else [_field(row, stated.stratify, place) for row in rows]
        for row in rows if stated.cluster is not None else ():
            _field(row, stated.cluster or "", place)
        chosen = draw([row.key for row in rows], self._samples(stated), seed=stated.seed, strata=strata)
        return _Draw(stated, tuple(rows[position] for position in chosen), len(rows), shown)

    def _samples(self, stated: BenchmarkMark) -> int:
        general = self._settings.samples
        if general is not None and "samples" in self._settings.above_markers:
            return general
        return stated.samples or general or _DEFAULT_SAMPLES

    def _rows(self, stated: BenchmarkMark, module: Path) -> tuple[tuple[Row, ...], str]:
        place = f"{stated.place}: `data`"
        try:
            if not isinstance(stated.data, str):
                name = getattr(stated.data, "__qualname__", type(stated.data).__name__)
                return called_rows(stated.data, f"{name}()"), f"{name}()"
            beside, below = module.parent / stated.data, self._root / stated.data
            path = beside if beside.exists() or not below.exists() else below
            if path not in self._read:
                self._read[path] = read_rows(path, stated.data)
            return self._read[path], stated.data
        except ConfigError as error:
            raise refuse(place, str(error)) from error

    def _plan(self, benchmark: str, found: _Draw, statements: Sequence[Statement]) -> BenchmarkPlan:
        budget, _ = resolve_budget(self._settings, benchmark, statements)
        return BenchmarkPlan(
            id=benchmark,
            data=found.shown,
            population=found.population,
            samples=len(found.rows),
            seed=found.mark.seed,
            usd=budget.usd,
            usd_per_success=found.mark.usd_per_success,
            tolerance=budget.tolerance,
            rule=self._settings.rule,
            spend=found.mark.spend,
            ideal_steps=found.mark.ideal_steps,
            workflow=budget.workflow,
            team=budget.team,
        )


def _field(row: Row, name: str, place: str) -> str:
    if not isinstance(row.value, dict) or name not in row.value:
        raise refuse(place, f"sample {row.key!r} has no field `{name}`.")
    return str(row.value[name])


def _others(callspec: Any, key: str) -> str:  # noqa: ANN401 - its class has no public name
    """What further parameters of the test are called, without the sample."""
    if len(callspec.params) == 1:
        return ""
    whole: str = callspec.id
    for known in (key, key.encode("unicode_escape").decode()):
        if whole.endswith(f"-{known}"):
            return whole.removesuffix(f"-{known}")
        if whole.startswith(f"{known}-"):
            return whole.removeprefix(f"{known}-")
    return "-".join(f"{name}={value!r:.40}" for name, value in sorted(callspec.params.items()) if name != SAMPLE)
