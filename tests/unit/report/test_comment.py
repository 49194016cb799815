"""The pull request's comment, read whole; hostile names; and what is left out where it would be too long."""

import re
from collections.abc import Sequence
from dataclasses import replace as changed
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from agent_simulator import Agent, Step
from builders import make_budget, make_call, make_estimate, make_run, make_task
from checkout import REFUND, bloated, task
from markdown_it import MarkdownIt
from msgspec.structs import replace

from pytest_tokenbudget.config.gate import GateRules
from pytest_tokenbudget.config.waivers import Waiver
from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.gate import gate
from pytest_tokenbudget.policy.portions import portions
from pytest_tokenbudget.policy.price_change import ModelPrices, PriceChange
from pytest_tokenbudget.policy.snapshot import snapshot_of_run
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.report.comment import LONGEST, About, comment, has_news, marker

TABLE = PriceTable()
ABOUT = About(
    head="9f2c1e7" * 5, run="8123.1", as_of=datetime(2026, 11, 1, tzinfo=UTC), base_age=Decimal(2), paid=Decimal(0)
)

FAQ = Agent(
    model="gpt-5-mini",
    system=300,
    tools=(("search", 100),),
    user=60,
    steps=(Step("search", 400, 150), Step("search", 20, 120)),
)
BLOATED = bloated(REFUND)


def run(*tasks: Task, commit: str = "9f2c1e7") -> Run:
    return make_run(*tasks, commit=commit * 5)


def compared(base: Run | None, head: Run) -> Comparison:
    before = None if base is None else snapshot_of_run(base, "tokenbudget.lock of 4be01aa")
    return compare(before, snapshot_of_run(head, "run.json"), TABLE.card_of, lambda _key, _kind: 1.0)


def written(before: Run | None, after: Run, *, waivers: Sequence[Waiver] = (), **about: Any) -> str:
    found = compared(before, after)
    verdict = gate(found, GateRules(), waivers, today=date(2026, 11, 25))
    return comment(found, verdict, replace(ABOUT, **about))


QUIET = tuple(task(f"tests/test_faq.py::test_{n}", changed(FAQ, salt=str(n)), 0.1, workflow="faq") for n in range(4))
BASE = run(task("tests/test_triage.py::test_refund", REFUND, 0.12, workflow="triage"), *QUIET, commit="4be01aa")


def test_what_is_unchanged_takes_two_lines() -> None:
    head = replace(BASE, commit="9f2c1e7" * 5)
    assert written(BASE, head) == (
        "<!-- tokenbudget key=default head=9f2c1e7 run=8123.1 -->\n"
        "### 🟢 Agent cost unchanged: 5 tasks within budget, $0.0529 a run\n"
        "<sub>base `4be01aa` (2 days old) · head `9f2c1e7` · prices of 2026-11-01 on both sides · this run paid "
        "$0.00</sub>\n"
    )


PRICES = PriceChange(
    models=(
        ModelPrices(model="a|b`c", base=None, head=Decimal("0.01")),
        ModelPrices(model="gpt-5-mini", base=Decimal("0.0016"), head=Decimal("0.0028"), is_estimate=True),
        ModelPrices(model="claude-sonnet-5", discounted=True, base=Decimal("0.0443"), head=Decimal("0.0433")),
    ),
    total=ModelPrices(model="", base=Decimal("0.0508"), head=Decimal("0.0520"), is_estimate=True),
    differs=("as_of 2026-10-01 → 2026-11-01", "discounts"),
    unknown=("The run was priced with genai-prices 0.2.2, and both sides here with genai-prices 0.2.3.",),
)


def priced(before: Run, after: Run, prices: PriceChange) -> str:
    found = replace(compared(before, after), prices=prices)
    return comment(found, gate(found, GateRules(), today=date(2026, 11, 25)), ABOUT)


