"""The real SDKs understand what the model on loopback says. Expected counts are written out by hand."""

from contextlib import suppress

import anyio
import openai
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic import RateLimitError as ClaudeIsBusy
from anthropic.types import TextBlock, ThinkingBlock, ToolUseBlock
from loopback import LoopbackModel, Reply, ToolCall, in_order

ANSWER = Reply(text="The order left on Friday, and it should be with you on Monday.")
ASKS = Reply(
    thinking="Look it up.",
    text="Let me see.",
    tool_calls=(ToolCall(name="lookup", arguments={"id": "A-1"}), ToolCall(name="lookup", arguments={"id": "B-2"})),
)
QUESTION = "Where is my order?"
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
LONG = "Orders are sent within two working days. " * 200


def gpt(server: LoopbackModel) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key="any", max_retries=0)


def claude(server: LoopbackModel) -> Anthropic:
    return Anthropic(base_url=server.url, api_key="any", max_retries=0)


def test_chat() -> None:
    with LoopbackModel(in_order(ANSWER)) as server, gpt(server) as client:
        answer = client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}])
        received = server.requests
    assert answer.choices[0].message.content == ANSWER.text
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (8, 12, 20)
    assert [(one.path, one.json["messages"][0]["content"]) for one in received] == [("/v1/chat/completions", QUESTION)]


def test_chat_with_tools_streamed() -> None:
    with (
        LoopbackModel(in_order(ASKS)) as server,
        gpt(server) as client,
        client.chat.completions.stream(
            model="gpt-5-mini",
            messages=[{"role": "user", "content": QUESTION}],
            tools=[{"type": "function", "function": {"name": "lookup", "parameters": SCHEMA}}],
            stream_options={"include_usage": True},
        ) as stream,
    ):
        stream.until_done()
        answer = stream.get_final_completion()
    message = answer.choices[0].message
    assert message.content == "Let me see."
    assert [(call.function.name, call.function.arguments) for call in message.tool_calls or ()] == [
        ("lookup", '{"id":"A-1"}'),
        ("lookup", '{"id":"B-2"}'),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 25  # 4 of thinking, 3 of text, twice 4 of arguments and 5 around them
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 4


@pytest.mark.parametrize(("asked", "usages"), [(True, 1), (False, 0)])
def test_a_chat_stream_bears_usage_only_when_asked(asked: bool, usages: int) -> None:  # noqa: FBT001 - a parameter
    with LoopbackModel(in_order(ANSWER)) as server, gpt(server) as client:
        chunks = list(
            client.chat.completions.create(
                model="gpt-5-mini",
                messages=[{"role": "user", "content": QUESTION}],
                stream=True,
                stream_options={"include_usage": asked},
            )
        )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER.text
    assert sum(chunk.usage is not None for chunk in chunks) == usages


def test_openai_caches_prompts_by_themselves() -> None:
    with LoopbackModel(in_order(ANSWER, ANSWER)) as server, gpt(server) as client:
        counts = []
        for question in (QUESTION, "And my refund?"):
            answer = client.chat.completions.create(
                model="gpt-5-mini",
                messages=[{"role": "system", "content": LONG}, {"role": "user", "content": question}],
            )
            assert answer.usage is not None
            assert answer.usage.prompt_tokens_details is not None
            counts.append((answer.usage.prompt_tokens, answer.usage.prompt_tokens_details.cached_tokens))
    assert counts == [(1618, 0), (1617, 1536)]  # 1,610 of it in common, cut to a multiple of 128


def test_responses() -> None:
    with LoopbackModel(in_order(ASKS)) as server, gpt(server) as client:
        answer = client.responses.create(model="gpt-5-mini", input=QUESTION, instructions="Be brief.")
    assert [item.type for item in answer.output] == ["reasoning", "message", "function_call", "function_call"]
    assert answer.output_text == "Let me see."
    assert answer.usage is not None
    assert (answer.usage.output_tokens, answer.usage.output_tokens_details.reasoning_tokens) == (25, 4)


def test_responses_streamed() -> None:
    with (
        LoopbackModel(in_order(ASKS)) as server,
        gpt(server) as client,
        client.responses.stream(model="gpt-5-mini", input=QUESTION) as stream,
    ):
        kinds = {event.type for event in stream}
        answer = stream.get_final_response()
    assert answer.output_text == "Let me see."
    assert [item.arguments for item in answer.output if item.type == "function_call"] == [
        '{"id":"A-1"}',
        '{"id":"B-2"}',
    ]
    assert answer.usage is not None
    assert answer.usage.total_tokens == 8 + 25
    assert {"response.created", "response.reasoning_summary_text.delta", "response.completed"} <= kinds


def test_embeddings() -> None:
    with LoopbackModel(in_order(Reply(), Reply())) as server, gpt(server) as client:
        first, again = (
            client.embeddings.create(model="text-embedding-3-small", input=[QUESTION, "Refund"], dimensions=4)
            for _ in range(2)
        )
    assert [len(item.embedding) for item in first.data] == [4, 4]
    assert first.data == again.data
    assert first.data[0].embedding != first.data[1].embedding
    assert first.usage.prompt_tokens == 4 + 1


def test_messages_with_tools_and_thinking() -> None:
    with LoopbackModel(in_order(ASKS)) as server, claude(server) as client:
        answer = client.messages.create(
            model="claude-sonnet-5",
            max_tokens=500,
            messages=[{"role": "user", "content": QUESTION}],
            tools=[{"name": "lookup", "input_schema": SCHEMA}],
        )
    thinking, text, first, second = answer.content
    assert isinstance(thinking, ThinkingBlock)
    assert (thinking.thinking, bool(thinking.signature)) == ("Look it up.", True)
    assert isinstance(text, TextBlock)
    assert text.text == "Let me see."
    assert isinstance(first, ToolUseBlock)
    assert isinstance(second, ToolUseBlock)
    assert (first.input, second.input) == ({"id": "A-1"}, {"id": "B-2"})
    assert first.id != second.id
    assert answer.stop_reason == "tool_use"
    assert answer.usage.output_tokens == 6 + 4 + 2 * (6 + 35) + 3
    assert answer.usage.output_tokens_details is not None
    assert answer.usage.output_tokens_details.thinking_tokens == 6


def test_messages_streamed_say_the_same() -> None:
    with LoopbackModel(in_order(ASKS, ASKS)) as server, claude(server) as client:
        whole = client.messages.create(
            model="claude-sonnet-5", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
        )
        with client.messages.stream(
            model="claude-sonnet-5", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
        ) as stream:
            streamed = stream.get_final_message()
    assert [block.type for block in streamed.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert streamed.stop_reason == whole.stop_reason
    assert (streamed.usage.input_tokens, streamed.usage.output_tokens) == (9, 95)
    assert (whole.usage.input_tokens, whole.usage.output_tokens) == (9, 95)


def test_claude_caches_what_is_marked() -> None:
    counts = []
    with LoopbackModel(in_order(ANSWER, ANSWER, ANSWER)) as server, claude(server) as client:
        for system in (LONG, LONG, "Be brief."):
            usage = client.messages.create(
                model="claude-sonnet-5",
                max_tokens=500,
                system=[{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}],
                messages=[{"role": "user", "content": QUESTION}],
            ).usage
            counts.append((usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens))
    assert counts == [(9, 2251, 0), (9, 0, 2251), (16, 0, 0)]  # a short prompt is not cached


def test_counting_tokens_asks_no_model() -> None:
    with LoopbackModel(in_order()) as server, claude(server) as client:
        counted = client.messages.count_tokens(
            model="claude-sonnet-5", messages=[{"role": "user", "content": QUESTION}]
        )
    assert counted.input_tokens == 9


def test_async_clients() -> None:
    async def ask(server: LoopbackModel) -> tuple[str | None, str]:
        async with (
            openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="any") as gpt_client,
            AsyncAnthropic(base_url=server.url, api_key="any") as claude_client,
        ):
            chat = await gpt_client.chat.completions.create(
                model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}]
            )
            async with claude_client.messages.stream(
                model="claude-sonnet-5", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
            ) as stream:
                return chat.choices[0].message.content, await stream.get_final_text()

    with LoopbackModel(in_order(ANSWER, ANSWER)) as server:
        assert anyio.run(ask, server) == (ANSWER.text, ANSWER.text)


