"""Fake secrets, every place where a message can hold one, and a search that finds them in whatever was written.

    for canary in canaries():
        written = ...  # hand it to what is tested
        assert leaks(canary.secret, written) == []

The secrets are drawn here, so that no scanner takes a file of ours for a leak; they are the same in every run.
"""

import gzip
import json
import re
import zlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from typing import Final
from urllib.parse import quote

from bedrock_frames import STREAM_LABEL, chunks, frame

__all__ = ["ANYWHERE", "FORMED", "NAMED", "NAMED_PLACES", "Canary", "Message", "canaries", "leaked", "leaks"]

URL: Final = "https://api.example.com/v1/messages"
JSON: Final = {"content-type": ["application/json"]}
SSE: Final = {"content-type": ["text/event-stream; charset=utf-8"]}
FORM: Final = {"content-type": ["application/x-www-form-urlencoded"]}
FRAMED: Final = {name: [value] for name, value in STREAM_LABEL.items()}
MIXED: Final = ascii_letters + digits
HEX: Final = "0123456789abcdef"
URL_SAFE: Final = MIXED + "-_"


def _drawn(*parts: str | tuple[str, int]) -> str:
    """Text, with letters drawn from an alphabet where a part asks for some; always with a digit and both cases."""
    random = Random(repr(parts))  # noqa: S311 - no secret at all
    return "".join(part if isinstance(part, str) else "".join(random.choices(part[0], k=part[1])) for part in parts)


def _jwt() -> str:
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=").decode()
    body = urlsafe_b64encode(b'{"sub":"1234567890","name":"Ada"}').rstrip(b"=").decode()
    return _drawn(f"{head}.{body}.", (URL_SAFE, 43))


FORMED: Final = {
    "openai": _drawn("sk-", (MIXED, 20), "T3Blbk" + "FJ", (MIXED, 20)),
    "openai-plain": _drawn("sk-", (MIXED, 24), "7x", (MIXED, 22)),
    "openai-project": _drawn("sk-" + "proj-", (URL_SAFE, 60), "T3Blbk" + "FJ", (URL_SAFE, 60)),
    "openai-service": _drawn("sk-" + "svcacct-", (URL_SAFE, 80)),
    "openai-session": _drawn("sess-", (MIXED, 40)),
    "anthropic": _drawn("sk-" + "ant-api03-", (URL_SAFE, 93), "AA"),
    "anthropic-oauth": _drawn("sk-" + "ant-oat01-", (URL_SAFE, 80)),
    "openrouter": _drawn("sk-" + "or-v1-", (HEX, 64)),
    "google": _drawn("AI" + "za", (URL_SAFE, 35)),
    "google-oauth": _drawn("ya" + "29.a0", (URL_SAFE, 80)),
    "aws-id": _drawn("AK" + "IA", (ascii_uppercase + "234567", 16)),
    "aws-temporary-id": _drawn("AS" + "IA", (ascii_uppercase + "234567", 16)),
    "bedrock": _drawn("AB" + "SK", (MIXED, 128)),
    "groq": _drawn("gs" + "k_", (MIXED, 52)),
    "xai": _drawn("xa" + "i-", (MIXED, 80)),
    "huggingface": _drawn("h" + "f_", (MIXED, 34)),
    "replicate": _drawn("r" + "8_", (MIXED, 37)),
    "voyage": _drawn("pa" + "-", (URL_SAFE, 43)),
    "nvidia": _drawn("nv" + "api-", (URL_SAFE, 64)),
    "perplexity": _drawn("pp" + "lx-", (MIXED, 48)),
    "fireworks": _drawn("fw" + "_3Z", (MIXED, 22)),
    "tavily": _drawn("tv" + "ly-dev-7", (MIXED, 32)),
    "langsmith": _drawn("ls" + "v2_pt_", (HEX, 32), "_", (HEX, 10)),
    "pinecone": _drawn("pc" + "sk_", (MIXED, 60)),
    "github": _drawn("gh" + "p_", (MIXED, 36)),
    "github-fine": _drawn("github" + "_pat_", (MIXED, 22), "_", (MIXED, 59)),
    "gitlab": _drawn("gl" + "pat-", (URL_SAFE, 20)),
    "slack": _drawn("xo" + "xb-", (digits, 12), "-", (digits, 12), "-", (MIXED, 24)),
    "stripe": _drawn("sk" + "_live_", (MIXED, 24)),
    "jwt": _jwt(),
    "organization": _drawn("org" + "-", (MIXED, 24)),
    "project": _drawn("pro" + "j_", (MIXED, 24)),
}
"""Secrets that their own letters tell, wherever they stand."""

