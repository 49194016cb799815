import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from builders import make_budget, make_call, make_estimate, make_run, make_segment, make_task
from click.testing import CliRunner

from pytest_tokenbudget.cli import main
from pytest_tokenbudget.model.call import Skipped
from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.run import Recording
from pytest_tokenbudget.model.task import Attempt, Stray
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.store.runfile import run_record
from pytest_tokenbudget.store.schema import audit_schema, run_schema, schema_text

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs/reference"
RUN = jsonschema.Draft202012Validator(run_schema())
AUDIT = jsonschema.Draft202012Validator(audit_schema())

CALL = make_call(obtained="drifted", tools=("look",), prompt=(make_segment("user", 3),), source="a.yaml", index=0)
ESTIMATE = make_estimate(
    "0.28", "0.27", "0.30", first=Change(kind="user", name="", position=1, byte=2, before=3, after=4)
)
FULL = make_run(
    make_task(
        "a",
        CALL,
        ESTIMATE,
        make_estimate("0.28", "0.27", None, cold=Usage(input=5), volatile=("system",)),
        make_call(None, status="missing", obtained="live", seconds=0.5, unpriced=("model",)),
        budget=make_budget(usd=1, steps=2, tokens_per_step=9, cache_hit_rate=0.5, workflow="w"),
        skipped=(Skipped(reason="not model traffic", source="a.yaml", index=1),),
        earlier=(Attempt(outcome="rerun"),),
        notes=("a note",),
        strays=(Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="httpcore"),),
    ),
    make_task("b", budget=make_budget(usd=1)),
    fixtures=(make_task("c", make_call(), outcome="fixture"),),
    recordings=(Recording(source="a.yaml", interactions=3, used=(0, 2)),),
    orphans=("b.yaml",),
    failed=1,
)


@pytest.mark.parametrize(("name", "schema"), [("run", run_schema()), ("audit", audit_schema())])
def test_the_published_schemas_are_those_of_this_version(name: str, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (PUBLISHED / f"{name}.schema.json").read_text(encoding="utf-8") == schema_text(schema), (
        f"Write it anew: python -c 'from pytest_tokenbudget.store.schema import *; "
        f"print(schema_text({name}_schema()), end=str())' > docs/reference/{name}.schema.json"
    )


@pytest.mark.parametrize("run", [make_run(), FULL, make_run(unfinished="s1", partial=("-x",), commit="a")])
def test_run_files_keep_to_their_schema(run: Any) -> None:
    RUN.validate(json.loads(json.dumps(run_record(run))))


@pytest.mark.parametrize(
    "path",
    [
        ("tasks", 0, "moon"),
        ("tasks", 0, "calls", 0, "moon"),
        ("tasks", 0, "calls", 1, "drift", "moon"),
        ("tasks", 0, "calls", 1, "drift", "first", "moon"),
        ("tasks", 0, "calls", 1, "band", "moon"),
        ("tasks", 0, "strays", 0, "moon"),
        ("recordings", 0, "moon"),
        ("tasks", 0, "budget", "usdd"),
        ("tasks", 0, "verdict", "moon"),
        ("totals", "moon"),
        ("moon",),
    ],
)
def test_the_schema_knows_every_key(path: tuple[Any, ...]) -> None:
    record = json.loads(json.dumps(run_record(FULL)))
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = "1"
    assert not RUN.is_valid(record)


@pytest.mark.parametrize("amount", [0.3, "-1", "1E-7", "NaN", ""])
def test_amounts_are_text_in_full(amount: object) -> None:
    record = json.loads(json.dumps(run_record(FULL)))
    record["tasks"][0]["calls"][0]["cost_usd"] = amount
    assert not RUN.is_valid(record)


@pytest.mark.parametrize("what", ["fixtures", "../shared/corpus"])
def test_real_audits_keep_to_their_schema(what: str) -> None:
    if not (ROOT / what).exists():
        pytest.skip(f"{what} is not beside this checkout")
    printed = CliRunner().invoke(main, ["audit", str(ROOT / what), "--format", "json"])
    assert printed.exit_code == 0
    AUDIT.validate(json.loads(printed.stdout))
