"""What a person reads where a test fails its budget, whole."""

from decimal import Decimal, localcontext

from builders import make_budget, make_call, make_estimate, make_segment, make_task

from pytest_tokenbudget.model.budget import Budget
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.prompt import Segment
from pytest_tokenbudget.model.task import Opened, Stray, Task
from pytest_tokenbudget.report.failure import failure_text

PLACE = "tests/test_triage.py:12: @pytest.mark.token_budget of test_refund"
SOURCE = "tests/cassettes/test_triage/test_refund.yaml"


def budget(**limits: object) -> Budget:
    return make_budget(**limits, origins=tuple((limit, PLACE) for limit in limits))


def shows(text: str, expected: str) -> None:
    assert text.splitlines() == expected.splitlines()


def prompt(step: int) -> tuple[Segment, ...]:
    """The prompt of an agent's step: a tool's result is sent again with every step after the first."""
    parts = [
        make_segment("system", 900, digest="system"),
        make_segment("tools", 400, digest="tools"),
        make_segment("user", 300, digest="user"),
    ]
    if step > 1:
        parts.append(make_segment("tool_result", 9_400, name="lookup_order", digest="order"))
    if step > 2:
        parts.append(make_segment("assistant", 1_500 * step, digest=f"turn {step}"))
    return tuple(parts)


def refund(**limits: object) -> Task:
    steps = [
        ("0.006", 180, 2_932, 212, 0),
        ("0.031", 9_600, 3_040, 180, 0),
        ("0.584", 10_000, 3_004, 155, 0),
        ("0.121", 29_000, 2_877, 640, 1_204),
    ]
    calls = [
        make_call(
            cost,
            input=plain,
            cache_read=cached,
            output=out,
            thinking=thinking,
            prompt=prompt(step),
            tools=("lookup_order",),
            source=SOURCE,
        )
        for step, (cost, plain, cached, out, thinking) in enumerate(steps, 1)
    ]
    return make_task("tests/test_triage.py::test_refund", *calls, budget=budget(**limits))


def test_a_test_over_its_budget() -> None:
    shows(
        failure_text(refund(usd=0.30)),
        """\
Over budget: $0.742 of $0.30 (+147%; 20% is tolerated)

 step  model                in  cached  out  thinking    cost  carries
 1     claude-sonnet-5   3,112     94%  212         0  $0.006  system prompt 900, tool definitions 400
 2     claude-sonnet-5  12,640     24%  180         0  $0.031  lookup_order 9.4K
 3     claude-sonnet-5  13,004     23%  155         0  $0.584  lookup_order 9.4K, history 4.5K
 4     claude-sonnet-5  31,877      9%  640     1,204  $0.121  lookup_order 9.4K, history 6K

Largest part of the prompts: results of lookup_order, 28K of 45K tokens sent (63%, counted locally).
  The same 9.4K tokens went out with 3 of 4 calls.
Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund
Each price and its source: tokenbudget audit tests/cassettes/test_triage/test_refund.yaml --explain""",
    )


def test_every_broken_limit_has_its_sentence() -> None:
    limits = {"usd": 0.30, "tokens": 9, "steps": 2, "cache_hit_rate": 0.9, "output_tokens": 5_000}
    shows(
        failure_text(refund(**limits)).partition("\n\n")[0],
        """\
Over budget: $0.742 of $0.30 (+147%; 20% is tolerated)
Over budget: 63,024 of 9 tokens (+700,167%; 20% is tolerated)
Over budget: 4 of 2 steps (+100%; 20% is tolerated)
Too few cache hits: 20%, at least 90% wanted (20% less is tolerated)""",
    )
    assert failure_text(refund(**limits)).count(PLACE) == 1


def test_too_many_steps_name_the_tools_asked_for() -> None:
    shows(
        failure_text(refund(steps=2)).rpartition("\n\n")[2],
        """\
Tools asked for: lookup_order 4×.
Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund
Each price and its source: tokenbudget audit tests/cassettes/test_triage/test_refund.yaml --explain""",
    )


