import json
from decimal import Decimal

import yaml
from builders import make_budget, make_call, make_run, make_task

from pytest_tokenbudget.policy.suggest import suggest
from pytest_tokenbudget.report.suggest import suggest_json, suggest_markers, suggest_yaml
from pytest_tokenbudget.report.suggest_view import COLUMNS, about, rows, unsuggested

FIFTH = Decimal("0.2")
REFUND, HOURS, LATE = (
    "tests/test_triage.py::test_refund",
    "tests/test_faq.py::test_hours",
    "tests/test_faq.py::test_late",
)

RUNS = [
    make_run(
        make_task(REFUND, make_call("0.30", input=21_101), budget=make_budget(usd=0.25)),
        make_task(f"{HOURS}[eu]", make_call("0.010", input=900)),
        make_task(f"{HOURS}[us]", make_call("0.020", input=1_900)),
        make_task(LATE, make_call(None)),
    ),
    make_run(make_task(REFUND, make_call("0.10", input=9_000), budget=make_budget(usd=0.25))),
]
FOUND = suggest(RUNS, FIFTH)


def test_the_evidence_in_sentences() -> None:
    how = "the most that any of them took, plus 20%, rounded up to two digits"
    assert about(RUNS, FOUND, FIFTH) == [
        f"From 2 runs: {how}. A budget's tolerance comes on top.",
        "3 of 4 tasks are not in every run.",
    ]


def test_what_speaks_against_the_evidence() -> None:
    other = make_run(price_table="another", incomplete=("1 exchange was lost.",))
    assert about([RUNS[0]], FOUND[:0], FIFTH)[1:] == ["One run says nothing of how much a task varies: name several."]
    assert about([RUNS[0], other], FOUND[:0], FIFTH)[1:] == [
        "The runs were priced by 2 different tables: their costs are not comparable.",
        "1 of 2 runs did not measure everything: 1 exchange was lost.",
    ]


def test_a_row_for_each_limit() -> None:
    assert COLUMNS == ("task", "limit", "seen", "suggested", "now")
    assert rows(FOUND) == [
        ("test_faq.py::test_hours[eu]", "usd", "$0.01", "$0.012", "no limit"),
        ("", "tokens", "900", "1,100", "no limit"),
        ("", "steps", "1", "2", "no limit"),
        ("test_faq.py::test_hours[us]", "usd", "$0.02", "$0.024", "no limit"),
        ("", "tokens", "1,900", "2,300", "no limit"),
        ("", "steps", "1", "2", "no limit"),
        ("test_triage.py::test_refund", "usd", "$0.10 to $0.30", "$0.36", "$0.25, exceeded by 20%"),
        ("", "tokens", "9,000 to 21,101", "26,000", "no limit"),
        ("", "steps", "1", "2", "no limit"),
    ]
    assert unsuggested(FOUND) == [f"{LATE}: nothing suggested: 1 of its calls have an unknown cost."]


def test_a_marker_serves_every_set_of_parameters() -> None:
    assert suggest_markers(FOUND, ["From 2 runs."]) == (
        "# From 2 runs.\n"
        "\n"
        "# tests/test_faq.py::test_hours\n"
        "@pytest.mark.token_budget(usd=0.024, tokens=2_300, steps=2)\n"
        "\n"
        "# tests/test_faq.py::test_late\n"
        "# not suggested: 1 of its calls have an unknown cost\n"
        "\n"
        "# tests/test_triage.py::test_refund\n"
        "@pytest.mark.token_budget(usd=0.36, tokens=26_000, steps=2)\n"
    )


def test_a_marker_is_not_suggested_where_one_set_of_parameters_is_no_evidence() -> None:
    run = make_run(make_task(f"{HOURS}[eu]", make_call()), make_task(f"{HOURS}[us]", make_call(), outcome="died"))

    assert suggest_markers(suggest([run], FIFTH), []) == (
        "\n# tests/test_faq.py::test_hours\n# not suggested: [us]: its process died\n"
    )


def test_yaml_to_paste() -> None:
    text = suggest_yaml(FOUND, ["From 2 runs."])

    assert text == (
        "# From 2 runs.\n"
        "budgets:\n"
        '  "tests/test_faq.py::test_hours[eu]": {usd: 0.012, tokens: 1100, steps: 2}\n'
        '  "tests/test_faq.py::test_hours[us]": {usd: 0.024, tokens: 2300, steps: 2}\n'
        '  "tests/test_triage.py::test_refund": {usd: 0.36, tokens: 26000, steps: 2}\n'
        "  # tests/test_faq.py::test_late: not suggested: 1 of its calls have an unknown cost\n"
    )
    assert list(yaml.safe_load(text)["budgets"]) == [f"{HOURS}[eu]", f"{HOURS}[us]", REFUND]


def test_yaml_holds_any_node_id() -> None:
    ids = ["t.py::a[\"'\\]", "t.py::b[\n]", "t.py::c[🦊 #: x]", "t.py::d[\x7f]"]
    found = suggest([make_run(*(make_task(node_id, make_call()) for node_id in ids))], FIFTH)

    assert sorted(yaml.safe_load(suggest_yaml(found, []))["budgets"]) == sorted(ids)


def test_nothing_to_suggest_is_still_yaml() -> None:
    assert yaml.safe_load(suggest_yaml([], ["From 1 run."])) == {"budgets": {}}


def test_json() -> None:
    record = json.loads(suggest_json(FOUND, FIFTH, 2))

    assert (record["schema"], record["margin"], record["runs"]) == ("tokenbudget/suggest/1", "0.2", 2)
    assert record["tasks"][2] == {
        "id": LATE,
        "runs": 1,
        "reason": "1 of its calls have an unknown cost",
        "limits": {},
    }
    assert record["tasks"][3]["limits"]["usd"] == {
        "suggested": "0.36",
        "low": "0.1",
        "high": "0.3",
        "bound": "0.25",
    }
