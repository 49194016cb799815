"""Names that hide a model: Azure deployments, Bedrock application inference profiles, aliases of a gateway."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from msgspec import Struct

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.entries import read_entry
from pytest_tokenbudget.config.kinds import FACTOR, LABEL, Kind
from pytest_tokenbudget.config.place import refuse

__all__ = ["FIELDS", "Deployment", "read_deployments"]

FIELDS: Final[Mapping[str, Kind]] = {"model": LABEL, "host": LABEL, "factor": FACTOR}
_EXAMPLE: Final = "{my-azure-prod: gpt-4o}"


class Deployment(Struct, frozen=True, kw_only=True):
    """One entry under `deployments:`.

    Attributes:
        name: The name that requests use, or a pattern in which `*` and `?` are wildcards.
        model: The model behind it, as the provider lists it.
        host: Only requests to hosts of this name or pattern, if given.
        factor: What its list price is multiplied by, such as 1.1 where inference stays in one data zone.
        place: Where it stands.
    """

    name: str
    model: str
    host: str | None = None
    factor: Decimal | None = None
    place: str


def read_deployments(document: Document) -> tuple[Deployment, ...]:
    """The deployments that a file states, in its order.

    Raises:
        ConfigError: One names no model, or states something unknown; the message names its line.
    """
    section = document.values.get("deployments")
    if section is None:
        return ()
    if not isinstance(section, dict):
        raise refuse(document.place("deployments"), f"{section!r:.80} is not a mapping such as {_EXAMPLE}.")
    return tuple(_read(name, value, document.place("deployments", name)) for name, value in section.items())


def _read(name: str, value: object, place: str) -> Deployment:
    stated = {"model": value} if isinstance(value, str) else value
    if not isinstance(stated, dict):
        raise refuse(place, f"{value!r:.80} is neither a model nor a mapping such as {{model: gpt-4o, factor: 1.1}}.")
    values = read_entry(stated, FIELDS, place, "key")
    if "model" not in values:
        raise refuse(place, "names no model. Say which one it is: `model: gpt-4o`.")
    return Deployment(name=name, place=place, **values)  # type: ignore[arg-type]  # read_entry checked each
