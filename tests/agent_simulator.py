"""A simulated agent and provider, to know for certain why a task's cost changed.

It knows nothing of how causes are found: it lays prompts out message by message, lets a provider count them in a way of
its own (noise, wrappers, hidden instructions), caches prefixes as providers do, and bills.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Final

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.prompt import Segment, SegmentKind
from pytest_tokenbudget.model.usage import Usage

__all__ = ["EDITS", "Agent", "Step", "calls_of", "some_agent"]

MODELS: Final = {
    "claude-sonnet-5": ("anthropic", "anthropic.messages", "explicit"),
    "claude-opus-5": ("anthropic", "anthropic.messages", "explicit"),
    "gpt-5-mini": ("openai", "openai.chat", "implicit"),
    "gpt-5.2": ("openai", "openai.chat", "implicit"),
}


@dataclass(frozen=True)
class Step:
    """What the model does in a step: it says something, and calls a tool that returns something."""

    tool: str
    result: int
    output: int
    thinking: int = 0


@dataclass(frozen=True)
class Agent:
    """Sizes in tokens."""

    model: str
    system: int
    tools: tuple[tuple[str, int], ...]
    user: int
    steps: tuple[Step, ...]
    cached: bool = True
    dated: bool = False
    warm: bool = False
    searches: int = 0
    salt: str = field(default="")


def some_agent(random: Random) -> Agent:
    """An agent of ordinary size."""
    model = random.choice(tuple(MODELS))
    tools = tuple((f"tool_{number}", random.randint(60, 500)) for number in range(random.randint(2, 6)))
    steps = tuple(
        Step(
            tool=random.choice(tools)[0],
            result=int(random.lognormvariate(6, 0.8)) + 20,
            output=random.randint(30, 250),
            thinking=random.choice((0, 0, random.randint(50, 400))),
        )
        for _ in range(random.randint(3, 12))
    )
    return Agent(
        model=model,
        system=random.randint(200, 3000),
        tools=tools,
        user=random.randint(30, 600),
        steps=steps,
        cached=random.random() < 0.7,
    )


def calls_of(agent: Agent) -> list[Call]:
    """The agent's calls as a meter would read them, without their cost."""
    provider, api, cache = MODELS[agent.model]
    history: list[Segment] = []
    before: list[list[tuple[str, int]]] = []
    found = []
    if agent.warm:
        before.append(_billed(agent, _head(agent, 0)))
    history.append(_segment("user", "user", "question", agent.user, agent.salt))
    for number, step in enumerate(agent.steps):
        prompt = [*_head(agent, number), *history]
        billed = _billed(agent, prompt)
        read, written = _cache(agent, cache, billed, before)
        total = sum(tokens for _, tokens in billed)
        before.append(billed)
        found.append(
            Call(
                provider=provider,
                api=api,
                host=f"api.{provider}.com",
                model_served=agent.model,
                status="exact",
                obtained="replayed",
                prompt=tuple(prompt),
                usage=Usage(
                    input=total - read - written,
                    cache_read=read,
                    cache_write=written,
                    output=step.output,
                    thinking=step.thinking,
                    fees={"web_search": agent.searches} if agent.searches and not number else {},
                ),
            )
        )
        history += [
            _segment("assistant", "assistant", f"said {number}", max(1, step.output - 20), agent.salt),
            _segment("tool_call", step.tool, f"called {number}", min(20, step.output), agent.salt),
            _segment("tool_result", step.tool, f"result {number}", step.result, agent.salt),
        ]
    return found


def _head(agent: Agent, number: int) -> list[Segment]:
    version = str(number) if agent.dated else ""
    tools = [_segment("tools", name, name, size) for name, size in agent.tools]
    system = _segment("system", "system", f"system {version}", agent.system)
    return [system, *tools] if MODELS[agent.model][2] == "implicit" else [*tools, system]


def _segment(kind: SegmentKind, name: str, text: str, tokens: int, salt: str = "") -> Segment:
    digest = sha256(f"{kind} {name} {text} {tokens} {salt}".encode()).hexdigest()[:16]
    return Segment(kind, name, digest, 4 * tokens, tokens)


