"""What is a secret in a text, and what only looks like one."""

import json
from base64 import b64encode, urlsafe_b64encode
from random import Random

import pytest
from canaries import FORMED, PEM

from pytest_tokenbudget.traffic.redaction import Redactor

KEY = FORMED["anthropic"]
RANDOM = Random(7)  # noqa: S311 - no secrets


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"key {KEY}.", "key REDACTED-anthropic-key."),
        (FORMED["openai-project"], "REDACTED-openai-key"),
        (f"({FORMED['google']})", "(REDACTED-google-key)"),
        (f"{FORMED['aws-id']}/20260101/us-east-1", "REDACTED-aws-key/20260101/us-east-1"),
        (f"token {FORMED['jwt']}", "token REDACTED-jwt"),
        (f"in organization {FORMED['organization']} on", "in organization REDACTED-organization-id on"),
        (f"{KEY} and {FORMED['groq']}", "REDACTED-anthropic-key and REDACTED-groq-key"),
        ("Authorization: Bearer " + "a1B2" * 8, "Authorization: Bearer REDACTED-bearer-token"),
        ("with Basic " + b64encode(b"ada:lovelace1").decode(), "with Basic REDACTED-basic-credentials"),
        ("Set-Cookie: sid=abc123; Path=/", "Set-Cookie: REDACTED-cookie"),
        ("mysql://root:hunter2@db:3306/x", "mysql://root:REDACTED-password@db:3306/x"),
        ("Server=db;Password=hunter2;Encrypt=yes", "Server=db;Password=REDACTED-password;Encrypt=yes"),
        ("https://x.example/?sig=" + "aB3%2F" * 8, "https://x.example/?sig=REDACTED-signature"),
        ("{'api_key': 'hunter2'}", "{'api_key': 'REDACTED-api-key'}"),
        ('{"client_secret": "a\\"b7"}', '{"client_secret": "REDACTED-secret"}'),
        ('\\"password\\": \\"pa55\\\\\\"word\\"', '\\"password\\": \\"REDACTED-password\\"'),
        ("api_key: " + "0123456789abcdef" * 2, "api_key: REDACTED-api-key"),
        (f"REDACTED-{KEY}", "REDACTED-REDACTED-anthropic-key"),
    ],
)
def test_a_secret_is_replaced(text: str, kept: str) -> None:
    assert Redactor().text(text) == kept


@pytest.mark.parametrize("joint", ["\n", "\\n", "\r\n"])
def test_private_keys(joint: str) -> None:
    lines = "\n".join(b64encode(RANDOM.randbytes(48)).decode() for _ in range(6))
    text = PEM.format(lines).replace("\n", joint)
    assert Redactor().text(f"it is\n{text} so") == f"it is\nREDACTED-private-key{joint} so"
    assert Redactor().text(text[:300]) == "REDACTED-private-key"


