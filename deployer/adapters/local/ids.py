"""Identity from the operating system's random source."""

import secrets
import time


class RandomIds:
    """`ports.Ids`, for real."""

    def release_id(self, now: float) -> str:
        """`20260131-235959-1f0a`: UTC, sorts by time; good as part of a Compose project's name and as the
        `startedBy` of a task (at most 36 characters of `A-Za-z0-9-_/`)."""
        return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + secrets.token_hex(2)

    def token(self) -> str:
        """32 hexadecimal digits, 128 random bits."""
        return secrets.token_hex(16)