def test_the_table_of_prompts_says_nothing_about_output() -> None:
    assert "prompts" not in failure_text(refund(output_tokens=100))


def test_only_what_is_beyond_its_tolerance_is_told() -> None:
    shows(
        failure_text(refund(usd=0.62, steps=2)).partition("\n\n")[0],
        """\
Over budget: 4 of 2 steps (+100%; 20% is tolerated)""",
    )


def first_line(task: Task) -> str:
    return failure_text(task).splitlines()[0]


def test_an_amount_never_prints_equal_to_what_it_exceeds() -> None:
    def over(cost: str, **limits: object) -> str:
        return first_line(make_task("t", make_call(cost), budget=make_budget(**limits)))

    assert over("0.3601", usd=0.30) == "Over budget: $0.3601 of $0.30 (+20.03%; 20% is tolerated)"
    assert over("0.3600001", usd=0.30) == "Over budget: $0.3600001 of $0.30 (>+20%; 20% is tolerated)"
    assert over("0.3000001", usd=0.30, tolerance=0) == "Over budget: $0.3000001 of $0.30 (>+0%; 0% is tolerated)"
    assert over("0.31", usd=0, tolerance=0) == "Over budget: $0.31 of $0.00"
    assert over("0.01", tokens=916) == "Over budget: 1,100 of 916 tokens (+20.1%; 20% is tolerated)"


def test_what_is_unknown() -> None:
    missing = make_call(None, status="missing", input=0, notes=("the stream ended without usage",))
    task = make_task(
        "t", make_call("0.02", tools=("search",)), missing, budget=make_budget(usd=0.30, tokens=9_000, steps=1)
    )
    shows(
        failure_text(task),
        """\
Over budget: 2 of 1 steps (+100%; 20% is tolerated)
Cost (at least $0.02) and tokens (at least 1,100) unknown, so limits of $0.30 and 9,000 tokens
  cannot be checked: 1 call has no usage (the stream ended without usage).

 step  model               in  cached  out  thinking   cost  carries
 1     claude-sonnet-5  1,000      0%  100         0  $0.02
 2     claude-sonnet-5      ?       -    ?         ?      ?

Tools asked for: search 1×.""",
    )
    nothing = make_task("t", missing, budget=make_budget(usd=0.30))
    assert first_line(nothing).startswith("Cost unknown, so a limit of $0.30 cannot be checked: 1 call has no usage")


def test_unknown_for_different_reasons() -> None:
    cut = make_call(None, status="partial", input=400, output=20, notes=("the stream was cut",))
    unpriced = make_call(None, unpriced=("input_audio",))
    task = make_task("t", cut, unpriced, budget=make_budget(usd=0.30, tokens=9_000))
    shows(
        failure_text(task),
        """\
Cost unknown, so a limit of $0.30 cannot be checked: 1 call has a cut stream: only a part of its
  usage is known (the stream was cut). 1 call used input_audio of `claude-sonnet-5`: no price is
  known for that. Give it one under `prices:` in tokenbudget.yml.
Tokens (at least 1,520) unknown, so a limit of 9,000 tokens cannot be checked: 1 call has a cut
  stream: only a part of its usage is known (the stream was cut).

 step  model                 in  cached     out  thinking  cost  carries
 1     claude-sonnet-5  400 + ?      0%  20 + ?         ?     ?
 2     claude-sonnet-5    1,000      0%     100         0     ?""",
    )


def test_the_known_part_alone_may_break_a_limit() -> None:
    drifted = make_call("0.20", obtained="drifted", input=9_000, output=0)
    task = make_task("t", make_call("0.40"), drifted, budget=make_budget(usd=0.30))
    shows(
        failure_text(task),
        """\
Over budget: at least $0.40 of $0.30 (+33%; 20% is tolerated)

 step  model                in  cached  out  thinking    cost  carries
 1     claude-sonnet-5   1,000      0%  100         0   $0.40
 2     claude-sonnet-5  ≈9,000      0%    0         0  ≈$0.20

Drifted: the request changed in 1 of 2 calls; not estimated: the figures are those of the recording.
Settle it: pytest t --tokenbudget-record=all""",
    )


