"""What is to become of a request, decided once: it is answered from the recording, sent, refused, or none of ours."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple
from weakref import WeakKeyDictionary

from pytest_tokenbudget.traffic.asking import asks_a_model
from pytest_tokenbudget.traffic.contents import Contents
from pytest_tokenbudget.traffic.index import RecordingIndex
from pytest_tokenbudget.traffic.matching import Matching, same_endpoint
from pytest_tokenbudget.traffic.volatile import Volatile

__all__ = ["Plan", "Plans"]


class Plan(NamedTuple):
    """What is to become of one request.

    Attributes:
        kind: pass: it is no model call, and the test's own affair. miss: nothing answers it, and it may not be sent.
        place: The position of the recording that answers it, or whose place its answer takes.
        exact: Whether that is a recording of this very request.
    """

    kind: Literal["play", "send", "pass", "miss"]
    place: int | None = None
    exact: bool = False


class Plans:
    """The plans of one recording's requests, each kept as long as its request lives. Not safe for threads."""

    def __init__(
        self,
        contents: Contents,
        cleaned: Callable[[Any], Any],
        volatile: Volatile,
        *,
        records: bool = False,
        replaces: bool = False,
    ) -> None:
        """Prepare.

        Args:
            contents: What the recording holds.
            cleaned: Makes of a request what a recording would hold of it.
            volatile: Fields that say nothing about what is asked.
            records: Whether what is not recorded is sent.
            replaces: Whether what changed since it was recorded is sent, and its answer recorded in that place.
        """
        self._contents = contents
        self._cleaned = cleaned
        self._records = records
        self._replaces = replaces
        self._index = RecordingIndex(
            contents.data, contents.taken, Matching((same_endpoint,)), volatile=volatile, prepare=cleaned
        )
        self._plans: WeakKeyDictionary[Any, Plan] = WeakKeyDictionary()

    def known(self, request: Any) -> Plan | None:
        """What was decided about a request, if anything was."""
        return self._plans.get(request)

    def keep(self, request: Any, plan: Plan) -> None:
        """Let a plan be the last word about a request."""
        self._plans[request] = plan
        if plan.kind != "play":
            # vcrpy goes on with what its filter made of the request
            self._plans[self._cleaned(request)] = plan

    def decide(self, request: Any) -> Plan:
        """Decide about a request, and let the recording that it takes, or means to replace, answer no other."""
        place, exact = self._find(request)
        asks = asks_a_model(request)
        records = self._records and asks
        replaces = self._replaces and asks and not exact
        if place is not None and (exact or not (records or replaces)):
            self._contents.take(place)
            return Plan("play", place, exact)
        if not asks:
            return Plan("pass")
        if not records and not (replaces and place is not None):
            return Plan("miss")
        if not replaces:
            place = None
        if place is not None:
            # it is taken by the answer, if one comes: the client may ask again
            self._index.hold(place, request)
        return Plan("send", place)

    def free(self, place: int) -> None:
        """Let a recording be replaced by another request's answer after all."""
        self._index.release(place)

    def _find(self, request: Any) -> tuple[int | None, bool]:
        """The recording that answers a request, and whether it is that of this very request."""
        self._contents.take_received()
        try:
            found = self._index.find(request)
        except Exception:  # noqa: BLE001 - a request of no known kind has no recording
            found = None
        # what an interrupted recording holds answers what was asked, and nothing else
        if found is None or (not found.exact and found.index >= self._contents.from_file):
            return None, False
        return found.index, found.exact
