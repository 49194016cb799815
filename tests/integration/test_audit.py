"""`tokenbudget audit`, from files to what is printed."""

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.cli.audit import audit_recordings
from pytest_tokenbudget.cli.audit_table import print_audit
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.pricing import PriceTable

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="no recordings beside the repository")

SETTINGS = """\
prices:
  model-a: {input: 2, cache_read: 0.5, output: 10, fees: {web_search: 0.01}}
"""
PRICES = PriceOverride(
    model="model-a", rates={"input": Decimal(2), "cache_read": Decimal("0.5"), "output": Decimal(10)}, place="here"
)


STREAM = """\
data: {"id":"c","model":"model-a","choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}

data: [DONE]

"""


def chat(
    body: Any, *, model: str = "model-a", status: int = 200, url: str = "https://api.openai.com/v1/chat/completions"
) -> dict[str, Any]:
    return {
        "request": {
            "method": "POST",
            "uri": url,
            "headers": {"Authorization": ["Bearer sk-planted-secret"], "Content-Type": ["application/json"]},
            "body": json.dumps({"model": model, "messages": [{"role": "user", "content": "planted-prompt"}]}),
        },
        "response": {
            "status": {"code": status, "message": "-"},
            "headers": {
                "Set-Cookie": ["planted-cookie"],
                "Content-Type": ["text/event-stream" if body == STREAM else "application/json"],
            },
            "body": {"string": body if isinstance(body, str) else json.dumps(body)},
        },
    }


def answer(prompt: int, cached: int, completion: int, *, model: str = "model-a") -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "model": model,
        "choices": [{"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        },
    }


def write(path: Path, *interactions: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump({"interactions": list(interactions), "version": 1}))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four recordings with one of everything, in a project with a price of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tokenbudget.yml").write_text(SETTINGS)
    write(Path("cassettes/test_a/test_[refund].yaml"), chat(answer(12_000, 9_000, 300)), chat(answer(500, 0, 20)))
    write(Path("cassettes/test_a/test_stream.yaml"), chat(STREAM), chat(answer(100, 0, 10)))
    write(
        Path("cassettes/test_b/test_errors.yaml"),
        chat({"error": {}}, status=429),
        chat("planted-telemetry", url="https://telemetry.test/v1?key=planted-key"),
    )
    write(Path("cassettes/test_b/test_unknown.yaml"), chat(answer(10, 0, 1, model="model-b"), model="model-b"))
    Path("cassettes/notes.json").write_text('{"a": 1}')
    return tmp_path


def audit(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments])


@pytest.mark.usefixtures("project")
def test_every_interaction_is_a_call_or_is_skipped() -> None:
    result = audit("cassettes", "--format", "json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert [(call["source"], call["index"], call["status"], call["cost_usd"]) for call in found["calls"]] == [
        ("cassettes/test_a/test_[refund].yaml", 0, "exact", "0.0135"),
        ("cassettes/test_a/test_[refund].yaml", 1, "exact", "0.0012"),
        ("cassettes/test_a/test_stream.yaml", 0, "missing", None),
        ("cassettes/test_a/test_stream.yaml", 1, "exact", "0.0003"),
        ("cassettes/test_b/test_errors.yaml", 0, "error", "0"),
        ("cassettes/test_b/test_unknown.yaml", 0, "exact", None),
    ]
    assert found["skipped"] == [
        {
            "source": "cassettes/notes.json",
            "index": None,
            "reason": "no recording: no list of `interactions` among its keys (a)",
        },
        {"source": "cassettes/test_b/test_errors.yaml", "index": 1, "reason": "not model traffic"},
    ]
    assert found["totals"] == {
        "recordings": 4,
        "calls": 6,
        "skipped": 2,
        "statuses": {"error": 1, "exact": 4, "missing": 1},
        "usage": {"input": 3610, "cache_read": 9000, "output": 331},
        "fees": {},
        "cost_usd": "0.015",
        "unknown": 2,
    }


