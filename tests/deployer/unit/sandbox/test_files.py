"""What is remembered, kept secret, and put in the bucket."""

import hashlib
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import IO, Any

import pytest

from deployer.sandbox import SandboxError, SandboxFacts, secrets, seed, state
from deployer.sandbox.state import State


class Bucket:
    """S3 with one bucket, as far as seeding uses it; remembers which keys were written."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.written: list[str] = []

    def get_paginator(self, _operation: str) -> "Bucket":
        """Itself pages."""
        return self

    def paginate(self, **_bucket: str) -> list[dict[str, Any]]:
        """One object a page, and an empty one."""
        pages: list[dict[str, Any]] = [
            {"Contents": [{"Key": key, "ETag": f'"{hashlib.md5(body).hexdigest()}"'}]}
            for key, body in self.objects.items()
        ]
        return [*pages, {}]

    def put_object(self, *, Bucket: str, Key: str, Body: IO[bytes]) -> None:  # noqa: N803
        """Keeps the body."""
        self.objects[Key] = Body.read()
        self.written.append(Key)

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        """Forgets it."""
        del self.objects[Key]


def test_the_state_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    """With all its facts."""
    facts = SandboxFacts(**{field.name: field.name for field in fields(SandboxFacts)})
    saved = State(1, 2, "172.17.0.1", "mongo:8.0", "made", "seeded", "sample", facts)
    state.save(tmp_path / "state.json", saved)
    assert state.load(tmp_path / "state.json") == saved


@pytest.mark.parametrize("text", ["", "{", "[]", '{"unknown": 1}', '{"facts": {"endpoint": "x"}}'])
def test_a_damaged_state_is_the_empty_one(tmp_path: Path, text: str) -> None:
    """Nothing is guessed from half a file."""
    (tmp_path / "state.json").write_text(text)
    assert state.load(tmp_path / "state.json") == State()
    assert state.load(tmp_path / "missing.json") == State()


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    """Also when it replaces one that was."""
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    secrets.write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_password_is_made_once(tmp_path: Path) -> None:
    """The second call reads what the first wrote; another file gets another one."""
    first = secrets.password(tmp_path / "mongo.password")
    assert secrets.password(tmp_path / "mongo.password") == first
    assert secrets.password(tmp_path / "other") != first


def test_a_key_file_tells_whether_it_is_new(tmp_path: Path) -> None:
    """It is made once; its absence is how a new sandbox is known."""
    assert secrets.make_keyfile(tmp_path / "mongo.key")
    made = (tmp_path / "mongo.key").read_text()
    assert not secrets.make_keyfile(tmp_path / "mongo.key")
    assert (tmp_path / "mongo.key").read_text() == made


def test_the_bucket_becomes_the_folder(tmp_path: Path) -> None:
    """New and changed files are written, what is gone is deleted, what is the same is left alone."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "same").write_bytes(b"same")
    (tmp_path / "sub" / "changed").write_bytes(b"new")
    (tmp_path / ".hidden").write_bytes(b"no")
    bucket = Bucket({"same": b"same", "sub/changed": b"old", "gone": b"gone"})
    assert seed.synchronize(bucket, "raw", tmp_path) == (1, 1)
    assert bucket.objects == {"same": b"same", "sub/changed": b"new"}
    assert bucket.written == ["sub/changed"]


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    """It is the same for the same files and another after one grew or went."""
    (tmp_path / "a").write_text("a")
    first = seed.fingerprint(tmp_path)
    assert seed.fingerprint(tmp_path) == first
    (tmp_path / "a").write_text("longer")
    second = seed.fingerprint(tmp_path)
    (tmp_path / "a").unlink()
    assert len({first, second, seed.fingerprint(tmp_path)}) == 3


def test_a_sample_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    """The folder of the same day's sample is used, and nothing is said."""
    (tmp_path / "sample" / "2026-03-01").mkdir(parents=True)
    said: list[str] = []
    folder = seed.source(None, ("make-it",), tmp_path, date(2026, 3, 1), said.append)
    assert (folder, said) == (tmp_path / "sample" / "2026-03-01", [])
    assert seed.source(None, (), tmp_path, date(2026, 3, 1), said.append) is None


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """With its path in the message and the class data."""
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match="file does not exist or is no folder") as refusal:
        seed.source(tmp_path / "file", (), tmp_path, date(2026, 3, 1), print)
    assert refusal.value.failure_class == "data"
