"""Pull requests of a real project: git, pytest, recordings made by the real SDKs, and the console script.

The demo's agent is the project. The model behind it is a script on loopback, which is asked as a proxy: so recordings
bear the providers' hosts, and are priced as such. Each pull request edits the agent as somebody would, records its
tests again, and is judged against the commit that it left `main` at.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Any, Final

import pytest
from checkout import Checkout
from loopback import LoopbackModel, Reply, ToolCall, in_order
from loopback.reply import Json

AGENT: Final = Path(__file__).parents[2] / "fixtures" / "support_agent"
TESTS: Final = ("test_delivery", "test_refund")
"""In the order in which pytest runs them."""

BUSY: Final = "The order service is busy: try again."

RETRIED: Final = f'''\
TRIES: dict[str, int] = {{}}


def lookup_order(shop: Shop, order_id: str) -> str:
    """Everything we know about an order."""
    TRIES[order_id] = TRIES.get(order_id, 0) + 1
    if TRIES[order_id] < 3:
        raise ToolError("{BUSY}")
'''


@dataclass(frozen=True)
class Edit:
    """One edit of the agent's sources: `before` stands in `file` once."""

    file: str
    before: str
    after: str

    def make(self, root: Path) -> None:
        file = root / self.file
        text = file.read_text(encoding="utf-8")
        assert text.count(self.before) == 1
        file.write_text(text.replace(self.before, self.after), encoding="utf-8")


BLOATED: Final = Edit(
    "tools.py",
    "    return json.dumps(shop.orders[order_id])",
    '    return json.dumps({**shop.orders[order_id], "like_it": list(shop.orders.values())})',
)
COUNTED: Final = Edit(
    "agent.py",
    "            system=CACHED_SYSTEM,\n            tools=TOOLS,\n            tool_choice=choice,",
    '            system=[{**CACHED_SYSTEM[0], "text": f"Message {len(messages)}. {SYSTEM}"}],\n'
    "            tools=TOOLS,\n            tool_choice=choice,",
)
SWAPPED: Final = Edit("agent.py", 'CLAUDE = "claude-sonnet-5"', 'CLAUDE = "claude-opus-5"')
RETRYING: Final = Edit(
    "tools.py",
    'def lookup_order(shop: Shop, order_id: str) -> str:\n    """Everything we know about an order."""\n',
    RETRIED,
)
HARMLESS: Final = Edit("agent.py", '"""Settle a ticket."""', '"""Settle a ticket, whoever wrote it."""')


FIRST: Final = {
    "bloated": "results of `lookup_order`",
    "counted": "cache hits",
    "swapped": "model",
    "retrying": "number of calls",
}
"""The first cause of the whole suite's change."""


def replies() -> list[Reply]:
    """What the models say to these tests: they run one after the other."""
    spec = util.spec_from_file_location("demo_replies", AGENT / "replies.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [reply for test in TESTS for reply in module.REPLIES[test]]


def patient() -> Callable[[Json, str], Reply]:
    """The same, by a model that calls a tool again which was busy."""
    script = in_order(*replies())

    def answer(request: Json, path: str) -> Reply:
        last = request["messages"][-1]
        said, messages = last["content"], request["messages"]
        if isinstance(said, list) and any(block.get("content") == BUSY for block in said):
            (call,) = [block for block in messages[-2]["content"] if block["type"] == "tool_use"]
            return Reply(thinking_tokens=40, tool_calls=(ToolCall(name=call["name"], arguments=call["input"]),))
        return script(request, path)

    return answer


class Shop(Checkout):
    """The demo's agent in a repository of its own."""

    def pytest(self, *words: str, **environment: str) -> str:
        """Measure as CI does: what is over its budget is judged by the gate."""
        named = ("PYTEST", "TOKENBUDGET", "CI", "GITHUB_", "COV")
        known = {name: value for name, value in os.environ.items() if not name.startswith(named)}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "pytest_tokenbudget.plugin", "-q", *words],
            cwd=self.root,
            env=known | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TOKENBUDGET": "observe", **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def record(self) -> None:
        """Record all tests, with a provider whose cache is empty."""
        with LoopbackModel(patient()) as model:
            self.pytest("--tokenbudget-record=all", **model.proxy_environment)

    def replay(self) -> None:
        """Replay them: the hosts are those that were recorded, and nothing listens there."""
        nothing = "http://127.0.0.1:9"
        hosts = {"OPENAI_BASE_URL": "http://api.openai.com/v1", "ANTHROPIC_BASE_URL": "http://api.anthropic.com"}
        self.pytest(**hosts, HTTP_PROXY=nothing, http_proxy=nothing)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """On `main`, with its recordings and its lock committed."""
    made = Shop(tmp_path_factory.mktemp("base") / "shop")
    left_out = ignore_patterns(
        "cassettes", "record.py", "replies.py", "__pycache__", "*.lock", "test_faq.py", "test_tools.py", "test_inbox.py"
    )
    copytree(AGENT, made.root, ignore=left_out, dirs_exist_ok=True)
    (made.root / ".gitignore").write_text(".tokenbudget/\n__pycache__/\n")
    tests = made.root / "tests/test_triage.py"
    whole = tests.read_text(encoding="utf-8").partition(
        '@pytest.mark.token_budget(workflow="triage")\ndef test_escalate'
    )[0]
    assert whole.count("usd=0.05, steps=12") == 1  # the demo is over its budget on purpose
    tests.write_text(whole.replace("usd=0.05, steps=12", "usd=0.2"), encoding="utf-8")
    made.record()
    assert made.type("lock")[0] == 0
    made.commit()
    return made


