"""What holds for every estimate, whatever was recorded and whatever is sent."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytest_tokenbudget.model.prompt import Part, Prompt
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.tokens.estimate import estimate
from pytest_tokenbudget.tokens.sample import Sample

KINDS = ("system", "tools", "user", "assistant", "tool_call", "tool_result", "schema", "media", "thinking")
PLAIN = ("system", "user", "assistant", "thinking")
MODELS = (
    ("openai", "openai.chat", "gpt-4o"),
    ("openai", "openai.responses", "gpt-5.4-mini"),
    ("openai", "openai.embeddings", "text-embedding-3-small"),
    ("anthropic", "anthropic.messages", "claude-sonnet-4-5"),
    ("aws", "bedrock.converse", "anthropic.claude-opus-4-8"),
    ("google", "gemini.generate", "gemini-3-pro"),
    ("mistral", "mistral.chat", "mistral-large-latest"),
    ("deepseek", "openai.chat", "deepseek-reasoner"),
    ("example.org", "openai.chat", ""),
)


class Thirds:
    """Counts a token for every three characters, so that a longer text never counts less."""

    name = "thirds"
    error = 0.0

    def count(self, text: str) -> int:
        return (len(text) + 2) // 3


THIRDS = Thirds()

texts = st.text(max_size=60) | st.sampled_from(
    ['{"type": "function", "function": {"name": "f", "parameters": {}}}', '{"city": "Paris"}', "<think>so</think>yes"]
)
parts = st.builds(
    Part,
    st.sampled_from(KINDS),
    st.sampled_from(("", "user", "lookup")),
    texts,
    st.sampled_from((False, False, False, True)),
)
names = st.lists(st.sampled_from(("web_search", "conversation")), max_size=1).map(tuple)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    found = tuple(draw(st.lists(parts, max_size=6)))
    places = sorted(draw(st.sets(st.integers(1, max(1, len(found))), max_size=2)) if found else ())
    return Prompt(
        parts=found,
        messages=draw(st.integers(0, 6)),
        tool_choice=draw(st.sampled_from(("", "none", "auto", "forced"))),
        thinking=draw(st.booleans()),
        breakpoints=tuple((place, draw(st.sampled_from((300, 3600)))) for place in places),
        server_tools=draw(names),
        state=draw(names),
        encrypted=draw(st.sampled_from((0, 0, 40))),
    )


usages = st.builds(
    Usage, **{name: st.integers(0, 5_000) | st.sampled_from((0, 0, 100_000)) for name in CLASSES if name != "input"}
)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    provider, api, model = draw(st.sampled_from(MODELS))
    usage = replace(draw(usages), input=draw(st.integers(0, 5_000)))
    return Sample(provider=provider, api=api, model=model, prompt=draw(prompts()), usage=usage)


@settings(max_examples=40)
@given(samples())
def test_a_prompt_that_did_not_change_uses_what_was_recorded(before: Sample) -> None:
    unread = replace(before, prompt=replace(before.prompt, state=()))
    found = estimate(unread, unread.prompt, THIRDS)
    assert found.usage == before.usage
    assert found.drift.high is not None
    assert found.drift.low.total_input == found.drift.high.total_input == before.usage.total_input
    assert found.drift.first is None
    assert found.drift.reasons == ()


@settings(max_examples=80)
@given(samples(), prompts(), st.lists(samples(), max_size=5), st.lists(prompts(), max_size=2))
def test_low_middle_and_high_are_in_order(
    before: Sample, now: Prompt, known: list[Sample], earlier: list[Prompt]
) -> None:
    found = estimate(before, now, THIRDS, known=known, earlier=earlier)
    low, high, cold = found.drift.low, found.drift.high, found.drift.cold
    assert not any("cannot be read" in reason for reason in found.drift.reasons)
    assert cold is not None
    assert cold.total_input == found.usage.total_input
    for usage in (low, found.usage, cold, *([high] if high else [])):
        assert all(getattr(usage, name) >= 0 for name in CLASSES)
    for name in ("output", "thinking", "output_audio", "output_image", "total_input", "total_output", "total"):
        assert getattr(low, name) <= getattr(found.usage, name) <= getattr(high or found.usage, name)
    assert (high is None) <= bool(found.drift.reasons)


@settings(max_examples=40)
@given(
    samples(),
    prompts(),
    st.lists(st.fractions(min_value=0, max_value=10), min_size=4, max_size=4).map(sorted),
)
def test_at_any_prices_the_least_costs_no_more_and_the_most_no_less(
    before: Sample, now: Prompt, prices: list[Fraction]
) -> None:
    found = estimate(before, now, THIRDS)

    def cost(usage: Usage) -> Fraction:
        classes = (usage.cache_read, usage.input, usage.cache_write, usage.cache_write_1h)
        return sum((price * count for price, count in zip(prices, classes, strict=True)), Fraction(0))

    assert cost(found.drift.low) <= cost(found.usage)
    assert cost(found.usage) <= cost(found.drift.high or found.usage)
    # a cold cache costs more wherever what cannot be read is written at a higher price, or paid as plain input
    assert found.drift.cold is not None
    assert cost(found.usage) <= cost(found.drift.cold)


@settings(max_examples=40)
@given(samples(), prompts(), st.lists(prompts(), max_size=2))
def test_an_edit_invents_no_hit(before: Sample, now: Prompt, earlier: list[Prompt]) -> None:
    assert estimate(before, now, THIRDS, earlier=earlier).usage.cache_read <= before.usage.cache_read


@settings(max_examples=40)
@given(samples(), prompts(), st.integers(0, 6), st.sampled_from(PLAIN), st.text(max_size=80))
def test_more_text_never_uses_less(before: Sample, now: Prompt, place: int, kind: str, text: str) -> None:
    added = Part(kind, "user", text)  # type: ignore[arg-type]
    longer = replace(now, parts=(*now.parts[:place], added, *now.parts[place:]))
    more, less = (estimate(before, prompt, THIRDS) for prompt in (longer, now))
    assert more.usage.total_input >= less.usage.total_input


@settings(max_examples=40)
@given(samples(), prompts())
def test_an_edit_taken_back_costs_what_was_recorded(before: Sample, now: Prompt) -> None:
    there = estimate(before, now, THIRDS)
    if there.usage.total_input <= before.usage.input_audio + before.usage.input_image:
        return  # nothing is less than nothing: what was cut off does not come back
    back = estimate(replace(before, prompt=now, usage=there.usage), before.prompt, THIRDS)
    if any("thinking tokens of the turn before" in reason for reason in (*there.drift.reasons, *back.drift.reasons)):
        return  # sealed thoughts are known where they are added, and not where they are taken away
    assert abs(back.usage.total_input - before.usage.total_input) <= 1


@settings(max_examples=40)
@given(samples(), prompts())
def test_media_fees_and_unnamed_classes_are_held(before: Sample, now: Prompt) -> None:
    recorded = replace(before, usage=replace(before.usage, fees={"web_search": 2}, other={"cached_audio": 7}))
    found = estimate(recorded, now, THIRDS)
    for usage in (found.usage, found.drift.low, found.drift.cold):
        assert usage is not None
        assert usage.fees == {"web_search": 2}
        assert usage.other == {"cached_audio": 7}
    for name in ("input_audio", "input_image", "output", "thinking", "output_audio", "output_image"):
        assert getattr(found.usage, name) == getattr(before.usage, name)
