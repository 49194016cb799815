"""What a request lays before the model: parts with their text while it is read, segments without it afterwards."""

from typing import Literal

from msgspec import Struct

__all__ = ["Part", "Prompt", "Segment", "SegmentKind", "ToolChoice"]

SegmentKind = Literal["system", "tools", "user", "assistant", "tool_call", "tool_result", "schema", "media", "thinking"]

ToolChoice = Literal["", "none", "auto", "forced"]
"""How a request lets the model use its tools; empty where it does not say."""


class Segment(Struct, frozen=True, gc=False):
    """One part of a prompt. Its text is not kept.

    Attributes:
        kind: What the part is.
        name: The tool's name for tool definitions, calls and results; otherwise the role or media type, or empty.
        digest: 16 hexadecimal digits that tell equal texts from different ones.
        characters: The text's length.
        tokens: A local count by a deterministic counter (see `tokens/`); never scaled to the billed total.
    """

    kind: SegmentKind
    name: str
    digest: str
    characters: int
    tokens: int


class Part(Struct, frozen=True, gc=False):
    """One part of a prompt, text included; it becomes a `Segment` without its text.

    Attributes:
        kind: What the part is.
        name: The tool's name for tool definitions, calls and results; otherwise the role or media type, or empty.
        text: The part as text.
        opaque: Whether the text stands for something that the model does not read as this text, such as an image: its
            tokens are then not counted here.
    """

    kind: SegmentKind
    name: str
    text: str
    opaque: bool = False


class Prompt(Struct, frozen=True, kw_only=True, gc=False):
    """A whole prompt, and what else of the request decides how many tokens it becomes.

    Attributes:
        parts: In the order in which the provider sees them.
        messages: How many messages the conversation has, the system's included where it is one.
        tool_choice: How the tools may be used.
        thinking: Whether the model is asked to think before it answers.
        breakpoints: Where the request marks a prefix to be cached: (how many parts it spans, seconds it lives).
        server_tools: Names of the tools that the provider itself runs, such as `web_search`.
        state: Names of fields that refer to what the provider has stored, such as `previous_response_id`: what the
            model reads because of them is not in the request.
        encrypted: How many characters of parts only the provider can read, such as encrypted reasoning.
    """

    parts: tuple[Part, ...]
    messages: int = 0
    tool_choice: ToolChoice = ""
    thinking: bool = False
    breakpoints: tuple[tuple[int, int], ...] = ()
    server_tools: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    encrypted: int = 0
