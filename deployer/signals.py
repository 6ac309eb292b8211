"""SIGTERM as an exception: it ends a release as Ctrl-C does, recorded and resumable, without a question."""

import signal
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """The process is to end, and nobody can answer questions."""


def end_on_terminate() -> None:
    """Makes SIGTERM raise `Terminated` in the main thread."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(signum: int, frame: object) -> NoReturn:
    raise Terminated