def test_what_new_prices_cost_is_a_section_of_its_own() -> None:
    head = replace(BASE, commit="9f2c1e7" * 5)
    section = (
        "**Prices changed: the same usage costs ≈ +$0.0012 a run (+2%).** Base's settings differ\\: as\\_of 2026-10-01 "
        "→ 2026-11-01, discounts. Nothing of it counts as a regression: both sides are compared at the new prices.\n"
        "\n"
        "<details><summary>What the new prices cost, by model</summary>\n"
        "\n"
        "| model | base's prices | new prices | change |\n"
        "|:--|--:|--:|--:|\n"
        "| ``a\\|b`c`` | ? | $0.01 | ? |\n"
        "| `gpt-5-mini` | ≈ $0.0016 | ≈ $0.0028 | +$0.0012 (+75%) |\n"
        "| `claude-sonnet-5`, after discounts | $0.0443 | $0.0433 | −$0.001 (−2%) |\n"
        "\n"
        "</details>\n"
        "\n"
        "The run was priced with genai-prices 0.2.2, and both sides here with genai-prices 0.2.3.\n"
    )
    assert priced(BASE, head, PRICES) == (
        "<!-- tokenbudget key=default head=9f2c1e7 run=8123.1 -->\n"
        "### 🟢 Agent cost unchanged: 5 tasks within budget, $0.0529 a run\n"
        f"\n{section}\n"
        "<sub>base `4be01aa` (2 days old) · head `9f2c1e7` · prices of 2026-11-01 on both sides · this run paid "
        "$0.00</sub>\n"
    )
    verdict = gate(compared(BASE, head), GateRules(), today=date(2026, 11, 25))
    assert not has_news(replace(compared(BASE, head), prices=PriceChange(unknown=("?",))), verdict)
    assert has_news(replace(compared(BASE, head), prices=PRICES), verdict)
    grown = run(task("tests/test_triage.py::test_refund", BLOATED, 0.06, workflow="triage"), *QUIET)
    without = written(BASE, grown)
    before, fold, after = without.partition("<details><summary>Where the ")
    assert priced(BASE, grown, PRICES) == f"{before}{section}\n{fold}{after}"


def test_new_prices_of_a_thousand_models_leave_room_for_the_rows() -> None:
    models = tuple(ModelPrices(model=f"{'|' * 150}{n}", base=Decimal(1), head=Decimal(2)) for n in range(1000))
    text = priced(BASE, replace(BASE, commit="9" * 40), replace(PRICES, models=models))
    assert len(text.encode()) <= LONGEST
    assert "| and 975 more |  |  |  |\n" in text
    lead = PriceChange(models=models, total=ModelPrices(model="", base=None, head=Decimal(1)))
    assert "the same usage costs an unknown amount more or less.**" in priced(BASE, BASE, lead)


def test_a_bloated_tool_result() -> None:
    head = run(task("tests/test_triage.py::test_refund", BLOATED, 0.06, workflow="triage"), *QUIET)
    assert written(BASE, head, volumes={"triage": Decimal(40000), "other": Decimal(1)}) == (
        "<!-- tokenbudget key=default head=9f2c1e7 run=8123.1 -->\n"
        "### 🔴 Blocked: 1 task is 43% over budget; the suite costs +$0.0366 a run (+69%)\n"
        "\n"
        "**`test_refund` costs $0.0858, budget $0.06.** Results of `lookup_order` grew 2.1K → 9.4K tokens and are "
        "carried through 7 calls: +$0.0368 of its +$0.0366.\n"
        "\n"
        "| task | base | head | change | of budget | largest cause |\n"
        "|:--|--:|--:|--:|--:|:--|\n"
        "| 🔴 `test_triage.py::test_refund` | $0.0492 | **$0.0858** | +$0.0366 (+74%) | 143% of $0.06 | results of "
        "`lookup_order` grew 2.1K → 9.4K tokens and are carried through 7 calls |\n"
        "\n"
        "4 other tasks unchanged. 5 tasks measured, none estimated, none unknown. This run paid $0.00.\n"
        "\n"
        "**At 40,000 tasks a month: about +$1,460 for `triage`** (its task; volume from `tokenbudget.yml`).\n"
        "\n"
        "<details><summary>Where the +$0.0366 comes from</summary>\n"
        "\n"
        "| cause | kind | change | in |\n"
        "|:--|:--|--:|:--|\n"
        "| results of `lookup_order` | text | +$0.0368 | `test_refund` |\n"
        "| 2 smaller |  | −$0.00024 |  |\n"
        "| **sum** |  | **+$0.0366** | exact |\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>What else was found</summary>\n"
        "\n"
        "- 🔴 `test_refund` costs $0.0858, and $0.0492 before (+74%).\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary>Reproduce · accept</summary>\n"
        "\n"
        "Reproduce: `pytest && tokenbudget diff 4be01aa`\n"
        "\n"
        "Accept, in `tokenbudget.yml`:\n"
        "\n"
        "```yaml\n"
        "waivers:\n"
        '  - task: "tests/test_triage.py::test_refund"\n'
        "    usd: 0.086\n"
        "    reason: …\n"
        "    until: …\n"
        "    approver: …\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        "<sub>base `4be01aa` (2 days old) · head `9f2c1e7` · prices of 2026-11-01 on both sides · updated with every "
        "push</sub>\n"
    )


