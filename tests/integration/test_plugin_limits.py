from decimal import Decimal
from typing import Any

import pytest
from project import Project, chat

TEST = """
@pytest.mark.token_budget({limit})
def test_it():
    ask()
    ask("again")
"""


@pytest.mark.parametrize(
    ("limit", "first", "second", "state", "said"),
    [
        # $0.36 is the limit and its 20%, to the cent
        ("usd=0.30", (300_000, 0), (60_000, 0), "over", None),
        ("usd=0.30", (300_000, 0), (60_100, 0), "blocked", "of $0.30 (+20.03%; 20% is tolerated)"),
        ("usd=0.30", (200_000, 0), (100_000, 0), "within", None),
        ("usd='0.30'", (300_000, 0), (60_100, 0), "blocked", "of $0.30 (+20.03%; 20% is tolerated)"),
        ("usd=0.30", (900_000, 0), (1, 0), "critical", "of $0.30 (+200"),
        ("usd=0.30, tolerance=0", (300_000, 0), (1, 0), "blocked", "0% is tolerated"),
        ("usd=0.30, tolerance='50%'", (300_000, 0), (150_000, 0), "over", None),
        ("tokens=1_000", (700, 300), (150, 50), "over", None),
        ("tokens=1_000", (700, 300), (150, 51), "blocked", "Over budget: 1,201 of 1,000 tokens"),
        ("input_tokens=1_000", (700, 9_999), (500, 9_999), "over", None),
        ("input_tokens=1_000", (700, 0), (501, 0), "blocked", "Over budget: 1,201 of 1,000 input tokens"),
        ("output_tokens=100", (9_999, 60), (9_999, 60), "over", None),
        ("output_tokens=100", (9_999, 60), (9_999, 61), "blocked", "Over budget: 121 of 100 output tokens"),
        ("steps=2", (1, 1), (1, 1), "within", None),
        ("steps=1", (1, 1), (1, 1), "blocked", "Over budget: 2 of 1 steps"),
        ("tokens_per_step=100", (110, 10), (110, 10), "over", None),
        ("tokens_per_step=100", (110, 10), (110, 11), "blocked", "of 100 tokens per step"),
        ("seconds=0", (1, 1), (1, 1), "within", None),  # replayed: nothing was waited for
        ("usd=0.30, steps=1", (1, 1), (1, 1), "blocked", "Over budget: 2 of 1 steps"),
    ],
)
def test_a_limit_is_judged(
    project: Project, limit: str, first: tuple[int, int], second: tuple[int, int], state: str, said: str | None
) -> None:
    ran = project.tests(TEST.format(limit=limit)).recorded(chat(*first), chat(*second, text="again")).run()
    assert ran.state() == state
    assert (ran.exit, ran.counts) == ((1, {"failed": 1}) if said else (0, {"passed": 1}))
    assert said is None or said in ran.said


@pytest.mark.parametrize(
    ("limit", "details", "state", "said"),
    [
        ("thinking_tokens=100", {"output": 200, "thinking": 120}, "over", None),
        ("thinking_tokens=100", {"output": 200, "thinking": 121}, "blocked", "of 100 thinking tokens"),
        ("output_tokens=100", {"output": 121, "thinking": 121}, "blocked", "of 100 output tokens"),
        ("input_tokens=1_000", {"tokens": 1_201, "cached": 1_200}, "blocked", "of 1,000 input tokens"),
        ("cache_hit_rate=0.5", {"cached": 500}, "within", None),
        ("cache_hit_rate=0.5", {"cached": 400}, "over", None),
        ("cache_hit_rate='50%'", {"cached": 399}, "blocked", "Too few cache hits: "),
    ],
)
def test_a_limit_on_details_is_judged(
    project: Project, limit: str, details: dict[str, Any], state: str, said: str | None
) -> None:
    ran = (
        project.tests(f"""
        @pytest.mark.token_budget({limit})
        def test_it():
            ask()
        """)
        .recorded(chat(**details))
        .run()
    )
    assert ran.state() == state
    assert ran.exit == (1 if said else 0)
    assert said is None or said in ran.said


def test_seconds_count_calls_that_were_really_sent(project: Project) -> None:
    ran = project.tests("""
        import http.server, json, threading, time
        import vcr

        class Slow(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                time.sleep(0.05)
                body = json.dumps({"model": "tiny", "usage": {"prompt_tokens": 5, "completion_tokens": 1}}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        @pytest.fixture
        def url():
            server = http.server.HTTPServer(("127.0.0.1", 0), Slow)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
            server.shutdown()
            server.server_close()

        @pytest.mark.token_budget(seconds=0.01)
        def test_it(url, tmp_path):
            with vcr.use_cassette(str(tmp_path / "new.yaml")):
                ask(url=url)
        """).run()
    assert ran.state() == "critical"
    assert "of 0.01 s" in ran.said
    [entry] = ran.task().calls
    assert entry.call.obtained == "recorded"
    assert entry.call.seconds is not None
    assert 0.05 <= entry.call.seconds < 5


def test_every_broken_limit_has_its_sentence(project: Project) -> None:
    ran = (
        project.tests(TEST.format(limit="usd=0.001, tokens=10, steps=1"))
        .recorded(chat(1_000), chat(1_000, text="again"))
        .run()
    )
    assert "Over budget: $0.002 of $0.001 (+100%; 20% is tolerated)" in ran.said
    assert "Over budget: 2,000 of 10 tokens" in ran.said
    assert "Over budget: 2 of 1 steps" in ran.said


def test_a_blocked_test_shows_its_calls_and_where_its_budget_stands(project: Project) -> None:
    ran = project.tests(TEST.format(limit="steps=1")).recorded(chat(1_500), chat(1_600, text="again")).run()
    shown = ran.out.partition("= FAILURES =")[2]
    assert " step  model     in  cached  out  thinking     cost  carries" in shown
    assert " 1     tiny   1,500      0%    0         0  $0.0015" in shown
    assert " 2     tiny   1,600      0%    0         0  $0.0016" in shown
    assert "Budget from test_it.py:4: @pytest.mark.token_budget of test_it" in shown


def test_the_run_file_tells_the_figures(project: Project) -> None:
    ran = (
        project.tests(TEST.format(limit="usd=0.30, workflow='triage', team='support'"))
        .recorded(chat(1_000, 20, cached=600), chat(2_000, text="again"))
        .run()
    )
    [task] = ran.record["tasks"]
    assert {
        name: task[name] for name in ("id", "workflow", "team", "outcome", "usage", "cost_usd", "incurred_usd")
    } == {
        "id": "test_it.py::test_it",
        "workflow": "triage",
        "team": "support",
        "outcome": "passed",
        "usage": {"input": 2_400, "cache_read": 600, "output": 20},
        "cost_usd": "0.00302",
        "incurred_usd": "0",
    }
    assert [(call["step"], call["obtained"], call["cost_usd"]) for call in task["calls"]] == [
        (1, "replayed", "0.00102"),
        (2, "replayed", "0.002"),
    ]
    assert ran.run.totals.cost == Decimal("0.00302")
    assert not ran.run.incomplete
