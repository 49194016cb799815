"""Waiting for modules of others: our cassette takes its place at the very moment vcrpy is first imported.

Waiting until `pytest_configure` would be too late for the decorators in a conftest; importing vcrpy ourselves would
cost every suite a third of a second.
"""

import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

__all__ = ["Watch", "vcr_is_loaded", "watch_for_vcr"]

_MODULE: Final = "vcr.cassette"


class _Finder(MetaPathFinder):
    """Finds `vcr.cassette` as everybody else does, and adds a step after it was executed."""

    def __init__(self, loaded: Callable[[], None]) -> None:
        self.loaded = loaded
        self.unfit = ""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        return _found_by_others(self, fullname, path, target, lambda _: self.install())

    def install(self) -> None:
        """Put our cassette in place, and say so; a vcrpy that we do not fit works for the suite as if we were not."""
        try:
            from pytest_tokenbudget.traffic.cassette import install  # imports vcrpy

            install()
        except Exception as error:  # noqa: BLE001 - whatever another version of vcrpy lacks
            self.unfit = (
                f"pytest-tokenbudget cannot measure with this version of vcrpy ({error!r:.200}). It is tested with "
                f'vcrpy 9. Type: python -m pip install "vcrpy>=9,<10"'
            )
            with suppress(RuntimeWarning):  # made an error by the suite, which must not break its import
                warnings.warn(self.unfit, RuntimeWarning, stacklevel=2)
            return
        self.unfit = ""
        self.loaded()


def _found_by_others(
    finder: MetaPathFinder,
    fullname: str,
    path: Sequence[str] | None,
    target: ModuleType | None,
    then: Callable[[ModuleType], None],
) -> ModuleSpec | None:
    """A module as everybody else finds it, with a step after it was executed."""
    for other in sys.meta_path:
        if other is not finder and (spec := other.find_spec(fullname, path, target)) is not None:
            if spec.loader is not None:
                spec.loader = _Then(spec.loader, then)
            return spec
    return None


class _Then(Loader):
    """Another loader, followed by a step of ours."""

    def __init__(self, inner: Loader, then: Callable[[ModuleType], None]) -> None:
        self._inner = inner
        self._then = then

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # who asks the module later for its loader, its source or its files finds the real one
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        self._then(module)


class Watch(MetaPathFinder):
    """Takes a step with each of some modules: those that are loaded, and the others as soon as they are."""

    def __init__(self, modules: Collection[str], step: Callable[[ModuleType], None]) -> None:
        """Prepare; nothing is watched yet.

        Args:
            modules: Their full names.
            step: Called with a module after it was executed, each time that it is.
        """
        self._modules = modules
        self._step = step

    def begin(self) -> None:
        """Take the step with what is loaded, and wait for the rest."""
        sys.meta_path.insert(0, self)
        for name in self._modules:
            if (module := sys.modules.get(name)) is not None:
                self._step(module)

    def end(self) -> None:
        """Wait no longer."""
        with suppress(ValueError):  # pytester puts back the finders that there were
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A watched module as others find it, followed by the step."""
        if fullname not in self._modules:
            return None
        return _found_by_others(self, fullname, path, target, self._step)


def watch_for_vcr(loaded: Callable[[], None]) -> None:
    """Put our cassette in vcrpy's place as soon as that is imported, or at once if it is already.

    Args:
        loaded: Called after it was put in place, each time vcrpy is imported. Watching again replaces it.
    """
    finder = _finder()
    if finder is None:
        finder = _Finder(loaded)
        sys.meta_path.insert(0, finder)
    finder.loaded = loaded
    if _MODULE in sys.modules:
        finder.install()


def vcr_is_loaded() -> bool:
    """Whether the suite has imported a vcrpy that we fit."""
    finder = _finder()
    return _MODULE in sys.modules and finder is not None and not finder.unfit


def _finder() -> _Finder | None:
    return next((finder for finder in sys.meta_path if isinstance(finder, _Finder)), None)