def _billed(agent: Agent, prompt: list[Segment]) -> list[tuple[str, int]]:
    """What the provider counts for each part: its own count of the text, and a wrapper around it."""
    hidden = 320 if agent.model.startswith("claude") else 0
    factor = {"claude-sonnet-5": 1.4, "claude-opus-5": 1.4}.get(agent.model, 1.0)
    found = [("hidden", hidden)] if hidden else []
    for segment in prompt:
        noise = int(segment.digest[:4], 16) / 65_535 * 0.06 - 0.03
        found.append((segment.digest, max(1, round(segment.tokens * factor * (1 + noise))) + 4))
    return found


def _cache(
    agent: Agent, kind: str, billed: list[tuple[str, int]], before: list[list[tuple[str, int]]]
) -> tuple[int, int]:
    if not agent.cached:
        return 0, 0
    shared = 0
    for earlier in before:
        tokens = 0
        for one, other in zip(earlier, billed, strict=False):
            if one != other:
                break
            tokens += one[1]
        shared = max(shared, tokens)
    total = sum(tokens for _, tokens in billed)
    if total < 1024:
        return 0, 0
    if kind == "implicit":
        return (shared // 128 * 128 if shared >= 1024 else 0), 0
    return shared, total - shared


def _wider(agent: Agent, *, tool: str, factor: float) -> Agent:
    steps = tuple(
        replace(step, result=int(step.result * factor) + 1000) if step.tool == tool else step for step in agent.steps
    )
    return replace(agent, steps=steps)


def _used_tool(agent: Agent, random: Random) -> str:
    # the last step's result is never sent
    return random.choice(agent.steps[:-1]).tool


def _bigger_result(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    tool = _used_tool(agent, random)
    return _wider(agent, tool=tool, factor=random.uniform(1.5, 5)), ("result", tool)


def _bigger_system(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    return replace(agent, system=agent.system + random.randint(400, 3000)), ("system", "")


def _bigger_tools(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    chosen = random.randrange(len(agent.tools))
    tools = tuple(
        (name, size + random.randint(300, 1500)) if number == chosen else (name, size)
        for number, (name, size) in enumerate(agent.tools)
    )
    return replace(agent, tools=tools), ("tools", "")


def _another_tool(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    return replace(agent, tools=(*agent.tools, ("new_tool", random.randint(200, 1500)))), ("tools", "")


def _bigger_question(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    return replace(agent, user=agent.user + random.randint(500, 4000)), ("user", "")


def _more_steps(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    # a retry loop: what it gets back is short
    more = tuple(
        Step(tool=_used_tool(agent, random), result=random.randint(20, 80), output=random.randint(20, 80))
        for _ in range(random.randint(2, 6))
    )
    at = random.randrange(1, len(agent.steps))
    return replace(agent, steps=(*agent.steps[:at], *more, *agent.steps[at:])), ("calls", "")


def _longer_output(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    factor = random.uniform(2, 4)
    steps = tuple(replace(step, output=int(step.output * factor) + 50) for step in agent.steps)
    return replace(agent, steps=steps), ("output", "")


def _more_thinking(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    more = random.randint(300, 900)
    steps = tuple(replace(step, thinking=step.thinking + more) for step in agent.steps)
    return replace(agent, steps=steps), ("thinking", "")


def _dated_system(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    del random
    return replace(agent, dated=True), ("cache", "")


def _no_cache(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    del random
    return replace(agent, cached=False), ("cache", "")


def _other_model(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    dearer = {"claude-sonnet-5": "claude-opus-5", "gpt-5-mini": "gpt-5.2"}
    back = {new: old for old, new in dearer.items()}
    del random
    return replace(agent, model={**dearer, **back}[agent.model]), ("model", "")


def _searching(agent: Agent, random: Random) -> tuple[Agent, tuple[str, str]]:
    return replace(agent, searches=random.randint(2, 6)), ("fee", "fee:web_search")


EDITS: Final[tuple[Callable[[Agent, Random], tuple[Agent, tuple[str, str]]], ...]] = (
    _bigger_result,
    _bigger_system,
    _bigger_tools,
    _another_tool,
    _bigger_question,
    _more_steps,
    _longer_output,
    _more_thinking,
    _dated_system,
    _no_cache,
    _other_model,
    _searching,
)
"""Each changes an agent, and says what is to be found: a cause's kind and name."""
