"""What a person reads at the end of a session, whole."""

from decimal import Decimal, localcontext

from builders import make_budget, make_call, make_estimate, make_run, make_task, numbered
from msgspec.structs import asdict, replace

from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call, Skipped
from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.run import Recording, Run
from pytest_tokenbudget.model.task import Attempt, Stray, Task
from pytest_tokenbudget.policy.budget import Leniency
from pytest_tokenbudget.report.terminal import summary

DATE = Change(kind="system", name="", position=0, byte=214, before=900, after=904)
CENTS_30 = make_budget(usd=0.30)


def said(run: Run, *, width: int = 100, verbosity: int = 0, run_file: str = "") -> str:
    return "\n".join(line.text for line in summary(run, width=width, verbosity=verbosity, run_file=run_file))


def shows(text: str, expected: str) -> None:
    assert text.splitlines() == expected.splitlines()


def task_a(*calls: Call, budget: Budget | None = CENTS_30, **fields: object) -> Task:
    return make_task("tests/test_a.py::test_a", *calls, budget=budget, **fields)  # type: ignore[arg-type]  # fields of a task


def triage() -> Run:
    """One task over its budget, one drifted, one within."""
    refund = [make_call("0.07", input=9_800, cache_read=2_000, output=300)] * 7
    refund += [make_call("0.21", input=20_000, cache_read=5_802, output=500)]
    refund += [make_call("0.042", input=9_000, cache_read=1_000, output=410, thinking=1_300)]
    return make_run(
        make_task("tests/test_triage.py::test_refund", *refund, budget=CENTS_30),
        make_task(
            "tests/test_triage.py::test_escalate",
            *[make_estimate("0.0468", "0.0451", "0.0505", input=9_078, cache_read=1_122, output=334, first=DATE)] * 6,
            budget=CENTS_30,
        ),
        make_task(
            "tests/test_faq.py::test_hours",
            *[make_call("0.019", input=241, cache_read=1_769, output=155)] * 2,
            budget=make_budget(usd=0.10),
        ),
    )


def test_the_verdict_comes_first_and_what_to_type_last() -> None:
    shows(
        said(triage(), run_file=".tokenbudget/run.json"),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1 inconclusive, 1 within.
   task                           steps  tokens in (cached)      out     cost          budget
 ✗ test_triage.py::test_refund        9       118,402 (18%)    4,310   $0.742   247% of $0.30
 ~ test_triage.py::test_escalate      6      ≈ 61,200 (11%)  ≈ 2,004  ≈$0.281  ≈ 94% of $0.30
 ✓ test_faq.py::test_hours            2         4,020 (88%)      310   $0.038    38% of $0.10
 3 tasks cost ≈$1.061; this run paid $0.00 (17 calls replayed, 6 of them drifted). Prices of
   2026-11-01 (release).
 ~ test_escalate: the system prompt changed (first at byte 214) in all 6 calls; estimate $0.27 to
   $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)
 Every call is in .tokenbudget/run.json""",
    )


def test_a_terminal_of_80_columns() -> None:
    shows(
        said(triage(), width=80),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1 inconclusive, 1 within.
   task                           steps     in (cached)     cost          budget
 ✗ test_triage.py::test_refund        9   118,402 (18%)   $0.742   247% of $0.30
 ~ test_triage.py::test_escalate      6  ≈ 61,200 (11%)  ≈$0.281  ≈ 94% of $0.30
 ✓ test_faq.py::test_hours            2     4,020 (88%)   $0.038    38% of $0.10
 3 tasks cost ≈$1.061; this run paid $0.00 (17 calls replayed, 6 of them
   drifted). Prices of 2026-11-01 (release).
 ~ test_escalate: the system prompt changed (first at byte 214) in all 6 calls;
   estimate $0.27 to $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)""",
    )


def test_a_terminal_of_60_columns() -> None:
    shows(
        said(triage(), width=60),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1 inconclusive, 1
   within.
   task                              cost          budget
 ✗ test_triage.py::test_refund     $0.742   247% of $0.30
 ~ test_triage.py::test_escalate  ≈$0.281  ≈ 94% of $0.30
 ✓ test_faq.py::test_hours         $0.038    38% of $0.10
 3 tasks cost ≈$1.061; this run paid $0.00 (17 calls
   replayed, 6 of them drifted). Prices of 2026-11-01
   (release).
 ~ test_escalate: the system prompt changed (first at byte
   214) in all 6 calls; estimate $0.27 to $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)""",
    )


def test_a_terminal_too_narrow_for_anything() -> None:
    shows(
        said(triage(), width=40),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1
   inconclusive, 1 within.
   task                 cost          budget
 ✗ …py::test_refund   $0.742   247% of $0.30
 ~ …::test_escalate  ≈$0.281  ≈ 94% of $0.30
 ✓ ….py::test_hours   $0.038    38% of $0.10
 3 tasks cost ≈$1.061; this run paid
   $0.00 (17 calls replayed, 6 of them
   drifted). Prices of 2026-11-01
   (release).
 ~ test_escalate: the system prompt
   changed (first at byte 214) in all 6
   calls; estimate $0.27 to $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)""",
    )


