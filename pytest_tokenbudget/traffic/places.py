"""Where recordings are kept: `cassettes/<module>/<test>.yaml` beside the tests, where pytest-recording puts them too.

Names that cannot be files are written with dashes, so that two tests may ask for one file: what cannot be told from the
name alone gets a digest of the test's id behind it, unless a recording without one is there already.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Final

__all__ = ["cassette_path", "fixture_path", "found_path", "is_of_fixture"]

_FORBIDDEN: Final = str.maketrans(dict.fromkeys("<>?%*:|\"'/\\", "-"))
_LONGEST: Final = 200
"""Bytes of a file's name; file systems take 255, and a suffix comes behind."""

_FOLDER: Final = "cassettes"
_SUFFIX: Final = ".yaml"


def cassette_path(module: Path, test_class: str | None, test: str) -> Path:
    """Where pytest-recording keeps a test's recording.

    Args:
        module: The test module's file.
        test_class: The test's class, if it has one.
        test: The test's name with its parameters.
    """
    name = f"{test_class}.{test}" if test_class else test
    return module.parent / _FOLDER / module.stem / f"{name.translate(_FORBIDDEN)}{_SUFFIX}"


def found_path(module: Path, test_class: str | None, test: str, *, anew: bool = False, alone: bool = False) -> Path:
    """Where a test's recording is, or is to be.

    Args:
        module: The test module's file.
        test_class: The test's class with those around it, such as `Outer.Inner`, if it has one.
        test: The test's name with its parameters.
        anew: Whether it will be recorded anew, so that a file that other tests may share counts no more.
        alone: Whether there never was a recording of it that others may share.
    """
    inner = test_class.rpartition(".")[2] if test_class else None
    plain = cassette_path(module, inner, test)
    whole = f"{test_class}.{test}" if test_class else test
    if plain.stem == whole and _fits(plain.name):
        return plain if anew or plain.exists() else _in_json(plain)
    own = plain.with_name(f"{_shortened(plain.stem)}~{_digest(whole)}{_SUFFIX}")
    if anew or alone or own.exists() or not _fits(plain.name) or not plain.exists():
        return own
    return plain


def fixture_path(place: Path, fixture: str, scope: str, parameter: str = "", *, teardown: bool = False) -> Path:
    """Where the recording of a fixture is kept that is wider than a test.

    Args:
        place: The module that it is executed for, or the folder of the conftest that defines it.
        fixture: Its name, with its class's where it is executed for one.
        scope: Its scope.
        parameter: Its parameter, as text.
        teardown: Whether it is that of the fixture's teardown, which happens much later.
    """
    # no test's name has an @ before its brackets
    name = f"{fixture}@{scope}{'.teardown' if teardown else ''}{f'[{parameter}]' if parameter else ''}"
    safe = name.translate(_FORBIDDEN)
    if safe != name or not _fits(f"{safe}{_SUFFIX}"):
        safe = f"{_shortened(safe)}~{_digest(name)}"
    folder = place / _FOLDER if place.is_dir() else place.parent / _FOLDER / place.stem
    return folder / f"{safe}{_SUFFIX}"


def is_of_fixture(recording: Path) -> bool:
    """Whether a recording is that of a wider fixture, by its name."""
    return "@" in recording.stem.partition("[")[0]


def _in_json(path: Path) -> Path:
    other = path.with_suffix(".json")
    return other if path.suffix == _SUFFIX and other.exists() else path


def _fits(name: str) -> bool:
    return len(name.encode("utf-8", "surrogatepass")) <= _LONGEST


def _shortened(stem: str) -> str:
    return stem.encode("utf-8", "surrogatepass")[: _LONGEST - 20].decode("utf-8", "ignore")


def _digest(name: str) -> str:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
