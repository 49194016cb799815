"""Stopping a test whose request changed since it was recorded, for `--tokenbudget-drift=error`."""

from typing import Any, Final

import msgspec

from pytest_tokenbudget.errors import Drifted
from pytest_tokenbudget.meter.session import Meter
from pytest_tokenbudget.policy.changes import drifted_message
from pytest_tokenbudget.traffic.asking import asks_a_model
from pytest_tokenbudget.traffic.exchanges import body_bytes, header_values, request_line
from pytest_tokenbudget.wire.framing import unpacked

__all__ = ["first_difference", "stop_drifted"]

_MOST_STEPS: Final = 12


def stop_drifted(meter: Meter, sent: Any, recorded: Any, *, source: str, index: int | None) -> None:
    """Stop the test, if changed requests are to stop it and this one asks a model.

    Args:
        meter: Knows the setting and the running test, and latches the stop.
        sent: The request, after the user's filters.
        recorded: The one that was recorded, or `None` where nobody knows which.
        source: The recording, as reports name it.
        index: The position in it.

    Raises:
        Drifted: The message says where the requests first differ, and what to type.
    """
    if not (meter.stops_drift and asks_a_model(sent)):
        return
    task = meter.current
    stop = Drifted(
        drifted_message(
            request_line(sent),
            source=source,
            index=index,
            where=None if recorded is None else _where(sent, recorded),
            task_id=None if task is None or task.is_fixture else task.id,
        )
    )
    meter.latch(stop)
    raise stop


def _where(sent: Any, recorded: Any) -> str:
    """Where two requests differ; never raises, and quotes neither."""
    if str(sent.uri).partition("?")[0] != str(recorded.uri).partition("?")[0]:
        return f"it was recorded for {request_line(recorded)}"
    try:
        return first_difference(_decoded(sent), _decoded(recorded))
    except Exception:  # noqa: BLE001 - a body that cannot be read is another body all the same
        return "its body is another"


def _decoded(request: Any) -> Any:
    return msgspec.json.decode(unpacked(body_bytes(request.body), header_values(request.headers)))


def first_difference(sent: Any, recorded: Any) -> str:
    """Where two JSON values first differ, by path; of texts also the byte. Neither value is quoted."""
    path = ""
    for _ in range(_MOST_STEPS):
        if isinstance(sent, dict) and isinstance(recorded, dict):
            key = next((key for key in {**recorded, **sent} if _differ(sent, recorded, key)), None)
            if key is None:
                break
            path += f".{key}" if path else str(key)
            if key not in sent or key not in recorded:
                return f"`{path}` is {'new' if key in sent else 'gone'}"
        elif isinstance(sent, list) and isinstance(recorded, list):
            both = range(min(len(sent), len(recorded)))
            key = next((at for at in both if sent[at] != recorded[at]), None)
            if key is None:
                if len(sent) == len(recorded):
                    break
                return f"`{path or 'it'}` has {len(sent)} items, not {len(recorded)}"
            path += f"[{key}]"
        else:
            break
        sent, recorded = sent[key], recorded[key]
    if isinstance(sent, str) and isinstance(recorded, str):
        return f"`{path}` changed (first at byte {_first_byte(sent, recorded):,})"
    return f"`{path}` changed" if path else "its body is another"


_ABSENT: Final = object()


def _differ(sent: dict[str, Any], recorded: dict[str, Any], key: str) -> bool:
    return bool(sent.get(key, _ABSENT) != recorded.get(key, _ABSENT))


def _first_byte(sent: str, recorded: str) -> int:
    one, other = sent.encode("utf-8", "surrogatepass"), recorded.encode("utf-8", "surrogatepass")
    shared = min(len(one), len(other))
    return next((at for at in range(shared) if one[at] != other[at]), shared)
