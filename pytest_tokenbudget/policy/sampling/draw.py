"""Which samples are drawn, and in which order: fixed by a seed, so that every worker, shard and machine agrees.

A sample's place follows from a hash of the seed and its key. It does not depend on the order of the file or on the
version of Python, and a row that is added to a file moves no other before or behind its neighbour.
"""

from collections.abc import Sequence
from hashlib import blake2b
from heapq import heappop, heappush

__all__ = ["draw"]


def draw(keys: Sequence[str], samples: int, *, seed: int, strata: Sequence[str] | None = None) -> tuple[int, ...]:
    """Draw without putting back.

    Args:
        keys: The key of each sample there is.
        samples: How many to draw; all, where there are fewer.
        seed: Another seed, another draw.
        strata: The stratum of each sample. Every beginning of the draw then has of each stratum its share of all, to
            within a sample.

    Returns:
        Positions in `keys`, in the order of the draw.
    """
    chance = [_chance(seed, key) for key in keys]
    if strata is None:
        return tuple(sorted(range(len(keys)), key=chance.__getitem__)[:samples])
    members: dict[str, list[int]] = {}
    for position in sorted(range(len(keys)), key=chance.__getitem__):
        members.setdefault(strata[position], []).append(position)
    return tuple(_in_shares(list(members.values()), [_chance(seed, f"stratum {name}") for name in members])[:samples])


def _in_shares(strata: Sequence[Sequence[int]], ties: Sequence[tuple[bytes, str]]) -> list[int]:
    """All positions so that every beginning has its share of each stratum, to less than a sample.

    The member j of n in a stratum has its turn after j/n and by (j + 1)/n of the whole; of those whose turn it is, the
    one is taken that can wait least. That all can be served is the chairman assignment problem (Tijdeman, 1980).
    """
    whole = sum(map(len, strata))
    coming = [
        (rank * whole // len(found) + 1, -(-(rank + 1) * whole // len(found)), ties[index], position)
        for index, found in enumerate(strata)
        for rank, position in enumerate(found)
    ]
    coming.sort(reverse=True)
    waiting: list[tuple[int, tuple[bytes, str], int]] = []
    order = []
    for turn in range(1, whole + 1):
        while coming and coming[-1][0] <= turn:
            heappush(waiting, coming.pop()[1:])
        order.append(heappop(waiting)[-1])
    return order


def _chance(seed: int, key: str) -> tuple[bytes, str]:
    return blake2b(f"{seed} {key}".encode(errors="surrogatepass"), digest_size=16).digest(), key