@pytest.mark.usefixtures("project")
def test_json_has_the_published_form() -> None:
    found = json.loads(audit("cassettes/test_a/test_[refund].yaml", "--format", "json").stdout)
    assert list(found) == ["schema", "as_of", "as_of_source", "price_table", "calls", "skipped", "totals"]
    assert (found["schema"], found["as_of"]) == ("tokenbudget/audit/1", "2026-11-01T00:00:00+00:00")
    assert found["calls"][0] == {
        "source": "cassettes/test_a/test_[refund].yaml",
        "index": 0,
        "provider": "openai",
        "api": "openai.chat",
        "host": "api.openai.com",
        "model": "model-a",
        "tier": None,
        "stream": False,
        "http_status": 200,
        "status": "exact",
        "usage": {"input": 3000, "cache_read": 9000, "output": 300},
        "fees": {},
        "cost_usd": "0.0135",
        "unpriced": [],
        "reported_usd": None,
        "response_id": "chatcmpl-1",
        "notes": [],
    }


@pytest.mark.usefixtures("project")
def test_csv_has_a_row_for_each_call_and_each_skipped_item() -> None:
    rows = list(csv.DictReader(io.StringIO(audit("cassettes", "--format", "csv").stdout)))
    assert [(row["status"], row["index"], row["input"], row["cost_usd"], row["reason"]) for row in rows] == [
        ("exact", "0", "3000", "0.0135", ""),
        ("exact", "1", "500", "0.0012", ""),
        ("missing", "0", "0", "", ""),
        ("exact", "1", "100", "0.0003", ""),
        ("error", "0", "0", "0", ""),
        ("exact", "0", "10", "", ""),
        ("skipped", "", "", "", "no recording: no list of `interactions` among its keys (a)"),
        ("skipped", "1", "", "", "not model traffic"),
    ]
    assert (rows[0]["stream"], rows[5]["unpriced"], rows[0]["cache_read"]) == ("false", "model", "9000")


TABLE = """\
 recording                  calls  tokens in (cached)     out         cost
 test_a/test_[refund].yaml      2        12,500 (72%)     320      $0.0147
 test_a/test_stream.yaml        2        100 (0%) + ?  10 + ?  $0.0003 + ?
 test_b/test_errors.yaml        1            HTTP 429                $0.00
 test_b/test_unknown.yaml       1             10 (0%)       1            ?
 4 recordings, 6 calls: $0.015 + ? at prices of 2026-11-01 (release).
 ? 1 call carries no usage (1 streamed: ask for stream_options.include_usage): not priced.
 ? 1 call uses a model without a price: model-b at api.openai.com. Give it one under `prices:` in tokenbudget.yml.
 1 call failed (HTTP 400 and above): nothing billed.
 2 skipped: no recording, not model traffic.
"""