def test_quietly_only_what_went_wrong() -> None:
    shows(
        said(triage(), verbosity=-1),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1 inconclusive, 1 within.
   task                           steps  tokens in (cached)      out     cost          budget
 ✗ test_triage.py::test_refund        9       118,402 (18%)    4,310   $0.742   247% of $0.30
 ~ test_triage.py::test_escalate      6      ≈ 61,200 (11%)  ≈ 2,004  ≈$0.281  ≈ 94% of $0.30
 3 tasks cost ≈$1.061; this run paid $0.00 (17 calls replayed, 6 of them drifted). Prices of
   2026-11-01 (release).
 ~ test_escalate: the system prompt changed (first at byte 214) in all 6 calls; estimate $0.27 to
   $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)""",
    )


def test_every_limit_says_how_it_was_used() -> None:
    limits = {
        "usd": 0.05,
        "tokens": 1000,
        "input_tokens": 1000,
        "output_tokens": 100,
        "thinking_tokens": 30,
        "steps": 2,
        "tokens_per_step": 300,
        "cache_hit_rate": 0.9,
        "seconds": 2,
    }
    call = make_call("0.1", input=500, cache_read=100, output=40, thinking=20, obtained="live", seconds=1.3)
    tasks = [
        make_task(f"tests/test_a.py::test_{limit}", call, call, call, budget=make_budget(**{limit: bound}))
        for limit, bound in limits.items()
    ]
    shows(
        said(make_run(*tasks)),
        """\
 ‼ Budget broken: 1 of 9 tasks more than three times over, 8 over.
   task                             steps  in (cached)  out   cost                          budget
 ‼ test_a.py::test_usd                  3  1,800 (17%)  180  $0.30                   600% of $0.05
 ✗ test_a.py::test_cache_hit_rate       3  1,800 (17%)  180  $0.30  17% of at least 90% cache hits
 ✗ test_a.py::test_input_tokens         3  1,800 (17%)  180  $0.30     1,800 of 1,000 input tokens
 ✗ test_a.py::test_output_tokens        3  1,800 (17%)  180  $0.30        180 of 100 output tokens
 ✗ test_a.py::test_seconds              3  1,800 (17%)  180  $0.30                3.90 s of 2.00 s
 ✗ test_a.py::test_steps                3  1,800 (17%)  180  $0.30                    3 of 2 steps
 ✗ test_a.py::test_thinking_tokens      3  1,800 (17%)  180  $0.30        60 of 30 thinking tokens
 ✗ test_a.py::test_tokens               3  1,800 (17%)  180  $0.30           1,980 of 1,000 tokens
 ✗ test_a.py::test_tokens_per_step      3  1,800 (17%)  180  $0.30      660 of 300 tokens per step
 9 tasks cost $2.70; this run paid $2.70 (27 calls sent). Prices of 2026-11-01 (release).
 Traffic: 9 live (test_usd, test_tokens and 7 more).""",
    )


def test_an_amount_never_prints_equal_to_what_it_exceeds() -> None:
    def run(cost: str) -> Run:
        return make_run(task_a(make_call(cost)))

    shows(
        said(run("0.3000001")),
        """\
 ! Within tolerance: 1 task over but tolerated.
   task               steps  tokens in (cached)  out        cost          budget
 ! test_a.py::test_a      1          1,000 (0%)  100  $0.3000001  >100% of $0.30
 1 task cost $0.30; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )
    shows(
        said(run("0.36")),
        """\
 ! Within tolerance: 1 task over but tolerated.
   task               steps  tokens in (cached)  out   cost         budget
 ! test_a.py::test_a      1          1,000 (0%)  100  $0.36  120% of $0.30
 1 task cost $0.36; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )
    shows(
        said(run("0.3601")),
        """\
 ✗ Budget broken: 1 task over.
   task               steps  tokens in (cached)  out     cost            budget
 ✗ test_a.py::test_a      1          1,000 (0%)  100  $0.3601  120.03% of $0.30
 1 task cost $0.36; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )
    shows(
        said(run("0.3600000001")),
        """\
 ✗ Budget broken: 1 task over.
   task               steps  tokens in (cached)  out           cost          budget
 ✗ test_a.py::test_a      1          1,000 (0%)  100  $0.3600000001  >120% of $0.30
 1 task cost $0.36; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )


def test_a_limit_of_nothing_has_no_percentage() -> None:
    shows(
        said(make_run(task_a(make_call("0.0000004"), budget=make_budget(usd=0)))),
        """\
 ‼ Budget broken: 1 task more than three times over.
   task               steps  tokens in (cached)  out        cost    budget
 ‼ test_a.py::test_a      1          1,000 (0%)  100  <$0.000001  of $0.00
 1 task cost <$0.000001; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )


MISSING = make_call(None, status="missing", input=0, stream=True, notes=("the stream ended without usage",))
PARTIAL = make_call(None, status="partial", input=400, output=20, notes=("the stream was cut",))
UNKNOWN_MODEL = make_call(None, unpriced=("model",), model_served="acme-1", host="llm.acme.example")


