"""What can go wrong, and the exit code that says so.

PipelineError
├── ConfigurationError   2   the environment or an argument is not usable
├── DataError            3   nothing was loaded, or too much was refused
├── MongoError           4   MongoDB did not answer, or refused
│   └── StoreInterrupted     it may work in a moment (failover, cut connection)
├── SourceError          5   the folder or bucket cannot be read
│   └── UnreadableObject     one object of it cannot be read; the others are loaded
│       └── Interrupted      it may be readable in a moment (S3 answered with an error, or not at all)
└── WorkerDied           1   a process that loads objects was killed
BrokenObject                 one object's content is unusable: it is quarantined, the run goes on
Stopped          130, 143    Ctrl-C or SIGTERM
"""

from __future__ import annotations

from signal import Signals


class PipelineError(Exception):
    """An expected failure: `message` says where and what, `hint` what to do next."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.message, self.hint)


class ConfigurationError(PipelineError):
    exit_code = 2


class DataError(PipelineError):
    exit_code = 3


class MongoError(PipelineError):
    exit_code = 4


class StoreInterrupted(MongoError):
    """A write or read whose outcome is not known; safe to repeat."""


class SourceError(PipelineError):
    exit_code = 5


class UnreadableObject(SourceError):
    """One object cannot be read: it is named and left for the next run, which goes on with the others."""


class Interrupted(UnreadableObject):
    """The source may answer the next time."""


class WorkerDied(PipelineError):
    """A worker was killed while it loaded objects; which of them did it is not known."""


class Stopped(BaseException):
    """The process was told to stop by a signal; `except Exception` never takes it for a broken object."""

    hint = "Run again: what is loaded is kept."

    def __init__(self, signal: Signals) -> None:
        self.message = f"stopped by {signal.name} before the end"
        self.exit_code = 128 + signal
        super().__init__(self.message)


class BrokenObject(Exception):
    """The content of one object cannot be used from some point on; `reason` is a stable word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
