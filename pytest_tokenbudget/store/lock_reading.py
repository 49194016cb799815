"""Reading `tokenbudget.lock` back, from a file or from a commit."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from re import compile as pattern
from types import MappingProxyType
from typing import Final, cast, get_args
from urllib.parse import unquote

from pytest_tokenbudget.errors import LockError
from pytest_tokenbudget.model.portion import Family, FamilyKind, Portion, RateKey
from pytest_tokenbudget.model.usage import CLASSES, Usage
from pytest_tokenbudget.store.lock import CONTEXT, FEE, FILE_NAME, HEAD, OTHER, TOOLS, UNKNOWN, Lock, billed

__all__ = ["read_lock", "read_lock_file"]

_WAY_OUT: Final = "Write it anew: tokenbudget lock."
_FAMILY: Final = pattern(r"(?:([0-9]{1,18})\*([0-9]{1,18}):)?([0-9]{1,18})/([0-9]{1,18})")
_COUNT: Final = pattern(r"[0-9]{1,18}")
_KINDS: Final = frozenset(get_args(FamilyKind))


def read_lock(text: str, place: str = FILE_NAME) -> Lock:
    """Read a lock.

    Args:
        text: The file's text.
        place: Where it is from, for messages, such as `tokenbudget.lock of 4be01aa`.

    Raises:
        LockError: It is none, of another version, or a line of it contradicts itself; the message names the line.
    """
    lines = text.splitlines()
    if not lines or not lines[0].startswith(f"{HEAD} counter="):
        found = lines[0][:60] if lines else "an empty file"
        message = f"{place}:1: {found!r} does not begin a lock of version 1. {_WAY_OUT}"
        raise LockError(message)
    read = _Reader()
    for number, line in enumerate(lines, start=1):
        try:
            read.line(line, is_first=number == 1)
        except (ValueError, KeyError) as error:
            message = f"{place}:{number}: {_said(error, line)}. {_WAY_OUT}"
            raise LockError(message) from error
    in_order = {task: tuple(sorted(found, key=lambda each: each.key)) for task, found in read.tasks.items()}
    return Lock(
        counter=read.counter,
        tasks=MappingProxyType(in_order),
        unknown=MappingProxyType(read.unknown),
    )


class _Reader:
    """What was read so far."""

    def __init__(self) -> None:
        self.counter = ""
        self.tasks: dict[str, list[Portion]] = {}
        self.unknown: dict[str, int] = {}
        self._toolsets: dict[str, tuple[tuple[str, int], ...]] = {}

    def line(self, line: str, *, is_first: bool) -> None:
        """Read a line; what it says may not contradict an earlier one."""
        if is_first:
            self.counter = _decoded(line.partition("counter=")[2])
        elif line.startswith(f"{TOOLS} "):
            self._tools(*line.split(" ")[1:])
        elif line and not line.startswith("#"):
            task, *entries = line.split(" ")
            self._task(_decoded(task), entries)

    def _tools(self, digest: str, *entries: str) -> None:
        tools = tuple((_decoded(name), _count(count)) for name, count in map(_pair, entries))
        if self._toolsets.setdefault(digest, tools) != tools:
            message = f"there is another line `{TOOLS} {digest[:16]}`"
            raise ValueError(message)

    def _task(self, task: str, entries: Sequence[str]) -> None:
        known = self.tasks.setdefault(task, [])
        if len(entries) == 1 and entries[0].startswith(f"{UNKNOWN}="):
            count = _count(entries[0].partition("=")[2])
            if self.unknown.setdefault(task, count) != count:
                message = f"there is another count of the unknown calls of {task}"
                raise ValueError(message)
            return
        portion = _portion(entries, self._toolsets)
        if any(portion.key == other.key for other in known):
            message = f"{task} has two lines for {portion.key.model}"
            raise ValueError(message)
        known.append(portion)


def read_lock_file(path: Path) -> Lock:
    """Read a lock from its file.

    Raises:
        LockError: There is none, or it is none.
    """
    try:
        return read_lock(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        message = f"{path}: there is no lock. Write one: run pytest, then tokenbudget lock."
        raise LockError(message) from error
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the lock cannot be read: {error}. {_WAY_OUT}"
        raise LockError(message) from error


def _said(error: Exception, line: str) -> str:
    if line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
        return "a merge conflict stands here"
    if isinstance(error, UnicodeError):
        return "a name in it is no text"
    return str(error.args[0]) if error.args else type(error).__name__


def _pair(entry: str) -> tuple[str, str]:
    name, separator, value = entry.partition("=")
    if not separator or not name:
        message = f"{entry[:40]!r} is not key=value"
        raise ValueError(message)
    return name, value


def _portion(entries: Iterable[str], toolsets: Mapping[str, tuple[tuple[str, int], ...]]) -> Portion:
    pairs = list(map(_pair, entries))
    fields = dict(pairs)
    if len(fields) < len(pairs):
        message = f"`{next(name for name, _ in pairs if [key for key, _ in pairs].count(name) > 1)[:40]}` stands twice"
        raise ValueError(message)
    provider, separator, rest = fields.pop("via").partition(":")
    api, at, host = rest.partition("@")
    if not (separator and at):
        message = "`via` is not provider:api@host"
        raise ValueError(message)
    served = _decoded(fields.pop("model"))
    toolset = fields.pop("toolset", "")
    if toolset and toolset not in toolsets:
        message = f"there is no line `{TOOLS} {toolset[:16]}`"
        raise ValueError(message)
    key = RateKey(
        provider=_decoded(provider),
        api=_decoded(api),
        host=_decoded(host),
        served=served,
        asked=_decoded(fields.pop("asked", "")) or served,
        tier=_decoded(fields.pop("tier", "")),
        context=tuple((_decoded(name), _decoded(value)) for name, value in _taken(fields, CONTEXT)),
        above=_count(fields.pop("above", "0")),
    )
    calls, drifted = _count(fields.pop("calls")), _count(fields.pop("drifted", "0"))
    usage = Usage(
        other=MappingProxyType({_decoded(name): _count(value) for name, value in _taken(fields, OTHER)}),
        fees=MappingProxyType({_decoded(name): _count(value) for name, value in _taken(fields, FEE)}),
        **{name: _count(fields.pop(name)) for name in CLASSES if name in fields},
    )
    rest_of = fields.pop("rest", "0")
    beyond = _count(rest_of.removeprefix("-")) * (-1 if rest_of.startswith("-") else 1)
    families = tuple(_read_family(name, value) for name, value in fields.items())
    sent = sum(family.sent for family in families) + beyond
    if sent != billed(usage):
        message = (
            f"its prompt parts add up to {sent:,} tokens, its input to {billed(usage):,}: edited, or merged wrongly"
        )
        raise ValueError(message)
    return Portion(
        key=key, calls=calls, usage=usage, families=families, tools=toolsets.get(toolset, ()), drifted=drifted
    )


def _taken(fields: dict[str, str], prefix: str) -> list[tuple[str, str]]:
    names = [name for name in fields if name.startswith(prefix)]
    return [(name.removeprefix(prefix), fields.pop(name)) for name in names]


def _read_family(key: str, value: str) -> Family:
    kind, _, name = key.partition(":")
    found = _FAMILY.fullmatch(value)
    if kind not in _KINDS or found is None:
        message = f"`{key[:40]}={value[:40]}` is unknown here"
        raise ValueError(message)
    fresh, sent = int(found[3]), int(found[4])
    return Family(
        kind=cast("FamilyKind", kind),
        name=_decoded(name),
        items=int(found[1] or 1),
        largest=int(found[2] or fresh),
        fresh=fresh,
        sent=sent,
    )


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        message = f"{text[:40]!r} is not a count"
        raise ValueError(message)
    return int(text)


def _decoded(text: str) -> str:
    return unquote(text, errors="surrogatepass") if "%" in text else text
