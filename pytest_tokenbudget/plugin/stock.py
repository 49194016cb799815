"""Files that lie where tests keep their recordings, and belong to none of the tests that were collected."""

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct

__all__ = ["Stock", "ownerless"]

_FOLDER: Final = "cassettes"
_ENDINGS: Final = (".yaml", ".yml", ".json")


class Stock(Struct, frozen=True):
    """What one process found, as it travels to the one that reports.

    Attributes:
        files: Pairs of a recording and the test module beside it; of a module that is gone, an empty name.
        unproven: Modules with a test that was skipped or did not pass here: it may own what it did not open.
    """

    files: tuple[tuple[str, str], ...] = ()
    unproven: tuple[str, ...] = ()

    def orphans(self, unproven: Iterable[str], opened: Iterable[str]) -> tuple[str, ...]:
        """Recordings of no test.

        Args:
            unproven: Modules whose tests may own more than they opened, in every process.
            opened: Recordings that were opened.
        """
        spared = frozenset(unproven)
        known = frozenset(opened)
        return tuple(file for file, module in self.files if module not in spared and file not in known)


def ownerless(items: Sequence[pytest.Item], sparing: Container[pytest.Item] = ()) -> Iterator[tuple[Path, Path | None]]:
    """Yield files in `cassettes/<module>/` beside collected tests that carry no test's name, each with its module.

    The module is `None` where it is gone. Folders of modules that were not collected are left alone, and so are files
    that stand in `cassettes/` itself: whoever opens those names them. Those of wider fixtures are left alone too.

    Args:
        items: The tests.
        sparing: Samples of benchmarks that did not draw all there are: what has another sample's name is left alone.
    """
    from pytest_tokenbudget.traffic.places import cassette_path, found_path, is_of_fixture

    by_module: dict[Path, list[pytest.Item]] = {}
    for item in items:
        by_module.setdefault(item.path, []).append(item)
    by_folder: dict[Path, dict[str, list[pytest.Item]]] = {}
    for path, tests in by_module.items():
        by_folder.setdefault(path.parent, {})[path.stem] = tests
    for folder, modules in sorted(by_folder.items()):
        for kept in sorted(path for path in _listed(folder / _FOLDER) if path.is_dir()):
            module = folder / f"{kept.name}.py"
            collected = modules.get(kept.name)
            if collected is None and module.exists():
                continue
            names = set()
            beginnings = set()
            for item in collected or ():
                owner = getattr(item, "cls", None)
                names.add(cassette_path(item.path, owner.__name__ if owner else None, item.name).stem)
                names.add(found_path(item.path, owner.__qualname__ if owner else None, item.name, anew=True).stem)
                if item in sparing:
                    test = f"{getattr(item, 'originalname', item.name)}["
                    beginnings.add(cassette_path(item.path, owner.__name__ if owner else None, test).stem)
            for file in sorted(_listed(kept)):
                known = file.stem in names or file.stem.startswith(tuple(beginnings))
                if file.name.endswith(_ENDINGS) and not known and not is_of_fixture(file):
                    yield file, module if collected else None


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
