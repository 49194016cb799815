"""Every error this package raises, in one tree.

    TokenBudgetError                     something we were asked to do cannot be done
    ├── ConfigError      [config]        a setting, marker or file of settings is wrong
    ├── RecordingError   [recording]     a recording cannot be read as one
    ├── RunFileError     [run-file]      a run file cannot be read or written
    ├── LockError        [lock]          tokenbudget.lock cannot be read, or contradicts itself
    ├── BaselineError    [base]          what a run should be compared with is not there
    ├── ForgeError       [forge]         GitHub or GitLab did not take what was to be posted
    ├── PriceError       [price]         the price table cannot be used
    └── DemoError        [demo]          the bundled demo cannot run here
    Stop(BaseException)                  ends an agent's loop; no `except Exception` may swallow it
    ├── RecordingMiss    [miss]          in replay, a model call has no recording left
    ├── Drifted          [drift]         a request changed since it was recorded, and that is not to be estimated
    ├── EscapeRefused    [escape]        in replay, a model call went past every recording
    └── CannotRecord     [cannot-record] a model call was not sent, as its answer could not be kept

Each message says what was wrong, where, what is allowed, and what to type next. The slug in brackets opens the
printed message, so that it can be searched for. Only `plugin/` turns these into `pytest.UsageError`, only `cli/`
into exit statuses.
"""

from typing import ClassVar

__all__ = [
    "BaselineError",
    "CannotRecord",
    "ConfigError",
    "DemoError",
    "Drifted",
    "EscapeRefused",
    "ForgeError",
    "LockError",
    "PriceError",
    "RecordingError",
    "RecordingMiss",
    "RunFileError",
    "Stop",
    "TokenBudgetError",
]


class TokenBudgetError(Exception):
    """The root of what this package raises as an ordinary exception."""

    slug: ClassVar[str] = "tokenbudget"


class ConfigError(TokenBudgetError):
    """A setting is unknown, contradictory or out of range; the message names its file and key, or its marker."""

    slug: ClassVar[str] = "config"


class RecordingError(TokenBudgetError):
    """A file is no recording that we can read; the message names it and says why."""

    slug: ClassVar[str] = "recording"


class RunFileError(TokenBudgetError):
    """A run file is missing, cut off, or of another schema."""

    slug: ClassVar[str] = "run-file"


class LockError(TokenBudgetError):
    """A lock is missing, of another version, or contradicts itself; the message names the line."""

    slug: ClassVar[str] = "lock"


class BaselineError(TokenBudgetError):
    """What a run should be compared with is not there; the message says what was tried."""

    slug: ClassVar[str] = "base"


class ForgeError(TokenBudgetError):
    """A forge cannot be reached, or did not do what it was asked; the message says what to do."""

    slug: ClassVar[str] = "forge"


class PriceError(TokenBudgetError):
    """The price table cannot be read, or a price given by the user makes no sense."""

    slug: ClassVar[str] = "price"


class DemoError(TokenBudgetError):
    """The bundled demo lacks something it needs on this machine."""

    slug: ClassVar[str] = "demo"


class Stop(BaseException):
    """Ends an agent's loop.

    Derives from `BaseException` because provider SDKs wrap an `Exception` raised below them into a connection error
    and retry it: a stop must neither be retried nor hidden.
    """

    slug: ClassVar[str] = "stop"


class RecordingMiss(Stop):
    """In replay, a model call was made that no unused recording answers. Nothing was sent."""

    slug: ClassVar[str] = "miss"
    unrecorded: bool = False
    """Whether nothing at all is recorded of the test."""


class Drifted(Stop):
    """Under `--tokenbudget-drift=error`, a model call is not the recorded one. It was neither sent nor answered."""

    slug: ClassVar[str] = "drift"


class EscapeRefused(Stop):
    """In replay, a model call went past every recording: it was stopped on its way out. Nothing was sent."""

    slug: ClassVar[str] = "escape"


class CannotRecord(Stop):
    """While recording, the answer to a model call could not be kept, so that it was not sent."""

    slug: ClassVar[str] = "cannot-record"
