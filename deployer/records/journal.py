"""The journal of a release: append-only JSON lines, one fsync a record, nothing is rewritten.

A line is `{"seq": N, "kind": ..., "time": ..., ..., "crc": "xxxxxxxx"}`. Kinds:

    header    release, env, flow (fingerprint), state     always the first
    started   node, visit                                 before a node's effect
    noted     node, changes                               in the middle of a node, before a single call
    finished  node, answer, next, seconds, skipped, summary, changes
    paused    node, cause, changes                        waits for a person
    ended     end, exit_code, changes                     always the last

The header has the release's whole state, every later record only what has changed since: `changes` replaces
whole keys of the state.

A last line that a crash cut short is dropped. Any other damage (a changed byte, a missing or repeated
record) is refused: `JournalDamaged` names the file and the line.

Where `[state] key` is set, a line also has a `"mac"` before its checksum: HMAC-SHA256 of the record and of
the line before. Who may write the bucket, but does not have the key, can change no record.
"""

import errno
import hmac
import json
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from deployer.errors import Failure, JournalDamaged, RefusedError
from deployer.redaction import Redactor

Record = Mapping[str, Any]
NAME: Final = "journal.jsonl"
VERSION: Final = 1


class Signer:
    """Signs the records of one release. `scope`: its place in the store; a record of another does not fit."""

    def __init__(self, key: Callable[[], bytes], scope: str) -> None:
        self._key, self._scope = key, scope

    def mac(self, before: str, body: bytes) -> str:
        """Of a record as it is written; `before` is the mac of the one before it, empty for the first."""
        return hmac.new(self._key(), f"{self._scope}\n{before}\n".encode() + body, "sha256").hexdigest()


