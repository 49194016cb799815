"""Where a setting stands, and messages that say what is allowed there."""

from collections.abc import Iterable

from pytest_tokenbudget.errors import ConfigError

__all__ = ["nearest", "refuse", "unknown_key"]


def refuse(place: str, what: str) -> ConfigError:
    """An error that opens with the place: a file and line, an environment variable, an option, or a test's marker."""
    return ConfigError(f"{place}: {what}")


def nearest(written: object, allowed: Iterable[str]) -> str:
    """A question about the allowed word that is most like the one written; empty where none is."""
    import difflib  # only when something is wrong

    near = difflib.get_close_matches(str(written), list(allowed), n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def unknown_key(place: str, key: object, allowed: Iterable[str], kind: str = "key") -> ConfigError:
    """An error on a key that does not exist, with the nearest one that does and the whole list."""
    names = sorted(allowed)
    return refuse(place, f"unknown {kind} `{key}`{nearest(key, names)}. Allowed: {', '.join(names)}.")
