"""Evidence that may be looked at after every sample: e-processes of betting (Waudby-Smith & Ramdas, 2024).

If the true mean of what is added is at most 0, the wealth W starts at 1 and is expected never to grow, so that it ever
reaches 1/alpha with probability at most alpha (Ville's inequality), however often one looks and whatever the tails.
W is the mean over 20 stakes λ of ∏ (1 + λ · gain); it is kept in logarithms.
"""

from math import exp, fsum, log, log1p
from typing import Final

__all__ = ["Wealth"]

_STAKES: Final = 20


class Wealth:
    """The logarithm of W, sample by sample.

    Args:
        most_lost: The most that one sample can lose: every gain is at least minus this, and this is above 0.
    """

    __slots__ = ("_logs", "_stakes", "most_lost")

    def __init__(self, most_lost: float) -> None:
        self.most_lost = most_lost
        self._stakes = tuple(j / ((_STAKES + 1) * most_lost) for j in range(1, _STAKES + 1))
        self._logs = [0.0] * _STAKES

    def add(self, gain: float) -> None:
        """Add a sample, in the unit of `most_lost`.

        Args:
            gain: What it says against the hypothesis; a loss larger than the most that can be lost counts as that.
        """
        gain = max(gain, -self.most_lost)
        for index, stake in enumerate(self._stakes):
            self._logs[index] += log1p(stake * gain)

    @property
    def log(self) -> float:
        """The natural logarithm of W; 0 before the first sample."""
        most = max(self._logs)
        return most + log(fsum(exp(value - most) for value in self._logs) / _STAKES)
