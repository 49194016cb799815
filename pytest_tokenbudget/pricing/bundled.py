"""The price list inside the installed genai-prices, without the library around it.

Importing that library takes a tenth of a second, with the HTTP client and the validation that it brings three times as
much; its list alone takes a fiftieth. So the list's own module is run with constructors of ours in the place of the
library's: the same list, and of each entry only what prices depend on. Names are matched as the library matches them
(genai-prices 0.2.3, October 2026); `tests/integration/test_genai_contract.py` holds both against each other.
"""

import builtins
import gc
import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from importlib.machinery import PathFinder
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from genai_prices.types import Provider

__all__ = ["bundled_providers"]

_LIBRARY: Final = "genai_prices"
_COMPACT_DATE: Final = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")

Clause = Callable[[str], bool]


def bundled_providers() -> "Sequence[Provider]":
    """The list; read in the library's own way where its module is not as we know it.

    Raises:
        ImportError: The library is not installed.
    """
    try:
        return cast("Sequence[Provider]", _run_list())
    except Exception:  # noqa: BLE001 - a constructor that we do not know, a loader without code, …
        from genai_prices.data import providers  # never a snapshot that somebody set or fetched

        return providers


def _run_list() -> Sequence[object]:
    library = importlib.util.find_spec(_LIBRARY)  # finds a top-level package without importing it
    if library is None:
        raise ModuleNotFoundError(_LIBRARY)
    name = f"{_LIBRARY}.data"
    spec = PathFinder.find_spec(name, library.submodule_search_locations)
    code = cast("Any", spec).loader.get_code(name)
    scope: dict[str, Any] = {"__name__": name, "__builtins__": vars(builtins) | {"__import__": _import}}
    with _no_collection():
        exec(code, scope)  # noqa: S102 - what importing the installed module would run as well
    return cast("Sequence[object]", scope["providers"])


@contextmanager
def _no_collection() -> Iterator[None]:
    # fourteen thousand values at once, all of which stay: looking through the whole process for garbage meanwhile
    # would take longer than making them
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _import(name: str, scope: Any = None, place: Any = None, names: Any = (), level: int = 0) -> Any:  # noqa: ANN401 - as Python calls it
    if level == 1 and name == "types":
        return _constructors
    return __import__(name, scope, place, names, level)


class _Stated:
    """A value of the list: what its constructor was given, by name."""

    def __init__(self, **stated: object) -> None:
        vars(self).update(stated)


class _Model(_Stated):
    match: Clause
    price_variants: Sequence[_Stated] | None = None


class _Provider(_Stated):
    id: str
    models: Sequence[_Model] = ()
    fallback_model_providers: Sequence[str] | None = None

    def find_model(self, name: str, *, all_providers: "Sequence[_Provider]" = ()) -> _Model | None:
        lowered = name.lower()
        dashed = _COMPACT_DATE.sub(_with_dashes, lowered)
        found = self._find(lowered, all_providers)
        return self._find(dashed, all_providers) if found is None and dashed != lowered else found

    def _find(self, name: str, all_providers: "Sequence[_Provider]") -> _Model | None:
        others = {provider.id: provider for provider in all_providers} if self.fallback_model_providers else {}
        asked = [self, *(others[other] for other in self.fallback_model_providers or () if other in others)]
        return next((model for provider in asked for model in provider.models if model.match(name)), None)


def _with_dashes(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return found[0]
    return f"-{year}-{month}-{day}"


class _FromDay(_Stated):
    start_date: date

    def active(self, instant: datetime) -> bool:
        return instant.astimezone(UTC).date() >= self.start_date


class _Hours(_Stated):
    start_time: time
    end_time: time

    def active(self, instant: datetime) -> bool:
        now, start, end = instant.astimezone(UTC).timetz(), _in_utc(self.start_time), _in_utc(self.end_time)
        return start <= now < end if start <= end else now >= start or now < end


def _in_utc(moment: time) -> time:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return datetime.combine(date(1970, 1, 1), moment).astimezone(UTC).timetz()


class _Tiers(_Stated):
    tiers: Sequence[_Stated]

    def __init__(self, **stated: object) -> None:
        super().__init__(**stated)
        self.tiers = sorted(self.tiers, key=lambda tier: cast("Any", tier).start)


class _Conditional(_Stated):
    constraint: object = None


class _Nothing:
    """What prices do not depend on: how the library would read a response."""

    def __init__(self, **_: object) -> None:
        pass


def _starts_with(*, starts_with: str) -> Clause:
    wanted = starts_with.lower()
    return lambda name: name.startswith(wanted)


def _ends_with(*, ends_with: str) -> Clause:
    wanted = ends_with.lower()
    return lambda name: name.endswith(wanted)


def _contains(*, contains: str) -> Clause:
    wanted = contains.lower()
    return lambda name: wanted in name


def _equals(*, equals: str) -> Clause:
    wanted = equals.lower()
    return lambda name: name == wanted


def _regex(*, regex: str) -> Clause:
    return lambda name: re.search(regex, name) is not None


def _any_of(*, or_: Sequence[Clause]) -> Clause:
    return lambda name: any(clause(name) for clause in or_)


def _all_of(*, and_: Sequence[Clause]) -> Clause:
    return lambda name: all(clause(name) for clause in and_)


_NAMES: Final[Mapping[str, object]] = {
    "Provider": _Provider,
    "ModelInfo": _Model,
    "ModelPrice": _Stated,
    "TieredPrices": _Tiers,
    "Tier": _Stated,
    "ConditionalPrice": _Conditional,
    "PriceVariant": _Conditional,
    "StartDateConstraint": _FromDay,
    "TimeOfDateConstraint": _Hours,
    "ClauseStartsWith": _starts_with,
    "ClauseEndsWith": _ends_with,
    "ClauseContains": _contains,
    "ClauseEquals": _equals,
    "ClauseRegex": _regex,
    "ClauseOr": _any_of,
    "ClauseAnd": _all_of,
    "UsageExtractor": _Nothing,
    "UsageExtractorMapping": _Nothing,
    "ArrayMatch": _Nothing,
}
_constructors: Final = SimpleNamespace(__all__=tuple(_NAMES), **_NAMES)
