"""One release per environment in one folder, with or without a lock that machines share."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from deployer.errors import Failure, RefusedError
from deployer.lock import Holder, SharedLock, acquire, holder_of, local
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore


def test_a_second_release_is_refused_with_the_holder(tmp_path: Path) -> None:
    """While the lock is held, another one is told who, which release, and since when."""
    first = Holder.here("20270101-000000-aaaa", 1_800_000_000.0)
    with acquire(tmp_path, "production", first):
        assert holder_of(tmp_path, "production") == first
        with (
            pytest.raises(RefusedError, match=r"20270101-000000-aaaa, since 2027-01-15 08:00:00 UTC"),
            acquire(tmp_path, "production", Holder.here("b", 0.0)),
        ):
            raise AssertionError("both hold it")


def test_environments_do_not_block_each_other(tmp_path: Path) -> None:
    """A release to one environment says nothing about another."""
    here = Holder.here("a", 0.0)
    with acquire(tmp_path, "production", here), acquire(tmp_path, "sandbox", here):
        assert holder_of(tmp_path, "sandbox") == here


def test_nothing_is_held_afterwards(tmp_path: Path) -> None:
    """The lock ends with the release, also when that ends by an error."""
    with pytest.raises(ZeroDivisionError), acquire(tmp_path, "production", Holder.here("a", 0.0)):
        raise ZeroDivisionError
    assert holder_of(tmp_path, "production") is None


def test_a_file_left_by_a_crash_holds_nothing(tmp_path: Path) -> None:
    """Only the kernel's lock counts, which no crash leaves behind."""
    (tmp_path / "production.json").write_text('{"release": "dead"}')
    (tmp_path / "production.lock").touch()
    assert holder_of(tmp_path, "production") is None
    with acquire(tmp_path, "production", Holder.here("b", 0.0)):
        pass


def test_the_refusal_says_where_the_release_is(tmp_path: Path) -> None:
    """The second one reads at which node the first one is, and how to end it."""
    first = Holder.here("20270101-000000-aaaa", 1_800_000_000.0)
    with acquire(tmp_path, "production", first) as lock:
        lock.report_node("DOCKER_PUSH")
        with pytest.raises(RefusedError, match=r"aaaa, at DOCKER_PUSH") as refused:
            acquire(tmp_path, "production", Holder.here("b", 0.0)).__enter__()
    assert f"kill {first.pid}" in refused.value.hint


def test_a_dead_holder_is_remembered_until_settled(tmp_path: Path) -> None:
    """Who died here is known to the next ones until one of them has taken over what it held elsewhere."""
    dead = Holder.here("dead", 0.0)
    (tmp_path / "production.json").write_text(json.dumps(asdict(dead)))
    for _ in range(2):
        with local.acquire(tmp_path, "production", Holder.here("b", 0.0)) as lock:
            assert lock.stale_owner == dead
    shared = SharedLock(FakeStore(away=True), "job/production/", 60, FakeClock())
    with pytest.raises(Failure):
        acquire(tmp_path, "production", Holder.here("c", 0.0), shared).__enter__()
    with acquire(tmp_path, "production", Holder.here("d", 0.0)):
        pass
    with local.acquire(tmp_path, "production", Holder.here("e", 0.0)) as lock:
        assert lock.stale_owner is None


def test_both_leases_are_held_and_given_back(tmp_path: Path) -> None:
    """With a bucket the environment is held here and there, and free in both after an error as well."""
    shared = SharedLock(FakeStore(), "job/production/", 60, FakeClock())
    with pytest.raises(ZeroDivisionError), acquire(tmp_path, "production", Holder.here("a", 0.0), shared):
        assert shared.current() and holder_of(tmp_path, "production")
        raise ZeroDivisionError
    assert not shared.current() and not holder_of(tmp_path, "production")


def test_a_shared_refusal_leaves_nothing_held_here(tmp_path: Path) -> None:
    """Refused by another machine, a release gives up its local lock as well."""
    store, clock = FakeStore(), FakeClock()
    SharedLock(store, "job/production/", 60, clock).acquire(Holder("r", "bob", "ci", 1, 0.0))
    shared = SharedLock(store, "job/production/", 60, clock)
    with pytest.raises(RefusedError, match="bob@ci"):
        acquire(tmp_path, "production", Holder.here("a", 0.0), shared).__enter__()
    assert holder_of(tmp_path, "production") is None
