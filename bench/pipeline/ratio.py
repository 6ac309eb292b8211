"""A measurement: two figures taken in the same run, their ratio, and what the ratio should be."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """`value` and `reference` are of one unit; `at_most` turns the comparison round."""

    name: str
    value: float
    reference: float
    unit: str
    target: float
    against: str
    at_most: bool = False

    @property
    def ratio(self) -> float:
        return self.value / self.reference

    @property
    def met(self) -> bool:
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def line(self) -> str:
        sign = "<=" if self.at_most else ">="
        figures = f"{self.value:>12,.1f} {self.unit:10} against {self.reference:>12,.1f} ({self.against})"
        verdict = "met " if self.met else "MISS"
        return f"{verdict} {self.name:28} {figures:74} ratio {self.ratio:7.3f}, wanted {sign} {self.target:g}"


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_of(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The shortest wall time of each, taken in turn so that all meet the same machine."""
    taken = [[seconds(work) for work in works] for _ in range(rounds)]
    return [min(times) for times in zip(*taken, strict=True)]


def machine() -> Iterable[str]:
    """Facts that a figure means nothing without."""
    model = platform.processor() or "unknown"
    try:
        with open("/proc/cpuinfo") as file:
            model = next(
                (line.split(":")[1].strip() for line in file if line.startswith("model name")), model
            )
    except OSError:
        pass
    yield f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start"
    yield f"{platform.platform()}, Python {platform.python_version()}"
