"""Student's t without scipy: for means, and for ratios by the delta method."""

from collections.abc import Sequence
from math import exp, fsum, lgamma, log, log1p, sqrt
from typing import Final

__all__ = ["ratio_error", "t_quantile"]

_TINY: Final = 1e-300
_STEPS: Final = 300
_HALVINGS: Final = 80


def ratio_error(above: Sequence[float], below: Sequence[float]) -> float:
    """The standard error of Σ above ÷ Σ below over units that were drawn together.

    For a mean, `below` counts the samples of each unit; with clusters this is the cluster-robust error.

    Args:
        above: One number for each unit, at least two.
        below: One for each unit; their sum is not 0.
    """
    n = len(above)
    whole = fsum(below)
    ratio = fsum(above) / whole
    squares = fsum((upper - ratio * lower) ** 2 for upper, lower in zip(above, below, strict=True))
    return sqrt(squares * n / (n - 1)) / abs(whole)


def t_quantile(confidence: float, freedom: float) -> float:
    """The value that Student's t exceeds with probability 1 - confidence.

    Args:
        confidence: Above 0.5 and below 1.
        freedom: Degrees of freedom, at least 1; not always whole.
    """
    low, high = 0.0, 1.0
    while _t_cdf(high, freedom) < confidence:
        low, high = high, high * 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_cdf(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def _t_cdf(t: float, freedom: float) -> float:
    return 1 - _beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2


def _beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function (DLMF 8.17.22, by Lentz's method)."""
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    fraction = c = 1.0
    d = 0.0
    for step in range(_STEPS):
        m = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _apart(1 + term * d)
        c = _apart(1 + term / c)
        fraction *= c * d
        if abs(c * d - 1) < 1e-14:  # noqa: PLR2004 - a float's precision
            break
    return front * (fraction - 1)


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
