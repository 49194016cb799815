"""`tokenbudget doctor`: what it finds in recordings of every kind, and that it never tells the secret."""

import gzip
import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
import yaml
from canaries import FORMED, NAMED, leaks
from click.testing import CliRunner, Result

from pytest_tokenbudget.cli import main

KEY, ORGANIZATION, AZURE = FORMED["anthropic"], FORMED["organization"], NAMED["azure"]
CHAT = {"model": "m", "messages": [{"role": "user", "content": f"I use {KEY}"}]}


@pytest.fixture(autouse=True)
def _own_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def doctor(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["doctor", *arguments])
    for secret in (KEY, ORGANIZATION, AZURE):
        assert leaks(secret, result.output.encode()) == []
        assert secret[:8] not in result.output
    return result


def interaction(
    request: dict[str, object] | None = None, response: dict[str, object] | None = None
) -> dict[str, object]:
    return {
        "request": {"method": "POST", "uri": "https://api.example/v1", "body": "{}", "headers": {}} | (request or {}),
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "{}"}}
        | (response or {}),
    }


def cassette(*interactions: object) -> str:
    return yaml.safe_dump({"version": 1, "interactions": list(interactions)})


def written(name: str, content: str | bytes) -> str:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def secrets(result: Result) -> list[tuple[object, ...]]:
    document = json.loads(result.output)
    assert document["schema"] == "tokenbudget/doctor/1"
    return [
        tuple(found[name] for name in ("source", "index", "part", "place", "kind")) for found in document["secrets"]
    ]


def test_a_table_says_what_where_and_what_to_do() -> None:
    written(
        "tests/cassettes/test_a.yaml",
        cassette(
            interaction({"headers": {"Authorization": [f"Bearer {AZURE}"]}}),
            interaction({"headers": {"Authorization": [f"Bearer {AZURE}"]}, "body": json.dumps(CHAT)}),
        ),
    )
    written("tests/cassettes/test_b.yaml", cassette(interaction()))
    result = doctor()
    assert result.exit_code == 10
    assert [line.rstrip() for line in result.output.splitlines()] == [
        "recording                      interaction   where                               what",
        "./tests/cassettes/test_a.yaml  0 and 1 more  request header authorization        authorization",
        "./tests/cassettes/test_a.yaml  1             request body $.messages[0].content  anthropic-key",
        "3 secrets in 1 of 2 recordings.",
        "Revoke these keys where they were issued: they stay in the repository's history, whatever is changed now.",
        "Then record these tests again, or take the secrets out of the files by hand. vcrpy's filter_headers and",
        "filter_query_parameters, and before_record_request for bodies, keep them out of what pytest-recording writes.",
    ]


def test_every_form_of_recording() -> None:
    sent = {"uri": f"https://api.example/v1?key={AZURE}", "body": json.dumps(CHAT)}
    text = cassette(interaction(sent, {"headers": {"Set-Cookie": [f"sid={AZURE}"]}}))
    vcr = json.dumps({"version": 1, "interactions": [interaction(sent)]})
    har = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {
            "method": "POST",
            "url": "https://api.example/v1",
            "headers": [{"name": "X-Api-Key", "value": AZURE}],
            "postData": {"text": json.dumps(CHAT)},
        },
        "response": {"status": 200, "headers": [], "content": {"text": "{}"}},
    }
    nock = {"scope": "https://api.example", "path": "/v1", "method": "POST", "status": 200, "response": CHAT}
    packed = b64encode(f"Bearer {AZURE}".encode()).decode()
    binary = cassette(interaction({"headers": {"Authorization": "PACKED"}})).replace("PACKED", f"!!binary '{packed}'")
    files = [
        written("a.yaml", text),
        written("b.json", vcr),
        written("c.har", json.dumps({"log": {"entries": [har]}})),
        written("d.json", json.dumps([nock])),
        written("e.yaml.gz", gzip.compress(text.encode())),
        written("f.yaml", binary),
    ]
    result = doctor(*files, "--format", "json")
    assert result.exit_code == 10
    body = "body $.messages[0].content"
    assert secrets(result) == [
        ("a.yaml", 0, "request", "url", "api-key"),
        ("a.yaml", 0, "request", body, "anthropic-key"),
        ("a.yaml", 0, "response", "header set-cookie", "cookie"),
        ("b.json", 0, "request", "url", "api-key"),
        ("b.json", 0, "request", body, "anthropic-key"),
        ("c.har", 0, "request", "header x-api-key", "api-key"),
        ("c.har", 0, "request", body, "anthropic-key"),
        ("d.json", 0, "response", body, "anthropic-key"),
        ("e.yaml.gz", 0, "request", "url", "api-key"),
        ("e.yaml.gz", 0, "request", body, "anthropic-key"),
        ("e.yaml.gz", 0, "response", "header set-cookie", "cookie"),
        ("f.yaml", 0, "request", "header authorization", "authorization"),
    ]


