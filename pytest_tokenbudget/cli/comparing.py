"""Gathering both sides of a comparison, for every command that compares."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pytest_tokenbudget.ci.event import Event, read_event
from pytest_tokenbudget.cli.price_change import price_change_of
from pytest_tokenbudget.config.environment import ci_variables
from pytest_tokenbudget.config.load import load_settings
from pytest_tokenbudget.config.settings import Settings
from pytest_tokenbudget.errors import LockError
from pytest_tokenbudget.policy.benchmarks import folded
from pytest_tokenbudget.policy.compare import Comparison, compare
from pytest_tokenbudget.policy.gate import GateVerdict, Reason, gate
from pytest_tokenbudget.policy.snapshot import Snapshot
from pytest_tokenbudget.policy.staleness import stale_tasks
from pytest_tokenbudget.pricing import PriceTable
from pytest_tokenbudget.report.comment import About
from pytest_tokenbudget.store.baseline import Baseline, find_baseline, named_snapshot
from pytest_tokenbudget.store.git import Git, GitError
from pytest_tokenbudget.store.judged import Judged, load_judged
from pytest_tokenbudget.store.lock import FILE_NAME
from pytest_tokenbudget.tokens.worth import worth

__all__ = ["Gathered", "about_of", "ci_event", "compared", "gathered", "judged", "judged_today", "merged_into"]

_NAMED: Final = "named with --base"


class Gathered(Struct, frozen=True, kw_only=True):
    """Both sides, and what is said of them.

    Attributes:
        settings: The project's settings.
        run: The run that is judged; `None` where two sides are only compared.
        comparison: Base and head.
        base: How the base was found.
        prices: What both sides are priced with.
        stale: What is wrong with the lock that is committed beside the run, as a sentence; empty where nothing is.
    """

    settings: Settings
    run: Judged | None
    comparison: Comparison
    base: Baseline
    prices: PriceTable
    stale: str = ""


def gathered(root: Path, run: Path | None, where: str | None, *, merged_into: str | None = None) -> Gathered:
    """Read a run and what it is compared with.

    Args:
        root: The project's root.
        run: The run file; the project's own where none is named.
        where: What to compare with: a run file, a lock or a git revision; found by itself where nothing is named.
        merged_into: What CI says is the branch that is merged into.

    Raises:
        ConfigError, RunFileError, LockError, BaselineError: Something that is needed cannot be read.
    """
    settings = load_settings(root)
    file = run if run is not None else root / settings.out
    loaded = load_judged(file)
    head = loaded.side
    base = (
        _named(root, where)
        if where is not None
        else find_baseline(root, merged_into=merged_into, in_ci=ci_event().forge != "none")
    )
    prices = PriceTable.of(settings, as_of=loaded.as_of, as_of_source=loaded.as_of_source)
    return Gathered(
        settings=settings,
        run=loaded,
        comparison=_compared(root, base.snapshot, head, prices, settings),
        base=base,
        prices=prices,
        stale=_stale(root, head),
    )


def compared(root: Path, base: str | None, head: str | None) -> Gathered:
    """Read what two words name, for a comparison that decides nothing.

    Raises:
        ConfigError, RunFileError, LockError, BaselineError: Something that is needed cannot be read.
    """
    if head is None:
        return gathered(root, None, base)
    settings = load_settings(root)
    prices = PriceTable.of(settings)
    found = _named(root, base or "")
    return Gathered(
        settings=settings,
        run=None,
        comparison=_compared(root, found.snapshot, named_snapshot(root, head), prices, settings),
        base=found,
        prices=prices,
    )


def _compared(root: Path, base: Snapshot | None, head: Snapshot, prices: PriceTable, settings: Settings) -> Comparison:
    found = folded(compare(base, head, prices.card_of, worth))
    return replace(found, prices=price_change_of(root, base, head, prices, settings))


def ci_event() -> Event:
    """What CI says of this run."""
    return read_event(ci_variables())


def merged_into() -> str | None:
    """The branch that CI says a pull request is merged into, where it tests a merge commit."""
    found = ci_event()
    return (found.base_branch or None) if found.is_merged else None


def judged_today(found: Gathered) -> GateVerdict:
    """The gate's decision, waivers read by today's date in UTC."""
    return judged(found, datetime.now(UTC).date())


def about_of(found: Gathered, *, key: str = "default") -> About:
    """What a comment says beside the comparison."""
    event = ci_event()
    run = found.run
    return About(
        key=key,
        head=event.head or found.comparison.head.commit or "",
        run=event.run,
        base=found.base.why,
        base_age=found.base.age,
        as_of=found.prices.as_of,
        paid=run.paid if run is not None else None,
        is_run=run is not None,
        volumes=found.settings.volumes,
        foreign=run.foreign if run is not None else frozenset(),
    )


def _named(root: Path, where: str) -> Baseline:
    return Baseline(snapshot=named_snapshot(root, where), why=_NAMED)


def judged(found: Gathered, today: date) -> GateVerdict:
    """The gate's decision on what was gathered."""
    rules = found.settings.gate
    return gate(found.comparison, rules, found.settings.waivers, today=today, findings=_of_base(found))


def _stale(root: Path, head: Snapshot) -> str:
    """What is wrong with the lock in the work tree, where it is of the commit that was measured, and of all of it."""
    file = root / FILE_NAME
    is_whole = head.tasks and not (head.partial or head.incomplete)
    is_whole = is_whole and all(benchmark.is_complete for benchmark in head.benchmarks)
    is_exact = not any(portion.drifted for use in head.tasks.values() for portion in use.portions)
    if not (file.is_file() and is_whole and is_exact and _is_checked_out(root, head.commit)):
        return ""
    try:
        tasks = stale_tasks(named_snapshot(root, str(file)), head)
    except LockError as error:
        return str(error)
    if not tasks:
        return ""
    count = "1 task" if len(tasks) == 1 else f"{len(tasks)} tasks"
    return (
        f"{FILE_NAME} is stale ({count}): the next pull request would be compared with it. Write it anew, and commit "
        "it: tokenbudget lock."
    )


def _is_checked_out(root: Path, commit: str | None) -> bool:
    """Whether the work tree is what was measured; a fork is judged from the default branch, with a lock not its own."""
    if commit is None:
        return True
    try:
        return Git(root).commit("HEAD") == commit
    except GitError:
        return False


def _of_base(found: Gathered) -> list[Reason]:
    rules, base = found.settings.gate, found.base
    stale = [Reason(kind="lock", state="warn", text=found.stale)] if found.stale else []
    if base.snapshot is None:
        missing = Reason(kind="base", state="no_base" if rules.base == "required" else "pass", text=base.why)
        return [missing, *stale]
    reasons = stale
    if rules.max_base_age is not None and base.age is not None and base.age > rules.max_base_age:
        text = f"The base is {int(base.age)} days old; {_days(rules.max_base_age)} are allowed (`max_base_age`)."
        reasons.append(Reason(kind="base", state="no_base", text=text))
    if _counters_differ(base.snapshot, found.comparison.head):
        text = (
            f"Causes are rough: the base's prompt parts were counted by {base.snapshot.counter}, these by "
            f"{found.comparison.head.counter}. Write the lock anew: tokenbudget lock."
        )
        reasons.append(Reason(kind="lock", state="warn", text=text))
    return reasons


def _counters_differ(base: Snapshot, head: Snapshot) -> bool:
    return base.counter != head.counter


def _days(count: Decimal) -> str:
    return f"{count:f}"