def test_errors_have_the_providers_shape() -> None:
    busy = Reply(status=429, text="Too many requests.", headers={"retry-after": "0"})
    with LoopbackModel(in_order(busy, busy)) as server, gpt(server) as client, claude(server) as other:
        with pytest.raises(openai.RateLimitError, match="Too many requests"):
            client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}])
        with pytest.raises(ClaudeIsBusy, match="Too many requests"):
            other.messages.create(
                model="claude-sonnet-5", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
            )
        with pytest.raises(openai.NotFoundError, match="not spoken here"):
            client.models.list()


def test_a_stream_can_break_off() -> None:
    with LoopbackModel(in_order(Reply(text="One two three.", cut_after=2))) as server, gpt(server) as client:
        stream = client.chat.completions.create(
            model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        with pytest.raises(openai.APIConnectionError):
            list(stream)


def test_usage_is_left_out_or_overridden() -> None:
    without = Reply(text="Yes.", usage=None)
    given = Reply(text="Yes.", usage={"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 5}})
    with LoopbackModel(in_order(without, given)) as server, gpt(server) as client:
        first, second = (
            client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}])
            for _ in range(2)
        )
    assert first.usage is None
    assert second.usage is not None
    assert second.usage.prompt_tokens_details is not None
    assert (second.usage.prompt_tokens, second.usage.prompt_tokens_details.cached_tokens) == (7, 5)


def test_a_script_that_runs_out_fails_the_block() -> None:
    def session() -> None:
        with LoopbackModel(in_order()) as server, gpt(server) as client, suppress(openai.BadRequestError):
            client.chat.completions.create(model="gpt-5-mini", messages=[{"role": "user", "content": QUESTION}])

    with pytest.raises(LookupError, match="no reply is left for /v1/chat/completions, model gpt-5-mini"):
        session()


def test_equal_sessions_get_equal_bytes() -> None:
    def session() -> list[str]:
        with LoopbackModel(in_order(ASKS, ASKS)) as server, claude(server) as client:
            return [
                client.messages.create(
                    model="claude-sonnet-5", max_tokens=500, messages=[{"role": "user", "content": QUESTION}]
                ).to_json()
                for _ in range(2)
            ]

    first, second = session(), session()
    assert first == second
    assert first[0] != first[1]
