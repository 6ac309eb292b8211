"""A text stream that people may close, or whose encoding may be poor."""

from typing import TextIO


class Lines:
    """Writes whole lines and flushes each one.

    A reader that has gone away (`deployer release | head`) must not stop a release: from then on nothing
    is written. Characters that the stream's encoding lacks are written as escapes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._open = True

    def write(self, line: str) -> None:
        if not self._open:
            return
        try:
            self._stream.write(line.encode(self._encoding, "backslashreplace").decode(self._encoding) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._open = False
