"""A prompt edit in the demo agent: replayed, estimated with its reason, and confirmed by recording it again.

The model on loopback counts tokens with a counter and weights of its own, which the estimator does not know: it learns
of them what the recordings tell it, as it does with a real provider.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from shutil import copy, copytree, ignore_patterns
from typing import Any, Final

import pytest
from loopback import LoopbackModel, Reply, in_order

from pytest_tokenbudget.model.task import Task
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.report.amounts import usd, usd_range
from pytest_tokenbudget.store.load import load_run

AGENT: Final = Path(__file__).parents[2] / "fixtures" / "support_agent"
TESTS: Final = ("test_hours", "test_delivery", "test_refund")
"""In the order in which pytest runs them: a short streamed chat, and two agents with tools."""

PRICES: Final = """
prices:
  claude-sonnet-5: {input: 2, cache_read: 0.2, cache_write: 2.5, output: 10, thinking: 10}
  gpt-5-mini: {input: 0.25, cache_read: 0.025, output: 2, thinking: 2}
"""
"""Nobody publishes prices for a host on loopback."""

BEFORE: Final = "- Customer records are private."
RULE: Final = (
    "- If a product arrived damaged twice, say which batch it came from, apologise for the batch and not for the "
    "carrier, and offer a different model before you refund it.\n"
)
FIRST: Final = "the system prompt changed (first at byte 1,139)"


@dataclass(frozen=True)
class Shown:
    """What a run of the demo's tests printed, what it measured by test, and a copy of its file."""

    out: str
    tasks: Mapping[str, Task]
    file: Path

    @property
    def said(self) -> str:
        """What was printed, on one line."""
        return " ".join(self.out.split())


def script(tests: Iterable[str] = TESTS) -> list[Reply]:
    """What the models say to these tests: they run one after the other."""
    spec = util.spec_from_file_location("demo_replies", AGENT / "replies.py")
    assert spec is not None
    assert spec.loader is not None
    replies: Any = util.module_from_spec(spec)
    spec.loader.exec_module(replies)
    return [reply for test in tests for reply in replies.REPLIES[test]]


def run(folder: Path, environment: dict[str, str], *options: str) -> Shown:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOKENBUDGET", "CI"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "pytest_tokenbudget.plugin", "-k", " or ".join(TESTS), *options],
        cwd=folder,
        env=clean | environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    # one is over its budget on purpose
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    file = folder.with_name(f"{len(list(folder.parent.glob('*.json')))}.json")
    copy(folder / ".tokenbudget" / "run.json", file)
    return Shown(done.stdout, {task.id.partition("::")[2]: task for task in load_run(file).tasks}, file)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shown, Shown, Shown]:
    """The tests as they were recorded, replayed with the edited prompt and no server, and recorded again."""
    folder = tmp_path_factory.mktemp("demo") / "support_agent"
    left_out = ("cassettes", "test_inbox.py", "inbox.jsonl", "*.lock", "record.py", "replies.py", "__pycache__")
    copytree(AGENT, folder, ignore=ignore_patterns(*left_out))
    with (folder / "tokenbudget.yml").open("a", encoding="utf-8") as settings:
        settings.write(PRICES)
    with LoopbackModel(in_order(*script())) as model:
        recorded = run(folder, model.environment, "--tokenbudget-record=once")
        environment = model.environment
    prompts = folder / "prompts.py"
    text = prompts.read_text(encoding="utf-8")
    assert text.count(BEFORE) == 1
    prompts.write_text(text.replace(BEFORE, RULE + BEFORE), encoding="utf-8")
    estimated = run(folder, environment, "-v")
    with LoopbackModel(in_order(*script())) as model:
        again = run(folder, model.environment, "--tokenbudget-record=all")
        assert len(model.requests) == len(script())
    return recorded, estimated, again


def test_the_edited_prompt_replays_and_costs_nothing(shown: tuple[Shown, Shown, Shown]) -> None:
    recorded, estimated, _ = shown
    assert [entry.call.obtained for task in recorded.tasks.values() for entry in task.calls] == ["recorded"] * 21
    for name, task in estimated.tasks.items():
        # the two calls of the small model, before and after the agent, have prompts of their own
        obtained = [entry.call.obtained for entry in task.calls]
        assert obtained == ["replayed", *["drifted"] * (len(obtained) - 2), "replayed"]
        assert [entry.call.index for entry in task.calls] == list(range(len(obtained)))
        assert task.totals.incurred == 0
        assert task.outcome == recorded.tasks[name].outcome