def test_what_cannot_be_read_as_a_recording_is_read_as_text() -> None:
    written("cassettes/broken.yaml", f"interactions:\n- request:\n   method: [\n  note: {KEY}\n  api_key: {AZURE}\n")
    written("cassettes/remark.yaml", f"# recorded with {ORGANIZATION}\n{cassette(interaction())}")
    result = doctor("--format", "json")
    assert secrets(result) == [
        ("./cassettes/broken.yaml", None, None, "line 4", "anthropic-key"),
        ("./cassettes/broken.yaml", None, None, "line 5", "api-key"),
        ("./cassettes/remark.yaml", None, None, "line 1", "organization-id"),
    ]


def test_what_was_filtered_already_is_no_finding() -> None:
    stand_ins = [
        "<filtered>",
        "[REDACTED]",
        "SCRUBBED",
        "AUTHORIZATION-XXX",
        "Bearer DUMMY",
        "test_token",
        "***",
        "Bearer sk-test-1",
    ]
    written(
        "cassettes/a.yaml",
        cassette(*(interaction({"headers": {"Authorization": [text], "x-api-key": text}}) for text in stand_ins)),
    )
    result = doctor()
    assert (result.exit_code, result.output) == (0, "0 secrets in 0 of 1 recording.\n")


def test_without_paths_only_recordings_are_looked_through() -> None:
    written("config.yaml", f"key: {KEY}\n")
    written("cassettes/transcript.json", json.dumps({"messages": [f"a {KEY}"]}))
    assert [source for source, *_ in secrets(doctor("--format", "json"))] == ["./cassettes/transcript.json"]
    assert [source for source, *_ in secrets(doctor("config.yaml", "--format", "json"))] == ["config.yaml"]


def test_patterns_of_the_project_count() -> None:
    written("tokenbudget.yml", 'redact: ["ACME-[0-9]{4}"]\n')
    written("cassettes/a.yaml", cassette(interaction({"body": '{"a": "ACME-1234"}'})))
    assert secrets(doctor("--format", "json")) == [("./cassettes/a.yaml", 0, "request", "body $.a", "custom")]


def test_settings_that_do_not_parse_are_named_and_nothing_else_stops() -> None:
    written("tokenbudget.yml", "tolerance: 20\n")
    result = doctor()
    assert result.exit_code == 2
    assert "! [config] tokenbudget.yml" in result.output
    written("cassettes/a.yaml", cassette(interaction({"body": json.dumps(CHAT)})))
    assert doctor().exit_code == 10


def test_a_vcrpy_out_of_range_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tokenbudget.cli.doctor_scan.version", lambda _: "8.1.0")
    result = doctor()
    assert "! vcrpy 8.1.0 is installed; tested is vcrpy 9." in result.output
    assert result.exit_code == 0


def test_a_file_that_cannot_be_opened_is_named() -> None:
    written("cassettes/a.yaml.gz", gzip.compress(b"interactions: []\n" * 99)[:-20])
    result = doctor("cassettes/a.yaml.gz")
    assert result.exit_code == 11
    assert "? cassettes/a.yaml.gz cannot be read, and may hold anything" in result.output


def test_a_path_that_is_not_there_is_an_error() -> None:
    result = doctor("nowhere")
    assert result.exit_code == 2
    assert "[recording] nowhere" in result.output


def test_the_corpus_holds_none(shared: Path) -> None:
    """Its owners have scrubbed it; read by hand, no finding in it is right."""
    document = json.loads(doctor(str(shared / "corpus"), "--format", "json").output)
    assert document["recordings"] >= 60
    assert document["secrets"] == []


def test_neither_vcrpy_nor_pytest_is_imported() -> None:
    code = (
        "import sys; import pytest_tokenbudget.traffic.redaction; sys.exit(bool({'vcr', 'pytest'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
