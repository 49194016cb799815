"""From files that exist already to exchanges: cassettes of vcrpy and its likes, HAR archives, nock's; without vcrpy.

`read_recordings` is the way in. Nothing in a file is ever executed or trusted to have its documented type.
"""

from pytest_tokenbudget.recordings.read import read_recordings

__all__ = ["read_recordings"]
