"""A recording whose bodies contradict the usage that it states: somebody edited or shortened it.

The bounds hold for any tokenizer, and so find only what cannot be true: no tokenizer makes more than one token of a
byte, or packs so much text into one. They were held against real recordings, in which they find nothing but bodies
that were shortened by hand. Usage whose total is not that of its parts is no exact usage in the first place (`wire/`).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire.framing import DecodeError, unpacked

__all__ = ["CONTRADICTS", "contradictions"]

CONTRADICTS: Final = "The recording contradicts itself"
"""What opens each sentence."""

_ENOUGH: Final = 500
"""Tokens below which a prompt is too short to judge by."""

_DENSEST: Final = 4
"""How many times a prompt's local count may exceed what was billed."""

_HIDDEN: Final = 2_000
"""Tokens that a provider may add to a prompt: instructions for tools, thinking and schemas."""

_SHORTEST_ANSWER: Final = 100
"""Tokens of an answer below which its length is not judged."""

_ELSEWHERE: Final = re.compile(
    rb"previous_response_id|conversation|container|cached_?content|prompt_?id|prompt_?arn|session|web_?search|web_?fetch"
    rb"|url_?context|google_?search|grounding|code_?(?:execution|interpreter)|file_?(?:search|id|data|uri)|documents?\b"
    rb"|computer|mcp|image|audio|video|media|inline_?data|knowledge|retriev",
    re.IGNORECASE,
)
"""Where a request refers to more than it holds, its size says nothing about its prompt."""

_THOUGHT: Final = re.compile(rb"thinking|reasoning|thought", re.IGNORECASE)
"""Where a model thinks, what it is billed for may not be in its answer."""


def contradictions(call: Call, exchange: Exchange) -> Iterator[str]:
    """Yield what cannot be true of a replayed call, in sentences; nothing where anything explains it.

    Args:
        call: As it was read.
        exchange: What it was read from.
    """
    if call.status != "exact" or not call.is_step:
        return
    yield from _of_prompt(call, exchange)
    yield from _of_answer(call, exchange)


def _of_prompt(call: Call, exchange: Exchange) -> Iterator[str]:
    billed = call.usage.total_input
    # what the model thought before may be sent along in a cipher, or not be billed again
    local = sum(part.tokens for part in call.prompt if part.kind not in {"thinking", "media"})
    if local >= _ENOUGH and billed * _DENSEST < local:
        yield (
            f"{CONTRADICTS}: its prompt has about {local:,} tokens, its usage says {billed:,}. It may "
            "have been edited; record it again."
        )
    if billed <= len(exchange.request_body) + _HIDDEN or call.usage.fees:
        return
    body = _plain(exchange.request_body, exchange.request_headers)
    if body and billed > len(body) + _HIDDEN and not _ELSEWHERE.search(body):
        yield (
            f"{CONTRADICTS}: its request is {len(body):,} bytes long, its usage says {billed:,} input "
            "tokens. It may have been shortened; record it again."
        )


def _of_answer(call: Call, exchange: Exchange) -> Iterator[str]:
    said = call.usage.output
    if said < _SHORTEST_ANSWER or said <= len(exchange.response_body):
        return
    asked = _plain(exchange.request_body, exchange.request_headers)
    body = _plain(exchange.response_body, exchange.response_headers)
    if asked and body and said > len(body) and not (_THOUGHT.search(body) or _THOUGHT.search(asked)):
        yield (
            f"{CONTRADICTS}: its answer is {len(body):,} bytes long, its usage says {said:,} output "
            "tokens. It may have been shortened; record it again."
        )


def _plain(body: bytes, headers: Mapping[str, str]) -> bytes:
    """A body without its compression; empty where that cannot be undone."""
    try:
        return unpacked(body, headers)
    except DecodeError:
        return b""