def test_sums_by_workflow_and_model_where_two_of_them_changed() -> None:
    longer = changed(FAQ, salt="0", system=3000)
    head = run(
        task("tests/test_triage.py::test_refund", BLOATED, 0.12, workflow="triage"),
        task("tests/test_faq.py::test_0", longer, 0.1, workflow="faq"),
        *QUIET[1:],
    )
    part = written(BASE, head).partition("<details><summary>By workflow and model</summary>\n\n")[2]
    assert part.partition("\n\n</details>")[0] == (
        "| by |  | base | head | change |\n"
        "|:--|:--|--:|--:|--:|\n"
        "| workflow | `triage` | $0.0492 | $0.0858 | +$0.0366 (+74%) |\n"
        "|  | `faq` | $0.00367 | $0.00428 | +$0.000617 (+17%) |\n"
        "| model | `claude-sonnet-5` | $0.0492 | $0.0858 | +$0.0366 (+74%) |\n"
        "|  | `gpt-5-mini` | $0.00367 | $0.00428 | +$0.000617 (+17%) |"
    )


def test_without_a_base_nothing_reads_as_a_rise() -> None:
    text = written(None, BASE, base="The base 4be01aa has no tokenbudget.lock.")
    assert text.splitlines()[1] == "### 🟢 Agent cost measured: 5 tasks within budget, $0.0529 a run"
    assert "+" not in text
    assert "The base 4be01aa has no tokenbudget.lock" in text


def test_a_waiver_says_who_accepted_it_and_until_when() -> None:
    head = run(task("tests/test_triage.py::test_refund", BLOATED, 0.06), *QUIET)
    accepted = Waiver(
        task="*refund", usd=Decimal(1), reason="a new tool", until=date(2026, 12, 31), approver="kim", place="x:1"
    )
    text = written(BASE, head, waivers=(accepted,))
    assert text.splitlines()[1].startswith("### 🟡 Waived: 1 task over what is allowed, as accepted; ")
    assert "Accepted by kim until 2026-12-31." in text


def test_what_is_not_known_is_never_green() -> None:
    unknown = make_task("t.py::test_a", make_call(None, status="missing", input=0), budget=make_budget(usd=1))
    text = written(None, run(unknown))
    assert text.splitlines()[1] == (
        "### 🟠 Incomplete: the cost of 1 task is not known; the suite costs an unknown amount"
    )
    assert "no usage" in text


def test_offsetting_causes_are_said() -> None:
    shorter = changed(BLOATED, steps=tuple(changed(step, output=10, thinking=0) for step in BLOATED.steps), tools=())
    text = written(run(task("t.py::test_a", REFUND)), run(task("t.py::test_a", shorter)))
    assert "causes that offset each other: " in text


