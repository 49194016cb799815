"""Entries that are mappings of named values: read by the same tables that describe them in the schema."""

from collections.abc import Iterator, Mapping

from pytest_tokenbudget.config.documents import Document
from pytest_tokenbudget.config.kinds import Kind
from pytest_tokenbudget.config.place import refuse, unknown_key

__all__ = ["listed", "read_entry"]


def read_entry(entry: Mapping[str, object], kinds: Mapping[str, Kind], place: str, what: str) -> dict[str, object]:
    """Check an entry's keys and values; what is left empty is left out.

    Args:
        entry: Keys and values as written.
        kinds: What each key may hold.
        place: Where the entry stands.
        what: What its keys are called in messages.

    Raises:
        ConfigError: A key is unknown or a value not allowed; the message names the place and the key.
    """
    values: dict[str, object] = {}
    for key, value in entry.items():
        if key not in kinds:
            raise unknown_key(place, key, kinds, what)
        if value is None:
            continue
        try:
            values[key] = kinds[key].read(value)
        except ValueError as error:
            closer = f"{place}: `{key}`"
            raise refuse(closer, f"{error}.") from None
    return values


def listed(document: Document, key: str, example: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the entries of a list of mappings with their places, such as `tokenbudget.yml:9: fees[0]`.

    Raises:
        ConfigError: It is no list, or holds something other than mappings.
    """
    section = document.values.get(key)
    if section is None:
        return
    if not isinstance(section, list):
        raise refuse(document.place(key), f"{section!r:.80} is not a list such as [{example}].")
    for index, entry in enumerate(section):
        place = f"{document.place(key)}[{index}]"
        if not isinstance(entry, dict):
            raise refuse(place, f"{entry!r:.80} is not a mapping such as {example}.")
        yield place, entry
