"""One suite for the port Source: a folder, and S3 as moto answers it; then what only S3 does."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, IncompleteReadError
from botocore.response import StreamingBody
from moto import mock_aws

from pipeline.errors import BrokenObject, SourceError, UnreadableObject
from pipeline.gateways.folder import FolderSource
from pipeline.gateways.s3 import ATTEMPTS, S3Source
from pipeline.ports import Source

FILES = {"a.csv": b"one", "b/c.jsonl.gz": b"two" * 100_000, "b/d.json": b"", "é à.csv": b"three"}


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="raw")
        yield client


def bucket(client: Any, url: str = "s3://raw/weather/") -> S3Source:
    return S3Source(url, client, sleep=lambda _: None)


@pytest.fixture(params=["folder", "s3"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    if request.param == "folder":
        for name, content in FILES.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return FolderSource(tmp_path)
    client = request.getfixturevalue("s3")
    for name, content in FILES.items():
        client.put_object(Bucket="raw", Key=f"weather/{name}", Body=content)
    client.put_object(Bucket="raw", Key="elsewhere/x.csv", Body=b"not below the prefix")
    client.put_object(Bucket="raw", Key="weather/b/", Body=b"")
    return bucket(client)


def test_every_object_is_listed_once_with_size_and_version(source: Source) -> None:
    """Keys end in the file's path; folders and what is not below the prefix are not listed."""
    refs = list(source.list())
    assert sorted(ref.key.removeprefix("weather/") for ref in refs) == sorted(FILES)
    assert {ref.key.removeprefix("weather/"): ref.size for ref in refs} == {
        n: len(c) for n, c in FILES.items()
    }
    assert all(ref.etag and ref.modified.tzinfo is None for ref in refs)
    assert all(ref.modified.microsecond % 1000 == 0 for ref in refs)


def test_bytes_come_as_they_are(source: Source) -> None:
    """Whole, in pieces, and empty ones."""
    for ref in source.list():
        with source.open(ref) as stream:
            content = b"".join(iter(lambda stream=stream: stream.read(70_001), b""))  # type: ignore[misc]
        assert content == FILES[ref.key.removeprefix("weather/")]


def test_a_changed_file_has_another_etag(tmp_path: Path) -> None:
    """Size or time of change make another version."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    (before,) = FolderSource(tmp_path).list()
    path.write_bytes(b"two!")
    (after,) = FolderSource(tmp_path).list()
    assert before.etag != after.etag


def test_one_file_is_a_source_too(tmp_path: Path) -> None:
    """A path to a file lists that file under its name."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    source = FolderSource(path)
    (ref,) = source.list()
    assert ref.key == "a.csv"
    with source.open(ref) as stream:
        assert stream.read() == b"one"


def test_a_missing_folder_and_a_missing_bucket_are_named(tmp_path: Path, s3: Any) -> None:
    """Exit code 5, with what was looked for."""
    with pytest.raises(SourceError, match="nowhere") as failure:
        list(FolderSource(tmp_path / "nowhere").list())
    assert failure.value.exit_code == 5
    with pytest.raises(SourceError, match=r"s3://lost/x: S3 answered NoSuchBucket"):
        list(bucket(s3, "s3://lost/x").list())


