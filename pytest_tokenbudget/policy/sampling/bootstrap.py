"""Bootstrap intervals by scipy, the one module that needs it: `pip install pytest-tokenbudget[stats]`."""

import warnings
from collections.abc import Sequence
from typing import Any, Final

__all__ = ["available", "ratio_bounds"]

_RESAMPLES: Final = 9_999
_OLDEST: Final = (1, 15)
"""Before it, resampling took no generator by this name."""

_BATCH: Final = 2_000_000
"""Numbers that are drawn at a time."""


def available() -> bool:
    """Whether scipy is here and new enough; loads it."""
    try:
        import scipy
        import scipy.stats
    except ImportError:  # a broken one, or numpy's, must not cost a run its figures
        return False
    return tuple(map(int, scipy.__version__.split(".")[:2])) >= _OLDEST


def ratio_bounds(
    above: Sequence[float], below: Sequence[float], confidence: float, seed: int
) -> tuple[float, float] | None:
    """The BCa interval of Σ above ÷ Σ below, the pairs resampled together; `None` where it does not exist.

    Args:
        above: One number for each unit.
        below: One for each unit; their sum must not be 0 in any resample.
        confidence: Of each bound on its own.
        seed: Of the resampling.
    """
    import numpy as np
    from scipy.stats import bootstrap

    def ratio(upper: Any, lower: Any, axis: int) -> Any:  # noqa: ANN401 - arrays of numpy's
        return upper.sum(axis=axis) / lower.sum(axis=axis)

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of degenerate data; the answer is then not finite
        found = bootstrap(
            (np.array(above), np.array(below)),
            ratio,
            paired=True,
            vectorized=True,
            method="BCa",
            n_resamples=_RESAMPLES,
            batch=max(_BATCH // len(above), 1),
            confidence_level=2 * confidence - 1,
            rng=np.random.default_rng(seed),
        ).confidence_interval
    low, high = float(found.low), float(found.high)
    return (low, high) if np.isfinite(low) and np.isfinite(high) else None
