import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken
import tiktoken_ext.openai_public as published
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.tokens import count, counting
from pytest_tokenbudget.tokens.counting import EncodingCounter, counter_for, pieces
from pytest_tokenbudget.tokens.ranks import VOCABULARIES, encoding

SIZES = (1, 500, 1023, 1024, 1025, 5000)
RUNS = ("a", "é", "好", " ", "\n", "\n ", "=", "!@#", "_", "5", "ab1 ", "a" * 1023 + " ")
TEXTS = [(run * size)[:size] for run in RUNS for size in SIZES]


@pytest.mark.parametrize(
    ("model", "name", "own"),
    [
        ("gpt-4o", "o200k_base", True),
        ("gpt-4.1-mini", "o200k_base", True),
        ("gpt-5-2026-01-01", "o200k_base", True),
        ("openai/o3-mini", "o200k_base", True),
        ("openai.gpt-oss-120b-1:0", "o200k_base", True),
        ("gpt-4", "cl100k_base", True),
        ("gpt-4-turbo-2024-04-09", "cl100k_base", True),
        ("gpt-3.5-turbo", "cl100k_base", True),
        ("gpt-35-turbo", "cl100k_base", True),  # Azure's name
        ("ft:gpt-3.5-turbo-0125:acme::x", "cl100k_base", True),
        ("text-embedding-3-small", "cl100k_base", True),
        ("claude-sonnet-4-5", "o200k_base", False),
        ("gemini-3-pro", "o200k_base", False),
        ("", "o200k_base", False),
    ],
)
def test_each_model_has_its_encoding_or_borrows_the_present_one(model: str, name: str, own: bool) -> None:  # noqa: FBT001
    counter = counter_for(model)
    assert (counter.name, counter.error == 0) == (name, own)
    assert counter_for(model) is counter


def original(name: str) -> tiktoken.Encoding:
    """tiktoken's own encoding, where its cache holds the published file; nothing is fetched."""
    folder = os.environ.get("TIKTOKEN_CACHE_DIR") or str(Path(tempfile.gettempdir()) / "data-gym-cache")
    address = f"https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
    file = Path(folder) / hashlib.sha1(address.encode()).hexdigest()  # noqa: S324 - tiktoken's way to name it
    if not file.is_file():
        pytest.skip("tiktoken's cache does not hold the published ranks: set TIKTOKEN_CACHE_DIR to a folder that does")
    return tiktoken.Encoding(**getattr(published, name)())


@pytest.mark.parametrize("name", sorted(VOCABULARIES))
def test_ids_are_those_of_the_published_file(name: str) -> None:
    theirs, ours = original(name), encoding(name)
    assert ours is not None
    package = Path(counting.__file__).parents[1]
    texts = [path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))[:60]]
    assert [ours.encode_ordinary(text) for text in texts] == [theirs.encode_ordinary(text) for text in texts]


@pytest.mark.parametrize("model", ["gpt-5", "gpt-4"])
def test_long_runs_are_cut_and_cost_hardly_a_token(model: str) -> None:
    counter = counter_for(model)
    whole = encoding(counter.name)
    assert whole is not None
    for text in TEXTS:
        cut = pieces(text)
        assert "".join(cut) == text
        exact = len(whole.encode_ordinary(text))
        if len(cut) == 1:
            assert counter.count(text) == exact
        else:
            assert abs(counter.count(text) - exact) <= len(cut)


def test_no_run_of_one_kind_is_left_long() -> None:
    for text in ("x" * 100_000, " " * 100_000, "-" * 100_000, "好" * 100_000, f"y {'x' * 5000} z"):
        assert max(map(len, pieces(text))) <= 1024 + 2


@given(st.text(max_size=2000))
def test_what_people_write_is_counted_as_tiktoken_does(text: str) -> None:
    counter = counter_for("gpt-5")
    exact = encoding("o200k_base")
    assert exact is not None
    assert counter.count(text) == len(exact.encode_ordinary(text))


def test_odd_texts_are_counted() -> None:
    counter = counter_for("gpt-5")
    assert counter.count("") == 0
    assert counter.count("\ud800 x") > 0
    assert counter.count("<|endoftext|>") > 1


def test_a_text_is_encoded_once() -> None:
    asked: list[str] = []

    class Encoding:
        name = "x"

        def encode_ordinary(self, text: str) -> list[int]:
            asked.append(text)
            return [1, 2, 3]

    counter = EncodingCounter(Encoding(), 0.0)  # type: ignore[arg-type]
    assert [counter.count("abc"), counter.count("abc"), counter.count("abd")] == [3, 3, 3]
    assert asked == ["abc", "abd"]


@pytest.fixture
def no_encoding(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(counting, "encoding", lambda _: None)
    counter_for.cache_clear()
    yield
    counter_for.cache_clear()


@pytest.mark.usefixtures("no_encoding")
def test_without_encodings_the_fast_counter_stands_in_and_says_so() -> None:
    counter = counter_for("gpt-5")
    assert (counter.name, counter.error) == ("tb1", 0.06)
    assert counter.count("Hello, world") == count("Hello, world")
