"""What samples failed with: the commonest kinds, so that a broken test is not taken for an unsuccessful agent."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from pytest_tokenbudget.model.benchmark import Failure

__all__ = ["failures_of"]

_MOST: Final = 3


def failures_of(texts: Iterable[str]) -> tuple[Failure, ...]:
    """The commonest failures, at most three, the commonest first.

    Failures of one kind of exception at one place are one, whatever each says.

    Args:
        texts: Of each sample, such as `KeyError: 'text' (test_it.py:12)`; empty where it did not fail.
    """
    kinds: dict[tuple[str, str], Counter[str]] = {}
    for text in texts:
        if text:
            said, _, place = text.rpartition(" (")
            kinds.setdefault((said.partition(":")[0], place), Counter())[text] += 1
    found = [
        Failure(text=each.most_common(1)[0][0], count=each.total(), alike=len(each) == 1) for each in kinds.values()
    ]
    return tuple(sorted(found, key=lambda failure: -failure.count)[:_MOST])
