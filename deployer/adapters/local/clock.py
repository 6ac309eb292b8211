"""Time from the operating system."""

import time


class SystemClock:
    """`ports.Clock`, for real."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
