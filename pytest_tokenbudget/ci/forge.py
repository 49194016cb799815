"""What posting needs of a forge, whichever it is."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

__all__ = ["Comments", "Found", "Note"]


class Note(Struct, frozen=True, kw_only=True):
    """A comment as it is on the forge now.

    Attributes:
        id: Its number: later comments have larger ones.
        author: Who wrote it.
        body: Its Markdown.
        url: Where a reader finds it.
    """

    id: int
    author: str
    body: str
    url: str


class Found(Struct, frozen=True, kw_only=True):
    """A pull request as it is on the forge now.

    Attributes:
        number: Its number.
        head: Its head commit.
    """

    number: int
    head: str


class Comments(Protocol):
    """The comments on one pull request.

    Every method asks the forge once, or once a page, and raises `RefusedError`.
    """

    can_hide: bool

    def find(self) -> Found:
        """The pull request."""

    def author(self) -> str:
        """Who we are there; empty where the forge does not say."""

    def notes(self) -> Sequence[Note]:
        """All comments, on all pages."""

    def create(self, body: str) -> Note:
        """A new comment."""

    def update(self, note: Note, body: str) -> Note:
        """Another text for a comment."""

    def delete(self, note: Note) -> None:
        """Remove a comment; one that is gone already is fine."""

    def hide(self, notes: Sequence[Note]) -> None:
        """Fold comments away as outdated; those that are already stay so."""

    def show(self, note: Note) -> None:
        """Unfold a comment that may have been folded away."""
