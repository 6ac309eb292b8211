"""Identity by counting; the count outlives a process, so nothing is handed out twice."""

import time


class FakeIds:
    def __init__(self) -> None:
        self.given = 0

    def release_id(self, now: float) -> str:
        self.given += 1
        return time.strftime("%Y%m%d-%H%M%S-", time.gmtime(now)) + f"{self.given:04x}"

    def token(self) -> str:
        self.given += 1
        return f"token-{self.given}"
