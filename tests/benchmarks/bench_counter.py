"""How far the segment counter is from o200k on real prompts, and how fast it is.

    pytest -s tests/benchmarks/bench_counter.py

The comparison needs the recordings in the folder `shared/corpus` beside the repository; it is skipped without them.
"""

import gzip
import json
import statistics
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_tokenbudget.tokens import count
from pytest_tokenbudget.tokens.ranks import encoding

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
PROSE = 'The order A-1042 {"status": "shipped", "items": [1, 22.5, "Kettle"]}\n  wants a refund; see check_policy(). '


def test_thirty_kilobytes_take_about_two_passes() -> None:
    text = (PROSE * 300)[:30_000]
    encoded = text.encode()
    table = bytes(range(256))
    ours = _best(lambda: count(text))
    one_pass = _best(lambda: encoded.translate(table))
    print(f"\n30 KB: {ours:.1f} µs, {ours / one_pass:.2f} × one bytes.translate ({one_pass:.1f} µs)")
    assert ours <= 3.5 * one_pass


def test_error_against_o200k() -> None:
    if not CORPUS.is_dir():
        pytest.skip("no recordings beside the repository")
    o200k = encoding("o200k_base")
    assert o200k is not None
    tokens: Callable[[str], list[int]] = o200k.encode_ordinary
    truth = {text: length for text in sorted(_prompt_texts()) if (length := len(tokens(text))) >= 20}
    print()
    for name, candidate in (("tb1", count), ("characters / 4", lambda text: len(text) / 4)):
        errors = sorted(abs(candidate(text) - length) / length for text, length in truth.items())
        median, p90 = statistics.median(errors), errors[int(0.9 * len(errors))]
        print(f"{name}: median {median:.1%}, p90 {p90:.1%} over {len(errors)} prompt parts of 20 tokens and more")
        if name == "tb1":
            assert median < 0.08
            assert p90 < 0.25


def _best(call: Callable[[], object]) -> float:
    return min(timeit.repeat(call, number=100, repeat=20)) / 100 * 1e6


def _prompt_texts() -> set[str]:
    return {text for path in CORPUS.rglob("*.yaml") for body in _bodies(path) for text in _texts(body)}


def _bodies(path: Path) -> Iterator[dict[str, Any]]:
    document = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    for interaction in document.get("interactions", ()) if isinstance(document, dict) else ():
        request = interaction.get("request", {})
        body = request.get("body") or request.get("parsed_body") or "null"
        try:
            if isinstance(body, bytes) and body.startswith(b"\x1f\x8b"):
                body = gzip.decompress(body)
            decoded = body if isinstance(body, dict) else json.loads(body)
        except ValueError:
            continue  # no JSON: binary protocols and uploads hold no prompt
        if isinstance(decoded, dict):
            yield decoded


def _texts(body: dict[str, Any]) -> Iterator[str]:
    """The parts of a prompt: message texts, tool arguments and results, tool definitions as minified JSON."""
    for tool in body.get("tools") or ():
        yield json.dumps(tool, separators=(",", ":"), ensure_ascii=False)
    for key in ("system", "instructions", "input", "messages", "contents"):
        yield from _strings(body.get(key))


def _strings(value: object, key: str = "content") -> Iterator[str]:
    if isinstance(value, str):
        if key in {"content", "text", "arguments", "output", "thinking", "instructions", "input"}:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, str(name))
