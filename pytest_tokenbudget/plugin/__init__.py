"""The pytest plugin: options, markers, and the moment at which measuring begins.

Loading this module must cost next to nothing: it imports nothing of ours that is heavy, and the hooks that run for
every test are registered only once a marker, a `tokenbudget.yml` or vcrpy appears.
"""

from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pytest_tokenbudget.traffic.finder import vcr_is_loaded, watch_for_vcr

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from pytest_tokenbudget.plugin.fixtures import TokenMeter
    from pytest_tokenbudget.plugin.hooks import Hooks

_HOOKS: Final = "tokenbudget-hooks"
_ASKING: Final = frozenset({"token_budget", "token_benchmark", "vcr"})
_LIMITS: Final = (
    "usd, tokens, input_tokens, output_tokens, thinking_tokens, steps, tokens_per_step, cache_hit_rate, seconds, "
    "tolerance, allow_no_calls, workflow, team"
)
_REPLAYS: Final = (None, "none")
_BENCHMARK: Final = "Arguments: data, samples, seed, cluster, stratify, ideal_steps, usd_per_success, spend"

_configs: Final[list[pytest.Config]] = []
"""The sessions in this process, the running one last: pytester runs sessions inside a session."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("tokenbudget", "cost of LLM agents")
    group.addoption(
        "--tokenbudget",
        choices=("enforce", "observe", "off"),
        default=None,
        help="enforce: a test over its token budget fails (default); observe: it is only shown; off: measure nothing",
    )
    group.addoption(
        "--tokenbudget-record",
        choices=("none", "once", "new", "all"),
        default=None,
        help="send and record model calls: none (default), once: of tests without a recording, new: those that are in "
        "no recording, all: every one again",
    )
    group.addoption(
        "--tokenbudget-drift",
        choices=("estimate", "error", "record"),
        default=None,
        help="a request that changed since it was recorded: answer it and estimate its cost (default), stop the test, "
        "or send and record it anew",
    )
    group.addoption(
        "--tokenbudget-samples",
        metavar="N",
        default=None,
        help="how many samples each benchmark draws (default: what its marker says, else 100)",
    )
    group.addoption(
        "--tokenbudget-rule",
        choices=("point", "confident"),
        default=None,
        help="a benchmark blocks where its mean is over budget and tolerance (point, default), or where the whole "
        "interval is (confident)",
    )
    group.addoption(
        "--tokenbudget-out",
        metavar="FILE",
        default=None,
        help="where the run is written (default: .tokenbudget/run.json)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker; begin to measure at once where something already asks for it."""
    config.addinivalue_line(
        "markers",
        "token_budget(**limits): what the test's model calls may cost; without limits it is only measured. "
        f"Limits and labels: {_LIMITS}.",
    )
    config.addinivalue_line(
        "markers",
        f"token_benchmark(data, samples=100, ...): run the test once for each `sample` drawn from data. {_BENCHMARK}.",
    )
    if config.getoption("--tokenbudget") == "off":
        return
    if (out := config.getoption("--tokenbudget-out")) is not None and not hasattr(config, "workerinput"):
        # like every file named on the command line: where it was typed, for workers too
        config.option.tokenbudget_out = str(config.invocation_params.dir / Path(out))
    _configs.append(config)
    if vcr_is_loaded() or (config.rootpath / "tokenbudget.yml").is_file():
        activate(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Prepare a controller of pytest-xdist for what its workers measure."""
    if node.config in _configs:
        from pytest_tokenbudget.plugin.workers import expect, keep_order

        expect(node, lambda: activate(node.config).session)
        hooks = _hooks(node.config)
        if (hooks.session.settings.record if hooks else node.config.getoption("--tokenbudget-record")) not in _REPLAYS:
            keep_order(node.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave the process as it was."""
    if config in _configs:
        _configs.remove(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make of a benchmark one test for each sample."""
    if metafunc.definition.get_closest_marker("token_benchmark") is not None:
        activate(metafunc.config).benchmarks.parametrize(metafunc)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, object, object]:
    """Begin to measure if any test is marked, by its module or by a conftest's own hook."""
    result = yield
    if config in _configs:
        try:
            _begin(config, items)
        except pytest.UsageError as error:
            from pytest_tokenbudget.plugin.workers import refuse

            refuse(config, error, items)
    return result


def _begin(config: pytest.Config, items: list[pytest.Item]) -> None:
    names = {mark.name for mark in _marks(items)}
    if vcr_is_loaded() or names & _ASKING:
        activate(config)
    if hooks := _hooks(config):
        hooks.declare(items, sampled="token_benchmark" in names)


def _marks(items: list[pytest.Item]) -> Iterator[pytest.Mark]:
    """Every mark of the tests, those of a module or class once: ten times as fast as asking each test."""
    seen: set[pytest.Item | pytest.Collector] = set()
    for item in items:
        node: pytest.Item | pytest.Collector | None = item
        while node is not None and node not in seen:
            seen.add(node)
            yield from node.own_markers
            node = node.parent


def activate(config: pytest.Config, *, running: str | None = None) -> "Hooks":
    """Register the hooks that run for every test, once, and take in what passes vcrpy if that is there.

    Args:
        config: The session's configuration.
        running: The test in the middle of which measuring begins, if any.
    """
    hooks = _hooks(config)
    if hooks is None:
        from pytest_tokenbudget.plugin.hooks import Hooks

        hooks = Hooks.for_config(config)
        config.pluginmanager.register(hooks, _HOOKS)
        hooks.stand_guard()
    if vcr_is_loaded():
        hooks.attach(running)
    return hooks


def _hooks(config: pytest.Config) -> "Hooks | None":
    found: Hooks | None = config.pluginmanager.get_plugin(_HOOKS)
    return found


def _vcr_loaded() -> None:
    if not _configs:
        return
    config = _configs[-1]
    # whoever imports vcrpy is not to blame for a wrong setting: it is refused when the tests are collected
    with suppress(pytest.UsageError):
        activate(config, running=None if _hooks(config) else _running_test(config))


def _running_test(config: pytest.Config) -> str | None:
    from pytest_tokenbudget.config.environment import current_test

    node_id = current_test()
    session: pytest.Session | None = config.pluginmanager.get_plugin("session")
    # inside pytester the variable may name a test of the session around this one
    known = session is not None and any(item.nodeid == node_id for item in getattr(session, "items", ()))
    return node_id if known else None


@pytest.fixture
def token_meter(request: pytest.FixtureRequest) -> "TokenMeter":
    """What the running test has cost so far: `usd`, `usage`, `calls` and `steps`."""
    from pytest_tokenbudget.plugin.fixtures import TokenMeter

    session = activate(request.config).session
    return TokenMeter(session.task_of(request.node.nodeid), measuring=session.settings.mode != "off")


watch_for_vcr(_vcr_loaded)
