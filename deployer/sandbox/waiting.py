"""Waiting for something outside to become true."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    check: Callable[[], T],
    seconds: float,
    *,
    pause: float = 0.05,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> T:
    """Ask `check` until its answer is truthy or `seconds` have passed; the last answer is returned."""
    deadline = now() + seconds
    while not (answer := check()) and now() < deadline:
        sleep(pause)
    return answer