@pytest.mark.parametrize(
    "text",
    [
        "call_abcDEF0123456789ghiJKLmno",
        "toolu_01A09q90qw90lq917835lq9",
        "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
        "msg_013Zva2CMHLNnjNjJKqJ2EF7 resp_67ccd2bed1ec8190b14f964abc0542670bb6a6b452d3795b",
        "file-6F2ksmvXxt4VdoqmHRw6kL fc_67ccd2bf17f0819081ff3bb2cf6508e60bb6a6b452d3795b",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "550e8400-e29b-41d4-a716-446655440000",
        "gpt-5-mini-2026-08-07 us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "sk-learn-something-with-a-very-long-name-2024",
        "the org-wide-announcement-of-2024 and proj_management_tools_and_more",
        "The Bearer of this letter; a Basic understanding; Basic dXNlcg==",
        "password: must contain at least 8 characters",
        'client = OpenAI(api_key=os.environ["OPENAI_API_KEY"], password=getpass())',
        "api_key=settings.OPENAI_API_KEY, api_key: str | None = None",
        "api_key=<your key> password=***** token=${TOKEN} secret={{ secret }}",
        "cookie: chocolate chip, and a cookie = a small file",
        "https://example.com/docs?key=value&page=2#token=1",
        "https://user@example.com/ mailto:ada@example.com git@github.com:a/b.git",
        "s3://bucket/2024/01/31/reports/quarterly-figures-final-v2.parquet",
        "eyJhbGciOiJub25lIn0 is no token, and eyJh.eyJi.c is none either",
        "REDACTED-anthropic-key",
        "",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    redactor = Redactor()
    assert redactor.text(text) == text
    body = json.dumps({"a": [text, {"b": text}]}).encode()
    assert redactor.request("POST", "https://a.example/", {}, body).body is body


@pytest.mark.parametrize(
    "field",
    [
        {"usage": {"prompt_tokens": 12, "total_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 0}}},
        {
            "max_tokens": "4096",
            "token_count": "17",
            "prompt_tokens": "12",
            "maxOutputTokens": "9",
            "stop_token": "abc12345",
        },
        {"next_page_token": "CAUQAA-1234567890abcdefGHIJ", "continuation_token": "b0GUs1234567890abcdef"},
        {"token": "Hello", "logprob": -0.1, "bytes": [72], "top_logprobs": [{"token": " 12"}]},
        {"key": "reports/2024/figures-01-final.pdf", "cache_key": "prompt-v12-a8f3c9d2e1b04756"},
        {
            "prompt_cache_key": "a8f3c9d2e1b04756a8f3c9d2e1b04756",
            "secretary": "Ada L0velace",
            "tokenizer": "cl100k_base",
        },
        {"properties": {"password": {"type": "string"}, "api_key": {"type": "string"}}, "required": ["password"]},
        {"password": "", "api_key": "string", "authorization": "<filtered>", "secret": "rose", "token": None},
        {"signature": b64encode(Random(1).randbytes(400)).decode()},  # noqa: S311 - of thinking
        {"thoughtSignature": b64encode(Random(2).randbytes(900)).decode()},  # noqa: S311
        {"encrypted_content": "gAAAAA" + urlsafe_b64encode(Random(3).randbytes(3000)).decode()},  # noqa: S311
        {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "etag": '"33a64df551425fcc55"'},
        {"image_url": {"url": "data:image/png;base64," + b64encode(b"\x89PNG" + Random(4).randbytes(3000)).decode()}},  # noqa: S311
    ],
    ids=lambda field: ", ".join(field)[:40],
)
def test_fields_that_replay_and_metering_need_stay(field: dict[str, object]) -> None:
    body = json.dumps(field).encode()
    assert Redactor().response(200, {}, body).body is body


def test_noise_stays() -> None:
    """Encrypted reasoning is random letters by the megabyte: the beginning of a key turns up in it by chance."""
    redactor = Redactor()
    for pack in (b64encode, urlsafe_b64encode):
        body = json.dumps({"encrypted_content": pack(RANDOM.randbytes(3_000_000)).decode()}).encode()
        assert redactor.response(200, {}, body).body is body


def test_patterns_of_the_user() -> None:
    redactor = Redactor(["ACME-[0-9a-f]{8}", "(?i)straße \\d+", "q*"])
    assert redactor.text("ACME-0123abcd, Straße 7, STRASSE 7") == "REDACTED-custom, REDACTED-custom, STRASSE 7"
    request = redactor.request(
        "POST",
        "https://a.example/ACME-0123abcd?n=ACME-0123abcd",
        {"accept": ["ACME-0123abcd"]},
        b'{"a": "Stra\\u00dfe 7"}',
    )
    assert request.url == "https://a.example/REDACTED-custom?n=REDACTED-custom"
    assert request.headers == {"accept": ["REDACTED-custom"]}
    assert json.loads(request.body) == {"a": "REDACTED-custom"}


@pytest.mark.parametrize("pattern", ["[A-Z]+", "REDACTED.*", "custom", "-"])
def test_a_pattern_does_not_eat_placeholders(pattern: str) -> None:
    redactor = Redactor([pattern])
    once = redactor.text(f"ABC {KEY} custom - def")
    assert redactor.text(once) == once
    assert KEY not in once
