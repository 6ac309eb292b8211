"""Bytes of an object: unpacked, as UTF-8, whole or line by line, within a fixed memory."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol, cast

from pipeline.errors import BrokenObject

MAX_LINE = 32 * 2**20
"""A line, or a document that has to be parsed whole, may have this many bytes."""
MAX_WHOLE = 64 * 2**20
_FREE, _RATIO = 256 * 2**20, 200
"""A packed object may become this large, and beyond that so many times its own size."""
_CHUNK = 2**20
LARGE = 2**20
_MAX_PARTS, _MAX_COMMAS = 500_000, 3_000_000
"""Objects, lists and values of one JSON document: more of them need a hundred times its size in memory."""


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


class Chunks:
    """The content of a stream, in pieces; packing is recognised by its first bytes, not by a name."""

    def __init__(self, stream: BinaryIO) -> None:
        head = first_bytes(stream, 6)
        self._packed = Rejoined(head, stream)
        kind, unpacked = _unpacker(head, self._packed)
        self._kind = kind
        self._stream: Readable = unpacked
        self._given = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """Up to `size` bytes, empty at the end. Raises BrokenObject where packing is damaged or a bomb."""
        if not self._kind:
            return self._stream.read(size)
        try:
            piece = self._stream.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise BrokenObject(f"broken_{self._kind}", f"{error}") from error
        self._given += len(piece)
        if self._given > _FREE and self._given > _RATIO * self._packed.taken:
            raise BrokenObject("too_large", f"unpacks to more than {_RATIO} times its size")
        return piece


def _unpacker(head: bytes, packed: Rejoined) -> tuple[str, Readable]:
    file = cast(Any, packed)
    if head.startswith(b"\x1f\x8b"):
        return "gzip", gzip.GzipFile(fileobj=file)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd", _Zstd(packed)
    if head.startswith(b"BZh"):
        return "bzip2", bz2.BZ2File(file)
    if head == b"\xfd7zXZ\x00":
        return "xz", lzma.LZMAFile(file)
    return "", packed


class Rejoined:
    """The bytes already looked at, then the rest of the stream; `taken` counts them."""

    def __init__(self, head: bytes, stream: Readable) -> None:
        self._head = head
        self._stream = stream
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        if not self._head:
            piece = self._stream.read(size)
        elif 0 <= size < len(self._head):
            piece, self._head = self._head[:size], self._head[size:]
        else:
            head, self._head = self._head, b""
            piece = head + self._stream.read(size - len(head) if size >= 0 else -1)
        self.taken += len(piece)
        return piece

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class _Zstd:
    """Frames of Zstandard; a cut one is an error, which the library's own stream does not tell."""

    _FED = 1024  # a kilobyte can unpack to 32 MB, no more

    def __init__(self, packed: Rejoined) -> None:
        import zstandard

        self._decompressor = zstandard.ZstdDecompressor(max_window_size=2**27)
        self._error = zstandard.ZstdError
        self._packed = packed
        self._frame: Any = None
        self._left = b""

    def read(self, size: int = -1, /) -> bytes:
        made = b""
        while not made:
            fed = self._left or self._packed.read(self._FED)
            self._left = b""
            if not fed:
                if self._frame is not None:
                    raise EOFError("Zstandard ended in the middle of a frame")
                return b""
            self._frame = self._frame or self._decompressor.decompressobj()
            try:
                made = self._frame.decompress(fed)
            except self._error as error:
                raise EOFError(str(error)) from error
            if self._frame.eof:
                self._left, self._frame = self._frame.unused_data, None
        return made


def first_bytes(stream: Readable, size: int) -> bytes:
    """The first bytes of a stream, however small its pieces are."""
    head = b""
    while len(head) < size and (piece := stream.read(size - len(head))):
        head += piece
    return head


def whole(stream: BinaryIO, limit: int = MAX_WHOLE) -> bytes:
    """The complete content. Raises BrokenObject when it is larger than `limit` bytes."""
    return b"".join(_up_to(limit, _pieces(Chunks(stream))))