class SmallPages:
    """An S3 client whose listings have two objects a page."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def list_objects_v2(self, **request: Any) -> Any:
        return self._client.list_objects_v2(**request, MaxKeys=2)


def test_many_pages_are_listed(s3: Any) -> None:
    """A listing of several pages is followed to its end, in the order of the keys."""
    for number in range(7):
        s3.put_object(Bucket="raw", Key=f"weather/{number}.csv", Body=b"x")
    assert [ref.key for ref in bucket(SmallPages(s3)).list()] == [f"weather/{n}.csv" for n in range(7)]


class Flaky:
    """An S3 client whose bodies break off, or that fails outright, a number of times."""

    def __init__(self, client: Any, failures: int, after: int | None) -> None:
        self._client = client
        self.failures = failures
        self._after = after
        self.ranges: list[str | None] = []

    def get_object(self, **request: Any) -> Any:
        self.ranges.append(request.get("Range"))
        if self.failures and self._after is None:
            self.failures -= 1
            raise EndpointConnectionError(endpoint_url="s3")
        answer = self._client.get_object(**request)
        if self.failures:
            self.failures -= 1
            answer["Body"] = _Cut(answer["Body"].read(), self._after or 0)
        return answer


class _Cut(StreamingBody):
    def __init__(self, content: bytes, after: int) -> None:
        super().__init__(io.BytesIO(content), len(content))
        self._left = after

    def read(self, amt: int | None = None) -> bytes:
        if self._left <= 0:
            raise IncompleteReadError(actual_bytes=0, expected_bytes=1)
        piece: bytes = super().read(min(amt or self._left, self._left))
        self._left -= len(piece)
        return piece


@pytest.mark.parametrize("after", [None, 0, 100, 100_000])
def test_a_read_that_is_cut_goes_on_where_it_stopped(s3: Any, after: int | None) -> None:
    """Refused connections and broken bodies are retried from the byte that is missing."""
    content = bytes(range(256)) * 1200
    s3.put_object(Bucket="raw", Key="weather/a.csv", Body=content)
    (ref,) = bucket(s3).list()
    flaky = Flaky(s3, failures=3, after=after)
    with bucket(flaky).open(ref) as stream:
        assert stream.read() == content
    assert len(flaky.ranges) == 4
    assert flaky.ranges[1] == (f"bytes={after}-" if after else None)


def test_an_object_that_stays_unreadable_is_named(s3: Any) -> None:
    """After a bounded number of attempts: exit 5 and the key."""
    s3.put_object(Bucket="raw", Key="weather/a.csv", Body=b"x" * 999)
    (ref,) = bucket(s3).list()
    flaky = Flaky(s3, failures=10**6, after=0)
    with pytest.raises(SourceError, match=r"weather/a\.csv") as failure, bucket(flaky).open(ref) as stream:
        stream.read()
    assert failure.value.exit_code == 5
    assert len(flaky.ranges) == ATTEMPTS


def test_an_object_that_is_overwritten_while_it_is_read_is_not_mixed(s3: Any) -> None:
    """Another version under the same key breaks the object instead of being spliced in."""
    s3.put_object(Bucket="raw", Key="weather/a.csv", Body=b"old")
    (ref,) = bucket(s3).list()
    s3.put_object(Bucket="raw", Key="weather/a.csv", Body=b"new")
    with pytest.raises(BrokenObject, match="changed_while_read"), bucket(s3).open(ref) as stream:
        stream.read()


def test_what_a_folder_cannot_deliver_is_listed_with_its_reason(tmp_path: Path) -> None:
    """A broken link, one that leads to itself, a pipe: named, not opened, and the rest is listed."""
    (tmp_path / "good.csv").write_bytes(b"one")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    errors = {ref.key: ref.error for ref in FolderSource(tmp_path).list()}
    assert errors.pop("good.csv") == ""
    assert errors == {
        "broken.csv": "No such file or directory",
        "loop.csv": "Too many levels of symbolic links",
        "pipe.csv": "it is no regular file",
    }


def test_a_folder_that_leads_back_to_itself_is_listed_once(tmp_path: Path) -> None:
    """A link to a folder above ends there; another link to a folder is followed."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.csv").write_bytes(b"one")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert [ref.key for ref in FolderSource(tmp_path).list()] == ["a/one.csv", "b/one.csv"]


def test_a_file_that_went_away_after_it_was_listed_is_that_file_s_trouble(tmp_path: Path) -> None:
    """The error is of one object: others may be readable."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    (ref,) = FolderSource(tmp_path).list()
    path.unlink()
    with pytest.raises(UnreadableObject, match=r"a\.csv: No such file"):
        FolderSource(tmp_path).open(ref)


def test_an_archived_object_is_that_object_s_trouble(s3: Any) -> None:
    """GLACIER: named, with what to do; the object beside it is readable."""
    s3.put_object(Bucket="raw", Key="weather/a.csv", Body=b"x", StorageClass="GLACIER")
    s3.put_object(Bucket="raw", Key="weather/b.csv", Body=b"y")
    source = bucket(s3)
    archived, good = source.list()
    with (
        pytest.raises(UnreadableObject, match="InvalidObjectState") as failure,
        source.open(archived) as stream,
    ):
        stream.read()
    assert "restore" in failure.value.hint
    with source.open(good) as stream:
        assert stream.read() == b"y"
