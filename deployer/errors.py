"""Every error a person may see, and the exit code each one ends with.

    DeployerError
    ├── UsageError       2   the command line or deploy.toml is wrong
    ├── RefusedError     3   environment locked, flow changed, no such release
    │   └── Unconfirmed         a person has to agree first
    ├── JournalDamaged   5   the release's journal is damaged
    └── Failure      10–19   an outside system refused; has a failure class
        ├── TransientFailure    the same call may succeed in a moment; the runner retries it
        └── ExpiredCredentials  the same call succeeds after a new login

Adapters translate foreign exceptions into `Failure` once; `cli` catches `DeployerError` once.
"""

import errno
from typing import Final, Literal

FailureClass = Literal[
    "code",
    "docker",
    "registry-auth",
    "aws-config",
    "capacity",
    "resources",
    "mongodb",
    "data",
    "network",
    "unknown",
]

EXIT_CODES: Final[dict[str, int]] = {
    "code": 10,
    "docker": 11,
    "registry-auth": 12,
    "aws-config": 13,
    "capacity": 14,
    "resources": 15,
    "mongodb": 16,
    "data": 17,
    "network": 18,
    "unknown": 19,
}
INTERRUPTED: Final = 130


class DeployerError(Exception):
    """`message` says where and what; `hint` says what to do next (may be empty)."""

    exit_code: int = EXIT_CODES["unknown"]

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(DeployerError):
    """The command line or the configuration cannot be used as given."""

    exit_code = 2


class RefusedError(DeployerError):
    """The request is understood and declined: it would not be safe, or there is nothing to act on."""

    exit_code = 3


class Unconfirmed(RefusedError):
    """A person has to agree first; the message says to what."""


class JournalDamaged(DeployerError):
    """A journal that cannot be read as a whole; nothing is guessed from it."""

    exit_code = 5


class Failure(DeployerError):
    """An outside system refused or failed. `failure_class` decides the exit code and the branch."""

    def __init__(self, failure_class: FailureClass, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.failure_class = failure_class
        self.exit_code = EXIT_CODES[failure_class]


class TransientFailure(Failure):
    """A failure that passes by itself: throttling, a reset connection, a 5xx answer. `spent`: the call has
    been repeated for as long as is allowed."""

    spent = False


class ExpiredCredentials(Failure):
    """The caller's credentials have expired."""


_DISK_ERRORS: Final = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM)
)


def disk_failure(error: Exception) -> Failure | None:
    """`resources` if the operating system refuses to write a file: disk full, read-only, another user's."""
    if not isinstance(error, OSError) or error.errno not in _DISK_ERRORS:
        return None
    return Failure(
        "resources",
        f"{error.filename or 'a file of this project'}: cannot be written: {error.strerror}",
        "free disk space or fix the folder's permissions, then resume: `deployer resume`",
    )