def whole_text(stream: BinaryIO, limit: int = MAX_LINE) -> bytes:
    """The complete content of a text as UTF-8, without byte order mark."""
    return b"".join(_up_to(limit, _as_utf8(_pieces(Chunks(stream)))))


def _up_to(limit: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise BrokenObject("too_large", f"more than {limit // 2**20} MB in one document")
        yield piece


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a text as UTF-8 without their end, empty ones too, and without byte order mark.

    Raises BrokenObject for a line longer than `MAX_LINE`.
    """
    rest, end = b"", b""
    for piece in _as_utf8(_pieces(Chunks(stream))):
        end = end or _end_of_lines(piece)
        if not end or end not in piece:
            rest += piece
            _check_length(rest)
            continue
        first, *others = (rest + piece).split(end)
        _check_length(first)
        yield first
        rest = others.pop()
        yield from others
    if rest:
        yield rest


def _end_of_lines(piece: bytes) -> bytes:
    """A line feed; the carriage return of old Macs where no line feed is near."""
    if b"\n" in piece:
        return b"\n"
    return b"\r" if b"\r" in piece[:-1] else b""


def _pieces(chunks: Chunks) -> Iterator[bytes]:
    while piece := chunks.read():
        yield piece


def _as_utf8(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text as UTF-8: UTF-16 and UTF-32 are known by their mark, or by their zero bytes."""
    first = next(pieces, b"")
    if first.startswith(codecs.BOM_UTF8):
        yield first[3:]
    elif codec := _wide_codec(first):
        decoder = codecs.getincrementaldecoder(codec)()
        try:
            yield decoder.decode(first).removeprefix("\ufeff").encode()
            for piece in pieces:
                yield decoder.decode(piece).encode()
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            raise BrokenObject("not_text", f"{codec}: {error}"[:200]) from error
    elif first:
        yield first
    yield from pieces


def _wide_codec(first: bytes) -> str | None:
    for mark, codec in (
        (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):  # fmt: skip
        if first.startswith(mark):
            return codec
    head = first[:40]
    if len(head) >= 8 and head.count(0) * 3 > len(head):
        return "utf-16-le" if head[1] == 0 else "utf-16-be"
    return None


class Decoder:
    """Lines of a text without byte order mark: UTF-8, or as Windows writes it where no UTF-8 came before.

    `is_utf8`: bytes of UTF-8 that are not ASCII were met.
    """

    def __init__(self) -> None:
        self._codec = "utf-8"
        self.is_utf8 = False

    def decode(self, line: bytes, number: int) -> str:
        """Raises BrokenObject for bytes that are neither."""
        try:
            text = line.decode(self._codec)
        except UnicodeDecodeError as error:
            return self._as_windows(line, number, error)
        if not self.is_utf8 and self._codec == "utf-8":
            self.is_utf8 = not line.isascii()
        return text

    def saw(self, line: bytes) -> None:
        """Take note of a line that somebody else reads."""
        if not self.is_utf8 and not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError:
                return
            self.is_utf8 = True

    def _as_windows(self, line: bytes, number: int, error: UnicodeDecodeError) -> str:
        broken = BrokenObject("not_utf8", f"line {number}: {error.reason} at byte {error.start}")
        if self.is_utf8 or self._codec != "utf-8":
            raise broken from error
        try:
            text = line.decode("cp1252")
        except UnicodeDecodeError:
            raise broken from error
        self._codec = "cp1252"
        return text


def check_parts(document: bytes) -> None:
    """Raises BrokenObject for a JSON document whose parts would need far more memory than its bytes."""
    if document.count(b"{") + document.count(b"[") > _MAX_PARTS or document.count(b",") > _MAX_COMMAS:
        raise BrokenObject("too_large", "too many objects or values in one JSON document")


def _check_length(line: bytes) -> None:
    if len(line) > MAX_LINE:
        raise BrokenObject("line_too_long", f"more than {MAX_LINE // 2**20} MB without an end of line")
