import base64
import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken
import tiktoken_ext.openai_public as published

from pytest_tokenbudget.tokens import ranks
from pytest_tokenbudget.tokens.ranks import VOCABULARIES, encoding


@pytest.fixture(params=sorted(VOCABULARIES))
def ours(request: pytest.FixtureRequest) -> tiktoken.Encoding:
    found = encoding(request.param)
    assert found is not None
    return found


@pytest.fixture
def afresh() -> Iterator[None]:
    """Load what a test asks for, and leave nothing of it to the next one."""
    before = encoding
    encoding.cache_clear()
    yield
    before.cache_clear()


def original_of(encoding: tiktoken.Encoding) -> bytes:
    """The file as OpenAI publishes it, from the ranks that are loaded."""
    tokens = (encoding.decode_single_token_bytes(rank) for rank in range(VOCABULARIES[encoding.name].size))
    return b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens))


def test_the_ranks_are_those_that_are_published_to_the_byte(ours: tiktoken.Encoding) -> None:
    expected = inspect.getsource(getattr(published, ours.name))
    assert hashlib.sha256(original_of(ours)).hexdigest() in expected


def test_pattern_and_special_tokens_are_those_of_tiktoken(
    ours: tiktoken.Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "load_tiktoken_bpe", lambda *_, **__: {})
    theirs = getattr(published, ours.name)()
    known = VOCABULARIES[ours.name]
    assert (known.name, known.pattern, known.special) == (theirs["name"], theirs["pat_str"], theirs["special_tokens"])
    assert known.special.keys() == ours.special_tokens_set


GOLDENS = {
    "Hello, world!": ([13225, 11, 2375, 0], [9906, 11, 1917, 0]),
    "I'll say WE'VE done it's": (
        [67504, 2891, 26919, 6, 19511, 4167, 4275],
        [40, 3358, 2019, 20255, 6, 4592, 2884, 433, 596],
    ),
    '{"city":"São Paulo","n":[1,22,4444]}': (
        [10848, 17500, 7534, 91009, 21711, 4294, 77, 16853, 16, 11, 1709, 11, 24954, 19, 28000],
        [5018, 9103, 3332, 50, 3496, 38026, 2247, 77, 9075, 16, 11, 1313, 11, 14870, 19, 14316],
    ),
    "def f(x):\n\n    return x  \n": (
        [1314, 285, 4061, 15626, 271, 622, 1215, 4066],
        [755, 282, 2120, 7887, 262, 471, 865, 2355],
    ),
    "Ünïcödé ß 好的谢谢 🙂\u200d↔️ नमस्ते": (
        [
            8858,
            77,
            191375,
            43369,
            377,
            1474,
            253,
            38400,
            1616,
            97006,
            26192,
            2524,
            18707,
            242,
            15148,
            100793,
            14681,
            628,
        ],
        [
            53591,
            77,
            38672,
            66,
            3029,
            67,
            978,
            1717,
            253,
            4996,
            98,
            121,
            9554,
            39013,
            95,
            39013,
            95,
            28584,
            378,
            235,
            27017,
            242,
            31643,
            15272,
            101,
            88344,
            79468,
            31584,
            97,
            35470,
        ],
    ),
    "<|endoftext|> is text here": (
        [27, 91, 419, 1440, 919, 91, 29, 382, 2201, 2105],
        [27, 91, 8862, 728, 428, 91, 29, 374, 1495, 1618],
    ),
    "a//b\r\n\r\n\t\t c": ([64, 393, 65, 1414, 335, 274], [64, 322, 65, 881, 298, 272]),
}
"""Texts with the ids that tiktoken's own encodings gave (tiktoken 0.14, from the original files): o200k, cl100k."""


@pytest.mark.parametrize("text", GOLDENS)
def test_ids_are_those_that_tiktoken_gives(text: str) -> None:
    for name, ids in zip(("o200k_base", "cl100k_base"), GOLDENS[text], strict=True):
        found = encoding(name)
        assert found is not None
        assert found.encode_ordinary(text) == ids


@pytest.mark.usefixtures("afresh")
def test_nothing_of_tiktoken_is_registered_fetched_or_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "cache"))
    before = dict(tiktoken.registry.ENCODINGS)
    assert encoding("o200k_base") is not None
    assert before == tiktoken.registry.ENCODINGS
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("afresh")
def test_without_tiktoken_there_is_no_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert encoding("o200k_base") is None


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("damage", ["absent", "cut", "other"])
def test_without_its_ranks_there_is_none_either(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (ranks.DATA / "cl100k_base.xz").read_bytes()
    if damage == "cut":
        (tmp_path / "o200k_base.xz").write_bytes(whole[:1000])
    elif damage == "other":
        (tmp_path / "o200k_base.xz").write_bytes(whole)
    monkeypatch.setattr(ranks, "DATA", tmp_path)
    assert encoding("o200k_base") is None