@dataclass(frozen=True)
class Judged:
    """What the console script made of a pull request."""

    status: int
    printed: str
    comment: str


def judged(shop: Shop, name: str, edit: Edit, measure: Callable[[Shop], None]) -> Judged:
    """A branch with one edit, measured, committed and judged."""
    shop.git("switch", "--quiet", "--create", name, "main")
    edit.make(shop.root)
    measure(shop)
    shop.commit()
    status, printed, said = shop.type("gate")
    assert said == ""
    assert shop.type("comment", "--output", ".tokenbudget/comment.md") == (0, "", "")
    return Judged(status, printed, (shop.root / ".tokenbudget/comment.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "edit", "cause"),
    [
        ("bloated", BLOATED, "results of `lookup_order` grew 2K → 6.9K tokens and are carried through 7 calls"),
        ("counted", COUNTED, "cache hits 24% → 13%: the system prompt differs from call to call (11 versions)"),
        ("swapped", SWAPPED, "`claude-sonnet-5` → `claude-opus-5`"),
        ("retrying", RETRYING, "4 more calls (11 → 15); `lookup_order` ran 2 → 6 times"),
    ],
    ids=list(FIRST),
)
def test_the_right_cause_is_named_first(shop: Shop, name: str, edit: Edit, cause: str) -> None:
    found = judged(shop, name, edit, Shop.record)
    assert found.status == 10
    assert found.comment.splitlines()[1].startswith("### 🔴 Blocked: ")
    (row,) = [line for line in found.comment.splitlines() if "::test_refund` | $" in line]
    assert row.endswith(f" | {cause} |")
    lines = [line for line in found.printed.splitlines() if line.startswith(" test_refund: ")]
    assert cause.replace("`", "") in lines[0]
    causes = found.comment.partition("| cause | kind | change | in |\n|:--|:--|--:|:--|\n")[2].splitlines()
    assert causes[0].startswith(f"| {FIRST[name]} | ")
    for amount in (row, *causes[:1]):
        assert "+$" in amount


def test_a_harmless_pull_request_is_two_lines(shop: Shop) -> None:
    found = judged(shop, "harmless", HARMLESS, Shop.replay)
    assert found.status == 0
    marker, *lines = found.comment.splitlines()
    assert marker.startswith("<!-- tokenbudget key=default head=")
    base, head = (shop.git("rev-parse", revision)[:7] for revision in ("main", "harmless^"))
    assert lines[0] == "### 🟢 Agent cost unchanged: 2 tasks within budget, $0.138 a run"
    footer = f"base `{base}` (less than a day old) · head `{head}` · prices of 2026-11-01 on both sides"
    assert lines[1:] == [f"<sub>{footer} · this run paid $0.00</sub>"]
    recorded = "".join(file.read_text(encoding="utf-8") for file in shop.root.glob("tests/cassettes/*/*.yaml"))
    assert "http://api.anthropic.com/v1/messages" in recorded
    assert "127.0.0.1" not in recorded
