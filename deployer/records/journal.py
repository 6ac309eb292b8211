"""The release's journal: append-only JSON lines, one fsync a record, nothing ever rewritten.

A line is `{"seq": N, "kind": ..., "time": ..., ..., "crc": "xxxxxxxx"}`. Kinds:

    header    release, env, flow (fingerprint), by        always the first
    started   node, visit                                 before a node's effect
    noted     node, state                                 in the middle of a node, before a single call
    finished  node, answer, next, seconds, skipped, summary, state
    paused    node, cause, state                          waits for a person
    ended     end, exit_code                              always the last

A line that the crash of its writer cut short is dropped. Anything else that does not add up (a changed
byte, a missing or repeated record) is refused: `JournalDamaged` names the file and the line.
"""

import errno
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from deployer.errors import Failure, JournalDamaged, RefusedError
from deployer.redaction import Redactor

Record = Mapping[str, Any]
NAME: Final = "journal.jsonl"
VERSION: Final = 1


class Journal:
    """One release's records, open for appending. Use `create` or `resume`; `read` only looks."""

    _to_disk = staticmethod(os.fsync)
    redactor = Redactor()

    def __init__(self, path: Path, records: list[Record], clock: Any) -> None:
        self._path = path
        self._clock = clock
        self._file = path.open("ab", buffering=0)
        self.records: list[Record] = records

    @classmethod
    def create(cls, path: Path, clock: Any, **header: Any) -> Self:
        """A new journal, there with its header or, after a crash, not at all; the folder is made.
        RefusedError: there is one already."""
        if path.exists():
            raise RefusedError(f"{path} exists: that release has begun", "resume it instead")
        new = path.with_suffix(".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(new, [], clock)
            journal.append("header", version=VERSION, **header)
            new.rename(path)
            journal._path = path
            _sync_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
        return journal

    @classmethod
    def resume(cls, path: Path, clock: Any) -> Self:
        """Reads what is there, cuts a torn last line off, and goes on behind it."""
        content = _content(path)
        records, good = _parse(path, content)
        try:
            if good < len(content):
                os.truncate(path, good)
            return cls(path, records, clock)
        except OSError as error:
            raise _unwritable(path, error) from error

    def append(self, kind: str, **fields: Any) -> Record:
        """On return the record is on the disk. Failure `resources`: the disk is full or read-only."""
        record = {"seq": len(self.records), "kind": kind, "time": self._clock.now(), **fields}
        record = self.redactor.clean(record)
        line, before = _line(record), self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._to_disk(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(before)
            raise _unwritable(self._path, error) from error
        self.records.append(record)
        return record

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[Record]:
    """All whole records. JournalDamaged: they do not add up."""
    return _parse(path, _content(path))[0]


def states(records: Sequence[Record]) -> Iterator[Any]:
    """The recorded states, newest first."""
    return (record["state"] for record in reversed(records) if "state" in record)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalDamaged(
            f"{path}: cannot be read: {error.strerror}", "check the folder's rights"
        ) from error


def _line(record: Record) -> bytes:
    body = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)


_TAIL: Final = len(b',"crc":"00000000"}')


def _parse(path: Path, content: bytes) -> tuple[list[Record], int]:
    """The records, and how many bytes of the file they fill."""
    good = content.rfind(b"\n") + 1
    records: list[Record] = []
    for number, line in enumerate(content[:good].splitlines(), start=1):
        body = line[:-_TAIL] + b"}"
        if line[-_TAIL:] != b',"crc":"%08x"}' % zlib.crc32(body):
            raise _damaged(path, number, "its check sum does not match")
        record = json.loads(body)
        if record["seq"] != len(records):
            raise _damaged(path, number, f"record {record['seq']} stands where {len(records)} belongs")
        records.append(record)
    if not records or records[0]["kind"] != "header":
        raise _damaged(path, 1, "the header is missing")
    if records[0]["version"] != VERSION:
        raise JournalDamaged(
            f"{path}: written in format {records[0]['version']}, this program reads {VERSION}",
            "show or resume it with the version that wrote it",
        )
    return records, good


def _damaged(path: Path, line: int, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"{path}: line {line} is damaged: {what}",
        "nothing is guessed from it: restore the file from a copy, or start a new release "
        "after a look at what this one did (`aws ecs list-tasks --started-by <release>-1`)",
    )


def _unwritable(path: Path, error: OSError) -> Failure:
    return Failure(
        "resources",
        f"{path}: cannot be written: {error.strerror}",
        "make room or mend the folder's rights, then `deployer resume`; what was recorded is kept",
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
