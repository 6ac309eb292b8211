"""What a piece of work costs, for tests that compare two sizes of it."""

import time
from collections.abc import Callable


def cpu_seconds(work: Callable[[], object]) -> float:
    """The better of two tries, in time of this thread: other processes do not count."""
    best = 10.0
    for _ in range(2):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best
