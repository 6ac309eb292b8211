"""What lies in the state bucket, whoever wrote it: documented errors only, and nothing else stops."""

import json
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import JournalDamaged, RefusedError
from deployer.flow.release import FLOW
from deployer.flow.runner import resume_point
from deployer.lock import LockRecord
from deployer.model import Release, dump
from deployer.ports.object_store import Stored
from deployer.records.index import Index
from deployer.records.journal import NAME, Journal, read
from deployer.records.releases import Releases, state_of, summary
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore
from tests.fuzz.conftest import FUZZ, VALUES, changed, torn

STATE = dump(Release("r1", "prod", 1.0))
CAUSE = {"failure_class": "code", "subcause": "x", "message": "m"}
RECORDS: list[dict[str, Any]] = [
    {
        "kind": "header",
        "version": 1,
        "release": "r1",
        "env": "prod",
        "flow": FLOW.fingerprint,
        "state": STATE,
    },
    {"kind": "started", "node": "CODE", "visit": 1},
    {"kind": "noted", "node": "CODE", "changes": {"accepted": ["x"]}},
    {"kind": "finished", "node": "CODE", "answer": "", "next": "RUN_TESTS", "seconds": 1.0, "summary": "s"},
    {"kind": "paused", "node": "RUN_TESTS", "cause": CAUSE},
]
HOLDER = {"release": "r1", "user": "ann", "host": "h", "pid": 1, "since": 1.0, "node": "CODE"}


def journal_of(records: Any) -> bytes:
    """With right checksums, whatever the records are."""
    lines = b""
    for number, record in enumerate(records if isinstance(records, list) else [records]):
        record = {"seq": number, "time": 1.0, **record} if isinstance(record, dict) else record
        body = json.dumps(record).encode()
        lines += body[:-1] + b',"crc":"%08x"}\n' % zlib.crc32(body)
    return lines


@FUZZ
@given(st.one_of(changed(RECORDS).map(journal_of), torn(journal_of(RECORDS)), st.binary(max_size=300)))
def test_any_journal(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Also with right checksums: it is read, or damaged; listing, showing and resuming say no more."""
    folder = tmp_path_factory.mktemp("any")
    (folder / "r1").mkdir()
    path = folder / "r1" / NAME
    path.write_bytes(content)
    listed = Releases(folder).summaries()
    assert [line["id"] for line in listed] == ["r1"]
    try:
        records = read(path)
        state_of(records)
        summary(records)
        with closing(Journal.resume(path, FakeClock())) as journal:
            resume_point(journal, FLOW)
    except (JournalDamaged, RefusedError):
        return


@FUZZ
@given(st.one_of(changed({"holder": HOLDER, "ttl": 60.0, "by": ""}).map(json.dumps), st.text(max_size=60)))
def test_any_lock(content: str) -> None:
    """Somebody holds it, for a limited time, or nobody; and who it is can be said."""
    lock = LockRecord.of(Stored(content.encode("utf-8", "surrogatepass"), "1", 5.0), 60.0)
    assert isinstance(lock.live, bool)
    assert 0 <= lock.ttl <= 86_400
    assert str(lock.holder)
    assert not lock.is_of(None)


@FUZZ
@given(st.one_of(VALUES.map(json.dumps), st.text(max_size=60)))
def test_any_index(content: str) -> None:
    """It is made anew where it is none."""
    store = FakeStore()
    store.write("job/prod/index.json", content.encode("utf-8", "surrogatepass"))
    assert isinstance(Index(store, "job/prod/").read(), dict)


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"holder":' * 100_000])
def test_deep_objects_are_no_more_than_damaged(tmp_path: Path, deep: str) -> None:
    """Nesting that a parser gives up on."""
    assert LockRecord.of(Stored(deep.encode(), "1", 5.0), 60.0).holder
    store = FakeStore()
    store.write("job/prod/index.json", deep.encode())
    assert Index(store, "job/prod/").read() == {}
    body = deep.encode()
    (tmp_path / NAME).write_bytes(body + b',"crc":"%08x"}\n' % zlib.crc32(body + b"}"))
    with pytest.raises(JournalDamaged):
        read(tmp_path / NAME)
