"""Recorded refusals handed out so that clients try again at once: at replay nothing gets better by waiting.

The clients of OpenAI, Anthropic, Cohere, Groq and Mistral wait as long as `retry-after-ms` says, where it is there, and
else a backoff of their own of up to eight seconds. It is added; what the recording says otherwise stays readable to the
user's own code. botocore and tenacity (google-genai's opt-in retries) draw their backoff themselves, and no header
shortens it: the one sleep that follows a refusal in the same thread is left out, in those two modules alone.
"""

import sys
import time
from collections.abc import Mapping
from threading import local
from typing import Any, Final

from pytest_tokenbudget.traffic.exchanges import header_values

__all__ = ["without_waiting"]

_TRIED_AGAIN: Final = frozenset({408, 409, 429})
_SERVER_ERROR: Final = 500
_LONGEST: Final = 60
"""Seconds. Where a provider asks for more, some clients give up instead, and must give up at replay too."""

_AMAZONS: Final = "x-amz-retry-after"
"""Only ever lengthens botocore's own backoff."""

_SLEEPING: Final = ("botocore.endpoint", "tenacity.nap")
"""Modules that sleep between two attempts by `time.sleep`, found in their own `time`."""


def without_waiting(response: Any) -> Any:
    """The response that a client is handed for a recorded one; the same object where there is nothing to wait for."""
    try:
        return _without_waiting(response)
    except Exception:  # noqa: BLE001 - whatever a recording holds is handed out as it is
        return response


def _without_waiting(response: Any) -> Any:
    _refused.just_now = False
    code = response["status"]["code"]
    if code not in _TRIED_AGAIN and code < _SERVER_ERROR:
        return response
    headers = response["headers"]
    if not isinstance(headers, Mapping):
        return response
    known = header_values(headers)
    if not (_is_short(known.get("retry-after"), 1) and _is_short(known.get("retry-after-ms"), 1000)):
        return response
    _expect_a_sleep()
    kept = {name: value for name, value in headers.items() if name.lower() not in {"retry-after-ms", _AMAZONS}}
    return response | {"headers": kept | {"retry-after-ms": ["1"]}}


def _is_short(said: str | None, to_the_second: int) -> bool:
    if said is None:
        return True
    try:
        return float(said) / to_the_second <= _LONGEST
    except ValueError:  # a date
        return False


class _Refused(local):
    """Whether the last answer that this thread was handed is a recorded refusal."""

    just_now = False


_refused: Final = _Refused()


class _Clock:
    """The module `time`, but for the sleep after a recorded refusal."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Sleep, unless the client was just refused by a recording."""
        if _refused.just_now:
            _refused.just_now = False
        else:
            time.sleep(seconds)


_clock: Final = _Clock()


def _expect_a_sleep() -> None:
    _refused.just_now = True
    for name in _SLEEPING:
        module = sys.modules.get(name)
        # only what is the real one: a test may have put another in its place
        if module is not None and getattr(module, "time", None) is time:
            module.time = _clock  # type: ignore[attr-defined]  # as `import time` did
