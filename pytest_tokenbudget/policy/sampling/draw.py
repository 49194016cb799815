"""Which samples are drawn, and in which order: fixed by a seed, so that every worker, shard and machine agrees.

A sample's place follows from a hash of the seed and its key. It does not depend on the order of the file or on the
version of Python, and a row that is added to a file moves no other before or behind its neighbour.
"""

from collections.abc import Sequence
from hashlib import blake2b

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
    places = {
        # spread over the whole by equal steps, from a start of each stratum's own
        position: ((rank + _share(seed, name)) / len(found), name)
        for name, found in members.items()
        for rank, position in enumerate(found)
    }
    return tuple(sorted(places, key=places.__getitem__)[:samples])


def _chance(seed: int, key: str) -> tuple[bytes, str]:
    return blake2b(f"{seed} {key}".encode(errors="surrogatepass"), digest_size=16).digest(), key


def _share(seed: int, stratum: str) -> float:
    digest = blake2b(f"stratum {seed} {stratum}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / (1 << 64)
