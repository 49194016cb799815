"""A benchmark's cost by workflow, team, model and outcome; each way of slicing sums to the total exactly."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from pytest_tokenbudget.model.figures import DIMENSIONS, Dimension, Slice
from pytest_tokenbudget.model.money import EXACT, ZERO
from pytest_tokenbudget.model.sample import Sample

__all__ = ["DIMENSIONS", "Dimension", "Slice", "slices_of"]


_Share = tuple[str | None, Decimal | None]


def slices_of(samples: Iterable[Sample]) -> Mapping[Dimension, tuple[Slice, ...]]:
    """The slices by each dimension, the dearest first."""
    every = tuple(samples)
    return {dimension: _sliced(every, dimension) for dimension in DIMENSIONS}


def _sliced(samples: Iterable[Sample], dimension: Dimension) -> tuple[Slice, ...]:
    found: dict[str | None, Slice] = {}
    for sample in samples:
        for key, cost in _shares(sample, dimension):
            so_far = found.get(key) or Slice(dimension=dimension, key=key, n=0, successes=0, known=ZERO)
            found[key] = Slice(
                dimension=dimension,
                key=key,
                n=so_far.n + 1,
                successes=so_far.successes + sample.success,
                known=so_far.known if cost is None else EXACT.add(so_far.known, cost),
                unknown=so_far.unknown + (cost is None),
            )
    return tuple(sorted(found.values(), key=lambda part: (-part.known, part.key is None, part.key or "")))


def _shares(sample: Sample, dimension: Dimension) -> Iterator[_Share]:
    match dimension:
        case "workflow":
            yield sample.workflow, sample.cost
        case "team":
            yield sample.team, sample.cost
        case "outcome":
            yield "success" if sample.success else "failure", sample.cost
        case "model":
            yield from _by_model(sample)


def _by_model(sample: Sample) -> Iterator[_Share]:
    merged: dict[str, Decimal | None] = {}
    for model, cost in sample.models:
        before = merged.get(model, ZERO)
        merged[model] = None if cost is None or before is None else EXACT.add(before, cost)
    if sample.cost is None:  # none of its dollars is in the figures, so none is in a slice
        yield from ((model, None) for model in merged or (None,))
        return
    yield from merged.items()
    rest = sample.cost
    for cost in merged.values():
        rest = EXACT.subtract(rest, cost or ZERO)
    if rest or not merged:
        yield None, rest