def test_a_test_that_was_not_measured() -> None:
    shows(
        failure_text(make_task("t", budget=budget(usd=0.30))),
        """\
Not measured: the test has a budget but made no model call that passes vcrpy. If that is right, say
  allow_no_calls=True.
Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund""",
    )


def test_an_exchange_that_could_not_be_read() -> None:
    task = make_task("t", make_call("0.06"), budget=make_budget(usd=0.30), exchanges=2)
    shows(
        failure_text(task).partition("\n\n")[0],
        """\
Cost (at least $0.06) unknown, so a limit of $0.30 cannot be checked: 1 of 2 HTTP exchanges could
  not be read; the run's notes say why.""",
    )


def many() -> list[Call]:
    calls = [make_call(f"0.0{number:02}") for number in range(1, 31)]
    calls[3] = make_call("0.5")
    calls[20] = make_call(None, status="missing", input=0)
    calls[25] = make_call("0", status="error", http_status=529, input=0)
    return calls


def test_many_calls_hide_only_the_cheap_ones() -> None:
    shows(
        failure_text(make_task("t", *many(), budget=make_budget(usd=0.30))).partition("\n\n")[2],
        """\
 step  model                in  cached    out  thinking    cost  carries
 1     claude-sonnet-5   1,000      0%    100         0  $0.001
 …     2 more            2,000      0%    200         0  $0.005
 4     claude-sonnet-5   1,000      0%    100         0   $0.50
 …     16 more          16,000      0%  1,600         0   $0.20
 21    claude-sonnet-5       ?       -      ?         ?       ?
 …     3 more            3,000      0%    300         0  $0.069
 25    claude-sonnet-5   1,000      0%    100         0  $0.025
 -     claude-sonnet-5       0       -      0         0   $0.00  HTTP 529
 26    claude-sonnet-5   1,000      0%    100         0  $0.027
 27    claude-sonnet-5   1,000      0%    100         0  $0.028
 28    claude-sonnet-5   1,000      0%    100         0  $0.029
 29    claude-sonnet-5   1,000      0%    100         0   $0.03""",
    )


def test_no_call_is_lost_between_the_rows() -> None:
    rows = failure_text(make_task("t", *many(), budget=make_budget(usd=0.30))).partition("\n\n")[2].splitlines()[1:]
    gaps = [int(row.split()[1]) for row in rows if row.startswith(" …")]
    assert sum(gaps) + len(rows) - len(gaps) == 30


def test_embeddings_and_errors_are_no_steps() -> None:
    task = make_task(
        "t",
        make_call("0.0001", api="openai.embeddings", model_served="text-embedding-3-small", input=80),
        make_call("0", status="error", http_status=429, input=0),
        make_call("0.40"),
        budget=make_budget(usd=0.30),
    )
    shows(
        failure_text(task).partition("\n\n")[2],
        """\
 step  model                      in  cached  out  thinking     cost  carries
 -     text-embedding-3-small     80      0%    0         0  $0.0001
 -     claude-sonnet-5             0       -    0         0    $0.00  HTTP 429
 1     claude-sonnet-5         1,000      0%  100         0    $0.40""",
    )


def test_nothing_that_moves_the_cursor_is_printed() -> None:
    hostile = "\x1b[2J\nred\u202e"
    task = make_task(
        hostile,
        make_call(
            "0.40",
            model_served=hostile * 9,
            prompt=(make_segment("tool_result", 900, name=hostile), make_segment("user", 100)),
            tools=(hostile,),
            source=hostile,
        ),
        make_call(None, status="missing", notes=(hostile,)),
        budget=make_budget(usd=0.30, tokens=9_000, steps=1, origins=(("usd", hostile),)),
    )
    lines = failure_text(task).split("\n")
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("red") for line in lines)


def test_a_recording_with_spaces_can_be_copied() -> None:
    task = make_task("t", make_call("0.40", source="my cassettes/a.yaml"), budget=make_budget(usd=0.30))
    assert failure_text(task).splitlines()[-1] == (
        "Each price and its source: tokenbudget audit 'my cassettes/a.yaml' --explain"
    )


