"""One change at a time, with the figure that it must come to."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.tokens.estimate import estimate
from pytest_tokenbudget.tokens.families import family_of
from pytest_tokenbudget.tokens.sample import Estimate, Sample

GPT = ("openai", "openai.chat", "gpt-4o")
CLAUDE = ("anthropic", "anthropic.messages", "claude-sonnet-4-5")
GEMINI = ("google", "gemini.generate", "gemini-2.5-flash")
OTHER = ("example.org", "openai.chat", "some-model")
TOOL = Part("tools", "lookup", '{"type":"function","function":{"name":"lookup"}}')


class Words:
    """A token a word."""

    name = "words"

    def __init__(self, error: float = 0.0) -> None:
        self.error = error
        self.asked: list[str] = []

    def count(self, text: str) -> int:
        self.asked.append(text)
        return len(text.split())


def words(number: int) -> str:
    return " ".join(f"w{place}" for place in range(number))


def said(text: str, kind: str = "user", name: str = "user", *, opaque: bool = False) -> Part:
    return Part(kind, name, text, opaque)  # type: ignore[arg-type]


def prompt(*parts: Part, messages: int = 1, **fields: Any) -> Prompt:
    return Prompt(parts=parts, messages=messages, **fields)


def sample(of: Prompt, model: tuple[str, str, str] = GPT, **usage: int) -> Sample:
    provider, api, name = model
    return Sample(
        provider=provider, api=api, model=name, prompt=of, usage=Usage(**(usage or {"input": 1000, "output": 100}))
    )


def changed(before: Prompt, now: Prompt, model: tuple[str, str, str] = GPT, **usage: int) -> Estimate:
    return estimate(sample(before, model, **usage), now, Words())


def band(found: Estimate) -> tuple[int, int | None]:
    return found.drift.low.total_input, found.drift.high.total_input if found.drift.high else None


@pytest.mark.parametrize(
    ("model", "added", "messages", "expected"),
    [
        (GPT, said(words(100)), 1, 1104),  # 100 and a message's 4
        (CLAUDE, said(words(100)), 1, 1115),
        (("aws", "bedrock.converse", "us.anthropic.claude-opus-4-8-v1:0"), said(words(100)), 1, 1145),
        (GEMINI, said(words(100)), 1, 1100),
        (("mistral", "mistral.chat", "mistral-small-latest"), said(words(100)), 1, 1140),
        (GPT, said(words(100), "tool_result", "lookup"), 1, 1108),  # 4, the name and 2.5, rounded to even
        (CLAUDE, said(words(100), "tool_result", "lookup"), 1, 1140),
        (CLAUDE, said('{"a": 1}', "tool_call", "lookup"), 1, 1032),  # 30 and two words
        (GPT, said('{"a": 1, "b": 2}', "tool_call", "lookup"), 1, 1009),  # 4, minified one word, the name, 3
        (("openai", "openai.embeddings", "text-embedding-3-small"), said(words(100)), 1, 1100),
        (("deepseek", "openai.chat", "deepseek-reasoner"), said("<think>so I think</think>yes", "assistant"), 0, 1001),
    ],
)
def test_what_is_added_is_weighed_by_its_family(
    model: tuple[str, str, str], added: Part, messages: int, expected: int
) -> None:
    before = prompt(said("hello"))
    now = prompt(said("hello"), added, messages=1 + messages)
    found = changed(before, now, model)
    low, high = band(found)
    assert found.usage.total_input == expected
    assert high is not None
    assert 1000 <= low <= expected <= high


@pytest.mark.parametrize(
    ("provider", "model", "family"),
    [
        ("anthropic", "claude-3-5-haiku-20241022", "Claude"),
        ("anthropic", "claude-sonnet-4-20250514", "Claude"),
        ("openrouter", "anthropic/claude-sonnet-4.6", "Claude"),
        ("openrouter", "anthropic/claude-4.6-sonnet-20260217", "Claude"),
        ("aws", "us.anthropic.claude-opus-4-7-v1:0", "Claude 4.7 and later"),
        ("anthropic", "claude-sonnet-5", "Claude 4.7 and later"),
        ("aws", "anthropic.claude-v2:1", "Claude"),
        ("azure", "my-deployment", "OpenAI"),
        ("openai", "gpt-4.1-mini-2025-04-14", "OpenAI"),
        ("openai", "gpt-5.4-mini", "OpenAI reasoning"),
        ("openai", "o3-mini", "OpenAI reasoning"),
        ("groq", "openai/gpt-oss-120b", "OpenAI reasoning"),
        ("google", "models/gemini-3-pro-preview", "Gemini"),
        ("mistral", "ministral-8b", "Mistral"),
        ("groq", "llama-3.3-70b-versatile", "other"),
        ("together", "deepseek-ai/DeepSeek-R1", "other, thinking aloud"),
    ],
)
def test_families_are_told_by_name(provider: str, model: str, family: str) -> None:
    assert family_of(provider, model).name == family


def test_only_what_changed_is_counted() -> None:
    history = tuple(said(f"turn {number}") for number in range(50))
    before, counter = sample(prompt(said("Be brief."), *history)), Words()
    now = prompt(said("Be very brief."), *history)
    estimate(before, now, counter)
    assert set(counter.asked) == {"Be brief.", "Be very brief."}


def test_the_first_difference_is_told_with_its_byte_and_tokens() -> None:
    before = prompt(TOOL, said("Schön ist es", "system", "system"), said("hello"))
    now = prompt(TOOL, said("Schön war es hier", "system", "system"), said("hello there"))
    assert changed(before, now).drift.first == Change(
        kind="system", name="system", position=1, byte=len("Schön ".encode()), before=3, after=4
    )


def test_an_inserted_message_is_where_they_first_differ() -> None:
    before, now = prompt(said("a"), said("c")), prompt(said("a"), said("b b"), said("c"), messages=2)
    found = changed(before, now)
    assert found.drift.first == Change(kind="user", name="user", position=1, byte=0, before=0, after=2)
    assert changed(now, before).drift.first == Change(kind="user", name="user", position=1, byte=0, before=2, after=0)


def test_output_is_held_with_its_spread() -> None:
    found = changed(prompt(said("a")), prompt(said("b")), input=1000, output=100, thinking=50, output_image=9)
    assert found.drift.high is not None
    assert [(usage.output, usage.thinking, usage.output_image) for usage in (found.drift.low, found.usage)] == [
        (54, 27, 9),
        (100, 50, 9),
    ]
    assert (found.drift.high.output, found.drift.high.thinking, found.drift.high.output_image) == (154, 77, 9)


IMAGE = said("data:image/png;base64,AAAA", "media", "image/png", opaque=True)
SEALED = said("gAAAA", "thinking", "encrypted", opaque=True)


@pytest.mark.parametrize(
    ("before", "now", "word"),
    [
        ({"parts": (IMAGE,)}, {"parts": (said("data:other", "media", "image/png", opaque=True),)}, "image/png"),
        ({}, {"parts": (IMAGE,)}, "image/png"),
        ({"server_tools": ("web_search",)}, {"server_tools": ("web_search",), "parts": (said("more"),)}, "web_search"),
        ({"state": ("conversation",)}, {"state": ("conversation",), "parts": (said("more"),)}, "conversation"),
        ({"state": ("container",)}, {"state": ("container",)}, "container"),
        ({}, {"parts": (SEALED,)}, "only the provider can read"),
        ({"encrypted": 5}, {"encrypted": 9}, "only the provider can read"),
        ({}, {"thinking": True}, "Thinking was switched on"),
    ],
)
def test_what_no_count_can_tell_is_said_and_not_bounded(before: dict[str, Any], now: dict[str, Any], word: str) -> None:
    was, then = (Prompt(parts=(said("a"), *given.pop("parts", ())), **given) for given in (dict(before), dict(now)))
    found = changed(was, then)
    assert found.drift.high is None
    assert any(word in reason for reason in found.drift.reasons)
    assert all("Record the test again" in reason or "estimated" in reason for reason in found.drift.reasons)


def test_unchanged_media_cancels() -> None:
    found = changed(prompt(IMAGE, said("a")), prompt(IMAGE, said("a b")))
    assert found.usage.total_input == 1001
    assert found.drift.high is not None


def test_sealed_thoughts_of_gemini_3_weigh_what_they_weighed_as_output() -> None:
    before = prompt(said("a"))
    now = Prompt(parts=(said("a"), said("b", "assistant")), messages=1, encrypted=800)
    found = changed(before, now, ("google", "gemini.generate", "gemini-3-pro"), input=1000, thinking=300)
    assert found.usage.total_input == 1301
    low, high = band(found)
    assert low <= 1001
    assert high is not None


def test_another_model_of_the_family_widens_the_band_and_of_another_leaves_none() -> None:
    before = sample(prompt(said("a")))
    close = estimate(before, before.prompt, Words(), asked="gpt-4.1")
    far = estimate(before, before.prompt, Words(), asked="claude-sonnet-4-5")
    assert band(close) == (900, 1100)
    assert far.drift.high is None
    assert "gpt-4o to claude-sonnet-4-5" in far.drift.reasons[0]


@pytest.mark.parametrize(
    ("model", "before", "now", "expected"),
    [
        ("claude-sonnet-4-5", {}, {"parts": (TOOL,)}, 1000 + 495 + 2),  # the tool is one word, at 1.7
        (
            "claude-sonnet-4-6",
            {"tool_choice": "auto", "parts": (TOOL,)},
            {"tool_choice": "forced", "parts": (TOOL,)},
            1096,
        ),
        (
            "claude-3-5-haiku",
            {"tool_choice": "forced", "parts": (TOOL,)},
            {"tool_choice": "auto", "parts": (TOOL,)},
            894,
        ),
        ("claude-sonnet-4-5", {}, {"thinking": True}, 1028),
        ("claude-sonnet-4-5", {"thinking": True}, {}, 972),
    ],
)
def test_a_mode_of_claude_adds_its_constant(
    model: str, before: dict[str, Any], now: dict[str, Any], expected: int
) -> None:
    was, then = (Prompt(parts=(*given.pop("parts", ()), said("a")), **given) for given in (dict(before), dict(now)))
    found = changed(was, then, ("anthropic", "anthropic.messages", model))
    assert found.usage.total_input == expected
    assert any("estimated by measured constants" in reason for reason in found.drift.reasons)


def test_a_mode_that_nobody_measured_has_a_wide_band() -> None:
    low, high = band(changed(prompt(said("a")), prompt(TOOL, said("a")), OTHER))
    assert high is not None
    assert high - low > 400


def test_a_counter_that_guesses_widens_the_band_and_says_so() -> None:
    before, now = sample(prompt(said("a"))), prompt(said("a"), said(words(1000)))
    sure, guessed = estimate(before, now, Words()), estimate(before, now, Words(error=0.036))
    assert band(sure)[1] == 2005  # 0.5% of 1,000
    assert band(guessed) == (1910, 2090)
    assert "Texts are counted by words, which is about 3.6% off." in guessed.drift.reasons


@pytest.mark.parametrize("counter", [None, object()])
def test_what_breaks_is_held_as_recorded(counter: Any) -> None:
    found = estimate(sample(prompt(said("a"))), prompt(said("b")), counter)
    assert found.usage.total_input == 1000
    assert found.drift.high is None
    assert "cannot be read" in found.drift.reasons[0]


class TestCache:
    """What is still read from a cache, in tokens."""

    system = said(words(2000), "system", "system")

    def split(self, found: Usage) -> tuple[int, int, int, int]:
        return found.input, found.cache_read, found.cache_write, found.cache_write_1h

    def test_what_stands_before_the_change_is_still_read(self) -> None:
        before, now = prompt(self.system, said("a")), prompt(self.system, said("b b"))
        found = changed(before, now, input=200, cache_read=1920)
        assert self.split(found.usage) == (201, 1920, 0, 0)
        assert found.drift.cold is not None
        assert self.split(found.drift.cold) == (2121, 0, 0, 0)

    def test_openai_reads_in_steps_and_not_too_little(self) -> None:
        # the change is after 1,300 of 2,000 words, and 120 tokens that the provider added stand before them
        text = " ".join(["w"] * 1300 + ["x"] + ["w"] * 699)
        now = prompt(said(text.replace("x", "y"), "system", "system"), said("a"))
        found = changed(prompt(said(text, "system", "system"), said("a")), now, input=205, cache_read=1920)
        assert found.usage.cache_read == 1408  # 11 × 128
        # after 900 words it would still be 896, which is too little
        soon = [text.replace("x", "w").replace("w", word, 901).replace(word, "w", 900) for word in ("x", "y")]
        was, then = (prompt(said(one, "system", "system"), said("a")) for one in soon)
        assert changed(was, then, input=81, cache_read=1920).usage.cache_read == 0
        early = changed(self.starting("one"), self.starting("two"), input=205, cache_read=1920)
        assert early.usage.cache_read == 0
        assert "1,920 of those tokens are taken as not cached" in early.drift.reasons[0]
        assert early.drift.low.cache_read == 1920

    def starting(self, word: str) -> Prompt:
        return prompt(said(f"{word} {words(2000)}", "system", "system"), said("a"))

    def test_what_the_test_sent_before_is_cached_by_now(self) -> None:
        before, now = self.starting("one"), self.starting("two")
        step = replace(now, parts=(*now.parts, said("b", "assistant")), messages=2)
        recorded = replace(before, parts=(*before.parts, said("b", "assistant")), messages=2)
        found = estimate(sample(recorded, input=205, cache_read=1920), step, Words(), earlier=[now])
        assert found.usage.cache_read == 1920

    def test_a_mark_after_the_change_is_written_again(self) -> None:
        marks = {"breakpoints": ((1, 300), (2, 300))}
        before, now = prompt(self.system, said("a"), **marks), prompt(self.system, said("b b"), **marks)
        found = changed(before, now, CLAUDE, input=3, cache_read=2400, cache_write=90, output=5)
        # the system's mark stands, and at 1.15 for the one word after it 2,492 tokens are before it
        assert self.split(found.usage) == (3, 2400, 91, 0)

    def test_a_change_before_every_mark_turns_reads_into_writes(self) -> None:
        marks = {"breakpoints": ((1, 300),)}
        before, now = (replace(self.starting(word), **marks) for word in ("one", "two two"))
        found = changed(before, now, CLAUDE, input=10, cache_read=2400)
        assert self.split(found.usage) == (10, 0, 2401, 0)

    def test_an_hour_and_five_minutes_are_kept_apart(self) -> None:
        marks = {"breakpoints": ((1, 3600), (2, 300))}
        before = prompt(self.system, said(words(100)), said("a"), **marks)
        now = prompt(said("Now. " + self.system.text, "system", "system"), *before.parts[1:], **marks)
        found = changed(before, now, CLAUDE, input=1, cache_read=2300, cache_write=115)
        # one word more; what stands behind the mark of an hour weighs 116 with the last word
        assert self.split(found.usage) == (1, 0, 115, 2301)

    def test_a_new_mark_writes_and_reads_nothing(self) -> None:
        before = prompt(self.system, said("a"))
        found = changed(before, replace(before, breakpoints=((1, 300),)), CLAUDE, input=2400)
        assert self.split(found.usage) == (1, 0, 2399, 0)

    def test_too_short_a_prefix_is_not_cached(self) -> None:
        before = prompt(said(words(20)), said("a"))
        found = changed(before, replace(before, breakpoints=((1, 300),)), CLAUDE, input=500)
        assert self.split(found.usage) == (500, 0, 0, 0)

    def test_a_named_cache_stays_warm(self) -> None:
        before = prompt(said("a"), state=("cachedContent",))
        found = changed(before, replace(before, parts=(said("b b"),)), GEMINI, input=8, cache_read=3512)
        assert found.drift.cold is not None
        assert found.drift.cold.cache_read == 3512


def test_weights_follow_what_was_recorded() -> None:
    # a Claude whose texts take 1.3 tokens a word: 3 and more pairs say so
    known = [
        sample(prompt(said(words(size))), CLAUDE, input=500 + round(1.3 * size))
        for size in (10, 200, 400, 700, 900, 1200)
    ]
    before, now = known[0], prompt(said(words(2000)))
    plain = estimate(before, now, Words())
    fitted = estimate(before, now, Words(), known=known)
    truth = 500 + 2600
    assert abs(fitted.usage.total_input - truth) < abs(plain.usage.total_input - truth) / 4
    assert fitted == estimate(before, now, Words(), known=tuple(known))


def test_openais_weights_are_not_bent() -> None:
    known = [sample(prompt(said(words(size))), GPT, input=500 + 2 * size) for size in range(0, 1000, 100)]
    found = estimate(known[0], prompt(said(words(100))), Words(), known=known)
    assert found.usage.total_input == 600


def test_what_a_provider_ran_by_itself_teaches_nothing_about_weights() -> None:
    known = [
        sample(prompt(said(words(size)), server_tools=("web_search",)), CLAUDE, input=500 + 3 * size)
        for size in range(0, 1000, 100)
    ]
    found = estimate(sample(prompt(said("a")), CLAUDE), prompt(said(words(101))), Words(), known=known)
    assert found.usage.total_input == 1115


def test_a_rewrite_of_the_same_length_still_has_a_band() -> None:
    rewritten = words(1000).replace("w", "v")
    low, high = band(changed(prompt(said(words(1000))), prompt(said(rewritten)), CLAUDE))
    assert high is not None
    # a twentieth of a thousand words that went and a thousand that came
    assert 40 <= high - 1000 == 1000 - low <= 100
