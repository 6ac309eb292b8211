"""Words and figures as people read them, foreign text made safe to print, lines on a stream."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TextIO

# CSI, OSC (ended by BEL or ST), the other string sequences, two-byte escapes (ECMA-48).
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Control characters, halves of characters, and what breaks, reorders or hides text without being seen:
# line and paragraph separators, and all format characters (bidirectional, zero-width, tags).
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp", "Cf"})
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters that show nothing."""
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>()#+!|~&@:-]")
_BYTES: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_LONGEST: Final = 320
_BARS: Final = "▁▂▃▄▅▆▇█"


def harmless(text: str) -> str:
    """One line of a program's output without anything that could move a cursor, color or reorder text.

    Escape sequences go; of a line that was drawn over (`10%\\r20%`) the last state stays; other control
    characters, and those that show nothing but reorder or break text, are shown as `\\xNN` or `\\uNNNN`.
    """
    drawn = [part for part in _ESCAPES.sub("", text).rstrip("\r\n").split("\r") if part]
    line = drawn[-1].expandtabs(4) if drawn else ""
    if line.isascii() and line.isprintable():
        return line
    if any(map(_BLANK.__contains__, line)):
        line = "".join(_escaped(char) if char in _BLANK else char for char in line)
    return "".join(_visible(char) for char in line)


def harmless_lines(text: str) -> str:
    """The same for text of several lines."""
    return "\n".join(map(harmless, text.replace("\r\n", "\n").split("\n")))


def fenced(lines: Iterable[str]) -> Iterator[str]:
    """Lines as a Markdown block that no backtick in them can end."""
    shown = [harmless(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (fence, *shown, fence)


def escaped(text: str) -> str:
    """A line of foreign text within Markdown: none of its characters is markup, a link or HTML."""
    return _MARKUP.sub(r"\\\g<0>", harmless(text))


def clipped(text: str) -> str:
    """A line of a program as it is shown: a very long one by its beginning, the rest is in the evidence."""
    line = harmless(text)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}… ({len(line)} characters)"


def _visible(char: str) -> str:
    return _escaped(char) if unicodedata.category(char) in _UNSEEN else char


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


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
    return ", ".join(f"{harmless(name)} {count:,}" for name, count in counts)


def sparkline(values: Sequence[float | None]) -> str:
    """One block a value, scaled from 0 to the largest; a value that is not known is a dot."""
    known = [value for value in values if value is not None]
    step = max(known, default=0) / (len(_BARS) - 1) or 1
    return "".join("·" if value is None else _BARS[round(value / step)] for value in values)


class Lines:
    """Writes whole lines and flushes each one.

    A reader that has gone away (`deployer release | head`) must not stop a release: from then on nothing
    is written. Characters that the stream's encoding lacks are written as escapes.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._open = True

    def write(self, line: str) -> None:
        if not self._open:
            return
        try:
            self._stream.write(line.encode(self._encoding, "backslashreplace").decode(self._encoding) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._open = False
