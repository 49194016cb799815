"""One comment of ours on a pull request, whoever else writes at the same time.

Ours is what begins with our marker *and* was written by us, on whichever page it stands. The oldest is the one that is
kept up to date. Only younger ones are ever removed, so that two writers who remove each other's leave exactly one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.ci.forge import Comments, Note
from pytest_tokenbudget.ci.patience import Patience
from pytest_tokenbudget.ci.refusal import RefusedError

__all__ = ["MODES", "Mode", "Posted", "PostedKind", "Sticky"]

Mode = Literal["update", "new", "hide-and-new", "delete-and-new", "off"]
"""What becomes of the comment that is there: update: it is written anew · new: it stays, and there is one more ·
hide-and-new, delete-and-new: a new one takes its place · off: nothing is posted."""

MODES: Final[tuple[Mode, ...]] = ("update", "new", "hide-and-new", "delete-and-new", "off")

PostedKind = Literal["created", "updated", "unchanged", "skipped", "failed"]

_GONE: Final = 404
_SHORT: Final = 7


class Posted(Struct, frozen=True, kw_only=True):
    """What became of a comment. It never changes a verdict.

    Attributes:
        kind: It.
        url: Where the comment is, if there is one.
        reason: Why it was skipped or failed, and whatever else is worth saying, as sentences.
    """

    kind: PostedKind
    url: str = ""
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether a comment was to be there, and is not."""
        return self.kind == "failed"


class Sticky:
    """Posts one body.

    Args:
        comments: The pull request's comments.
        patience: How long to wait for them.
        marker: How our comments of this key begin.
        head: The commit that was measured; nothing is written once the pull request has another.
    """

    def __init__(self, comments: Comments, patience: Patience, *, marker: str, head: str) -> None:
        self._comments, self._ask, self._marker, self._head = comments, patience.ask, marker, head
        self._author = ""
        self._said: list[str] = []

    def post(self, body: str, mode: Mode, *, create: bool) -> Posted:
        """Bring the comment to be this body.

        Args:
            body: The comment, which begins with the marker.
            mode: What becomes of one that is there.
            create: Whether to make one where there is none.

        Raises:
            RefusedError: The forge does not do it, or the pull request has moved on.
        """
        if mode == "off":
            return Posted(kind="skipped", reason="Comments are turned off.")
        if mode == "hide-and-new" and not self._comments.can_hide:
            self._said.append("Nothing can be hidden on this forge: the comment was updated instead.")
            mode = "update"
        self._ask(self._check)
        self._author = self._ask(self._comments.author)
        ours = self._ours()
        if not ours and not create:
            reason = "Nothing is to be said, and there is no comment of ours to update."
            return Posted(kind="skipped", reason=reason)
        if ours and len(ours) == 1 and _same(ours[0].body, body):
            return Posted(kind="unchanged", url=ours[0].url)
        if mode == "update" and ours:
            return self._update(ours, body)
        return self._make(body, ours, mode)

    def _make(self, body: str, before: Sequence[Note], mode: Mode) -> Posted:
        made = self._create(body, before)
        if mode == "new":
            return self._done("created", made)
        # another writer may have made one meanwhile, and who we are is known for certain only now
        self._author = made.author or self._author
        everyone = {note.id: note for note in (*self._ours(), made)}
        ordered = [everyone[number] for number in sorted(everyone)]
        if mode == "update":
            return self._update(ordered, body) if ordered[0].id != made.id else self._alone(made, ordered[1:])
        return self._newest(ordered, made, mode)

    def _ours(self) -> list[Note]:
        """Our comments, the oldest first."""
        found = self._ask(self._comments.notes)
        ours = [note for note in found if note.author == self._author and note.body.startswith(self._marker)]
        return sorted(ours, key=lambda note: note.id)

    def _check(self) -> None:
        """Ask for the head as it is now, before each write."""
        live = self._comments.find().head
        if self._head and live != self._head:
            message = f"The pull request is at {live[:_SHORT]} by now; {self._head[:_SHORT]} was measured."
            raise RefusedError(message, is_moot=True)

    def _create(self, body: str, before: Sequence[Note]) -> Note:
        known = {note.id for note in before}
        asked = False

        def once() -> Note:
            nonlocal asked
            if asked:  # the answer was lost, and perhaps not the comment
                found = [note for note in self._comments.notes() if note.id not in known and _same(note.body, body)]
                mine = [note for note in found if not self._author or note.author == self._author]
                if mine:
                    return mine[-1]
            self._check()
            asked = True
            return self._comments.create(body)

        return self._ask(once)

    def _update(self, ours: Sequence[Note], body: str) -> Posted:
        """Make the oldest say this; it is the only one then."""
        oldest, others = ours[0], ours[1:]

        def once() -> Note:
            self._check()
            return self._comments.update(ours[0], body)

        try:
            if not _same(oldest.body, body):
                oldest = self._ask(once)
        except RefusedError as refusal:
            if refusal.status != _GONE:
                raise
            # somebody removed it since it was listed
            return self._update(others, body) if others else self._make(body, ours, "update")
        if others:  # an earlier mode may have folded the oldest away
            self._tidy(lambda: self._comments.show(oldest))
        return self._alone(oldest, others, kind="updated")

    def _alone(self, kept: Note, others: Sequence[Note], *, kind: PostedKind = "created") -> Posted:
        for note in others:
            self._tidy(partial(self._comments.delete, note))
        return self._done(kind, kept)

    def _newest(self, ordered: Sequence[Note], made: Note, mode: Mode) -> Posted:
        """Leave the youngest, which another writer may have made: both writers then leave the same one."""
        newest, others = ordered[-1], ordered[:-1]
        if mode == "delete-and-new":
            return self._alone(newest, others)
        if others:
            self._tidy(lambda: self._comments.hide(others))
        if newest.id != made.id:
            self._said.append("Another run commented at the same time: its comment is the one that stands.")
        return self._done("created", newest)

    def _tidy(self, what: Callable[[], None]) -> None:
        """What may fail without costing the comment."""
        try:
            self._ask(what)
        except RefusedError as refusal:
            self._said.append(f"An older comment is still there. {refusal}")

    def _done(self, kind: PostedKind, note: Note) -> Posted:
        return Posted(kind=kind, url=note.url, reason=" ".join(self._said))


def _same(one: str, other: str) -> bool:
    """Whether a forge shows two bodies alike: it may have changed the ends of lines."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
