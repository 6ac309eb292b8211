"""Bytes of an object: gunzipped when they are gzip, whole or line by line, within a fixed memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from pipeline.errors import BrokenObject

MAX_LINE = 32 * 2**20
"""A line, or a document that has to be parsed whole, may have this many bytes."""
MAX_WHOLE = 64 * 2**20
_CHUNK = 2**20
_GZIP_MAGIC = b"\x1f\x8b"


class Chunks:
    """The content of a stream, in pieces; gzip is recognised by its first bytes, not by a name."""

    def __init__(self, stream: BinaryIO) -> None:
        head = stream.read(2)
        joined = _Joined(head, stream)
        self._stream = gzip.GzipFile(fileobj=cast(BinaryIO, joined)) if head == _GZIP_MAGIC else joined

    def read(self, size: int = _CHUNK) -> bytes:
        """Up to `size` bytes, empty at the end. Raises BrokenObject where gzip is damaged or cut."""
        try:
            return self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BrokenObject("broken_gzip", f"{error}") from error


class _Joined:
    """The bytes already looked at, then the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        if not self._head:
            return self._stream.read(size)
        head, self._head = self._head, b""
        return head + self._stream.read(max(size - len(head), 0) if size >= 0 else -1)


def whole(stream: BinaryIO, limit: int = MAX_WHOLE) -> bytes:
    """The complete content. Raises BrokenObject when it is larger than `limit` bytes."""
    chunks, pieces, size = Chunks(stream), [], 0
    while piece := chunks.read():
        size += len(piece)
        if size > limit:
            raise BrokenObject("too_large", f"more than {limit // 2**20} MB in one document")
        pieces.append(piece)
    return b"".join(pieces)


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines without their end, empty ones too. Raises BrokenObject for a line longer than `MAX_LINE`."""
    chunks, rest = Chunks(stream), b""
    while piece := chunks.read():
        if b"\n" not in piece:
            rest += piece
            _check_length(rest)
            continue
        first, *others = (rest + piece).split(b"\n")
        _check_length(first)
        yield first
        rest = others.pop()
        yield from others
    if rest:
        yield rest


def _check_length(line: bytes) -> None:
    if len(line) > MAX_LINE:
        raise BrokenObject("line_too_long", f"more than {MAX_LINE // 2**20} MB without an end of line")
