"""The command line: parses, calls `app`, prints, exits. Everything heavy is imported where it is used."""

import os
import sys
from contextlib import suppress

from deployer.cli import inspect, release, setup
from deployer.cli.app import app
from deployer.signals import end_on_terminate

__all__ = ["app", "inspect", "main", "release", "setup"]


def main() -> None:
    """Entry point of the console script."""
    end_on_terminate()
    try:
        app()
    except SystemExit as end:
        _leave(end)
        raise


def _leave(end: SystemExit) -> None:
    """Ends the process where everything is closed and given back, and only these two streams may still hold
    something.

    The interpreter's own way out would take 0.3 s more after a release: pymongo's threads look up twice a
    second only to see that they shall end, and every object is freed for itself. Output that cannot be
    written is left to that way, which says so; a reader who has gone wants none.
    """
    if isinstance(end.code, int):
        with suppress(Exception):
            with suppress(BrokenPipeError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(end.code)
