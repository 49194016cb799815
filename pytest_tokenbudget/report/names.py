"""What a task is called in print: as short as it stays clear."""

from collections.abc import Sequence

from pytest_tokenbudget.report.columns import printable

__all__ = ["below_shared_folder", "listed", "of_test"]

_MOST_LISTED = 3


def below_shared_folder(ids: Sequence[str]) -> list[str]:
    """Node ids without the folder that all of them share."""
    folders = [_folder(node_id) for node_id in ids if "::" in node_id]
    shared: list[str] = []
    for level in zip(*folders, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    prefix = "".join(f"{folder}/" for folder in shared)
    return [printable(node_id.removeprefix(prefix)) for node_id in ids]


def _folder(node_id: str) -> list[str]:
    return node_id.partition("::")[0].split("/")[:-1]


def of_test(node_id: str) -> str:
    """The test's own name with its parameters, without its file and class."""
    head, bracket, parameters = node_id.partition("[")
    return f"{head.rpartition('::')[2]}{bracket}{parameters}"


def listed(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    if len(names) <= _MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: _MOST_LISTED - 1])} and {len(names) - _MOST_LISTED + 1} more"