def printed(*paths: str, width: int = 100, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    print_audit(audit_recordings(paths, PriceTable(overrides=(PRICES,))), console, **options)
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


@pytest.mark.usefixtures("project")
def test_the_table_tells_what_each_recording_costs_and_what_is_not_in_the_sum() -> None:
    assert printed("cassettes") == TABLE + " --verbose lists what was skipped, and the notes on calls.\n"


@pytest.mark.usefixtures("project")
def test_verbose_lists_what_was_skipped_and_the_notes() -> None:
    assert printed("cassettes", verbose=True) == TABLE + (
        "\n"
        " cassettes/notes.json: skipped: no recording: no list of `interactions` among its keys (a)\n"
        " cassettes/test_b/test_errors.yaml #1: skipped: not model traffic\n"
        " cassettes/test_a/test_stream.yaml #0: no usage in the stream: ask for it with stream_options.include_usage\n"
        " cassettes/test_b/test_unknown.yaml #0: openai lists no model model-b\n"
    )


@pytest.mark.usefixtures("project")
def test_explain_names_the_entry_its_source_and_the_rates() -> None:
    result = audit("cassettes/test_a/test_[refund].yaml", "--explain")
    assert result.stdout.endswith(
        " 1 recording, 2 calls: $0.0147 at prices of 2026-11-01 (release).\n"
        "\n"
        " model-a (tokenbudget.yml:2: prices.model-a): input $2.00/M, cache read $0.50/M, output $10.00/M; "
        "2 calls, $0.0147\n"
    )


@pytest.mark.usefixtures("project")
def test_a_narrow_terminal_keeps_the_end_of_a_name_and_the_figures() -> None:
    lines = printed("cassettes", width=66).splitlines()
    assert lines[1] == " …st_[refund].yaml      2        12,500 (72%)     320      $0.0147"
    assert max(map(len, lines[:5])) <= 66


@pytest.mark.usefixtures("project")
def test_recordings_without_a_call_make_no_table() -> None:
    assert printed("cassettes/notes.json") == (
        " 0 recordings, 0 calls: $0.00 at prices of 2026-11-01 (release).\n"
        " 1 skipped: no recording.\n"
        " --verbose lists what was skipped, and the notes on calls.\n"
    )


@pytest.mark.parametrize("arguments", [["--format", "json"], ["--format", "csv"], ["--verbose", "--explain"]])
@pytest.mark.usefixtures("project")
def test_no_secret_and_no_prompt_is_printed(arguments: list[str]) -> None:
    result = audit("cassettes", *arguments)
    assert result.exit_code == 0
    assert "model-a" in result.output
    assert "planted" not in result.output


@pytest.mark.usefixtures("project")
def test_prices_of_another_date_are_named_with_who_asked() -> None:
    found = json.loads(audit("cassettes", "--as-of", "2026-06-30", "--format", "json").stdout)
    assert (found["as_of"], found["as_of_source"]) == ("2026-06-30T00:00:00+00:00", "--as-of")
    assert " at prices of 2026-06-30 (--as-of).\n" in audit("cassettes", "--as-of", "2026-06-30").stdout


@pytest.mark.usefixtures("project")
def test_another_file_of_settings_can_be_named() -> None:
    Path("other.yml").write_text("prices: {model-a: {input: 4, cache_read: 1, output: 20}}\n")
    found = json.loads(audit("cassettes", "--config", "other.yml", "--format", "json").stdout)
    assert found["totals"]["cost_usd"] == "0.03"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone"], "tokenbudget: [recording] gone: there is no such file or directory."),
        (["cassettes", "--config", "gone.yml"], "tokenbudget: [config] gone.yml: "),
        (["cassettes", "--as-of", "soon"], "'soon' is neither a date such as 2026-11-01"),
        (["cassettes", "--format", "xml"], "'xml' is not one of 'table', 'json', 'csv'"),
        (["cassettes", "--format", "json", "--explain"], "--explain goes with --format table"),
        ([], "Missing argument 'PATH...'"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_wrong_argument_is_told_on_stderr_with_status_2(arguments: list[str], said: str) -> None:
    result = audit(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.usefixtures("project")
def test_a_reader_that_raises_costs_one_call_and_not_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(exchange: Any, _count: Any) -> Any:
        message = f"defect at {exchange.index}"
        raise RuntimeError(message)

    monkeypatch.setattr("pytest_tokenbudget.wire.read", read)
    found = json.loads(audit("cassettes/test_b/test_unknown.yaml", "--format", "json").stdout)
    assert found["skipped"] == [
        {
            "source": "cassettes/test_b/test_unknown.yaml",
            "index": 0,
            "reason": "could not be read, and what it cost is unknown: RuntimeError('defect at 0')",
        }
    ]


@pytest.mark.usefixtures("project")
def test_a_half_written_cassette_is_read_up_to_the_break() -> None:
    whole = Path("cassettes/test_a/test_[refund].yaml").read_text()
    cut = whole[: whole.rindex("usage")]
    Path("cut.yaml").write_text(cut)
    found = json.loads(audit("cut.yaml", "--format", "json").stdout)
    assert [call["index"] for call in found["calls"]] == [0]
    [rest] = found["skipped"]
    line = cut.count("\n") + 1
    assert rest["index"] == 1
    assert rest["reason"].startswith(f"cut off or damaged at line {line} (found unexpected end of stream): ")


def test_help_is_quick_and_a_module_of_ours_is_no_plugin() -> None:
    script = (
        "import sys\n"
        "from pytest_tokenbudget.cli import main\n"
        "main(['audit', '--help'], standalone_mode=False)\n"
        "heavy = {'yaml', 'rich.console', 'genai_prices', 'pydantic', 'vcr', 'pytest', 'httpx', 'msgspec'}\n"
        "print(sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n[]\n")


def test_the_console_script_is_the_group() -> None:
    assert isinstance(main, click.Group)
    assert "audit" in main.list_commands(click.Context(main))
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2


def interactions_in(path: Path) -> int:
    """How many things a file holds, counted with PyYAML alone: interactions, or the file itself where it has none."""
    content = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    if isinstance(content, list):
        return len(content)
    if "log" in content:
        return len(content["log"]["entries"])
    return len(content["interactions"]) if isinstance(content, dict) and "interactions" in content else 1


@needs_corpus
def test_nothing_in_the_public_recordings_is_dropped() -> None:
    files = [path for path in CORPUS.rglob("*") if path.suffix in {".yaml", ".json", ".har"}]
    expected = {str(path): interactions_in(path) for path in files}
    found = json.loads(audit(str(CORPUS), "--format", "json").stdout)
    assert len(expected) >= 67
    assert Counter(item["source"] for item in (*found["calls"], *found["skipped"])) == expected
    places = [(item["source"], item["index"]) for item in (*found["calls"], *found["skipped"])]
    assert len(set(places)) == len(places)


FILES_CALLS = "test_anthropic_code_execution_files_cache_prefix_stable[automatic-sonnet-4-6].yaml"
EXPECTED_STATUSES = {
    # HTTP 401 and 404
    ("anthropic_claude_sonnet_4_0.yaml", 0): "error",
    ("test_llm_call_with_error.yaml", 0): "error",
    # streams without include_usage
    ("test_chat_completion_streaming_not_complete.yaml", 0): "missing",
    ("test_chat_tools_streaming_with_events_with_no_content.yaml", 0): "missing",
    # files uploaded and read, tokens counted, the SDK's own traces
    (FILES_CALLS, 0): "unbilled",
    (FILES_CALLS, 3): "unbilled",
    ("test_anthropic_model_usage_limit_not_exceeded.yaml", 0): "unbilled",
    **{("test_recipe_agents_hierarchy.yaml", index): "unbilled" for index in (2, 4, 5, 8)},
    # background mode: the polls, whose usage counts with the two requests that were queued
    **{("test_background_mode_with_tool_vcr.yaml", index): "unbilled" for index in (1, 3, 4)},
}


@needs_corpus
def test_calls_to_openai_and_anthropic_are_exact_unless_the_recording_says_otherwise() -> None:
    found = json.loads(audit(str(CORPUS), "--format", "json").stdout)
    names = {Path(call["source"]).name: call["source"] for call in found["calls"]}
    other = {
        (Path(call["source"]).name, call["index"]): call["status"]
        for call in found["calls"]
        if call["provider"] in {"openai", "anthropic"} and call["status"] != "exact"
    }
    assert len(names) > 40
    assert other == EXPECTED_STATUSES
    total = sum(Decimal(call["cost_usd"]) for call in found["calls"] if call["cost_usd"] is not None)
    assert Decimal(found["totals"]["cost_usd"]) == total
    assert found["totals"]["unknown"] == sum(call["cost_usd"] is None for call in found["calls"])


def test_a_background_response_is_priced_by_its_poll_and_once(tmp_path: Path) -> None:
    responses = "https://api.openai.com/v1/responses"
    queued = {"id": "resp_1", "model": "model-a", "status": "queued", "background": True, "usage": None}
    done = {
        **queued,
        "status": "completed",
        "usage": {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100},
    }
    polls = [chat(body, url=f"{responses}/resp_1") for body in (queued, done, done)]
    for poll in polls:
        poll["request"] |= {"method": "GET", "body": ""}
    write(tmp_path / "a.yaml", chat(queued, url=responses), *polls)
    found = audit_recordings([tmp_path / "a.yaml"], PriceTable(overrides=(PRICES,)))
    assert [(call.status, call.cost) for call in found.calls] == [
        ("exact", Decimal("0.003")),
        ("unbilled", 0),
        ("unbilled", 0),
        ("unbilled", 0),
    ]
    assert (found.totals.known, found.totals.unknown) == (Decimal("0.003"), 0)


EVIL = "=cmd|x\x1b]0;title\x07\x1b[2J\u202e\u009b31m\nnext"


def hostile(folder: Path) -> Path:
    """A recording whose file name and model try to steer a terminal and a spreadsheet."""
    path = folder / "a\x1b[31m\nb.yaml"
    write(path, chat(answer(10, 0, 1, model=EVIL), model=EVIL))
    return path


@pytest.mark.parametrize("arguments", [[], ["--verbose", "--explain"], ["--format", "csv"]])
def test_no_name_steers_a_terminal(tmp_path: Path, arguments: list[str]) -> None:
    result = audit(str(hostile(tmp_path)), *arguments)
    assert result.exit_code == 0
    assert [letter for letter in result.stdout if not letter.isprintable() and letter != "\n"] == []
    assert "a\\x1b[31m\\nb.yaml" in result.stdout


def test_json_carries_every_name_as_it_is(tmp_path: Path) -> None:
    path = hostile(tmp_path)
    (call,) = json.loads(audit(str(path), "--format", "json").stdout)["calls"]
    assert (call["source"], call["model"]) == (str(path), EVIL)


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(audit(str(hostile(tmp_path)), "--format", "csv").stdout))
    assert row["model"].startswith("'=cmd|x")


@pytest.mark.parametrize("width", [10, 40, 60, 80, 200])
def test_figures_are_whole_at_any_width(tmp_path: Path, width: int) -> None:
    write(tmp_path / "a_long_name_of_a_recording.yaml", chat(answer(12_000, 9_000, 300)), chat(STREAM))
    console = Console(width=width, file=io.StringIO(), color_system=None)
    print_audit(audit_recordings([tmp_path], PriceTable(overrides=(PRICES,))), console)
    assert isinstance(console.file, io.StringIO)
    row = console.file.getvalue().splitlines()[1]
    assert " ".join(row.split()[-11:]) == "2 12,000 (75%) + ? 300 + ? $0.0135 + ?"


def test_what_was_not_read_is_in_no_sum(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("interactions:\n- request: {method: POST")
    assert printed(str(tmp_path)).splitlines()[0] == " 0 recordings, 0 calls: ? at prices of 2026-11-01 (release)."
    write(tmp_path / "b.yaml", chat(answer(10, 0, 1)))
    assert printed(str(tmp_path)).splitlines()[2] == (
        " 1 recording, 1 call: $0.00003 + ? at prices of 2026-11-01 (release)."
    )


def test_a_directory_without_recordings_is_said(tmp_path: Path) -> None:
    assert printed(str(tmp_path)) == (
        " ? No recordings found: a directory stands for its .yaml, .yml, .json and .har files, also with .gz.\n"
    )


def test_price_data_that_cannot_be_read_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError

    write(tmp_path / "a.yaml", *[chat(answer(10, 0, 1, model="gpt-4o"), model="gpt-4o")] * 2)
    monkeypatch.setattr("pytest_tokenbudget.pricing.genai._providers", broken)
    lines = printed(str(tmp_path)).splitlines()
    assert lines[2] == " 1 recording, 2 calls: ? at prices of 2026-11-01 (release)."
    assert lines[3].startswith(" ? 2 calls not priced: genai-prices ")
    assert lines[3].endswith('Type: python -m pip install "genai-prices>=0.2.3,<0.3"')


def test_letters_that_the_output_lacks_are_written_out(tmp_path: Path) -> None:
    write(tmp_path / "\u65e5\u672c.yaml", chat(answer(10, 0, 1)))
    done = subprocess.run(
        [sys.executable, "-c", "from pytest_tokenbudget.cli import main; main()", "audit", str(tmp_path)],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"\\u65e5\\u672c.yaml" in done.stdout
