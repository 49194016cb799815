"""Many benchmarks at once: of twenty at 5%, one false alarm in two builds is to be expected."""

from collections.abc import Mapping
from math import log

__all__ = ["alarms"]


def alarms(evidence: Mapping[str, float], alpha: float = 0.05) -> tuple[str, ...]:
    """The benchmarks whose evidence stands among all of them (e-BH; Wang & Ramdas, JRSS B 2022).

    At most a share `alpha` of them is expected to be false, however the benchmarks depend on each other.

    Args:
        evidence: ln W of each benchmark, by its name.
        alpha: The share of false alarms to be expected.

    Returns:
        Their names, the strongest evidence first.
    """
    ranked = sorted(evidence, key=lambda name: (-evidence[name], name))
    enough = 0
    for rank, name in enumerate(ranked, start=1):
        if evidence[name] >= log(len(ranked) / (alpha * rank)):
            enough = rank
    return tuple(ranked[:enough])