class Journal:
    """The records of one release, open for appending. Use `create` or `resume`; `read` only reads."""

    _to_disk = staticmethod(os.fsync)
    redactor = Redactor()
    signer: Signer | None = None

    def __init__(self, path: Path, records: list[Record], clock: Any) -> None:
        self._path = path
        self._clock = clock
        self._file = path.open("ab", buffering=0)
        self.records: list[Record] = records
        self._state = newest_state(records)
        self._given: Mapping[str, Any] = self._state

    @classmethod
    def create(cls, path: Path, clock: Any, signer: Signer | None = None, **header: Any) -> Self:
        """A new journal with its header; creates the folder. A crash leaves all of it or nothing.
        RefusedError: it exists."""
        if path.exists():
            raise RefusedError(f"{path} exists: that release has started", "resume it instead")
        new = path.with_suffix(".new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = cls(new, [], clock)
            journal.signer = signer
            journal.append("header", version=VERSION, **header)
            new.rename(path)
            journal._path = path
            _sync_folder(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
        return journal

    @classmethod
    def resume(cls, path: Path, clock: Any, signer: Signer | None = None) -> Self:
        """Reads the records, cuts off an incomplete last line, and continues after it."""
        content = _content(path)
        records, good = _parse(path, content, signer)
        try:
            if good < len(content):
                os.truncate(path, good)
            journal = cls(path, records, clock)
            journal.signer = signer
            return journal
        except OSError as error:
            raise _unwritable(path, error) from error

    def append(self, kind: str, **fields: Any) -> Record:
        """On return the record is on the disk. Failure `resources`: the disk is full or read-only."""
        record = {"seq": len(self.records), "kind": kind, "time": self._clock.now(), **fields}
        record = self._without_repetition(record)
        if self.signer:
            before = str(self.records[-1].get("mac", "")) if self.records else ""
            record["mac"] = self.signer.mac(before, _body(record))
        line, end = _line(record), self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._to_disk(self._file.fileno())
        except OSError as error:
            with suppress(OSError):
                self._file.truncate(end)
            raise _unwritable(self._path, error) from error
        self.records.append(record)
        self._state = _changed(self._state, record)
        self._given = fields.get("state", self._given)
        return record

    def _without_repetition(self, record: dict[str, Any]) -> dict[str, Any]:
        """Without secrets; and of a state only what has changed: a long release has fifty of them, almost the
        same."""
        if "state" not in record or not self._state:
            return self.redactor.clean(record)
        missing = object()
        given = {k: v for k, v in record.pop("state").items() if self._given.get(k, missing) != v}
        record = self.redactor.clean({**record, "changes": given})
        found = json.loads(json.dumps(record.pop("changes")))
        changes = {key: value for key, value in found.items() if self._state.get(key, missing) != value}
        return {**record, "changes": changes} if changes else record

    def close(self) -> None:
        self._file.close()


def read(path: Path, signer: Signer | None = None) -> list[Record]:
    """All complete records. JournalDamaged: the file cannot be trusted; with a signer, nor who wrote it."""
    return _parse(path, _content(path), signer)[0]


def newest_state(records: Sequence[Record]) -> dict[str, Any]:
    """The newest recorded state; empty without records."""
    state: dict[str, Any] = {}
    for record in records:
        state = _changed(state, record)
    return state


def _changed(state: dict[str, Any], record: Record) -> dict[str, Any]:
    """A whole state, as the header and older journals have, or its changed keys."""
    return dict(record["state"]) if "state" in record else {**state, **record.get("changes", {})}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalDamaged(
            f"{path}: cannot be read: {error.strerror}", "check the permissions of the folder"
        ) from error


def _body(record: Record) -> bytes:
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()


def _line(record: Record) -> bytes:
    body = _body(record)
    return body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)


_TAIL: Final = len(b',"crc":"00000000"}')
_SIGNED: Final = len(b',"mac":"' + bytes(64) + b'"}')


def _parse(path: Path, content: bytes, signer: Signer | None = None) -> tuple[list[Record], int]:
    """The records, and how many bytes of the file they fill."""
    good = content.rfind(b"\n") + 1
    records: list[Record] = []
    mac = ""
    for number, line in enumerate(content[:good].splitlines(), start=1):
        body = line[:-_TAIL] + b"}"
        if line[-_TAIL:] != b',"crc":"%08x"}' % zlib.crc32(body):
            raise _damaged(path, number, "its checksum does not match")
        if signer:
            mac = signer.mac(mac, body[:-_SIGNED] + b"}")
            if not hmac.compare_digest(body[-_SIGNED:], b',"mac":"%s"}' % mac.encode()):
                raise _unsigned(path, number)
        record = _record(path, number, body)
        if record["seq"] != len(records):
            raise _damaged(path, number, f"record {record['seq']} is in the place of {len(records)}")
        records.append(record)
    if not records or records[0]["kind"] != "header":
        raise _damaged(path, 1, "the header is missing")
    if records[0].get("version") != VERSION and isinstance(records[0].get("version"), int):
        raise JournalDamaged(
            f"{path}: written in format {records[0]['version']}, this version of deployer reads {VERSION}",
            "show or resume it with the version of deployer that wrote it",
        )
    return records, good


_NUMBER: Final = (int, float)
_SHAPES: Final[Mapping[str, Mapping[str, type | tuple[type, ...]]]] = {
    "header": {"version": int, "release": str, "env": str, "flow": str, "state": dict},
    "started": {"node": str},
    "noted": {"node": str},
    "finished": {"node": str, "next": str},
    "paused": {"node": str},
    "ended": {"end": str, "exit_code": int},
}
"""The fields that readers rely on; a right checksum does not make a record one of ours."""


def _record(path: Path, number: int, body: bytes) -> Record:
    try:
        record = json.loads(body)
        shape: dict[str, Any] = {"seq": int, "time": _NUMBER, **_SHAPES[record["kind"]]}
        wrong = [name for name, kind in shape.items() if not isinstance(record.get(name), kind)]
        wrong += [
            name for name in ("state", "changes", "cause") if not isinstance(record.get(name, {}), dict)
        ]
        wrong += [name for name in ("seconds",) if not isinstance(record.get(name, 0), _NUMBER)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, number, "it is not a record of a release") from error
    if wrong:
        raise _damaged(path, number, f"it is not a record of a release: {', '.join(wrong)}")
    return dict(record)


def _damaged(path: Path, line: int, what: str) -> JournalDamaged:
    return JournalDamaged(
        f"{path}: line {line} is damaged: {what}",
        "restore the file from a copy; or check what the release did "
        "(`aws ecs list-tasks --started-by <release>-1`), then start a new one",
    )


def _unsigned(path: Path, line: int) -> JournalDamaged:
    return JournalDamaged(
        f"{path}: line {line} is not signed with the key that [state] key names",
        "find out who wrote it, if it is not from before the key was set; then start a new release",
    )


def _unwritable(path: Path, error: OSError) -> Failure:
    return Failure(
        "resources",
        f"{path}: cannot be written: {error.strerror}",
        "free disk space or fix the folder's permissions, then resume: `deployer resume`",
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
