"""The lines of a log that are worth cutting into events: all of a short one; of a long one each that is new.

Streams blocks of bytes, so memory does not grow with the log. A line is new when no line of the same shape
(letters alike, digits aside) came before; a failure in the middle of a long log is therefore never left out.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import accumulate

from deployer.diagnosis.lines import TROUBLE

SHORT = 256_000  # bytes of a log whose every line is read
LAST = 200  # lines before the end that are always read
MAX_LINE = 8_000_000
LONG = 64_000  # a line that is always read
MAX_SHAPES = 300_000
MAX_KEPT = 8_000  # lines; half of them the first, half the last
_FOLLOWING = 3  # lines after one that tells of trouble

_SHAPE = bytes.maketrans(b"123456789abcdefABCDEF", b"0" * 21)
_WEAK = ("no ", "not ", "too ", "limit", "require", "space")
_FREQUENT = (b"err", b"fail", b"warn")
_OTHERS = tuple(word.encode() for word in TROUBLE if word not in _WEAK and word.encode() not in _FREQUENT)


def sifted(blocks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Numbered lines, from 1; bytes that are not UTF-8 become replacement characters."""
    source = iter(blocks)
    held: list[bytes] = []
    size = 0
    for block in source:
        held.append(block)
        size += len(block)
        if size > SHORT:
            yield from _telling(_whole_lines(_chain(held, source)))
            return
    for number, line in enumerate(b"".join(held).split(b"\n"), start=1):
        yield number, line.decode("utf-8", "replace")


def _chain(held: list[bytes], source: Iterator[bytes]) -> Iterator[bytes]:
    yield b"".join(held)
    yield from source


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks that end where a line ends; a line without end is cut."""
    rest = b""
    for block in blocks:
        block = rest + block
        end = block.rfind(b"\n")
        if end < 0 and len(block) < MAX_LINE:
            rest = block
            continue
        end = end if end >= 0 else len(block)
        yield block[:end]
        rest = block[end + 1 :]
    if rest:
        yield rest


def _telling(blocks: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    seen: set[int] = set()
    last: deque[tuple[int, bytes]] = deque(maxlen=LAST)
    first: dict[int, bytes] = {}
    later: deque[tuple[int, bytes]] = deque(maxlen=MAX_KEPT // 2)
    number = 1
    for block in blocks:
        lines = block.split(b"\n")
        for at in _new_and_troubled(block, lines, seen):
            if len(first) < MAX_KEPT // 2:
                first.setdefault(number + at, lines[at])
            elif number + at not in first:
                later.append((number + at, lines[at]))
        last.extend(enumerate(lines[-LAST:], start=number + max(0, len(lines) - LAST)))
        number += len(lines)
    kept = {**first, **dict(later), **dict(last)}
    for at in sorted(kept):
        yield at, kept[at].decode("utf-8", "replace")


def _new_and_troubled(block: bytes, lines: list[bytes], seen: set[int]) -> list[int]:
    """The places of the lines that tell of trouble in a way not seen before, each with what follows it."""
    shapes = block.translate(_SHAPE).split(b"\n")
    new = []
    for at, shape in enumerate(shapes):
        key = hash(shape)
        if key not in seen:
            new.append(at)
            if len(seen) < MAX_SHAPES:
                seen.add(key)
    if not new:
        return []
    troubled = _troubled([lines[at] for at in new])
    following = _FOLLOWING if len(troubled) < MAX_KEPT else 0
    found = {new[place] + more for place in troubled for more in range(following + 1)}
    return sorted(at for at in found if at < len(lines))


def _troubled(lines: list[bytes]) -> list[int]:
    """Which of these lines have a word of trouble. The frequent words are looked for line by line, the many
    others over all lines at once that have none of these."""
    lowered = b"\n".join(b"" if len(line) > LONG else line for line in lines).lower().split(b"\n")
    hits = {at for at, line in enumerate(lines) if len(line) > LONG}
    for word in _FREQUENT:
        hits.update(at for at, line in enumerate(lowered) if word in line)
    rest = [at for at in range(len(lines)) if at not in hits]
    text = b"\n".join([lowered[at] for at in rest])
    ends = list(accumulate(len(lowered[at]) + 1 for at in rest))
    for word in _OTHERS:
        place = text.find(word)
        while place >= 0:
            at = bisect_right(ends, place)
            hits.add(rest[at])
            place = text.find(word, ends[at])
    return sorted(hits)
