"""Pairs of real requests, each with what the provider counted: what an estimate is measured on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.model.prompt import Prompt
from pytest_tokenbudget.recordings import read_recordings
from pytest_tokenbudget.tokens.sample import Sample
from pytest_tokenbudget.wire import read
from pytest_tokenbudget.wire.prompts import prompt_of

__all__ = ["Pair", "characters_changed", "mode", "pairs_of", "samples_of"]


class Pair(Struct, frozen=True, kw_only=True):
    """A recorded request and another one whose count is known as well.

    Attributes:
        before: What an estimate is made from.
        after: What it is made for.
        kind: Whether the second goes on where the first ended, or differs from it otherwise.
        known: What else was recorded beside the first; never the second, nor one that asks the same.
        source: Where both come from.
    """

    before: Sample
    after: Sample
    kind: Literal["edit", "extend"]
    known: tuple[Sample, ...]
    source: str

    @property
    def same_mode(self) -> bool:
        """Whether tools, schema and thinking are in use in both, and in the same way."""
        return mode(self.before.prompt) == mode(self.after.prompt)


def mode(prompt: Prompt) -> tuple[object, ...]:
    """What a provider adds constants for."""
    kinds = {part.kind for part in prompt.parts}
    return "tools" in kinds and (prompt.tool_choice or "auto"), "schema" in kinds, prompt.thinking


def samples_of(path: Path) -> list[Sample]:
    """The calls of a recording whose usage is known, in order."""
    found = []
    for exchange in read_recordings([path]):
        if not isinstance(exchange, Exchange):
            continue
        call = read(exchange, len)
        headers = exchange.request_headers
        prompt = prompt_of(exchange.method, exchange.url, exchange.request_body, headers)
        if isinstance(call, Call) and call.status == "exact" and prompt is not None and call.model:
            found.append(
                Sample(provider=call.provider, api=call.api, model=call.model, prompt=prompt, usage=call.usage)
            )
    return found


def pairs_of(corpus: Path) -> Iterator[Pair]:
    """Yield the pairs of a corpus: before and after an edit of a repository, and within each recording.

    Two recordings of one file in different commits may be the same: a pair is yielded once.
    """
    seen: set[tuple[Prompt, Prompt]] = set()
    for pair in (*_across_commits(corpus), *_within_recordings(corpus)):
        both = (pair.before.prompt, pair.after.prompt)
        if both not in seen:
            seen.add(both)
            yield pair


def _across_commits(corpus: Path) -> Iterator[Pair]:
    for before in sorted(path for path in (corpus / "pairs").glob("*/*/before/**/*") if path.is_file()):
        parts = list(before.parts)
        parts[len(corpus.parts) + 3] = "after"
        recorded = samples_of(before)
        for after in samples_of(Path(*parts)):
            candidates = [sample for sample in recorded if _alike(sample, after)]
            if candidates:
                # as replay does: by content, not by position
                nearest = min(candidates, key=lambda sample: characters_changed(sample.prompt, after.prompt))
                yield _pair(nearest, after, recorded, str(before.relative_to(corpus)))


def _within_recordings(corpus: Path) -> Iterator[Pair]:
    paths = [path for folder in ("cassettes", "pairs") for path in sorted((corpus / folder).rglob("*"))]
    for path in paths:
        if not path.is_file():
            continue
        recorded = samples_of(path)
        for index, after in enumerate(recorded):
            earlier = [sample for sample in recorded[:index] if _alike(sample, after)]
            for position, before in enumerate(earlier):
                if position == len(earlier) - 1 or not _extends(before.prompt, after.prompt):
                    yield _pair(before, after, recorded, str(path.relative_to(corpus)))


def _alike(one: Sample, other: Sample) -> bool:
    return (one.provider, one.api, one.model) == (other.provider, other.api, other.model)


def _pair(before: Sample, after: Sample, recorded: list[Sample], source: str) -> Pair:
    known = tuple(sample for sample in recorded if sample.prompt != after.prompt)
    kind: Literal["edit", "extend"] = "extend" if _extends(before.prompt, after.prompt) else "edit"
    return Pair(before=before, after=after, kind=kind, known=known, source=source)


def _extends(before: Prompt, after: Prompt) -> bool:
    """Whether a prompt has all of another's messages and then more: the next step of a loop."""
    old, new = ([part for part in prompt.parts if part.kind not in {"tools", "schema"}] for prompt in (before, after))
    return len(new) > len(old) and new[: len(old)] == old


def characters_changed(before: Prompt, after: Prompt) -> int:
    """How many characters of parts one prompt has and the other has not."""
    old, new = set(before.parts), set(after.parts)
    return sum(len(part.text) for part in old ^ new)
