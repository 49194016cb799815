"""A family's weights, bent to what a user's own recordings say.

Two recorded requests of the same model say what the difference between them cost. The weights that explain such
differences best, by least absolute error and drawn to the family's own where little is known, are the user's.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from pytest_tokenbudget.tokens.differences import compare
from pytest_tokenbudget.tokens.families import Family, family_of
from pytest_tokenbudget.tokens.inestimable import unlike
from pytest_tokenbudget.tokens.sample import Sample
from pytest_tokenbudget.tokens.weights import Weighed, weigh

__all__ = ["refitted"]

_UNKNOWNS: Final = (("text",), ("tool",), ("tools",), ("message",), ("call", "result"))
"""What is fitted; a call and its result come together, so they share one unknown."""

_SHARE: Final = (0.08, 0.08, 0.3, 0.0, 0.25)
"""How far each weight may be from the family's, as a share of it, before its distance counts as much as one row."""

_LEAST: Final = 0.01
_PULL: Final = 4.0
"""How many rows that say nothing else the family's weights count as."""

_MOST_ROWS: Final = 48
_ROUNDS: Final = 8
_NOISE: Final = 3.0
_NOISE_SHARE: Final = 0.03
_FEWEST: Final = 3
_REMEMBERED: Final = 8
_MOST_CHARACTERS: Final = 60_000
"""Changed text that is counted for a fit, at most: some ten milliseconds, once for each set of recordings."""

_fits: dict[tuple[str, str, tuple[int, ...]], tuple[Sequence[Sample], Family]] = {}


def refitted(family: Family, known: Sequence[Sample], name: str, count: Callable[[str], int]) -> Family:
    """The family with weights fitted to recordings; the family itself where they are too few, or need no fit.

    Args:
        family: The family of the model in question.
        known: Recorded samples, of any model.
        name: The counter's, under which the fit is remembered with the samples.
        count: Counts the tokens of a text.
    """
    if family.fixed or len(known) <= _FEWEST:
        return family
    key = (family.name, name, tuple(map(id, known)))
    remembered = _fits.get(key)
    if remembered is not None:
        return remembered[1]
    rows = [*_rows(family, known, count)]
    found = _fitted(family, rows) if len(rows) >= _FEWEST else family
    while len(_fits) >= _REMEMBERED:
        _fits.pop(next(iter(_fits)), None)
    # the samples are kept beside their ids, so that no other object can come to have one of these
    _fits[key] = (tuple(known), found)
    return found


def _rows(
    family: Family, known: Sequence[Sample], count: Callable[[str], int]
) -> Iterator[tuple[list[float], float, float]]:
    """Yield what differs between two samples, what that cost, and how sure it is."""
    last: dict[object, Sample] = {}
    found = characters = 0
    for sample in known:
        if family_of(sample.provider, sample.model).name != family.name:
            continue
        mode = (sample.provider, sample.api, sample.model, *_mode(sample))
        before, last[mode] = last.get(mode), sample
        if before is None or unlike(before.prompt, sample.prompt):
            continue
        difference = compare(before.prompt.parts, sample.prompt.parts)
        characters += sum(
            len(part.text) for revision in difference.revisions for part in (revision.before, revision.now) if part
        )
        if characters > _MOST_CHARACTERS:
            return
        weighed = weigh(difference, sample.prompt.messages - before.prompt.messages, family, count)
        if not any(weighed.net.values()):
            continue
        yield _row(family, weighed, sample.usage.total_input - before.usage.total_input)
        found += 1
        if found == _MOST_ROWS:
            return


def _mode(sample: Sample) -> tuple[object, ...]:
    prompt = sample.prompt
    kinds = {part.kind for part in prompt.parts}
    return prompt.tool_choice, prompt.thinking, "tools" in kinds, "schema" in kinds


def _row(family: Family, weighed: Weighed, cost: float) -> tuple[list[float], float, float]:
    schema = family.weights.schema * weighed.net.get("schema", 0)
    features = [sum(weighed.net.get(name, 0) for name in names) for names in _UNKNOWNS]
    return features, cost - schema, _NOISE + _NOISE_SHARE * sum(weighed.gross.values())


def _fitted(family: Family, rows: Sequence[tuple[list[float], float, float]]) -> Family:
    """Least absolute deviations by least squares whose weights are the last round's errors, and a pull to the prior."""
    prior = [getattr(family.weights, names[0]) for names in _UNKNOWNS]
    pulls = [_PULL / max(share * weight, _LEAST) ** 2 for share, weight in zip(_SHARE, prior, strict=True)]
    found, size = list(prior), len(prior)
    for _ in range(_ROUNDS):
        matrix = [[pulls[line] if line == column else 0.0 for column in range(size)] for line in range(size)]
        right = [pull * weight for pull, weight in zip(pulls, prior, strict=True)]
        for features, cost, noise in rows:
            miss = abs(cost - sum(map(float.__mul__, map(float, features), found)))
            trust = 1 / (max(miss, noise / 2) * noise)
            for line in range(size):
                if scaled := features[line] * trust:
                    right[line] += scaled * cost
                    row = matrix[line]
                    for column in range(size):
                        row[column] += scaled * features[column]
        found = _solved(matrix, right)
    weights = {name: max(weight, 0.0) for names, weight in zip(_UNKNOWNS, found, strict=True) for name in names}
    return replace(family, weights=replace(family.weights, **weights))


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a small positive definite system by elimination; the pull keeps its diagonal from zero."""
    size = len(right)
    for line in range(size):
        pivot = matrix[line]
        for below in range(line + 1, size):
            if factor := matrix[below][line] / pivot[line]:
                row = matrix[below]
                for column in range(line, size):
                    row[column] -= factor * pivot[column]
                right[below] -= factor * right[line]
    found = [0.0] * size
    for line in reversed(range(size)):
        known = sum(matrix[line][column] * found[column] for column in range(line + 1, size))
        found[line] = (right[line] - known) / matrix[line][line]
    return found