def test_calls_that_were_not_recorded_cannot_be_audited() -> None:
    calls = [make_call("0.40", source="a.yaml"), make_call("0.40", obtained="live")]
    assert "audit" not in failure_text(make_task("t", *calls, budget=make_budget(usd=0.30)))


def test_the_same_text_whatever_decimal_context_the_test_left() -> None:
    expected = failure_text(refund(usd=0.30))
    with localcontext(prec=2):
        assert failure_text(refund(usd=0.30)) == expected
        assert refund(usd=0.30).totals.known == Decimal("0.742")


def test_only_the_places_of_broken_limits_are_named() -> None:
    task = make_task(
        "t",
        make_call("0.40"),
        budget=make_budget(usd=0.30, steps=9, origins=(("steps", "tokenbudget.yml:3"), ("usd", "tests/t.py:1"))),
    )
    assert "Budget from tests/t.py:1" in failure_text(task)
    assert "tokenbudget.yml" not in failure_text(task)


DATE = Change(kind="system", name="", position=0, byte=214, before=900, after=904)


def test_a_test_whose_estimate_is_over_its_budget() -> None:
    call = make_estimate("0.40", "0.38", "0.43", first=DATE, input=9_000, output=0, volatile=("system",), source=SOURCE)
    task = make_task(
        "tests/test_triage.py::test_refund", make_call("0.02", source=SOURCE), call, budget=budget(usd=0.30)
    )
    shows(
        failure_text(task),
        """\
Over budget: ≈ $0.42, at least $0.40 of $0.30 (at least +33%; 20% is tolerated)

 step  model                in  cached  out  thinking    cost  carries
 1     claude-sonnet-5   1,000      0%  100         0   $0.02
 2     claude-sonnet-5  ≈9,000      0%    0         0  ≈$0.40

Drifted: the system prompt changed (first at byte 214) in 1 of 2 calls; estimate $0.40 to $0.45.
`system` changes at every run: it breaks the provider's cache and the recording alike.
Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund
Settle it: pytest tests/test_triage.py::test_refund --tokenbudget-record=all
Each price and its source: tokenbudget audit tests/cassettes/test_triage/test_refund.yaml --explain""",
    )


def test_a_limit_of_tokens_that_an_estimate_breaks() -> None:
    call = make_estimate("0.40", "0.36", "0.44", first=DATE, input=9_000, output=0, source=SOURCE)
    theirs = (Opened(source=SOURCE, interactions=1),)
    shows(
        failure_text(make_task("t.py::test_a", call, budget=budget(tokens=6_000), opened=theirs)),
        """\
Over budget: ≈ 9,000, at least 8,100 of 6,000 tokens (at least +35%; 20% is tolerated)

 step  model                in  cached  out  thinking    cost  carries
 1     claude-sonnet-5  ≈9,000      0%    0         0  ≈$0.40

Drifted: the system prompt changed (first at byte 214); estimate $0.36 to $0.44.
Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund
Settle it: pytest t.py::test_a --record-mode=rewrite
Each price and its source: tokenbudget audit tests/cassettes/test_triage/test_refund.yaml --explain""",
    )


def test_what_escaped_fails_a_limit() -> None:
    stray = Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="httpcore")
    shows(
        failure_text(make_task("t.py::test_a", make_call("0.02"), budget=budget(usd=1), strays=(stray,))),
        """\
Cost (at least $0.02) unknown, so a limit of $1.00 cannot be checked: 1 model call went out live
  past every recording, so that what it cost is not known: POST https://api.openai.com/v1/responses
  through httpcore. Let it pass vcrpy: make the client inside the test, with a transport that vcrpy
  knows.

 step  model               in  cached  out  thinking   cost  carries
 1     claude-sonnet-5  1,000      0%  100         0  $0.02

Budget from tests/test_triage.py:12: @pytest.mark.token_budget of test_refund""",
    )
