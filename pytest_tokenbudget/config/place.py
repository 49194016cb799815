"""Where a setting stands, and messages that say what is allowed there."""

from collections.abc import Iterable

from pytest_tokenbudget.errors import ConfigError

__all__ = ["refuse", "unknown_key"]


def refuse(place: str, what: str) -> ConfigError:
    """An error that opens with the place: a file and line, an environment variable, an option, or a test's marker."""
    return ConfigError(f"{place}: {what}")


def unknown_key(place: str, key: object, allowed: Iterable[str], kind: str = "key") -> ConfigError:
    """An error on a key that does not exist, with the nearest one that does and the whole list."""
    import difflib  # only when something is wrong

    names = sorted(allowed)
    near = difflib.get_close_matches(str(key), names, n=1)
    hint = f" Did you mean `{near[0]}`?" if near else ""
    return refuse(place, f"unknown {kind} `{key}`.{hint} Allowed: {', '.join(names)}.")
