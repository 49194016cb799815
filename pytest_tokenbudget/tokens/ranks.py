"""tiktoken's encodings from rank data of our own: no download, and nothing of tiktoken's registry or cache.

tiktoken fetches its ranks at first use, which a pipeline without internet cannot, deletes a cached file whose hash
differs, and takes in registered encodings for the whole process. So an encoding is built here from what `data/` holds:
an xz file with the lengths of all tokens, one byte each in the order of their ranks, and then the tokens themselves.
`scripts/pack_ranks.py` writes them. Loading takes a third of a second, and happens only when a request drifted.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from tiktoken import Encoding

__all__ = ["DATA", "VOCABULARIES", "Vocabulary", "encoding"]

DATA: Final = Path(__file__).parent / "data"


class Vocabulary(Struct, frozen=True, kw_only=True):
    """An encoding as tiktoken defines it (tiktoken 0.14, `tiktoken_ext/openai_public.py`).

    Attributes:
        name: tiktoken's name of it.
        size: How many tokens have a rank.
        digest: The SHA-256 of the unpacked data.
        pattern: What cuts a text into the pieces that tokens do not cross.
        special: Tokens that no text becomes.
    """

    name: str
    size: int
    digest: str
    pattern: str
    special: Mapping[str, int]


_CL100K: Final = Vocabulary(
    name="cl100k_base",
    size=100_256,
    digest="18288f996f452d44e0e65996176591a4b712a3eb1b42afd6f0511e735c099480",
    pattern=(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s"
    ),
    special={
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
)
_LETTERS: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_ENDING: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_O200K: Final = Vocabulary(
    name="o200k_base",
    size=199_998,
    digest="440741350e7cfa1c0f4869ce742d1b043550adbda5187adcac9e787edac6fba9",
    pattern="|".join(
        (
            rf"{_LETTERS}*[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]+{_ENDING}",
            rf"{_LETTERS}+[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}]*{_ENDING}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
    special={"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
)
VOCABULARIES: Final[Mapping[str, Vocabulary]] = {known.name: known for known in (_O200K, _CL100K)}


@cache
def encoding(name: str) -> "Encoding | None":
    """An encoding by tiktoken's name of it; `None` where tiktoken or the data is lacking or damaged."""
    try:
        from tiktoken import Encoding

        known = VOCABULARIES[name]
        return Encoding(
            name,
            pat_str=known.pattern,
            mergeable_ranks=_ranks(known),
            special_tokens=dict(known.special),
        )
    except Exception:  # noqa: BLE001 - a broken installation of tiktoken's must not break a test: others count
        return None


def _ranks(known: Vocabulary) -> dict[bytes, int]:
    """Each token's rank.

    Raises:
        OSError: The file is not there.
        lzma.LZMAError: It is damaged.
        ValueError: It holds something else.
    """
    import lzma  # some builds of Python come without it

    content = lzma.decompress((DATA / f"{known.name}.xz").read_bytes())
    if sha256(content).hexdigest() != known.digest:
        message = f"{known.name}.xz does not hold the ranks of {known.name}"
        raise ValueError(message)
    ends = accumulate(content[: known.size], initial=known.size)
    return {content[start:end]: rank for rank, (start, end) in enumerate(pairwise(ends))}