HOSTILE = (
    "a|b",
    "`code`",
    "``` fence",
    "<script>alert(1)</script>",
    "<!-- tokenbudget key=default -->",
    "[link](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "@everyone",
    "#1",
    "line\nbreak",
    "</details></summary>",
    "\u202eright to left",
    "\u2066isolate\u2069",
    "\x00\x1b[31mred",
    "**bold** _it_",
    "| --- | --- |",
    "x" * 1_000_000,
    "é" * 100_000,
    "\\",
    "'; rm -rf ~; '",
    "$(touch x)",
    "${{ secrets.TOKEN }}",
    "::error::x",
    "",
)


def hostile_names(count: int) -> list[str]:
    random = Random(7)  # noqa: S311 - the same at every run
    mixed = ["".join(random.choice(HOSTILE)[:50] for _ in range(3)) for _ in range(count - len(HOSTILE))]
    return [*HOSTILE, *mixed]


@pytest.mark.parametrize("name", hostile_names(200), ids=range(200))
def test_hostile_names_leave_the_comment_well_formed(name: str) -> None:
    def agent(size: int) -> Agent:
        steps = (Step(name, size, 100), Step(name, size, 100), Step(name, size, 100))
        return Agent(model="claude-sonnet-5", system=300, tools=((name, 200),), user=100, steps=steps)

    test = f"tests/test_x.py::test_a[{name}]"
    text = written(run(task(test, agent(300))), run(task(test, agent(20_000), 0.01)))
    assert len(text.encode()) <= LONGEST
    assert "\u202e" not in text
    assert "\u2066" not in text
    assert "\x00" not in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert not [child.type for child in inline if child.type in {"link_open", "image"}]
    ours = {"<sub>", "</sub>"}
    assert {child.content for child in inline if child.type == "html_inline"} <= ours
    assert sum(token.content.startswith("<!--") for token in tokens if token.type == "html_block") == 1
    blocks = "".join(token.content for token in tokens if token.type == "html_block")
    assert set(re.findall(r"</?\w+", blocks)) <= {"<details", "</details", "<summary", "</summary", "<sub", "</sub"}
    assert blocks.count("<details>") == blocks.count("</details>") == 3
    plain_text = " ".join(child.content for child in inline if child.type == "text")
    assert "@everyone" not in plain_text
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in {"td_open", "th_open"}]
    assert len(rows) >= 4
    assert len(cells) == 2 * 6 + (len(rows) - 2) * 4  # the tasks' table, and that of causes


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_recordings_and_tools_leave_it_well_formed(name: str) -> None:
    text = written(None, run(drifted(f"t.py::test_a[{name}]", name, kind="tool_result", tool=name)))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<sub>", "</sub>"}
    assert not [child.type for child in inline if child.type in {"link_open", "image", "em_open", "strong_open"}][2:]
    assert "@everyone" not in " ".join(child.content for child in inline if child.type == "text")
    assert sum(token.type == "bullet_list_open" for token in tokens) <= 2
    assert len(text.encode()) <= LONGEST


def test_a_comment_that_would_be_too_long_leaves_out_rows_one_by_one_and_says_so() -> None:
    before = run(*(task(f"tests/test_{'x' * 90}.py::test_{n}", changed(FAQ, salt=str(n))) for n in range(700)))
    bigger = changed(FAQ, system=2000)
    after = run(*(task(f"tests/test_{'x' * 90}.py::test_{n}", changed(bigger, salt=str(n)), 0.1) for n in range(700)))
    text = written(before, after)
    assert len(text.encode()) <= LONGEST
    shown = [line for line in text.splitlines() if line.startswith("| 🟢 ")]
    assert f"{700 - len(shown)} more rows are left out." in text
    assert len(text.encode()) + len(f"{shown[-1]}\n".encode()) > LONGEST  # there is no room for one more
    assert text.count("<details>") == 2
    assert text == (Path(__file__).parent / "approved/comment-large.md").read_text(encoding="utf-8")


