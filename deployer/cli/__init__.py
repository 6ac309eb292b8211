"""The command line: parses, calls one function of `commands`, prints, exits. Heavy imports are lazy."""

import os
import sys
from contextlib import suppress

from deployer.cli import release  # isort: skip  # the order of the imports is the order of --help
from deployer.cli import inspect, runs, setup
from deployer.cli.app import app
from deployer.signals import end_on_terminate

__all__ = ["app", "inspect", "main", "release", "runs", "setup"]


def main() -> None:
    """Entry point of the console script."""
    end_on_terminate()
    try:
        app()
    except SystemExit as end:
        _leave(end)
        raise


def _leave(end: SystemExit) -> None:
    """Ends the process at once: everything is closed by now, only the two streams may still hold text.

    The interpreter's own exit takes 0.3 s more after a release: pymongo's threads look twice a second
    whether they shall end, and every object is freed. Where the output cannot be written, the interpreter
    exits in the ordinary way and says so; if the reader of a pipe is gone, nobody needs the message.
    """
    if isinstance(end.code, int):
        with suppress(Exception):
            with suppress(BrokenPipeError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(end.code)