def test_what_is_unknown_is_a_question_mark() -> None:
    run = make_run(
        task_a(make_call("0.02"), MISSING, budget=make_budget(usd=0.30, tokens=9000, steps=5)),
        make_task("tests/test_a.py::test_b", UNKNOWN_MODEL, budget=CENTS_30),
        make_task("tests/test_a.py::test_c", PARTIAL, budget=make_budget(tokens=9000)),
        make_task("tests/test_a.py::test_d", MISSING, budget=CENTS_30, leniency=Leniency(missing_usage=True)),
    )
    shows(
        said(run),
        """\
 ? Budget unchecked: 3 of 4 tasks of unknown use, 1 inconclusive.
   task               steps  tokens in (cached)      out       cost                 budget
 ? test_a.py::test_a      2      1,000 (0%) + ?  100 + ?  $0.02 + ?          ≥ 7% of $0.30
 ? test_a.py::test_b      1          1,000 (0%)      100          ?             ? of $0.30
 ? test_a.py::test_c      1        400 (0%) + ?   20 + ?          ?  ≥ 420 of 9,000 tokens
 ~ test_a.py::test_d      1                   ?        ?          ?             ? of $0.30
 4 tasks cost $0.02 + ?; this run paid $0.00 (5 calls replayed). Prices of 2026-11-01 (release).
 ? test_a: 1 call has no usage (the stream ended without usage).
 ? test_b: 1 call to `acme-1` at llm.acme.example: a model without a known price. Give it one under
   `prices:` in tokenbudget.yml, name the host's provider under `hosts:`, or say `unknown_model:
   warn`.
 ? test_c: 1 call has a cut stream: only a part of its usage is known (the stream was cut).
 ~ test_d: 1 call has no usage (the stream ended without usage).""",
    )


def test_a_reason_is_said_once_for_all_tasks_that_share_it() -> None:
    tasks = [make_task(f"tests/test_a.py::test_{number}", MISSING, budget=CENTS_30) for number in range(4)]
    shows(
        said(make_run(*tasks)),
        """\
 ? Budget unchecked: 4 tasks of unknown use.
   task               steps  tokens in (cached)  out  cost      budget
 ? test_a.py::test_0      1                   ?    ?     ?  ? of $0.30
 ? test_a.py::test_1      1                   ?    ?     ?  ? of $0.30
 ? test_a.py::test_2      1                   ?    ?     ?  ? of $0.30
 ? test_a.py::test_3      1                   ?    ?     ?  ? of $0.30
 4 tasks cost ?; this run paid $0.00 (4 calls replayed). Prices of 2026-11-01 (release).
 ? test_0, test_1 and 2 more: 1 call has no usage (the stream ended without usage).""",
    )


def test_equal_names_in_two_files_are_told_apart() -> None:
    tasks = [make_task(f"tests/{file}.py::test_it", MISSING, budget=CENTS_30) for file in ("test_a", "test_b")]
    shows(
        said(make_run(*tasks)).partition("(release).\n")[2],
        """\
 ? test_a.py::test_it, test_b.py::test_it: 1 call has no usage (the stream ended without usage).""",
    )


def test_reasons_end_before_they_bury_the_rest() -> None:
    tasks = [
        make_task(
            f"tests/test_a.py::test_{number:02}",
            make_call(None, unpriced=("model",), model_served=f"acme-{number}"),
            budget=CENTS_30,
        )
        for number in range(12)
    ]
    assert said(make_run(*tasks)).splitlines()[-1] == " … and 2 more (-v lists them)"
    assert "acme-11" in said(make_run(*tasks), verbosity=1)


def test_a_task_that_made_no_call_was_not_measured() -> None:
    shows(
        said(make_run(task_a(skipped=(Skipped(reason="not model traffic"),)))),
        """\
 ∅ Budget unchecked: 1 task not measured.
   task               steps  tokens in (cached)  out  cost         budget
 ∅ test_a.py::test_a      -                   -    -     -  no model call
 No model call was measured.
 ∅ test_a: Not measured: the test has a budget but made no model call that passes vcrpy (1 HTTP
   exchange of another kind passed). If that is right, say allow_no_calls=True.""",
    )


def test_a_test_that_failed_or_skipped_before_any_call_takes_no_line() -> None:
    early = make_task("tests/test_a.py::test_early", budget=CENTS_30, outcome="failed", finished=False)
    assert summary(make_run(early), width=100) == []
    shows(
        said(make_run(early, task_a(make_call()))),
        """\
 ✓ Within budget: 1 task.
   task               steps  tokens in (cached)  out   cost       budget
 ✓ test_a.py::test_a      1          1,000 (0%)  100  $0.01  3% of $0.30
 1 task cost $0.01; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )
    shows(
        said(make_run(early, task_a(make_call())), verbosity=1),
        """\
 ✓ Within budget: 1 task.
   task                   steps  tokens in (cached)  out   cost         budget
 ✓ test_a.py::test_a          1          1,000 (0%)  100  $0.01    3% of $0.30
 · test_a.py::test_early      -                   -    -      -  no model call
 1 task cost $0.01; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )


def test_an_exchange_that_could_not_be_read_is_in_no_sum() -> None:
    run = make_run(
        task_a(make_call("0.06"), exchanges=2),
        make_task("tests/test_a.py::test_b", make_call(), budget=make_budget(cache_hit_rate=0.5), exchanges=3),
    )
    shows(
        said(run),
        """\
 ? Budget unchecked: 2 tasks of unknown use.
   task               steps  tokens in (cached)      out       cost                        budget
 ? test_a.py::test_a      1      1,000 (0%) + ?  100 + ?  $0.06 + ?                ≥ 20% of $0.30
 ? test_a.py::test_b      1      1,000 (0%) + ?  100 + ?  $0.01 + ?  ? of at least 50% cache hits
 2 tasks cost $0.07 + ?; this run paid $0.00 (2 calls replayed). Prices of 2026-11-01 (release).
 ? test_a: 1 of 2 HTTP exchanges could not be read; the run's notes say why.
 ? test_b: 2 of 3 HTTP exchanges could not be read; the run's notes say why.""",
    )


