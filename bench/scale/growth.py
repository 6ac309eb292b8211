"""One cost at two sizes: how it grows, and whether that is as wanted."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Growth:
    """`small` and `large`: (size, cost). `most`: the larger cost, or its ratio to `against` (the bare rival
    at the larger size), may be this at most."""

    name: str
    small: tuple[int, float]
    large: tuple[int, float]
    unit: str
    most: float
    against: float | None = None

    @property
    def exponent(self) -> float:
        """1: as the size; 0: not at all. Costs too small to tell apart count as none."""
        if min(self.small[1], self.large[1]) <= 0:
            return 0.0
        return math.log(self.large[1] / self.small[1]) / math.log(self.large[0] / self.small[0])

    @property
    def value(self) -> float:
        return self.large[1] if self.against is None else self.large[1] / self.against

    @property
    def met(self) -> bool:
        return self.value <= self.most

    def line(self) -> str:
        sizes = f"{self.small[0]:>9,}: {self.small[1]:>11,.4g}  {self.large[0]:>9,}: {self.large[1]:>11,.4g}"
        what = "" if self.against is None else f"{self.value:.2f} of its rival, "
        verdict = "met " if self.met else "MISS"
        wanted = f"{what}wanted <= {self.most:g}"
        return f"{verdict} {self.name:46} {sizes} {self.unit:9} ^{self.exponent:5.2f}  {wanted}"


def cpu(work: Callable[[], object], rounds: int = 3) -> float:
    """The least CPU seconds of a few rounds: other programs on the machine do not count."""
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)
