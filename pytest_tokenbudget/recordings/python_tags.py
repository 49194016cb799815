"""The plain value that an object was written from, for YAML that dumps Python objects.

vcrpy's writers leave `io.BytesIO` bodies, tuples, and the keys and dictionaries of multidict in cassettes
(`!!python/object/apply:multidict._multidict.istr`). PyYAML writes an object as the arguments of a call (a list, or
`args` of a mapping) or as its state. Its first argument, or the first part of its state, is the value in all of these.
"""

from typing import Final

__all__ = ["plain"]

_PYTHON: Final = "tag:yaml.org,2002:python/"
_CONTAINERS: Final = frozenset({_PYTHON + "tuple", _PYTHON + "list", _PYTHON + "dict"})


def plain(tag: str, found: object) -> object:
    """The value under a tagged list or mapping.

    Args:
        tag: The tag in full.
        found: The list or mapping that stands under it, of plain values already.
    """
    if not tag.startswith(_PYTHON) or tag in _CONTAINERS:
        return found
    if isinstance(found, list):
        return found[0] if found else None
    if isinstance(found, dict):
        for key in ("args", "state"):
            if isinstance(part := found.get(key), list) and part:
                return part[0]
    return found
