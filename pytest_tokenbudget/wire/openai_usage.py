"""The usage objects of OpenAI's APIs and of the many hosts that imitate them.

`prompt_tokens` contains cached, cache-written, audio and image tokens, `completion_tokens` contains reasoning, audio
and predictions, accepted or rejected (openai SDK 3.54, `CompletionUsage`, `ResponseUsage`; 2026). Some hosts leave
reasoning (xAI) or the cached tokens (gateways) outside: `total_tokens` decides, because it adds up in one way only.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType
from typing import Final

from pytest_tokenbudget.model.usage import NO_USAGE, Usage
from pytest_tokenbudget.wire.counts import Counts, mapping
from pytest_tokenbudget.wire.format import Json

__all__ = ["openai_usage", "report_cost"]

_TOP: Final = {
    "prompt_tokens": "prompt",
    "input_tokens": "prompt",
    "completion_tokens": "completion",
    "output_tokens": "completion",
    "total_tokens": "total",
    "cached_tokens": "cached",  # Moonshot
    "num_cached_tokens": "cached",  # Mistral
    "prompt_cache_hit_tokens": "cached",  # DeepSeek, inside prompt_tokens
    "cache_read_input_tokens": "cached",  # gateways in front of Anthropic
    "cache_creation_input_tokens": "written",
    "reasoning_tokens": "reasoning",  # Perplexity
    "prompt_cache_miss_tokens": "",
}
_INPUT: Final = {
    "cached_tokens": "cached",
    "cache_read_tokens": "cached",
    "cache_read_input_tokens": "cached",
    "cache_write_tokens": "written",
    "cache_creation_tokens": "written",
    "cached_creation_tokens": "written",
    "cache_creation_input_tokens": "written",
    "audio_tokens": "input audio",
    "image_tokens": "input image",
    "text_tokens": "",
}
_OUTPUT: Final = {
    "reasoning_tokens": "reasoning",
    "thinking_tokens": "reasoning",
    "audio_tokens": "output audio",
    "image_tokens": "output image",
    "text_tokens": "",
    "accepted_prediction_tokens": "",
    "rejected_prediction_tokens": "",
}
_AUDIO_SECONDS: Final = "prompt_audio_seconds"
_COUNTED: Final = ("num_search_queries", "num_sources_used", "num_server_side_tools_used", _AUDIO_SECONDS)
"""Billed by the piece: Perplexity, xAI (two of them), Mistral."""

_LONG_WRITES: Final = "ttl_12h_tokens"
_SIDES: Final = 2  # prompt and completion
_TICK: Final = Decimal("1e-10")


def openai_usage(raw: Json, counts: Counts) -> Usage:
    """The disjoint classes of a usage object; all zero, and `counts.known` false, where it tells too little."""
    found: dict[str, int] = {}
    beside = counts.tally(found, raw, _TOP)
    unread = len(raw) - len(found)
    inside = counts.inside(raw.get("prompt_tokens_details") or raw.get("input_tokens_details"), "prompt_tokens_details")
    within = counts.inside(
        raw.get("completion_tokens_details") or raw.get("output_tokens_details"), "completion_tokens_details"
    )
    new_input = counts.details(found, inside, _INPUT) if inside else {}
    new_output = counts.details(found, within, _OUTPUT) if within else {}
    if unread > bool(inside) + bool(within):
        _pieces(raw, counts)
    prompt, completion = _sides(found, counts)
    if prompt is None or completion is None:
        return NO_USAGE
    counts.known = True
    if fee_of_audio := counts.fees.get(_AUDIO_SECONDS):
        _without_audio(found, prompt + completion, fee_of_audio, counts)
    total = found.get("total")
    if beside or (total is not None and total != prompt + completion):
        outside = _outside(prompt, completion, total, found, beside, counts)
        prompt += sum(found[slot] for slot in ("cached", "written") if slot in outside)
        completion += found["reasoning"] if "reasoning" in outside else 0
    if len(found) - (total is not None) == _SIDES and not (new_input or new_output or counts.fees or counts.other):
        return Usage(input=prompt, output=completion)
    return _disjoint(prompt, completion, found, (inside, new_input, new_output), counts)


def _disjoint(
    prompt: int,
    completion: int,
    found: Mapping[str, int],
    details: tuple[Json, Mapping[str, int], Mapping[str, int]],
    counts: Counts,
) -> Usage:
    """Take the parts out of the two sides, each from what the ones before it have left."""
    inside, new_input, new_output = details
    cached = counts.part(prompt, found["cached"], "cached tokens") if "cached" in found else 0
    left = prompt - cached
    written = counts.part(left, found["written"], "cache-written tokens") if "written" in found else 0
    left -= written
    audio = counts.part(left, found["input audio"], "audio tokens") if "input audio" in found else 0
    left -= audio
    image = found.get("input image", 0)
    if image > left and cached + written >= image - left:
        # the details count by modality and, apart from that, by cache: what is left over was cached
        counts.notes.append(f"at least {image - left} of {image} image tokens were cached")
        image = left
    image = counts.part(left, image, "image tokens")
    left -= image
    if audio and (cached or written):
        # audio costs another rate, and so does cached audio
        counts.doubt("usage does not tell how many audio tokens were cached")
    thinking = counts.part(completion, found["reasoning"], "reasoning tokens") if "reasoning" in found else 0
    said = completion - thinking
    spoken = counts.part(said, found["output audio"], "audio tokens") if "output audio" in found else 0
    said -= spoken
    drawn = counts.part(said, found["output image"], "image tokens") if "output image" in found else 0
    said -= drawn
    for name, count in new_input.items():
        left -= _keep(name, counts.part(left, count, name), counts)
    for name, count in new_output.items():
        said -= _keep(name, counts.part(said, count, name), counts)
    if written and "cache_write_tokens_details" in inside:
        # Kept for twelve hours: neither of our two lifetimes, so it stands under its own name, unpriced.
        long = counts.take(
            counts.inside(inside["cache_write_tokens_details"], "cache_write_tokens_details"), _LONG_WRITES
        )
        written -= _keep(_LONG_WRITES, counts.part(written, long, _LONG_WRITES), counts)
    if not (counts.fees or counts.other):
        return Usage(
            input=left,
            cache_read=cached,
            cache_write=written,
            output=said,
            thinking=thinking,
            input_audio=audio,
            output_audio=spoken,
            input_image=image,
            output_image=drawn,
        )
    return Usage(
        input=left,
        cache_read=cached,
        cache_write=written,
        output=said,
        thinking=thinking,
        input_audio=audio,
        output_audio=spoken,
        input_image=image,
        output_image=drawn,
        fees=MappingProxyType(counts.fees),
        other=MappingProxyType(counts.other),
    )


def _without_audio(found: dict[str, int], counted: int, seconds: int, counts: Counts) -> None:
    """Leave a total out of account that also counts audio, which Mistral bills by the second."""
    rest = found.get("total", counted) - counted
    if rest > 0:
        del found["total"]
        counts.notes.append(f"{rest} tokens of audio are billed as its {seconds} seconds")


def _keep(name: str, count: int, counts: Counts) -> int:
    if count:
        counts.other[name] = counts.other.get(name, 0) + count
    return count


def _sides(found: Mapping[str, int], counts: Counts) -> tuple[int | None, int | None]:
    """Prompt and completion; where one is absent, the total may give it."""
    prompt, completion, total = found.get("prompt"), found.get("completion"), found.get("total")
    if prompt is None and completion is None:
        if total is not None:
            counts.notes.append(f"usage gives only total_tokens ({total}), which does not tell input from output")
        return None, None
    given = prompt if completion is None else completion
    if prompt is not None and completion is not None:
        return prompt, completion
    if given is not None and total is not None and total >= given:
        return (total - given, given) if prompt is None else (given, total - given)
    counts.doubt(f"usage lacks the {'prompt' if prompt is None else 'completion'} tokens")
    return prompt or 0, completion or 0


def _outside(
    prompt: int, completion: int, total: int | None, found: Mapping[str, int], beside: Mapping[str, int], counts: Counts
) -> frozenset[str]:
    """Which reported parts stand outside prompt and completion, by the one way in which the total adds up."""
    rest = None if total is None else total - prompt - completion
    parts = {slot: found[slot] for slot in ("cached", "written", "reasoning") if found.get(slot)} | dict(beside)
    fitting = [names for names in _subsets(parts) if sum(parts[name] for name in names) == rest]
    if len(fitting) != 1:
        counts.doubt(
            f"usage contradicts itself: total_tokens is {total}, prompt and completion are {prompt} and {completion}"
            + "".join(f", {name} {count}" for name, count in parts.items())
        )
        return frozenset()
    for name, count in beside.items():
        if name in fitting[0]:
            _keep(name, count, counts)
        else:
            counts.doubt(f"usage.{name} is {count}, and whether prompt or completion contains it is not told")
    return frozenset(fitting[0])


def _subsets(parts: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    for size in range(min(len(parts), 5) + 1):
        yield from combinations(parts, size)


def _pieces(raw: Json, counts: Counts) -> None:
    """What is billed by the piece, and what the provider says that it cost."""
    for name in _COUNTED:
        value = raw.get(name)
        if type(value) is int and value > 0:
            counts.fee(name, value)
    if "server_tool_use" in raw:
        counts.fee(
            "web_search", counts.take(counts.inside(raw["server_tool_use"], "server_tool_use"), "web_search_requests")
        )
    report_cost(raw, counts)


def report_cost(raw: Json, counts: Counts) -> None:
    """Take over the cost that the provider reports, in US dollars.

    OpenRouter: `cost`, plus `cost_details.upstream_inference_cost` only where the user's own key paid (`is_byok`);
    without it the two are the same money (openrouter.ai, "Usage Accounting", 2026). xAI: ticks of 1e-10 USD
    (xai-sdk 1.21). Perplexity: `cost.total_cost`.
    """
    cost = raw.get("cost")
    if isinstance(cost, dict):
        cost = cost.get("total_cost")
    if cost is not None:
        counts.reported(cost)
        if raw.get("is_byok") is True:
            upstream = mapping(raw.get("cost_details")).get("upstream_inference_cost")
            if upstream is not None:
                counts.reported(upstream)
    ticks = raw.get("cost_in_usd_ticks")
    if ticks is not None:
        counts.reported(ticks, _TICK)
