"""What `@pytest.mark.token_benchmark(...)` states."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from pytest_tokenbudget.config.kinds import DOLLARS, LABEL, NUMBER, SAMPLES
from pytest_tokenbudget.config.place import refuse, unknown_key

__all__ = ["FIELDS", "BenchmarkMark", "read_benchmark"]


class BenchmarkMark(Struct, frozen=True, kw_only=True):
    """A benchmark as a test's marker states it.

    Attributes:
        data: The file of samples, relative to the test's module or to the project's root; or what gives them.
        place: Where the marker stands, for messages.
        samples: How many to draw.
        seed: Another seed, another draw.
        cluster: The field by whose value samples belong together, such as a customer.
        stratify: The field of whose values the draw has their shares.
        ideal_steps: How many billed generating calls a task needs at best.
        usd_per_success: US dollars that a successful task may cost, all tasks paid by those that succeed.
        spend: US dollars after which no further sample is paid for.
    """

    data: str | Callable[[], Iterable[Any]]
    place: str
    samples: int | None = None
    seed: int = 0
    cluster: str | None = None
    stratify: str | None = None
    ideal_steps: Decimal | None = None
    usd_per_success: Decimal | None = None
    spend: Decimal | None = None


_LARGEST_SEED: Final = 10**12


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_SEED:
        message = f"{value!r:.40} is not a whole number from 0 to {_LARGEST_SEED:,}"
        raise ValueError(message)
    return value


def _data(value: object) -> object:
    if callable(value) or (isinstance(value, str) and value.strip()):
        return value
    message = f"{value!r} is neither the path of a file of samples nor a callable that gives them"
    raise ValueError(message)


def _steps(value: object) -> Decimal:
    number = NUMBER.read(value)
    if not isinstance(number, Decimal) or number < 1:
        message = f"{value!r} is not a number of one or more"
        raise ValueError(message)
    return number


FIELDS: Final[Mapping[str, Callable[[object], object]]] = {
    "data": _data,
    "samples": SAMPLES.read,
    "seed": _seed,
    "cluster": LABEL.read,
    "stratify": LABEL.read,
    "ideal_steps": _steps,
    "usd_per_success": DOLLARS.read,
    "spend": DOLLARS.read,
}
"""How each of the marker's arguments is read."""


def read_benchmark(stated: Mapping[str, object], place: str) -> BenchmarkMark:
    """Check what a marker states.

    Args:
        stated: Its arguments by name; those that are `None` were not given.
        place: Where it stands.

    Raises:
        ConfigError: An argument is unknown or not allowed, or `data` is missing.
    """
    values: dict[str, Any] = {}
    for key, value in stated.items():
        if key not in FIELDS:
            raise unknown_key(place, key, FIELDS, "argument")
        if value is None:
            continue
        try:
            values[key] = FIELDS[key](value)
        except ValueError as error:
            argument = f"{place}: `{key}`"
            raise refuse(argument, f"{error}.") from None
    if "data" not in values:
        raise refuse(place, 'names no samples. Write for example data="tickets.jsonl".')
    return BenchmarkMark(**values, place=place)