NAMED: Final = {
    "azure": _drawn((HEX, 32)),
    "mistral": _drawn((MIXED, 32)),
    "cohere": _drawn((MIXED, 40)),
    "aws-secret": _drawn((MIXED + "+/", 38), "/9"),
    "together": _drawn((HEX, 64)),
    "password": _drawn("Tr0ub", (ascii_lowercase, 6), "#9z"),
}
"""Secrets that nothing tells but what stands before them."""

PEM: Final = "-----BEGIN " + "PRIVATE KEY-----\n{}\n-----END " + "PRIVATE KEY-----\n"


@dataclass(frozen=True)
class Message:
    """A request or a response, or a text that is printed."""

    part: str
    url: str = URL
    headers: dict[object, object] = field(default_factory=dict)
    body: bytes = b""
    text: str = ""


@dataclass(frozen=True)
class Canary:
    """One secret in one place."""

    name: str
    secret: str
    message: Message


def _sent(body: object = b"", headers: dict[str, list[str]] | None = None, **more: object) -> Message:
    packed = body if isinstance(body, bytes) else json.dumps(body).encode()
    kept = {**(JSON if headers is None else headers)}
    return Message(part="request", body=packed, headers=kept | more.pop("also", {}), **more)  # type: ignore[arg-type, operator]


def _got(body: bytes, headers: dict[str, list[str]] | None = None) -> Message:
    return Message(part="response", body=body, headers={**(JSON if headers is None else headers)})


def _chat(text: object) -> dict[str, object]:
    return {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}


def _cut(secret: str, parts: int) -> list[str]:
    size = -(-len(secret) // parts)
    return [secret[at : at + size] for at in range(0, len(secret), size)]


def _events(texts: list[str], write: Callable[[str], object]) -> bytes:
    return (
        b"".join(b"event: e\ndata: " + json.dumps(write(text)).encode() + b"\n\n" for text in texts)
        + b"data: [DONE]\n\n"
    )


def _openai(text: str) -> object:
    return {"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def _anthropic(text: str) -> object:
    return {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": text}}


def _arguments(text: str) -> object:
    return {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": text}}


def _responses(text: str) -> object:
    return {
        "type": "response.output_text.delta",
        "item_id": "msg_1",
        "output_index": 0,
        "content_index": 0,
        "delta": text,
    }


def _bedrock(text: str) -> bytes:
    return frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}, "p": "abc"})


def _gemini(text: str) -> object:
    return {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}]}


def _multipart(name: str, value: str, file: str = "") -> Message:
    head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    first = 'Content-Disposition: form-data; name="model"\r\n\r\nwhisper-1'
    body = f"--b0\r\n{first}\r\n--b0\r\n{head}\r\n\r\n{value}\r\n--b0--\r\n"
    return _sent(body.encode(), {"content-type": ["multipart/form-data; boundary=b0"]})


def _encoded(name: str, packed: bytes) -> Message:
    return _sent(packed, {**JSON, "content-encoding": [name]})


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode()


