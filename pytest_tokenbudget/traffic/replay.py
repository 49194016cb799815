"""The cassette of a marked test that opens none itself: replay only, and never a model call sent.

It stands where pytest-recording would put it, `cassettes/<module>/<test>.yaml` beside the test.
"""

from pathlib import Path
from typing import Any, Final

from vcr.matchers import host, method, path, port, query, scheme
from vcr.record_mode import RecordMode

from pytest_tokenbudget.errors import RecordingMiss
from pytest_tokenbudget.traffic.asking import asks_a_model
from pytest_tokenbudget.traffic.cassette import MeteredCassette, attached
from pytest_tokenbudget.traffic.shown import shown_path

__all__ = ["cassette_path", "replaying"]

_FORBIDDEN: Final = str.maketrans(dict.fromkeys("<>?%*:|\"'/\\", "-"))


def cassette_path(module: Path, test_class: str | None, test: str) -> Path:
    """Where a test's recording is kept.

    Args:
        module: The test module's file.
        test_class: The test's class, if it has one.
        test: The test's name with its parameters.
    """
    name = f"{test_class}.{test}" if test_class else test
    return module.parent / "cassettes" / module.stem / f"{name.translate(_FORBIDDEN)}.yaml"


class _ReplayOnly(MeteredCassette):
    """Answers model calls from its recordings or stops the agent; other traffic passes and is not recorded."""

    def can_play_response_for(self, request: Any) -> Any:
        if playable := super().can_play_response_for(request):
            return playable
        if not asks_a_model(request):
            return False
        miss = RecordingMiss(self._explain(request))
        meter = attached()
        if meter is not None:
            meter.latch(miss)
        raise miss

    @property
    def write_protected(self) -> bool:
        # vcrpy would refuse every other request too; those are the test's own affair
        return False

    def _is_own(self) -> bool:
        return True

    def _keeps(self) -> bool:
        return False

    def _lets_out(self) -> bool:
        return False  # no model call, and other traffic needs no approval

    def _save(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - vcrpy's signature
        """Keep the recording as it is."""

    def _explain(self, request: Any) -> str:
        where = shown_path(self._path)
        url = request.uri.partition("?")[0]
        have = len(self.data)
        if have:
            known = f"no answer in {where} ({have} recorded) is left for it"
        elif Path(self._path).exists():
            known = f"{where} holds no recording that can be read"
        else:
            known = f"there is no {where}"
        return (
            f"[{RecordingMiss.slug}] {request.method} {url} was not sent: this test replays, and {known}. "
            "To record it, mark the test with @pytest.mark.vcr and run pytest --record-mode=once (pytest-recording), "
            "or open vcr.use_cassette() in the test."
        )


def replaying(recording: Path) -> Any:
    """A context in which model calls are answered from a recording, or stop the agent with `RecordingMiss`."""
    return _ReplayOnly.use(
        path=str(recording),
        record_mode=RecordMode.NONE,
        match_on=(method, scheme, host, port, path, query),
    )
