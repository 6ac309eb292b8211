"""Words and figures as people read them, and foreign text made safe to print. Pure, standard library only."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

# CSI, OSC (ended by BEL or ST), the other string sequences, two-byte escapes (ECMA-48).
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# What reorders or breaks a line without being seen.
_UNSEEN: Final = frozenset("\u2028\u2029\u200e\u200f\u061c\ufeff") | {
    chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_BYTES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_LONGEST: Final = 320
_BARS: Final = "▁▂▃▄▅▆▇█"


def harmless(text: str) -> str:
    """One line of a program's output without anything that could move a cursor, colour or reorder text.

    Escape sequences go; of a line that was drawn over (`10%\\r20%`) the last state stays; what other
    control characters are in it is shown as `\\xNN`.
    """
    drawn = [part for part in _ESCAPES.sub("", text).rstrip("\r\n").split("\r") if part]
    line = drawn[-1].expandtabs(4) if drawn else ""
    if line.isascii() and line.isprintable():
        return line
    return "".join(_visible(char) for char in line)


def clipped(text: str) -> str:
    """A line of a program as it is shown: a very long one by its beginning, the rest is in the evidence."""
    line = harmless(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}… ({len(line)} characters)"


def _visible(char: str) -> str:
    if char in _UNSEEN or unicodedata.category(char) in ("Cc", "Cs"):
        return char.encode("unicode_escape").decode()
    return char


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `1 min 05 s`, `2 h 03 min`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def amount(done: float, total: float | None, unit: str) -> str:
    """`12.3/45.1 MB`, `3/12 steps`, `40 events`; `unit` "B" or "bytes" is scaled to SI prefixes."""
    scale, shown = 1.0, unit
    if unit in ("B", "bytes"):
        largest = max(done, total or 0)
        scale, shown = next(((s, u) for s, u in _BYTES if largest >= s), (1.0, "B"))
    figures = [_figure(value / scale, scale) for value in (done, total) if value is not None]
    return f"{'/'.join(figures)} {shown}".rstrip()


def _figure(value: float, scale: float) -> str:
    return f"{value:.1f}" if scale > 1 or value != int(value) else f"{int(value)}"


def listed(counts: Iterable[tuple[str, int]]) -> str:
    """`measurements 4,950, stations 6`."""
    return ", ".join(f"{name} {count:,}" for name, count in counts)


def sparkline(values: Sequence[float | None]) -> str:
    """One block a value, scaled from 0 to the largest; a value that is not known is a dot."""
    known = [value for value in values if value is not None]
    step = max(known, default=0) / (len(_BARS) - 1) or 1
    return "".join("·" if value is None else _BARS[round(value / step)] for value in values)