ANYWHERE: Final[dict[str, Callable[[str], Message]]] = {
    "a header that nobody knows": lambda s: _sent(also={"x-my-gateway": [s]}),
    "a header that is kept": lambda s: _sent(also={"anthropic-beta": [f"tools-2024 {s}"]}),
    "a query": lambda s: _sent(url=f"{URL}?alt=sse&q={quote(s)}&z=1"),
    "a path": lambda s: _sent(url=f"https://mcp.example.com/{quote(s)}/mcp"),
    "a fragment": lambda s: _sent(url=f"{URL}#{quote(s)}"),
    "JSON, deep": lambda s: _sent({"a": [{"b": {"c": [1, s]}}], "max_tokens": 5}),
    "JSON, in a sentence": lambda s: _sent(_chat(f"My key is {s}, keep it.")),
    "JSON, behind a line break": lambda s: _sent(_chat(f'Keys:\n{s}\n"{s}"\t{s}')),
    "JSON, in other letters": lambda s: _sent(_chat(f"Schlüssel „{s}“ – é")),
    "JSON, as UTF-8": lambda s: _sent(json.dumps(_chat(f"Schlüssel „{s}“\n"), ensure_ascii=False).encode()),
    "JSON, escaped without need": lambda s: _sent(
        json.dumps(_chat(s)).replace("-", "\\u002d").replace("_", "\\u005f").encode()
    ),
    "JSON, a key": lambda s: _sent({"keys": {s: 1}}),
    "JSON in JSON": lambda s: _sent(_chat(json.dumps({"tool": {"note": f"use {s}"}}))),
    "JSON in JSON in JSON": lambda s: _sent(_chat(json.dumps({"tool": json.dumps({"note": f"\n{s}"})}))),
    "JSON, cut off": lambda s: _sent(json.dumps(_chat(s)).encode()[:-5]),
    "JSON with a mark before it": lambda s: _sent(b"\xef\xbb\xbf" + json.dumps(_chat(s)).encode()),
    "rows of JSON": lambda s: _sent(
        json.dumps({"a": 1}).encode() + b"\n" + json.dumps({"body": _chat(s)}).encode() + b"\n"
    ),
    "a text": lambda s: _sent(f"error: {s} was refused".encode(), {"content-type": ["text/plain"]}),
    "a text that begins like JSON": lambda s: _sent(f"[default]\nkey = {s}\n".encode(), {}),
    "a row that is no JSON": lambda s: _sent(f'{{"a": 1}}\n[info] {s}\n{{"b": 2}}\n'.encode(), {}),
    "settings in base64": lambda s: _sent(_chat(_b64(f"[default]\nkey = {s}\n"))),
    "a text without a label": lambda s: _sent(f"<p>{s}</p>".encode(), {}),
    "base64 in JSON": lambda s: _sent(_chat(_b64(f"the key: {s}\n"))),
    "base64 in JSON, itself": lambda s: _sent(_chat(_b64(s))),
    "base64 for URLs in JSON": lambda s: _sent(_chat(urlsafe_b64encode(f"ÿþ??>> {s}".encode()).decode())),
    "a data URL": lambda s: _sent(_chat(f"data:text/plain;base64,{_b64('é ' + s)}")),
    "base64 in base64": lambda s: _sent(_chat(_b64(json.dumps({"inner": _b64(f"k {s}")})))),
    "gzip in base64": lambda s: _sent(_chat(b64encode(gzip.compress(f"a text with {s}".encode())).decode())),
    "hexadecimal digits": lambda s: _sent(_chat(f"k: {s}".encode().hex())),
    "gzip": lambda s: _encoded("gzip", gzip.compress(json.dumps(_chat(s)).encode())),
    "gzip without a label": lambda s: _sent(gzip.compress(json.dumps(_chat(s)).encode())),
    "deflate": lambda s: _encoded("deflate", zlib.compress(json.dumps(_chat(s)).encode())),
    "an encoding that nobody knows": lambda s: _encoded("br", b"\x0b\x80\xff" + s.encode()),
    "a form": lambda s: _sent(f"grant=x&note={quote('my ' + s)}".encode(), FORM),
    "a multipart field": lambda s: _multipart("prompt", f"it is {s}"),
    "a multipart file": lambda s: _multipart("file", f"line\n{s}\n", "a.txt"),
    "a multipart file's name": lambda s: _multipart("file", "line", f"{s}.txt"),
    "Location": lambda s: Message(part="response", headers={"Location": [f"{URL}?next={quote(s)}"]}),
    "an error": lambda s: _got(
        json.dumps({"error": {"message": f"Incorrect API key provided: {s}. See", "code": 401}}).encode()
    ),
    "a web page": lambda s: _got(f"<html><b>denied</b>key={s}</html>".encode(), {"content-type": ["text/html"]}),
    "an event": lambda s: _got(_events([f"so: {s}!"], _openai), SSE),
    "two events": lambda s: _got(_events(["so: ", *_cut(s, 2), "!"], _openai), SSE),
    "events of a token each": lambda s: _got(_events(["so: ", *_cut(s, 9), "!"], _anthropic), SSE),
    "events of a letter each": lambda s: _got(_events([" ", *s, " "], _responses), SSE),
    "arguments in events": lambda s: _got(_events(['{"note": "', *_cut(s, 3), '"}'], _arguments), SSE),
    "an event that is no JSON": lambda s: _got(f"data: {s}\n\n".encode(), SSE),
    "a comment between events": lambda s: _got(f": {s}\n\n".encode(), SSE),
    "a list of events": lambda s: _got(json.dumps([_gemini(text) for text in ["so ", *_cut(s, 3)]]).encode()),
    "rows of a token each": lambda s: _got(
        b"".join(json.dumps({"response": text}).encode() + b"\n" for text in [" ", *_cut(s, 5)])
    ),
    "a binary event": lambda s: _got(_bedrock(f"it: {s}"), FRAMED),
    "binary events": lambda s: _got(b"".join(_bedrock(text) for text in ["it: ", *_cut(s, 4)]), FRAMED),
    "a binary event that is cut off": lambda s: _got(_bedrock("it: ") + _bedrock(f"it: {s}")[:-9], FRAMED),
    "base64 in a binary event": lambda s: _got(chunks(_anthropic(f"it: {s}")), FRAMED),
    "base64 in binary events": lambda s: _got(chunks(*(_anthropic(text) for text in ["it: ", *_cut(s, 4)])), FRAMED),
    "an exception": lambda s: Message(part="text", text=f"HTTPError('401 for {URL}?k={s}')"),
    "a printed header": lambda s: Message(part="text", text=f"{{'Authorization': 'Bearer {s}'}}"),
    "a printed path": lambda s: Message(part="text", text=f"GET https://x.example/{s} was not sent"),
}