def test_drift_shows_stale_figures_as_estimates() -> None:
    drifted = make_call("0.10", obtained="drifted")
    run = make_run(
        task_a(make_call("0.40"), drifted),
        make_task("tests/test_a.py::test_[two words]", drifted, budget=make_budget(tokens=500)),
        make_task("tests/test_a.py::test_c", drifted, make_call(None), budget=CENTS_30),
        make_task("tests/test_a.py::test_d", drifted, budget=make_budget(steps=1)),
    )
    shows(
        said(run),
        """\
 ✗ Budget broken: 1 of 4 tasks over, 1 of unknown use, 1 inconclusive, 1 within.
   task                         steps  tokens in (cached)    out        cost                 budget
 ✗ test_a.py::test_a                2        ≈ 2,000 (0%)  ≈ 200      ≈$0.50        ≈ 167% of $0.30
 ? test_a.py::test_c                2        ≈ 2,000 (0%)  ≈ 200  ≈$0.10 + ?             ? of $0.30
 ~ test_a.py::test_[two words]      1        ≈ 1,000 (0%)  ≈ 100      ≈$0.10  ≈ 1,100 of 500 tokens
 ✓ test_a.py::test_d                1        ≈ 1,000 (0%)  ≈ 100      ≈$0.10           1 of 1 steps
 4 tasks cost ≈$0.80 + ?; this run paid $0.00 (6 calls replayed, 4 of them drifted). Prices of
   2026-11-01 (release).
 ? test_c: 1 call to `claude-sonnet-5` at api.anthropic.com: a model without a known price. Give it
   one under `prices:` in tokenbudget.yml, name the host's provider under `hosts:`, or say
   `unknown_model: warn`.
 ✗ test_a: the request changed in 1 of 2 calls; not estimated: the figures are those of the
   recording.
 ? test_c: the request changed in 1 of 2 calls; not estimated: the figures are those of the
   recording.
 ~ test_[two words]: the request changed; not estimated: the figures are those of the recording.
 ✓ test_d: the request changed; not estimated: the figures are those of the recording.
   Settle it: pytest 'tests/test_a.py::test_[two words]' --tokenbudget-record=all   (about $0.10)
   Record them again: pytest tests/test_a.py::test_a tests/test_a.py::test_c tests/test_a.py::test_d --tokenbudget-record=all   (about $0.60 + ?)""",  # noqa: E501 - a command to copy is never broken
    )


def test_many_drifted_tasks_are_recorded_again_by_file() -> None:
    drifted = make_call("0.10", obtained="drifted")
    run = make_run(*(make_task(f"tests/test_{n % 2}.py::test_{n}", drifted, budget=CENTS_30) for n in range(4)))
    assert said(run).splitlines()[-1] == (
        "   Settle it: pytest tests/test_0.py tests/test_1.py --tokenbudget-record=all   (about $0.40)"
    )


def test_under_observe_nothing_fails() -> None:
    shows(
        said(make_run(task_a(make_call("0.50")), mode="observe")),
        """\
 ✗ Budget broken: 1 task over. Observed only: under --tokenbudget=enforce these tests would fail.
   task               steps  tokens in (cached)  out   cost         budget
 ✗ test_a.py::test_a      1          1,000 (0%)  100  $0.50  167% of $0.30
 1 task cost $0.50; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).""",
    )


def test_without_any_limit_there_is_no_verdict() -> None:
    run = make_run(
        task_a(make_call("0.36", obtained="live"), budget=None),
        make_task("tests/test_a.py::test_b", make_call("0.40", input=0, output=7)),
    )
    shows(
        said(run),
        """\
   task               steps  tokens in (cached)  out   cost
 · test_a.py::test_b      1                   0    7  $0.40
 · test_a.py::test_a      1          1,000 (0%)  100  $0.36
 2 tasks cost $0.76; this run paid $0.36 (1 call replayed, 1 sent). Prices of 2026-11-01 (release).
 Traffic: 1 live (test_a).""",
    )


def test_what_was_paid_may_be_unknown() -> None:
    unknown = make_call(None, obtained="recorded")
    assert "this run paid an unknown amount (1 call sent)." in said(make_run(task_a(unknown)))
    run = make_run(task_a(unknown, make_call("0.10", obtained="live"), make_call()))
    assert "this run paid $0.10 + ? (1 call replayed, 2 sent)." in said(run)


def test_an_incomplete_run_and_wider_fixtures() -> None:
    run = make_run(
        task_a(make_call("0.06", obtained="recorded")),
        fixtures=(
            make_task(
                "tests/test_a.py::index [session fixture]", make_call("0.40", obtained="live"), outcome="fixture"
            ),
            make_task("(outside of any test)", make_call("0.40", obtained="live"), outcome="fixture"),
        ),
        incomplete=("Worker gw1 died.", "tests/test_b.py::test_b: the process ended inside this test."),
        partial=("-k triage",),
    )
    shows(
        said(run, run_file="build/run.json"),
        """\
 ✓ Within budget (as far as measured): 1 task.
   task                                steps  tokens in (cached)  out   cost        budget
 · (outside of any test)                   1          1,000 (0%)  100  $0.40
 · test_a.py::index [session fixture]      1          1,000 (0%)  100  $0.40
 ✓ test_a.py::test_a                       1          1,000 (0%)  100  $0.06  20% of $0.30
 1 task, 1 fixture and calls outside of any test cost $0.86; this run paid $0.86 (3 calls sent).
   Prices of 2026-11-01 (release).
 Traffic: 1 recorded (test_a), 2 live (index [session fixture], (outside of any test)).
 Incomplete: Worker gw1 died.
 Incomplete: tests/test_b.py::test_b: the process ended inside this test.
 Every call is in build/run.json""",
    )
    assert " A part of the suite ran: -k triage." in said(run, verbosity=1).splitlines()


