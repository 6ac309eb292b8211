"""Failures on demand, for any fake: before the effect takes place, or after it (a lost answer)."""

from collections import defaultdict, deque
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What the next calls of each method raise, in order."""

    _before: dict[str, deque[BaseException]] = field(default_factory=lambda: defaultdict(deque))
    _after: dict[str, deque[BaseException]] = field(default_factory=lambda: defaultdict(deque))

    def fail_next(self, method: str, error: BaseException) -> None:
        """The next call of `method` does nothing and raises `error`."""
        self._before[method].append(error)

    def lose_next_answer(self, method: str, error: BaseException) -> None:
        """The next call of `method` takes effect and raises `error` all the same."""
        self._after[method].append(error)

    def before(self, method: str) -> None:
        if self._before[method]:
            raise self._before[method].popleft()

    def after(self, method: str) -> None:
        if self._after[method]:
            raise self._after[method].popleft()
