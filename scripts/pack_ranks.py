"""Pack tiktoken's rank files for pytest_tokenbudget/tokens/data.

    python scripts/pack_ranks.py FOLDER

FOLDER holds the original files, named as tiktoken names them (`o200k_base.tiktoken`) or as its cache does (the SHA-1 of
their address). Each is checked against the hash that tiktoken itself expects before anything is written. What is
written, and what reads it, is described in `pytest_tokenbudget/tokens/ranks.py`.
"""

import base64
import hashlib
import inspect
import lzma
import sys
from pathlib import Path

import tiktoken_ext.openai_public

from pytest_tokenbudget.tokens.ranks import DATA, VOCABULARIES

ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]


def original(folder: Path, name: str) -> bytes:
    """A rank file as it was published.

    Raises:
        SystemExit: It is not there, or it is another file.
    """
    cached = hashlib.sha1(ADDRESS.format(name).encode()).hexdigest()  # noqa: S324 - tiktoken's way to name its cache
    for path in (folder / f"{name}.tiktoken", folder / cached):
        if path.is_file():
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() in inspect.getsource(tiktoken_ext.openai_public):
                return content
            sys.exit(f"{path} is not the file that tiktoken expects")
    sys.exit(f"neither {name}.tiktoken nor {cached} is in {folder}")


def packed(content: bytes) -> bytes:
    """The tokens of a rank file in the order of their ranks: all lengths, then all bytes.

    Raises:
        SystemExit: The ranks do not count from 0 upwards, which the packed form takes for granted.
    """
    rows = [line.split() for line in content.splitlines() if line]
    if [int(rank) for _, rank in rows] != list(range(len(rows))):
        sys.exit("the ranks leave some numbers out: this form cannot hold them")
    tokens = [base64.b64decode(token) for token, _ in rows]
    return bytes(map(len, tokens)) + b"".join(tokens)


def main() -> None:
    """Pack every vocabulary that the package reads."""
    for vocabulary in VOCABULARIES.values():
        content = packed(original(Path(sys.argv[1]), vocabulary.name))
        target = DATA / f"{vocabulary.name}.xz"
        target.write_bytes(lzma.compress(content, filters=FILTERS))
        print(
            target.name, target.stat().st_size, "bytes, sha256 of what it holds:", hashlib.sha256(content).hexdigest()
        )


if __name__ == "__main__":
    main()
