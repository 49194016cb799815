"""The forms of secrets that are told by their own letters: keys of providers, tokens, web tokens, private keys.

Every one of them holds a long unbroken run of letters and digits. So a text is first turned into a map of such runs,
which takes a microsecond a kilobyte, and only where one stands is looked closer.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from typing import Final

from pytest_tokenbudget.traffic.redaction.findings import Span

__all__ = ["LONG", "around", "holds_long_run", "known_forms", "private_keys", "runs"]

LONG: Final = 16
"""The fewest letters in a row that may be a secret, or hold one that is packed."""

_IN_RUNS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/")
_MAP: Final = bytes(ord("a") if byte in _IN_RUNS else ord(" ") for byte in range(256))
_RUN: Final = b"a" * LONG
_JOINTS: Final = frozenset({b".", b"="})
_JOINTS_BEFORE: Final = frozenset({b".", b"\\"})
_FARTHEST: Final = len(b"\\u0022ya29.")
_TAIL: Final = re.compile(rb"[A-Za-z0-9_.=+/-]*+")

_ANYWHERE: Final = {
    # told by so much that they may follow upon other letters, as in a path or a name
    "anthropic-key": rb"sk-ant-[A-Za-z0-9_-]{16,}",
    "openrouter-key": rb"sk-or-v1-[0-9a-f]{32,}",
    "openai-key": rb"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9]{20,}T3BlbkFJ[A-Za-z0-9]{20,}",
    "aws-key": rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    "bedrock-key": rb"bedrock-api-key-[A-Za-z0-9+/_-]{20,}={0,2}|ABSK[A-Za-z0-9+/]{100,}={0,2}",
    "github-token": rb"github_pat_[A-Za-z0-9_]{40,}|gh[pousr]_[A-Za-z0-9]{36,}",
    "gitlab-token": rb"glpat-[A-Za-z0-9_-]{20,}",
    "slack-token": rb"xox[abceoprs]-[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,}",
    "stripe-key": rb"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{24,}",
    "langsmith-key": rb"lsv2_(?:pt|sk)_[0-9a-f]{32}(?:_[0-9a-f]{10})?",
    "langfuse-key": rb"sk-lf-[0-9a-f-]{36}",
    "pypi-token": rb"pypi-AgE[A-Za-z0-9_-]{40,}",
}
_ALONE: Final = {
    # short beginnings, which random text in URL-safe base64 holds by chance: only where no such letter comes before
    "openai-key": rb"sk-(?=[A-Za-z]{0,60}[0-9])[A-Za-z0-9]{20,}|sess-[A-Za-z0-9]{32,}"
    rb"|ek_(?=[A-Za-z]{0,60}[0-9])[A-Za-z0-9]{30,}",
    "google-key": rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])|AQ\.[A-Za-z0-9_-]{40,}|GOCSPX-[A-Za-z0-9_-]{20,}",
    "google-token": rb"ya29\.[A-Za-z0-9_.-]{20,}|1//0[A-Za-z0-9_-]{30,}",
    "groq-key": rb"gsk_[A-Za-z0-9]{40,}",
    "xai-key": rb"xai-[A-Za-z0-9]{60,}",
    "huggingface-token": rb"hf_[A-Za-z0-9]{30,}",
    "replicate-token": rb"r8_[A-Za-z0-9]{36,}",
    "voyage-key": rb"pa-[A-Za-z0-9_-]{40,}",
    "nvidia-key": rb"nvapi-[A-Za-z0-9_-]{40,}",
    "perplexity-key": rb"pplx-[A-Za-z0-9]{40,}",
    "fireworks-key": rb"fw_(?=[A-Za-z]{0,30}[0-9])[A-Za-z0-9]{20,}",
    "cerebras-key": rb"csk-[a-z0-9]{40,}",
    "tavily-key": rb"tvly-(?=[A-Za-z-]{0,30}[0-9])[A-Za-z0-9-]{20,}",
    "firecrawl-key": rb"fc-[0-9a-f]{32}(?![A-Za-z0-9])",
    "jina-key": rb"jina_[A-Za-z0-9_-]{40,}",
    "pinecone-key": rb"pcsk_[A-Za-z0-9_]{40,}",
    "elevenlabs-key": rb"sk_[0-9a-f]{40,}",
    "e2b-key": rb"e2b_[0-9a-f]{40}",
    "databricks-token": rb"dapi[0-9a-f]{32}(?:-[0-9])?(?![A-Za-z0-9])",
    "sendgrid-key": rb"SG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{40,}",
    "npm-token": rb"npm_[A-Za-z0-9]{36}",
    "aws-token": rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=_-]{60,}",
    "jwt": rb"eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*",
    "organization-id": rb"org-(?=[A-Za-z]{0,30}[0-9A-Z])[A-Za-z0-9]{20,40}(?![A-Za-z0-9_-])",
    "project-id": rb"proj_(?=[A-Za-z]{0,30}[0-9A-Z])[A-Za-z0-9]{20,40}(?![A-Za-z0-9_-])",
}


_SIGNS: Final = (
    b"sk- sk_ rk_ ses ek_ AKI ASI ABI ACC bed ABS git ghp gho ghu ghs ghr glp xox xap whs lsv pyp eyJ AIz AQ. GOC ya2 "
    b"1// gsk xai hf_ r8_ pa- nva ppl fw_ csk tvl fc- jin pcs e2b dap SG. npm IQo Fwo FQo org pro"
).split()
"""How the forms begin, so that nearly every other place is passed over at once."""


def _combined() -> bytes:
    anywhere, alone = (
        b"|".join(b"(?P<%s%s>%s)" % (prefix, kind.replace("-", "_").encode(), form) for kind, form in forms.items())
        for prefix, forms in ((b"x_", _ANYWHERE), (b"y_", _ALONE))
    )
    signs = (
        b"%s(?:%s)" % (re.escape(first), b"|".join(re.escape(sign[1:]) for sign in _SIGNS if sign[:1] == first))
        for first in sorted({sign[:1] for sign in _SIGNS})
    )
    return rb"(?=" + b"|".join(signs) + rb")(?:" + anywhere + rb"|(?<![_-])(?:" + alone + rb"))"


_AT_THE_START: Final = re.compile(_combined())
_FORMS: Final = re.compile(
    # the sign before a secret; of what is escaped in JSON, such as a line break, the letters of the escape too
    rb"[^A-Za-z0-9](?:(?<=\\)(?:[nrtbf]|u[0-9a-fA-F]{4}))?(?:" + _combined() + rb")"
)
_PEM_END: Final = rb"PRIVATE KEY(?: BLOCK)?-----"
_PEM: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}" + _PEM_END + rb"(?:\s|\\+[nr])*"
    rb"(?:[A-Za-z-]{4,12}: [A-Za-z0-9,-]{1,80}(?:\s|\\+[nr])*){0,4}(?=[A-Za-z0-9+/]{16})"
    rb"(?:[A-Za-z0-9+/=\s]|\\+[nr/])*(?:-----END (?:[A-Z0-9]{1,12} ){0,3}" + _PEM_END + rb")?"
)


def holds_long_run(data: bytes) -> bool:
    """Whether there is a long unbroken run of letters and digits."""
    return data.translate(_MAP).find(_RUN) >= 0


def around(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """The part of a text where a secret may stand that a run belongs to: with what is joined to it by dots."""
    if data[stop : stop + 1] in _JOINTS and (tail := _TAIL.match(data, stop)) is not None:
        stop = tail.end()
    # a run begins behind the dot of `ya29.`, and with the letters of an escape
    before = _FARTHEST if data[start - 1 : start] in _JOINTS_BEFORE else 1
    return max(start - before, 0), stop


def runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Where long unbroken runs of letters and digits begin and end."""
    marks = data.translate(_MAP)
    end = len(marks)
    start = marks.find(_RUN)
    while start >= 0:
        stop = marks.find(b" ", start + LONG)
        stop = end if stop < 0 else stop
        # `find` met the run at its first letter: what comes before is no letter of a run
        yield start, stop
        start = marks.find(_RUN, stop)


