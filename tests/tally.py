"""What a run of tests has counted, as a table at its end."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Numbers by row and column, in the order in which they were first counted."""

    rows: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def count(self, row: str, **numbers: int) -> None:
        """Adds to what the row has already."""
        self.rows[row].update(numbers)

    def lines(self) -> Iterator[str]:
        """None where nothing was counted."""
        columns = list(dict.fromkeys(column for row in self.rows.values() for column in row))
        width = max(map(len, self.rows), default=0)
        if columns:
            yield "  ".join(["".ljust(width), *columns])
        for name, row in self.rows.items():
            yield "  ".join([name.ljust(width), *(str(row[column]).rjust(len(column)) for column in columns)])
