"""SIGTERM as an exception: it ends a release as Ctrl-C does, recorded and resumable, but nobody is asked."""

import signal
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """Somebody who cannot be asked wants the process to end."""


def end_on_terminate() -> None:
    """From now on SIGTERM raises `Terminated` in the main thread."""
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(signum: int, frame: object) -> NoReturn:
    raise Terminated
