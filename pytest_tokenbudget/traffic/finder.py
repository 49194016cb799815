"""Waiting for vcrpy: our cassette takes its place at the very moment it is first imported.

Waiting until `pytest_configure` would be too late for the decorators in a conftest; importing vcrpy ourselves would
cost every suite a third of a second.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

__all__ = ["vcr_is_loaded", "watch_for_vcr"]

_MODULE: Final = "vcr.cassette"


class _Finder(MetaPathFinder):
    """Finds `vcr.cassette` as everybody else does, and adds a step after it was executed."""

    def __init__(self, loaded: Callable[[], None]) -> None:
        self.loaded = loaded

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(fullname, path, target)) is not None:
                if spec.loader is not None:
                    spec.loader = _ThenInstall(spec.loader, self)
                return spec
        return None


class _ThenInstall(Loader):
    """Another loader, followed by putting our cassette in place."""

    def __init__(self, inner: Loader, finder: _Finder) -> None:
        self._inner = inner
        self._finder = finder

    def __getattr__(self, name: str) -> object:
        # tracebacks and pkgutil ask a loader for its source and its path
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        _install()
        self._finder.loaded()


def watch_for_vcr(loaded: Callable[[], None]) -> None:
    """Put our cassette in vcrpy's place as soon as that is imported, or at once if it is already.

    Args:
        loaded: Called after it was put in place, each time vcrpy is imported. Watching again replaces it.
    """
    watching = next((finder for finder in sys.meta_path if isinstance(finder, _Finder)), None)
    if watching is not None:
        watching.loaded = loaded
    else:
        sys.meta_path.insert(0, _Finder(loaded))
    if vcr_is_loaded():
        _install()
        loaded()


def vcr_is_loaded() -> bool:
    """Whether the suite has imported vcrpy."""
    return _MODULE in sys.modules


def _install() -> None:
    try:
        from pytest_tokenbudget.traffic.cassette import install  # imports vcrpy

        install()
    except Exception as error:  # noqa: BLE001 - a vcrpy that we do not fit must still work for the suite
        warnings.warn(
            f"pytest-tokenbudget cannot measure with this version of vcrpy: {error!r}. It is tested with vcrpy 9.",
            RuntimeWarning,
            stacklevel=2,
        )