def known_forms(data: bytes, parts: list[tuple[int, int]]) -> Iterator[Span]:
    """The secrets of known forms in parts of a text; no secret reaches further.

    Args:
        data: The text.
        parts: Where each part begins and ends.
    """
    # nearly always there is none, which one search tells
    if parts and _FORMS.search(b"\n".join([b"", *(data[start:end] for start, end in parts)])):
        for start, end in parts:
            yield from _forms_in(data, start, end)


def _forms_in(data: bytes, start: int, end: int) -> Iterator[Span]:
    at = max(start - 1, 0)
    found = (_AT_THE_START.match(data, 0, end) if start == 0 else None) or _FORMS.search(data, at, end)
    while found is not None:
        group = found.lastgroup or "x_secret"
        kind = group[2:].replace("_", "-")
        begin, stop = found.span(group)
        known = kind != "jwt" or _is_jwt(found[group])
        if known:
            yield Span(begin, stop, kind)
        found = _FORMS.search(data, stop - 1 if known else begin, end)


def _is_jwt(text: bytes) -> bool:
    """Whether the first part is the header of a web token: JSON that names an algorithm."""
    head = text.partition(b".")[0]
    try:
        decoded = urlsafe_b64decode(head + b"=" * (-len(head) % 4))
    except ValueError:
        return False
    return decoded.startswith(b"{") and (b'"alg"' in decoded or b'"typ"' in decoded or b'"enc"' in decoded)


def private_keys(data: bytes) -> Iterator[Span]:
    """Private keys in PEM, in text or in JSON; one that is cut off reaches to the first letter that it cannot hold."""
    if b"PRIVATE KEY" in data:
        for found in _PEM.finditer(data):
            yield Span(found.start(), found.end(), "private-key")
