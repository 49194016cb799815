"""`deployments`, `discounts` and `fees` of tokenbudget.yml, from files to what an audit and a test session count."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.store.schema import audit_schema

SETTINGS = """\
as_of: 2026-11-01
deployments: {my-azure-prod: gpt-4o}
discounts: [{provider: azure, percent: 12, until: 2026-12-31}]
fees:
- {host: api.tavily.com, path: /search, usd: 0.008, name: tavily_search}
- {tool: lookup_order, usd: 0.002}
"""
AZURE = "https://acme.openai.azure.com/openai/deployments/my-azure-prod/chat/completions?api-version=2025-01-01"


def interaction(url: str, body: dict[str, Any], answer: dict[str, Any], status: int = 200) -> dict[str, Any]:
    return {
        "request": {"method": "POST", "uri": url, "headers": {}, "body": json.dumps(body)},
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": json.dumps(answer)},
        },
    }


ASKS = {
    "id": "c1",
    "object": "chat.completion",
    "model": "some-coarse-name",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "lookup_order", "arguments": "{}"}}
                ],
            },
        }
    ],
    "usage": {"prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100},
}
RECORDING = {
    "version": 1,
    "interactions": [
        interaction(AZURE, {"messages": [{"role": "user", "content": "hi"}]}, ASKS),
        interaction("https://api.tavily.com/search", {"query": "refunds"}, {"results": []}),
        interaction("https://api.tavily.com/search", {"query": "refunds"}, {"detail": "slow down"}, status=429),
        interaction("https://api.tavily.com/extract", {"urls": []}, {"results": []}),
    ],
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("tokenbudget.yml").write_text(SETTINGS, encoding="utf-8")
    Path("cassette.yaml").write_text(yaml.safe_dump(RECORDING), encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("project")
def test_an_audit_counts_them() -> None:
    record = json.loads(CliRunner().invoke(main, ["audit", "cassette.yaml", "--format", "json"]).output)

    first, search, refused = record["calls"]
    # 1,000 × $2.50/M + 100 × $10/M = $0.0035, and one tool
    assert (first["cost_usd"], first["fees"]) == ("0.0055", {"tool:lookup_order": 1})
    assert first["notes"][0] == "priced as gpt-4o, by tokenbudget.yml:2: deployments.my-azure-prod"
    assert (search["api"], search["model"], search["cost_usd"]) == ("tavily_search.external", "tavily_search", "0.008")
    assert (refused["status"], refused["cost_usd"]) == ("error", "0")
    assert [skipped["index"] for skipped in record["skipped"]] == [3]
    # 12% off the $0.0035 alone
    assert (record["totals"]["cost_usd"], record["totals"]["contract_usd"]) == ("0.0135", "0.01308")
    jsonschema.validate(record, audit_schema())


@pytest.mark.usefixtures("project")
def test_the_table_shows_the_contract_beside_the_list_price() -> None:
    shown = CliRunner().invoke(main, ["audit", "cassette.yaml"]).output

    assert "1 recording, 3 calls: $0.0135 at prices of 2026-11-01" in shown
    assert "After your contract's discounts: $0.0131." in shown


def test_a_test_that_calls_an_external_api_pays_for_it(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yml", tokenbudget=SETTINGS)
    cassette = pytester.mkdir("cassettes").joinpath("test_search")
    cassette.mkdir()
    only = {**RECORDING, "interactions": RECORDING["interactions"][1:2]}  # type: ignore[index]  # a list
    (cassette / "test_search.yaml").write_text(yaml.safe_dump(only), encoding="utf-8")
    pytester.makepyfile(
        test_search="""
        import pytest, requests

        @pytest.mark.token_budget(usd=0.006, steps=1)
        def test_search():
            requests.post("https://api.tavily.com/search", json={"query": "refunds"})
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*$0.008*$0.006*"])
    run = json.loads((pytester.path / ".tokenbudget/run.json").read_text(encoding="utf-8"))
    (task,) = run["tasks"]
    assert task["calls"][0]["step"] is None
    assert task["cost_usd"] == "0.008"
