"""What lock and mirror rely on of the shared state, held by the fake, moto and MiniStack."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
from moto import mock_aws

from deployer.adapters.aws.object_store import StateBucket
from deployer.adapters.aws.session import AwsSession
from deployer.errors import Failure
from deployer.ports.object_store import Store
from tests.fakes.store import FakeStore


@pytest.fixture(params=["fake", "moto", "ministack"])
def store(request: pytest.FixtureRequest, name: str) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeStore()
    elif request.param == "moto":
        with mock_aws():
            yield bucket(name, request.getfixturevalue("moto_session"))
    else:
        yield bucket(name, request.getfixturevalue("ministack_session"))


def bucket(name: str, session: AwsSession) -> StateBucket:
    place = {"LocationConstraint": "eu-west-3"}
    session.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)
    return StateBucket(name, session)


def test_what_was_written_is_read(store: Store) -> None:
    """Content comes back byte for byte with its version and a fresh age; what was never written is None."""
    store.write("a/b", b"\x00\xff\n")
    stored = store.read("a/b")
    assert stored and stored.content == b"\x00\xff\n"
    assert stored.version and -2 <= stored.age < 60
    assert store.read("a/c") is None


def test_only_one_creates(store: Store) -> None:
    """The second creation of a key is refused and leaves the first one's content."""
    version = store.create("key", b"first")
    assert version
    assert store.create("key", b"second") is None
    stored = store.read("key")
    assert stored and (stored.content, stored.version) == (b"first", version)


def test_a_version_is_replaced_once(store: Store) -> None:
    """Of two writers who saw the same version the second one is refused."""
    seen = store.create("key", b"1")
    assert seen
    version = store.replace("key", b"2", seen)
    assert store.replace("key", b"3", seen) is None
    stored = store.read("key")
    assert stored and (stored.content, stored.version) == (b"2", version)


def test_nothing_is_replaced_where_nothing_is(store: Store) -> None:
    """A conditional write to a key that is not there is refused, and makes none."""
    version = store.create("other", b"1")
    assert version and store.replace("key", b"2", version) is None
    assert store.read("key") is None


def test_sizes_are_those_of_a_prefix(store: Store) -> None:
    """Keys below the prefix with their sizes, no others; none is an empty answer."""
    for key, content in {"p/e/1/j": b"12", "p/e/2/j": b"123", "p/f/1/j": b"1"}.items():
        store.write(key, content)
    assert store.sizes("p/e/") == {"p/e/1/j": 2, "p/e/2/j": 3}
    assert store.sizes("p/e/", "p/e/1/j") == {"p/e/2/j": 3}
    assert store.sizes("p/g/") == {}


def test_folders_are_named_once_and_in_order(store: Store) -> None:
    """Names up to the next slash; of those after one, neither it nor what begins like it is missing."""
    for key in ("r/b/j", "r/a/j", "r/a/e/1", "r/ab/j", "r/c-1/j", "r/file", "s/z/j"):
        store.write(key, b"1")
    assert list(store.folders("r/")) == ["a", "ab", "b", "c-1"]
    assert list(store.folders("r/", "a")) == ["ab", "b", "c-1"]
    assert list(store.folders("r/", "c-1")) == list(store.folders("t/")) == []


def _owner_into(sent: list[str]) -> Callable[..., None]:
    return lambda params, **_: sent.append(params["ExpectedBucketOwner"])


def test_every_call_names_the_owner(name: str, moto_session: AwsSession) -> None:
    """The caller's account unless another one is named: S3 refuses a bucket of that name elsewhere."""
    sent: list[str] = []
    with mock_aws():
        own, named = bucket(name, moto_session), StateBucket(name, moto_session, owner="9" * 12)
        events = moto_session.client("s3", read_timeout=30).meta.events
        events.register("provide-client-params.s3", _owner_into(sent))
        for store, owner in ((own, "123456789012"), (named, "9" * 12)):
            version = store.create(f"{owner}/a", b"1")
            assert version and store.replace(f"{owner}/a", b"2", version)
            store.write(f"{owner}/b", b"3")
            assert store.read(f"{owner}/b") and len(store.sizes(owner)) == 2
            assert [*sent] == [owner] * 5
            sent.clear()


@pytest.mark.parametrize("world", ["moto", "ministack"])
def test_a_missing_bucket_is_named_with_the_command_that_makes_it(
    world: str, name: str, request: pytest.FixtureRequest
) -> None:
    """Reading and writing say aws-config and what to type; a missing bucket is not a free lock."""
    with mock_aws() if world == "moto" else nullcontext():
        missing = StateBucket(name, request.getfixturevalue(f"{world}_session"))
        for call in (missing.read, missing.sizes, lambda key: missing.create(key, b"")):
            with pytest.raises(Failure, match=f"s3://{name}: no such bucket") as caught:
                call("key")
            assert caught.value.failure_class == "aws-config"
            assert caught.value.hint == f"create it: `aws s3 mb s3://{name} --region eu-west-3`"