NAMED_PLACES: Final[dict[str, Callable[[str], Message]]] = {
    "Authorization": lambda s: _sent(also={"Authorization": [f"Bearer {s}"]}),
    "Authorization, basic": lambda s: _sent(also={"AUTHORIZATION": f"Basic {_b64('me:' + s)}"}),
    "Authorization as bytes": lambda s: _sent(also={b"authorization": f"Bearer {s}".encode()}),
    "a header as bytes": lambda s: _sent(also={"X-Api-Key": s.encode()}),
    "a header as a list of bytes": lambda s: _sent(also={"x-goog-api-key": [s.encode()]}),
    "a header as a tuple": lambda s: _sent(also={"api-key": (s,)}),
    "Cookie": lambda s: _sent(also={"cookie": [f"sid={s}; a=b"]}),
    "Set-Cookie": lambda s: Message(part="response", headers={"Set-Cookie": ["a=b", f"sid={s}; HttpOnly"]}),
    "an organization's header": lambda s: Message(part="response", headers={"openai-organization": [s]}),
    "another organization's header": lambda s: Message(part="response", headers={"Anthropic-Organization-Id": [s]}),
    "an AWS token": lambda s: _sent(also={"X-Amz-Security-Token": s}),
    "a query's key": lambda s: _sent(url=f"{URL}?alt=sse&key={quote(s, safe='')}"),
    "a query's api_key": lambda s: _sent(url=f"{URL}?api_key={quote(s, safe='')}&x=1"),
    "a query's access_token": lambda s: _sent(url=f"{URL}?access_token={quote(s, safe='')}"),
    "a query's signature": lambda s: _sent(url=f"{URL}?X-Amz-Signature={quote(s, safe='')}&X-Amz-Date=1"),
    "a query's AWS token": lambda s: _sent(url=f"{URL}?X-Amz-Security-Token={quote(s, safe='')}"),
    "a URL's password": lambda s: _sent(url=f"https://me:{quote(s, safe='')}@api.example.com/v1"),
    "a URL's user": lambda s: _sent(url=f"https://{quote(s, safe='')}@api.example.com/v1"),
    "JSON, named api_key": lambda s: _sent({"config": [{"api_key": s}]}),
    "JSON, named apiKey": lambda s: _sent({"apiKey": s}),
    "JSON, named as in a shell": lambda s: _sent({"env": {"AZURE_OPENAI_API_KEY": s}}),
    "JSON, named authorization": lambda s: _sent({"tools": [{"type": "mcp", "authorization": s}]}),
    "JSON, named Authorization": lambda s: _sent({"headers": {"Authorization": [f"Bearer {s}"]}}),
    "JSON, named password": lambda s: _sent({"password": s}),
    "JSON, named client_secret": lambda s: _sent({"client_secret": s}),
    "JSON, named refresh_token": lambda s: _sent({"refresh_token": s}),
    "JSON, named secretAccessKey": lambda s: _sent({"secretAccessKey": s}),
    "JSON in JSON, named, printed by Jackson": lambda s: _sent(_chat(f'{{\n  "password" : "{s}"\n}}')),
    "JSON in JSON, named": lambda s: _sent(_chat(json.dumps({"a": 1, "api_key": s}))),
    "JSON in JSON in JSON, named": lambda s: _sent(_chat(json.dumps({"tool": json.dumps({"access_token": s})}))),
    "named, in events": lambda s: _got(_events(['{"pass', 'word": "', *_cut(s, 3), '"}'], _arguments), SSE),
    "named, in base64": lambda s: _sent(_chat(_b64(json.dumps({"password": s, "user": "me"})))),
    "named, gzip": lambda s: _encoded("gzip", gzip.compress(json.dumps({"client_secret": s}).encode())),
    "named, in rows": lambda s: _sent(b'{"a": 1}\n{"password": "' + s.encode() + b'"}\n'),
    "a form's client_secret": lambda s: _sent(f"client_secret={quote(s, safe='')}&a=b".encode(), FORM),
    "a form's password": lambda s: _sent(f"a=b&password={quote(s, safe='')}".encode(), FORM),
    "a multipart field's name": lambda s: _multipart("api_key", s),
    "settings": lambda s: _sent(f"[default]\npassword={s}\n".encode(), {}),
    "a connection string": lambda s: _sent(_chat(f"use postgres://me:{quote(s, safe='')}@db.internal/x please")),
    "an assignment": lambda s: _sent(_chat(f"export API_KEY={s}\n")),
    "a printed dictionary": lambda s: Message(part="text", text=f"bad request: {{'api_key': '{s}', 'n': 1}}"),
    "a printed URL": lambda s: Message(part="text", text=f"GET {URL}?alt=sse&api_key={quote(s, safe='')} was not sent"),
    "a printed key in a URL": lambda s: Message(part="text", text=f"GET {URL}?key={quote(s, safe='')} was not sent"),
    "a printed URL with a password": lambda s: Message(
        part="text", text=f"to https://me:{quote(s, safe='')}@x.example/ failed"
    ),
}