def test_earlier_attempts_explain_the_sum() -> None:
    once = Attempt(outcome="rerun", calls=numbered((make_call("0.05"),)))
    run = make_run(
        task_a(make_call("0.06"), earlier=(once,)),
        make_task("tests/test_a.py::test_b", make_call("0.06"), budget=CENTS_30, earlier=(once, once)),
    )
    shows(
        said(run),
        """\
 ✓ Within budget: 2 tasks.
   task               steps  tokens in (cached)  out   cost        budget
 ✓ test_a.py::test_a      1          1,000 (0%)  100  $0.06  20% of $0.30
 ✓ test_a.py::test_b      1          1,000 (0%)  100  $0.06  20% of $0.30
 2 tasks cost $0.27 in all attempts; this run paid $0.00 (5 calls replayed). Prices of 2026-11-01
   (release).
 ✓ test_a: the last attempt is judged; the attempt before it cost $0.05 more.
 ✓ test_b: the last attempt is judged; the 2 attempts before it cost $0.10 more.""",
    )


def test_of_many_tasks_only_the_ones_that_matter() -> None:
    tasks = [
        make_task(f"tests/test_{number % 7}.py::test_{number}", make_call(f"0.{number:03}"), budget=CENTS_30)
        for number in range(200)
    ]
    shows(
        said(make_run(*tasks, task_a(make_call("0.37")))),
        """\
 ✗ Budget broken: 1 of 201 tasks over, 200 within.
   task                 steps  tokens in (cached)  out    cost         budget
 ✗ test_a.py::test_a        1          1,000 (0%)  100   $0.37  123% of $0.30
 ✓ test_3.py::test_199      1          1,000 (0%)  100  $0.199   66% of $0.30
 ✓ test_2.py::test_198      1          1,000 (0%)  100  $0.198   66% of $0.30
 ✓ test_1.py::test_197      1          1,000 (0%)  100  $0.197   66% of $0.30
 ✓ test_0.py::test_196      1          1,000 (0%)  100  $0.196   65% of $0.30
 ✓ test_6.py::test_195      1          1,000 (0%)  100  $0.195   65% of $0.30
 ✓ test_5.py::test_194      1          1,000 (0%)  100  $0.194   65% of $0.30
 ✓ test_4.py::test_193      1          1,000 (0%)  100  $0.193   64% of $0.30
 ✓ test_3.py::test_192      1          1,000 (0%)  100  $0.192   64% of $0.30
 ✓ test_2.py::test_191      1          1,000 (0%)  100  $0.191   64% of $0.30
 ✓ test_1.py::test_190      1          1,000 (0%)  100   $0.19   63% of $0.30
 … and 190 more, none of them over budget (-v lists them)
 201 tasks cost $20.27; this run paid $0.00 (201 calls replayed). Prices of 2026-11-01 (release).""",
    )
    assert len(said(make_run(*tasks), verbosity=1).splitlines()) == 203
    assert len(said(make_run(*tasks), verbosity=-1).splitlines()) == 2


def test_the_costliest_come_first_with_a_limit_or_without() -> None:
    run = make_run(
        task_a(make_call("0.10")),
        make_task("tests/test_a.py::test_b", make_call("0.20")),
        make_task("tests/test_a.py::test_c", make_call("0.15"), budget=CENTS_30),
    )
    assert [line.split()[1] for line in said(run).splitlines()[2:5]] == [
        "test_a.py::test_b",
        "test_a.py::test_c",
        "test_a.py::test_a",
    ]