def test_details_go_where_they_leave_no_room_for_rows() -> None:
    long = "\N{ROBOT FACE}" * 500
    many = [
        drifted(f"t.py::test_{number}{long}", f"{number}{long}", tool=long, kind="tool_result") for number in range(90)
    ]
    text = written(None, run(*many))
    assert len(text.encode()) <= LONGEST
    assert text.count("| 🔴 ") >= 25
    assert "- and 85 more" in text
    assert text.count("<details>") == text.count("</details>") == 2
    assert text.endswith("updated with every push</sub>\n")


def drifted(name: str, source: str, *, tool: str = "", kind: Any = "system") -> Task:
    first = Change(kind=kind, name=tool, position=0, byte=1139, before=900, after=940)
    call = make_estimate("0.28", "0.27", "0.30", source=source, first=first, input=140_000)
    made = make_task(name, call, budget=make_budget(usd=0.2))
    return replace(made, portions=portions([call], TABLE.above))


def test_recordings_that_are_older_than_the_prompt_are_named_with_what_to_type() -> None:
    head = run(
        drifted("tests/test_triage.py::test_refund", "tests/cassettes/test_triage/test_refund.yaml"),
        drifted("tests/test_triage.py::test_a[two words]", "a.yaml", kind="tool_result", tool="lookup_order"),
        drifted("tests/test_faq.py::test_hours", "theirs.yaml"),
        *QUIET,
    )
    text = written(run(*QUIET), head, foreign=frozenset({"theirs.yaml"}))
    estimate = "\\(first at byte 1,139\\); estimate \\$0.27 to \\$0.30."
    files = "'tests/test_triage.py::test_a[two words]' tests/test_triage.py::test_refund"
    part = text.partition("<details><summary>Settle the estimates · reproduce · accept</summary>\n\n")[2]
    assert part.partition("\n\nReproduce: ")[0] == (
        "The recordings of 3 tests are older than the prompt:\n"
        "\n"
        f"- `test_hours` (`theirs.yaml`): the system prompt changed {estimate}\n"
        f"- `test_a[two words]` (`a.yaml`): the result of \\`lookup\\_order\\` changed {estimate}\n"
        f"- `test_refund` (`tests/cassettes/test_triage/test_refund.yaml`): the system prompt changed {estimate}\n"
        "\n"
        "Record these 2 again (about $0.56):\n"
        "\n"
        f"`pytest {files} --tokenbudget-record=all`\n"
        "\n"
        "Record `test_hours` again (about $0.28):\n"
        "\n"
        "`pytest tests/test_faq.py::test_hours --record-mode=rewrite`"
    )


def test_many_old_recordings_are_counted_and_recorded_by_one_command() -> None:
    head = run(*(drifted(f"t.py::test_{number:02}", f"{number}.yaml") for number in range(40)))
    text = written(None, head)
    assert "The recordings of 40 tests are older than the prompt:" in text
    assert text.count("the system prompt changed") == 25
    assert "- and 15 more\n" in text
    assert "Record the suite again (about $11.20 for these alone):\n\n`pytest --tokenbudget-record=all`" in text


def test_what_to_accept_names_each_task_that_blocks() -> None:
    names = [f"t.py::test_{number}" for number in range(7)]
    before, after = ([task(name, agent, 0.06) for name in names] for agent in (REFUND, BLOATED))
    text = written(run(*before), run(*after))
    block = text.partition("```yaml\n")[2].partition("```")[0]
    assert [line for line in block.splitlines() if "task" in line or "more" in line] == [
        *(f'  - task: "{name}"' for name in names[:5]),
        "  # and 2 more",
    ]


def test_a_rise_of_the_whole_suite_has_no_waiver() -> None:
    names = [f"t.py::test_{number}" for number in range(40)]
    before, after = ([task(name, changed(FAQ, system=size)) for name in names] for size in (300, 2000))
    text = written(run(*before), run(*after))
    assert "Accept, in `tokenbudget.yml`: raise `regression` or `floor` under `gate`; waivers are for single" in text
    assert "```yaml" not in text


def test_the_marker_is_a_word_whatever_the_key_is() -> None:
    assert marker("a key --> <b>") == "<!-- tokenbudget key=akey--b "
