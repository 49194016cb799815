"""`tokenbudget demo`: run the bundled agent's tests and say what they show."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree, ignore_patterns
from subprocess import run as run_process
from tempfile import TemporaryDirectory
from typing import Final, NoReturn

import click

from pytest_tokenbudget.config.environment import inherited
from pytest_tokenbudget.errors import DemoError, RunFileError
from pytest_tokenbudget.model.benchmark import BenchmarkRun
from pytest_tokenbudget.model.money import ZERO
from pytest_tokenbudget.model.run import Run
from pytest_tokenbudget.report.amounts import limit_usd, percent, usd
from pytest_tokenbudget.report.benchmark_text import name_of
from pytest_tokenbudget.store.load import load_run

__all__ = ["command", "explained", "project", "surprises"]

OVER: Final = "tests/test_triage.py::test_refund"
"""The test that fails on purpose."""

BENCHMARK: Final = "test_sorting"
"""The benchmark, which passes."""

_SDKS: Final = ("openai", "anthropic")
_TESTS_FAILED: Final = 1
_RUN_FILE: Final = ".tokenbudget/run.json"

# The demo must not depend on how this machine is set up: keys, other hosts, proxies, the user's own pytest options.
_LEFT_OUT: Final = ("TOKENBUDGET", "PYTEST_", "OPENAI_", "ANTHROPIC_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@click.command("demo", short_help="Run a bundled agent's tests: no key, no network, $0.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Put the demo project into this new folder and leave it there.",
)
def command(*, keep: Path | None) -> None:
    """Run the tests of a bundled support agent, replayed from recordings, and say what they show.

    It needs no API key and no network, and costs nothing. One test is over its budget on purpose.
    """
    missing = [name for name in _SDKS if find_spec(name) is None]
    if missing:
        message = f"the demo's agent talks through {' and '.join(missing)}: pip install 'pytest-tokenbudget[demo]'"
        raise DemoError(message)
    if keep is not None:
        _demonstrate(_new_folder(keep), kept=True)
        return
    with TemporaryDirectory(prefix="tokenbudget-demo-") as folder:
        _demonstrate(Path(folder) / "support_agent", kept=False)


def project() -> Path:
    """Where the demo project's files are: inside the package, or in the repository of an editable installation.

    Raises:
        DemoError: They are in neither place.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "_demo", package.parent / "fixtures" / "support_agent"):
        if (folder / "pytest.ini").is_file():
            return folder
    message = f"the demo's files are missing from {package}. Install pytest-tokenbudget again."
    raise DemoError(message)


def surprises(status: int, run: Run) -> list[str]:
    """What did not go as the demo should, in sentences; empty when all went well.

    Args:
        status: Pytest's exit status.
        run: What was measured.
    """
    found = []
    if status != _TESTS_FAILED:
        found.append(f"pytest ended with status {status}; {_TESTS_FAILED} (a test failed) was expected.")
    blocked = [task.id for task in run.tasks if task.verdict.blocks]
    if OVER not in blocked:
        found.append(f"{OVER} should have been over its budget, and was not.")
    found += [f"{task} should have been within its budget, and was not." for task in blocked if task != OVER]
    tests = [task for task in run.tasks if task.drawn is None]
    found += [f"{task.id} {task.outcome}." for task in tests if task.outcome != "passed" and task.id != OVER]
    states = {name_of(benchmark): benchmark.result.verdict.state for benchmark in run.benchmarks}
    if states != {BENCHMARK: "pass"}:
        found.append(f"the benchmark {BENCHMARK} should have passed; there are {states or 'none'}.")
    if run.totals.sent:
        found.append(f"{run.totals.sent} calls were sent; everything should have been replayed.")
    return [*found, *run.incomplete]


def explained(run: Run) -> str:
    """What the run shows, for someone who sees it for the first time."""
    refund = next(task for task in run.tasks if task.id == OVER)
    bound = refund.budget.usd
    cost = usd(refund.totals.cost, limit=bound)
    tests = [task for task in run.tasks if task.drawn is None]
    seen = (
        f"You saw {len(tests)} tests of a support agent, and a benchmark. Their {run.totals.calls} model calls were "
        f"replayed from recordings and priced token by token: {usd(run.totals.cost)} if they were sent, "
        f"{usd(run.totals.incurred)} here. The model's answers are made up for this demo; the prices are real."
    )
    failed = (
        f"test_refund failed on purpose: it cost {cost}, and its budget is {limit_usd(bound or ZERO)}. The column "
        "`carries` shows why: lookup_order returns everything the shop knows of an order, and every later step sends "
        "it again."
    )
    paragraphs = [seen, failed]
    for task in tests:
        if task.verdict.state == "over":
            name, tolerance = task.id.rpartition("::")[2], percent(task.budget.tolerance)
            paragraphs.append(f"{name} is over its budget by less than {tolerance}: that is tolerated, with a warning.")
    paragraphs += [_benchmarked(benchmark) for benchmark in run.benchmarks]
    return "\n\n".join(click.wrap_text(paragraph, width=80) for paragraph in paragraphs)


def _benchmarked(run: BenchmarkRun) -> str:
    figures, plan = run.result.figures, run.plan
    mean = f"{usd(figures.mean, limit=plan.usd)} of {limit_usd(plan.usd or ZERO)}"
    return (
        f"{name_of(run)} ran once for each of {figures.n} tickets drawn from {plan.population}. A ticket sorted "
        "wrongly fails no test. It is paid for all the same, so that one sorted right costs "
        f"{usd(figures.per_success)}. What decides is the mean: {mean}."
    )


def _new_folder(keep: Path) -> Path:
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        message = f"{keep} exists and is not empty; name a new folder."
        raise click.BadParameter(message, param_hint="--keep")
    return keep


def _demonstrate(folder: Path, *, kept: bool) -> None:
    copytree(
        project(), folder, ignore=ignore_patterns("__pycache__", ".*", "record.py", "replies.py"), dirs_exist_ok=True
    )
    status = _run_pytest(folder)
    click.echo()
    try:
        run = load_run(folder / _RUN_FILE)
    except RunFileError as error:
        _give_up([f"pytest ended with status {status}.", str(error)])
    if found := surprises(status, run):
        _give_up(found)
    click.echo(explained(run))
    click.echo()
    click.echo(
        f"The project is in {folder}: cd there and run pytest."
        if kept
        else "To look at the agent, its tests and its budgets: tokenbudget demo --keep tokenbudget-demo"
    )
    click.echo("Your own: mark a test with @pytest.mark.token_budget(usd=0.05), and run pytest.")


def _run_pytest(folder: Path) -> int:
    # without the other plugins of this environment, which could change what is shown
    options = ["--disable-plugin-autoload", "-p", "tokenbudget", "-p", "no:cacheprovider"]
    sys.stdout.flush()
    process = run_process(  # noqa: S603 - our own project, by the running Python
        [sys.executable, "-m", "pytest", *options], cwd=folder, env=inherited(without=_LEFT_OUT), check=False
    )
    return process.returncode


def _give_up(found: Sequence[str]) -> NoReturn:
    click.echo("The demo did not go as expected:", err=True)
    for sentence in found:
        click.echo(f"- {sentence}", err=True)
    raise SystemExit(1)