def test_wide_characters_keep_the_columns() -> None:
    run = make_run(
        task_a(make_call("0.37"), budget=CENTS_30),
        make_task("tests/test_a.py::test_it[返品したいです]", make_call("0.10"), budget=CENTS_30),
        make_task(f"tests/test_a.py::test_it[{'長い' * 30}終]", make_call("0.20"), budget=CENTS_30),
    )
    shows(
        said(run, width=80),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 2 within.
   task                            steps  in (cached)  out   cost         budget
 ✗ test_a.py::test_a                   1   1,000 (0%)  100  $0.37  123% of $0.30
 ✓ …い長い長い長い長い長い長い終]      1   1,000 (0%)  100  $0.20   67% of $0.30
 ✓ …a.py::test_it[返品したいです]      1   1,000 (0%)  100  $0.10   33% of $0.30
 3 tasks cost $0.67; this run paid $0.00 (3 calls replayed). Prices of
   2026-11-01 (release).""",
    )


def test_nothing_that_moves_the_cursor_is_printed() -> None:
    hostile = "\x1b[31m\nred\r\x07\u202e"
    run = make_run(
        make_task(
            f"tests/test_a.py::test_a[{hostile}]",
            make_call(None, unpriced=("model",), model_served=hostile, obtained="drifted"),
            make_call(None, status="missing", notes=(hostile,)),
            budget=CENTS_30,
        ),
        fixtures=(make_task(f"{hostile}::index", make_call(), outcome="fixture"),),
        incomplete=(hostile,),
        partial=(hostile,),
        as_of_source=hostile,
    )
    lines = summary(run, width=100, verbosity=1, run_file=hostile)
    assert all(line.text.isprintable() for line in lines)
    assert r"test_a[\x1b[31m\nred\r\x07\u202e]" in said(run)


def test_an_instant_is_told_to_the_minute() -> None:
    run = make_run(task_a(make_call()))
    noon = make_run(task_a(make_call()), as_of=run.as_of.replace(hour=12, minute=30), as_of_source="tokenbudget.yml:1")
    assert "Prices of 2026-11-01 (release)." in said(run, width=200)
    assert "Prices of 2026-11-01 12:30 UTC (tokenbudget.yml:1)." in said(noon, width=200)


def test_colour_only_repeats_what_the_symbol_says() -> None:
    lines = summary(triage(), width=100)
    assert [(line.text[1], line.markup) for line in lines[:5]] == [
        ("✗", {"red": True}),
        (" ", {}),
        ("✗", {"red": True}),
        ("~", {"yellow": True}),
        ("✓", {}),
    ]
    assert summary(make_run(task_a(make_call())), width=100)[0].markup == {"green": True}


def test_nothing_happened_nothing_is_said() -> None:
    assert summary(make_run(), width=100) == []
    assert summary(make_run(make_task("t")), width=100) == []
    shows(
        said(make_run(incomplete=("Worker gw0 died.",))),
        """\
 No model call was measured.
 Incomplete: Worker gw0 died.""",
    )


def test_a_name_that_cannot_be_typed_is_not_offered() -> None:
    drifted = make_call("0.10", obtained="drifted")
    run = make_run(make_task("tests/test_a.py::test_[\n]", drifted, budget=CENTS_30))
    assert "Settle" not in said(run)


def test_a_broken_budget_is_broken_whatever_else_was_measured() -> None:
    run = make_run(task_a(make_call("0.50")), incomplete=("Worker gw1 died.",))
    assert said(run).startswith(" ✗ Budget broken: 1 task over.\n")


def test_the_unknown_is_one_question_mark_however_many_reasons_it_has() -> None:
    run = make_run(task_a(make_call("0.06"), make_call(None), exchanges=3))
    assert "1 task cost $0.06 + ?; this run" in said(run)


def test_the_same_text_whatever_decimal_context_a_test_left() -> None:
    run = make_run(task_a(make_call("0.3601")))
    expected = said(run)
    with localcontext(prec=2):
        assert said(run) == expected


def escalate(*calls: Call, test: str = "escalate", **fields: object) -> Task:
    fields = {"budget": CENTS_30, **fields}
    return make_task(f"tests/test_triage.py::test_{test}", *calls, **fields)  # type: ignore[arg-type]  # as above


def test_a_terminal_of_200_columns() -> None:
    shows(
        said(triage(), width=200),
        """\
 ✗ Budget broken: 1 of 3 tasks over, 1 inconclusive, 1 within.
   task                           steps  tokens in (cached)      out     cost          budget
 ✗ test_triage.py::test_refund        9       118,402 (18%)    4,310   $0.742   247% of $0.30
 ~ test_triage.py::test_escalate      6      ≈ 61,200 (11%)  ≈ 2,004  ≈$0.281  ≈ 94% of $0.30
 ✓ test_faq.py::test_hours            2         4,020 (88%)      310   $0.038    38% of $0.10
 3 tasks cost ≈$1.061; this run paid $0.00 (17 calls replayed, 6 of them drifted). Prices of 2026-11-01 (release).
 ~ test_escalate: the system prompt changed (first at byte 214) in all 6 calls; estimate $0.27 to $0.303.
   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.281)""",
    )


def test_each_change_is_told_once_with_what_its_tests_cost() -> None:
    """Two tests share a change, one is undecided by another, one cannot be estimated, one has a cold cache to fear."""
    shared = make_estimate("0.10", "0.09", "0.11", first=DATE)
    refund = Change(kind="tool_result", name="lookup_order", position=3, byte=0, before=10, after=90)
    reasons = ("the answer may be longer or shorter than the recorded one",)
    wide = make_estimate("0.29", "0.2", "0.5", first=refund, reasons=reasons)
    image = make_estimate("0.02", "0.01", None, first=DATE, reasons=("an image was replaced", "so was a file."))
    cold = make_estimate("0.04", "0.04", "0.05", cost_cold=Decimal("0.12"), first=None)
    run = make_run(
        escalate(shared, make_call("0.02"), test="one"),
        escalate(shared, shared, test="two"),
        escalate(wide, make_call("0.001"), test="wide"),
        escalate(image, test="image"),
        escalate(cold, test="cold", budget=None),
    )
    shows(
        said(run),
        """\
 ~ Undecided: 2 of 4 tasks inconclusive, 2 within.
   task                        steps  tokens in (cached)    out     cost          budget
 ~ test_triage.py::test_wide       2        ≈ 2,000 (0%)  ≈ 200  ≈$0.291  ≈ 97% of $0.30
 ~ test_triage.py::test_image      1        ≈ 1,000 (0%)  ≈ 100   ≈$0.02   ≈ 7% of $0.30
 ✓ test_triage.py::test_two        2        ≈ 2,000 (0%)  ≈ 200   ≈$0.20  ≈ 67% of $0.30
 ✓ test_triage.py::test_one        2        ≈ 2,000 (0%)  ≈ 200   ≈$0.12  ≈ 40% of $0.30
 · test_triage.py::test_cold       1        ≈ 1,000 (0%)  ≈ 100   ≈$0.04
 5 tasks cost ≈$0.671; this run paid $0.00 (8 calls replayed, 6 of them drifted). Prices of
   2026-11-01 (release).
 ~ test_wide: the result of `lookup_order` changed (first at byte 0) in 1 of 2 calls; estimate
   $0.201 to $0.501.
 ~ test_image: the system prompt changed (first at byte 214); cannot be estimated: an image was
   replaced; so was a file.
 ✓ test_two, test_one: the system prompt changed (first at byte 214); estimates of $0.29 to $0.35
   together.
 · test_cold: the request changed outside of its prompt; estimate $0.04 to $0.05, $0.12 if nothing
   is cached.
 ≈ test_wide: the answer may be longer or shorter than the recorded one.
   Settle it: pytest tests/test_triage.py::test_wide tests/test_triage.py::test_image --tokenbudget-record=all   (about $0.311)
   Record them again: pytest tests/test_triage.py::test_two tests/test_triage.py::test_one tests/test_triage.py::test_cold --tokenbudget-record=all   (about $0.36)""",  # noqa: E501 - a command to copy is never broken
    )


def test_the_reasons_of_a_band_that_decides_nothing_are_told_on_request() -> None:
    task = escalate(make_estimate("0.10", "0.09", "0.11", first=DATE, reasons=("the answer may be longer",)))
    assert "longer" not in said(make_run(task))
    shows(
        said(make_run(task), verbosity=1),
        """\
 ✓ Within budget: 1 task.
   task                           steps  tokens in (cached)    out    cost          budget
 ✓ test_triage.py::test_escalate      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 1 task cost ≈$0.10; this run paid $0.00 (1 call replayed, 1 of them drifted). Prices of 2026-11-01
   (release).
 ✓ test_escalate: the system prompt changed (first at byte 214); estimate $0.09 to $0.11.
 ≈ test_escalate: the answer may be longer.
   Record it again: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.10)""",
    )


def test_reasons_that_differ_in_their_numbers_are_told_once_for_all_tasks() -> None:
    def cut(tokens: int) -> Call:
        reason = f"The prompt changes early: {tokens:,} tokens are not cached."
        return make_estimate("0.28", "0.10", "0.45", first=DATE, reasons=(reason,))

    text = said(make_run(escalate(cut(98), cut(1270)), escalate(cut(544), test="again")), width=200)
    assert text.count("not cached") == 1
    assert "_again: In 3 calls, the prompt changes early: 98 to 1,270 tokens are not cached." in text


def test_what_changes_at_every_run_is_named() -> None:
    volatile = make_estimate("0.10", "0.09", "0.11", first=DATE, volatile=("system (a date at byte 17)",))
    shows(
        said(make_run(escalate(volatile), escalate(volatile, test="again"))),
        """\
 ✓ Within budget: 2 tasks.
   task                           steps  tokens in (cached)    out    cost          budget
 ✓ test_triage.py::test_again         1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_escalate      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 2 tasks cost ≈$0.20; this run paid $0.00 (2 calls replayed, 2 of them drifted). Prices of
   2026-11-01 (release).
 ✓ test_again, test_escalate: the system prompt changed (first at byte 214); estimates of $0.18 to
   $0.22 together.
 ! test_again, test_escalate: `system` changes at every run (a date at byte 17): it breaks the
   provider's cache and the recording alike.
   Record them again: pytest tests/test_triage.py::test_again tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.20)""",  # noqa: E501 - a command to copy is never broken
    )


def test_of_many_changes_the_first_are_told() -> None:
    tasks = [
        escalate(
            make_estimate("0.10", "0.09", "0.11", first=Change(**{**asdict(DATE), "byte": n})), test=f"number_{n:02}"
        )
        for n in range(17)
    ]
    shows(
        said(make_run(*tasks)),
        """\
 ✓ Within budget: 17 tasks.
   task                            steps  tokens in (cached)    out    cost          budget
 ✓ test_triage.py::test_number_00      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_01      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_02      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_03      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_04      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_05      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_06      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_07      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_08      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 ✓ test_triage.py::test_number_09      1        ≈ 1,000 (0%)  ≈ 100  ≈$0.10  ≈ 33% of $0.30
 … and 7 more, none of them over budget (-v lists them)
 17 tasks cost ≈$1.70; this run paid $0.00 (17 calls replayed, 17 of them drifted). Prices of
   2026-11-01 (release).
 ✓ test_number_00: the system prompt changed (first at byte 0); estimate $0.09 to $0.11.
 ✓ test_number_01: the system prompt changed (first at byte 1); estimate $0.09 to $0.11.
 ✓ test_number_02: the system prompt changed (first at byte 2); estimate $0.09 to $0.11.
 ✓ test_number_03: the system prompt changed (first at byte 3); estimate $0.09 to $0.11.
 ✓ test_number_04: the system prompt changed (first at byte 4); estimate $0.09 to $0.11.
 … and 12 more (-v lists them)
   Record them again: pytest tests/test_triage.py --tokenbudget-record=all   (about $1.70)""",
    )
    assert said(make_run(*tasks), verbosity=1).count("changed (first at byte") == 17


def test_recordings_of_others_are_recorded_in_their_own_way() -> None:
    own = make_estimate("0.29", "0.28", "0.31", first=DATE, source="own.yaml", index=0)
    others = make_estimate("0.29", "0.28", "0.31", first=DATE, source="others.yaml", index=0)
    run = make_run(
        escalate(own),
        escalate(others, test="shared"),
        recordings=(
            Recording(source="own.yaml", interactions=1, used=(0,), own=True),
            Recording(source="others.yaml", interactions=1, used=(0,)),
        ),
    )
    assert said(run).splitlines()[-2:] == [
        "   Settle it: pytest tests/test_triage.py::test_escalate --tokenbudget-record=all   (about $0.29)",
        "   Settle it: pytest tests/test_triage.py::test_shared --record-mode=rewrite   (about $0.29)",
    ]


def test_an_estimate_never_seems_to_stand_on_the_limit() -> None:
    """Rounding moves no end of a band across or onto a limit, nor onto what is tolerated."""

    def ends(low: str, high: str) -> str:
        middle = str((Decimal(low) + Decimal(high)) / 2)
        line = said(make_run(escalate(make_estimate(middle, low, high, first=DATE))), width=200)
        return line.partition("; estimate ")[2].partition(".\n")[0]

    assert ends("0.3000004", "0.35") == "$0.3000004 to $0.35"
    assert ends("0.2", "0.2999") == "$0.20 to $0.2999"
    assert ends("0.2", "0.3") == "$0.20 to $0.30"
    assert ends("0.36001", "0.4") == "$0.36001 to $0.40"
    assert ends("0.2", "0.35999") == "$0.20 to $0.35999"
    assert ends("0.0000002", "0.0000004") == "<$0.000001 to <$0.000001"


STRAYS = (
    Stray(kind="refused", request="POST https://api.openai.com/v1/responses", how="httpcore"),
    Stray(kind="unanswered", request="POST https://api.anthropic.com/v1/messages", how="the test timed out"),
    Stray(kind="escaped", request="POST https://api.openai.com/v1/chat/completions", how="a subprocess"),
)


def test_traffic_that_was_not_measured_is_named() -> None:
    run = make_run(
        escalate(make_call("0.05", obtained="recorded"), strays=STRAYS),
        escalate(make_call("0.05", obtained="recorded"), test="other", strays=(STRAYS[1], STRAYS[1]), budget=None),
        escalate(make_call("0.05"), test="replayed"),
    )
    shows(
        said(run),
        """\
 ? Budget unchecked: 1 of 2 tasks of unknown use, 1 within.
   task                           steps  tokens in (cached)      out       cost          budget
 ? test_triage.py::test_escalate      1      1,000 (0%) + ?  100 + ?  $0.05 + ?  ≥ 17% of $0.30
 · test_triage.py::test_other         1          1,000 (0%)      100      $0.05
 ✓ test_triage.py::test_replayed      1          1,000 (0%)      100      $0.05    17% of $0.30
 3 tasks cost $0.15 + ?; this run paid $0.10 + ? (1 call replayed, 2 sent). Prices of 2026-11-01
   (release).
 Traffic: 1 recorded (test_other), 1 escaped (test_escalate).
 ? test_escalate: escaped: POST https://api.openai.com/v1/chat/completions (through a subprocess);
   its cost is unknown. Make the client inside the test, so that it passes vcrpy.
 ✗ test_escalate: refused: POST https://api.openai.com/v1/responses (through httpcore); nothing was
   sent.
 ! test_escalate, test_other: possibly billed: 3× POST https://api.anthropic.com/v1/messages (the
   test timed out); no answer was seen.""",
    )


def test_recordings_that_no_test_needs_take_one_line() -> None:
    call = make_call("0.05", source="a.yaml", index=0)
    run = make_run(
        escalate(call),
        recordings=(Recording(source="a.yaml", interactions=3, used=(0,)),),
        orphans=("tests/cassettes/test_gone/test_b.yaml",),
    )
    shows(
        said(run),
        """\
 ✓ Within budget: 1 task.
   task                           steps  tokens in (cached)  out   cost        budget
 ✓ test_triage.py::test_escalate      1          1,000 (0%)  100  $0.05  17% of $0.30
 1 task cost $0.05; this run paid $0.00 (1 call replayed). Prices of 2026-11-01 (release).
 Never played: 2 answers in 1 recording, 1 recording of no test (see tokenbudget prune).""",
    )
    assert "prune" not in said(run, verbosity=-1)
    assert "prune" not in said(replace(run, failed=1))


def test_a_recording_that_contradicts_itself_is_named_once() -> None:
    wrong = "The recording contradicts itself: its request is 64 bytes long, its usage says 18,000 input tokens."
    call = make_call("0.05", source="a.yaml", index=0, notes=("another", wrong))
    shows(
        said(make_run(escalate(call, call), escalate(call, test="again"))),
        """\
 ✓ Within budget: 2 tasks.
   task                           steps  tokens in (cached)  out   cost        budget
 ✓ test_triage.py::test_escalate      2          2,000 (0%)  200  $0.10  33% of $0.30
 ✓ test_triage.py::test_again         1          1,000 (0%)  100  $0.05  17% of $0.30
 2 tasks cost $0.15; this run paid $0.00 (3 calls replayed). Prices of 2026-11-01 (release).
 ! a.yaml: the recording contradicts itself: its request is 64 bytes long, its usage says 18,000
   input tokens.""",
    )


def test_a_run_of_nothing_but_a_refused_request_says_so() -> None:
    shows(
        said(make_run(escalate(strays=STRAYS[:1], budget=None))),
        """\
 No model call was measured.
 ✗ test_escalate: refused: POST https://api.openai.com/v1/responses (through httpcore); nothing was
   sent.""",
    )
