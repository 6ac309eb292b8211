"""When a line about progress is worth its place in a log that does not move."""

from collections.abc import Callable, Iterator
from typing import Final

from deployer.events import Progressed
from deployer.view.text import amount, harmless

_RARELY: Final = 10.0
"""Seconds after which a line is due even if little was done."""
_OFTEN: Final = 1.0
"""Seconds that lie between two lines at least."""


class Pace:
    """Sums a node's pieces up: a line for each tenth of the whole, else one in ten seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.restart()

    def restart(self) -> None:
        """Another node begins: its pieces are counted from nothing."""
        self._pieces: dict[str, Progressed] = {}
        self._spoken = self._now()
        self._tenth = 0

    def lines(self, event: Progressed) -> Iterator[str]:
        """The line that is due now, if any."""
        self._pieces[event.key] = event
        waited = self._now() - self._spoken
        done, total = self._sums(event.unit)
        tenth = int(10 * done / total) if total else 0
        if waited >= _RARELY or (waited >= _OFTEN and tenth > self._tenth):
            self._spoken, self._tenth = self._now(), max(tenth, self._tenth)
            yield _said(done, total, event, len(self._pieces))

    def _sums(self, unit: str) -> tuple[float, float | None]:
        """Done and total of the pieces counted in `unit`; where a size is not known yet, what is done."""
        pieces = [piece for piece in self._pieces.values() if piece.unit == unit]
        totals = [piece.total for piece in pieces if piece.total is not None]
        return sum(piece.done for piece in pieces), sum(totals) if totals else None


def _said(done: float, total: float | None, event: Progressed, pieces: int) -> str:
    share = f"{100 * done / total:.0f} %, " if total else ""
    what = harmless(event.label) if pieces == 1 else f"{pieces} pieces"
    return f"{share}{amount(done, total, event.unit)} ({what})"
