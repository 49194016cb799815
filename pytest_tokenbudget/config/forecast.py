"""What a forecast assumes: how many tasks a day, now and in bad times."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import read_entry
from pytest_tokenbudget.config.kinds import FACTOR, FRACTION, NUMBER, Kind, choice
from pytest_tokenbudget.config.place import refuse, unknown_key

__all__ = ["FIELDS", "SCENARIOS", "SCENARIO_FIELDS", "ForecastRules", "Scenario", "read_forecast"]

SCENARIOS: Final = ("baseline", "growth", "stress")
FIELDS: Final[Mapping[str, Kind]] = {
    "audience": choice("internal", "customers"),
    "days": FACTOR,
    "margin": FRACTION,
}
SCENARIO_FIELDS: Final[Mapping[str, Kind]] = {
    "agents": NUMBER,
    "tasks_per_day": NUMBER,
    "factor": FACTOR,
    "retry_rate": FRACTION,
}
_EXAMPLE: Final = "{baseline: {agents: 5, tasks_per_day: 200}, growth: {factor: 2}, stress: {factor: 4}}"


class Scenario(Struct, frozen=True, kw_only=True):
    """A scenario under `forecast:`.

    Attributes:
        agents: How many agents run; where it is left out, as many as in the baseline, whose own default is one.
        tasks_per_day: How many tasks each of them has a day; where it is left out, as in the baseline.
        factor: What multiplies the number of tasks. Left out, it is 1; of a `growth` or `stress` that says nothing of
            agents and tasks either, 1.5 or 3 is assumed.
        retry_rate: The share of tasks that are run once more, beyond the retries that the measured costs hold.
    """

    agents: Decimal | None = None
    tasks_per_day: Decimal | None = None
    factor: Decimal | None = None
    retry_rate: Decimal = Decimal(0)


class ForecastRules(Struct, frozen=True, kw_only=True):
    """The keys under `forecast:`.

    Attributes:
        audience: Whom the agents work for: the margin is at least 15% (`internal`) or 30% (`customers`).
        days: Days of a month on which they work.
        margin: Another least margin, in the place of the audience's.
        baseline: What is expected now; it must say `tasks_per_day`.
        growth: What is hoped for.
        stress: What is feared.
    """

    audience: Literal["internal", "customers"] = "internal"
    days: Decimal = Decimal(30)
    margin: Decimal | None = None
    baseline: Scenario = Scenario()
    growth: Scenario = Scenario()
    stress: Scenario = Scenario()


def read_forecast(document: Document) -> dict[str, object]:
    """The keys that a file states under `forecast:`.

    Raises:
        ConfigError: It is no mapping, or has a key that is unknown or of the wrong kind.
    """
    section = document.values.get("forecast")
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise refuse(document.place("forecast"), f"{section!r:.80} is not a mapping such as {_EXAMPLE}.")
    for key in section:
        if key not in {*FIELDS, *SCENARIOS}:
            raise unknown_key(document.place("forecast"), key, (*FIELDS, *SCENARIOS))
    plain = {key: value for key, value in section.items() if key in FIELDS}
    values = read_entry(plain, FIELDS, document.place("forecast"), "key")
    for name in SCENARIOS:
        if (entry := section.get(name)) is None:
            continue
        place = document.place("forecast", name)
        if not isinstance(entry, dict):
            raise refuse(place, f"{entry!r:.80} is not a mapping such as {{agents: 5, tasks_per_day: 200}}.")
        values[name] = Scenario(**read_entry(entry, SCENARIO_FIELDS, place, "key"))  # type: ignore[arg-type]  # checked
    return values