def canaries() -> Iterator[Canary]:
    """Every secret in every place that can be told to hold one; of places with a name, each with a handful."""
    for name, secret in FORMED.items():
        for place, put in ANYWHERE.items():
            yield Canary(f"{name} in {place}", secret, put(secret))
    for name, secret in (NAMED | {"anthropic": FORMED["anthropic"], "aws-id": FORMED["aws-id"]}).items():
        for place, put in NAMED_PLACES.items():
            yield Canary(f"{name} in {place}", secret, put(secret))


def leaks(secret: str, *written: bytes) -> list[str]:
    """How a secret can be found in what was written: in clear, packed, encoded, or cut into the parts of a stream."""
    return leaked([secret], *written).get(secret, [])


def leaked(secrets: Iterable[str], *written: bytes) -> dict[str, list[str]]:
    """Which secrets can be found in what was written, and how each of them."""
    layers = [layer for content in written for layer in _layers(content)]
    found = {
        secret: sorted({name for name, form in _forms(secret.encode()) if any(form in layer for layer in layers)})
        for secret in secrets
    }
    return {secret: names for secret, names in found.items() if names}


def _forms(secret: bytes) -> list[tuple[str, bytes]]:
    # a part of what base64 makes of it depends on nothing but the secret, at each of the three alignments
    aligned = [
        (b64encode(b"\0" * shift + secret)[(0, 4, 4)[shift] :][: 4 * ((len(secret) - 3) // 3)]) for shift in range(3)
    ]
    return [
        ("clear", secret),
        ("a half", secret[len(secret) // 3 :]) if len(secret) >= 24 else ("clear", secret),
        *(("base64", form) for form in aligned),
        *(("base64 for URLs", form.translate(bytes.maketrans(b"+/", b"-_"))) for form in aligned),
        ("URL", quote(secret, safe="").encode()),
        ("URL, every letter", "".join(f"%{byte:02X}" for byte in secret).encode()),
        ("hexadecimal", secret.hex().encode()),
        ("hexadecimal", secret.hex().upper().encode()),
    ]


_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_STRINGS: Final = re.compile(rb'"(?:content|text|delta|partial_json|response)"\s*:\s*"((?:[^"\\]|\\.)*)"')


def _layers(content: bytes, depth: int = 0) -> Iterator[bytes]:
    yield content
    if depth > 3:
        return
    if pieces := _STRINGS.findall(content):
        yield b"".join(pieces)
    if b"\\" in content:
        yield re.sub(rb"\\u00([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), content).replace(
            b"\\/", b"/"
        )
    for packed in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
        with suppress(zlib.error):
            yield from _layers(zlib.decompressobj().decompress(content[packed.start() :]), depth + 1)
    at = content.find(b"\x1f\x8b")
    while at >= 0:
        with suppress(zlib.error):
            yield from _layers(zlib.decompressobj(31).decompress(content[at:]), depth + 1)
        at = content.find(b"\x1f\x8b", at + 1)
    held = []
    for run in _BASE64.findall(content):
        body = run.translate(bytes.maketrans(b"-_", b"+/"))
        plain = b64decode(body + b"=" * (-len(body) % 4)) if len(body) % 4 != 1 else b64decode(body[:-1])
        held.append(plain)
        yield from _layers(plain, depth + 1)
    if held and depth == 0 and (pieces := [piece for plain in held for piece in _STRINGS.findall(plain)]):
        yield b"".join(pieces)
