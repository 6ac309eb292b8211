"""Time, identity and the deployer's own folder, from the operating system."""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path


class SystemClock:
    """`ports.Clock`, for real."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class RandomIds:
    """`ports.Ids`, for real."""

    def release_id(self, now: float) -> str:
        """`20260131-235959-1f0a`: UTC, sorts by time; good as part of a Compose project's name and as the
        `startedBy` of a task (at most 36 characters of `A-Za-z0-9-_/`)."""
        return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(2)

    def token(self) -> str:
        """32 hexadecimal digits, 128 random bits."""
        return secrets.token_hex(16)


def private_folder(path: Path) -> Path:
    """Makes the folder, for this user alone under any umask, and has git ignore all of it. What cannot be
    made or changed is left to whoever writes into it; a folder that its owner made read-only stays so."""
    with suppress(OSError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode
        if mode & 0o077:
            path.chmod(mode & 0o700)
        if not (path / ".gitignore").exists():
            (path / ".gitignore").write_text("*\n", encoding="utf-8")
    return path


def write_private(path: Path, text: str) -> None:
    """Writes a file that only this user can read, whatever the umask. OSError: it cannot be written."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
