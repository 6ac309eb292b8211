"""`deployer`, but its process is killed before or after it appends the N-th record (0: the header).

    python tests/e2e/mortal.py before|after N ARGUMENT...

SIGKILL at exactly that moment, which nobody who watches from outside can hit. The program is the installed
one, unchanged: the interpreter tells of each call, and of the return from it.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from deployer.cli import main
from deployer.records.journal import Journal

Tracer = Callable[[FrameType, str, object], Any]
_APPEND = Journal.append.__code__


def killer(when: str, record: int) -> Tracer:
    """Counts by what the journal holds, so that the records of former processes count too."""

    def kill(frame: FrameType, event: str, _: object) -> Tracer | None:
        if frame.f_code is not _APPEND:
            return None
        at = len(frame.f_locals["self"].records) - (event == "return")
        if at == record and event == {"before": "call", "after": "return"}[when]:
            os.kill(os.getpid(), signal.SIGKILL)
        return kill

    return kill


if __name__ == "__main__":
    when, number, *arguments = sys.argv[1:]
    sys.argv = ["deployer", *arguments]
    sys.settrace(killer(when, int(number)))
    main()