def test_the_cost_is_shown_as_an_estimate_with_its_band_and_reason(shown: tuple[Shown, Shown, Shown]) -> None:
    recorded, estimated, _ = shown
    assert "≈" not in recorded.out
    totals = {name: task.totals for name, task in estimated.tasks.items()}
    for name, total in totals.items():
        assert total.known_high is not None
        assert total.known_low < total.known < total.known_high
        assert re.search(rf"::{name} +\d+ .*≈{re.escape(usd(total.known))} +≈ \d+% of \$0\.0", estimated.out)
    over, within = totals["test_refund"], totals["test_hours"] + totals["test_delivery"]
    for said in (
        f"test_refund: {FIRST} in 9 of 11 calls; estimate {usd_range(over.known_low, over.known_high)}",
        f"test_delivery, test_hours: {FIRST}; estimates of {usd_range(within.known_low, within.known_high)} together.",
        "Texts are counted by o200k_base, which is about",
        "he prompt changes before the end of what was read from the provider's cache: ",
        f"3 tasks cost ≈{usd((over + within).known)}; this run paid $0.00 (21 calls replayed, 15 of them drifted).",
    ):
        assert said in estimated.said, estimated.out
    command = r"pytest tests/test_triage\.py::test_refund .* --tokenbudget-record=all"
    assert re.search(rf"Record them again: {command} +\(about {re.escape(usd((over + within).known))}\)", estimated.out)


def test_the_comment_says_which_recordings_are_older_than_the_prompt_and_what_to_type(
    shown: tuple[Shown, Shown, Shown],
) -> None:
    recorded, estimated, again = shown
    script = Path(sys.executable).with_name("tokenbudget")

    def settling(run: Shown) -> str:
        done = subprocess.run(
            [script, "comment", run.file, "--base", recorded.file, "--post", "off"],
            cwd=run.file.parent / "support_agent",
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.partition("<summary>Settle the estimates · ")[2].partition("\n\nReproduce: ")[0]

    part = settling(estimated)
    assert "The recordings of 3 tests are older than the prompt:\n" in part
    for name, calls in (("test_hours", "1 of 3"), ("test_delivery", "5 of 7"), ("test_refund", "9 of 11")):
        where = rf"the system prompt changed .* in {calls} calls; estimate "
        assert re.search(rf"- `{name}` \(`tests/cassettes/\w+/{name}\.yaml`\): {where}", part), part
    total = sum(task.totals.known for task in estimated.tasks.values())
    assert f"Record these 3 again (about {usd(total)}):\n\n`pytest tests/" in part
    assert part.endswith("::test_refund --tokenbudget-record=all`")
    assert settling(again) == ""


def test_recording_again_confirms_the_estimate(shown: tuple[Shown, Shown, Shown]) -> None:
    recorded, estimated, again = shown
    for name in TESTS:
        before, guess, truth = (ran.tasks[name].totals for ran in (recorded, estimated, again))
        assert guess.high is not None
        assert guess.known_high is not None
        old, least, new, most = (of_prompt(usage) for usage in (before.usage, guess.low, truth.usage, guess.high))
        off = of_prompt(guess.usage) / new - 1
        print(  # noqa: T201 - the figures
            f"{name}: {old:,} tokens in before; ≈{of_prompt(guess.usage):,} ({least:,} to {most:,}), measured {new:,} "
            f"({off:+.2%}); ≈{usd(guess.known)} ({usd_range(guess.known_low, guess.known_high)}), "
            f"measured {usd(truth.known)}"
        )
        assert old < least <= new <= most
        assert guess.known_low <= truth.known <= guess.known_high
        assert abs(off) < 0.01
        for entry, real in zip(estimated.tasks[name].calls, again.tasks[name].calls, strict=True):
            drift, usage = entry.call.drift, real.call.usage
            if drift is None:
                assert entry.call.usage == usage
            else:
                assert drift.high is not None
                assert of_prompt(drift.low) <= of_prompt(usage) <= of_prompt(drift.high)


def of_prompt(usage: Usage) -> int:
    """Input tokens, however they were cached."""
    return usage.input + usage.cache_read + usage.cache_write + usage.cache_write_1h
