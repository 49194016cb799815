"""The instant whose prices are used where nobody says otherwise.

One pinned instant serves base and head alike, never the wall clock: a provider's price change must not fail an
unchanged pull request. It moves only with our releases, in the changelog, and is printed with every cost.
"""

from datetime import UTC, datetime
from typing import Final

__all__ = ["DEFAULT_AS_OF", "RELEASE"]

DEFAULT_AS_OF: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""Stamped into this release; `as_of` in the settings overrides it."""

RELEASE: Final = "release"
"""What a run names as the source of that instant."""
