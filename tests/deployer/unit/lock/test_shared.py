"""The lock that machines share: one holder, bounded in time, never two."""

import json
from dataclasses import replace

import pytest

from deployer.errors import Failure, RefusedError, TransientFailure
from deployer.lock import Holder, SharedLock
from deployer.lock.shared import heartbeat
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

PREFIX = "job/production/"
SECONDS = 60.0
ALICE = Holder("20270101-000000-aaaa", "alice", "laptop", 4711, 1_800_000_000.0)
BOB = Holder("20270101-000100-bbbb", "bob", "ci", 12, 1_800_000_060.0)
LOST = TransientFailure("network", "connection reset")


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def lock(store: FakeStore, clock: FakeClock | None = None) -> SharedLock:
    """One machine's side, with a clock of its own where one is given."""
    clock = clock or store.clock
    return SharedLock(store, PREFIX, SECONDS, clock, elapsed=clock.now)


def taken(store: FakeStore, holder: Holder, clock: FakeClock | None = None) -> SharedLock:
    mine = lock(store, clock)
    mine.acquire(holder)
    return mine


def test_the_refusal_says_who_where_what_and_what_to_type(store: FakeStore) -> None:
    """The second one is told the holder, host, process, release, node, since when, and both ways out."""
    first = taken(store, ALICE)
    first.report_node("DOCKER_PUSH")
    first.renew()
    store.clock.time += 15
    with pytest.raises(RefusedError) as refused:
        lock(store).acquire(BOB)
    assert refused.value.message == (
        "another release to production is running: alice@laptop (process 4711), "
        "release 20270101-000000-aaaa, at DOCKER_PUSH, since 2027-01-15 08:00:00 UTC"
    )
    assert "deployer show 20270101-000000-aaaa" in refused.value.hint
    assert "in 45 s, or remove the lock now: `deployer unlock --env production`" in refused.value.hint


def test_a_dead_holder_blocks_until_its_lock_has_passed(store: FakeStore) -> None:
    """Up to the last second of the lock, others are refused; after it one takes over."""
    taken(store, ALICE)
    store.clock.time += SECONDS - 1
    with pytest.raises(RefusedError):
        lock(store).acquire(BOB)
    store.clock.time += 1
    lock(store).acquire(BOB)


def test_renewing_keeps_it(store: FakeStore) -> None:
    """A holder whose heart beats is not taken over, however long it takes."""
    first = taken(store, ALICE)
    for _ in range(20):
        store.clock.time += SECONDS / 3
        first.renew()
        first.check()
    with pytest.raises(RefusedError):
        lock(store).acquire(BOB)


def test_clocks_need_not_agree(store: FakeStore) -> None:
    """A contender whose clock is a day ahead is refused all the same: the store's clock alone counts."""
    taken(store, ALICE, FakeClock(store.clock.now() - 86_400))
    with pytest.raises(RefusedError):
        lock(store, FakeClock(store.clock.now() + 86_400)).acquire(BOB)


def test_the_holder_stops_before_another_can_begin(store: FakeStore) -> None:
    """With the store away the holder goes on for a while, and refuses well before the lock expires."""
    first = taken(store, ALICE)
    store.away = True
    store.clock.time += SECONDS * 0.79
    first.check()
    store.clock.time += SECONDS * 0.02
    with pytest.raises(RefusedError, match=r"could not be renewed in time: the store is away"):
        first.check()
    assert store.objects[first.key][2] + SECONDS > store.clock.time


@pytest.mark.parametrize("asleep", ["the clock jumps", "the machine's own time jumps"])
def test_either_clock_can_say_that_time_is_up(store: FakeStore, asleep: str) -> None:
    """A machine that slept, or whose clock was set back, does not believe in a lock of long ago."""
    clock, own = FakeClock(), FakeClock(0.0)
    mine = SharedLock(store, PREFIX, SECONDS, clock, elapsed=own.now)
    mine.acquire(ALICE)
    store.away = True
    (clock if asleep == "the clock jumps" else own).time += SECONDS
    with pytest.raises(RefusedError):
        mine.check()


def test_a_late_holder_goes_on_where_nobody_came(store: FakeStore) -> None:
    """After a long sleep the store still has its hold: it is renewed, and the release goes on."""
    first = taken(store, ALICE)
    store.clock.time += 3600
    first.check()
    with pytest.raises(RefusedError):
        lock(store).acquire(BOB)


def test_a_late_holder_stops_where_another_came(store: FakeStore) -> None:
    """The one that was taken over is told by whom, how to go on, and never writes the lock again."""
    first = taken(store, ALICE)
    store.clock.time += SECONDS + 1
    taken(store, BOB)
    with pytest.raises(RefusedError, match=r"taken over by bob@ci .* 20270101-000100-bbbb") as stopped:
        first.check()
    assert "deployer resume 20270101-000000-aaaa" in stopped.value.hint
    before = store.objects[first.key]
    first.renew()
    first.release()
    assert store.objects[first.key] == before


def test_given_back_it_is_free_at_once(store: FakeStore) -> None:
    """The next release does not wait, and the one that gave it back does not renew it."""
    first = taken(store, ALICE)
    first.release()
    first.renew()
    assert lock(store).current() is None
    taken(store, BOB)


def test_what_a_crash_left_behind_in_this_folder_blocks_nobody_here(store: FakeStore) -> None:
    """The local lock proves that the process is dead: its release is resumed at once."""
    taken(store, ALICE)
    lock(store).acquire(BOB, stale_owner=replace(ALICE, node="RUN_TASK"))


def test_another_folder_is_no_proof(store: FakeStore) -> None:
    """A hold of another process than the one that died here is respected."""
    taken(store, ALICE)
    with pytest.raises(RefusedError):
        lock(store).acquire(BOB, stale_owner=replace(ALICE, pid=4712))


@pytest.mark.parametrize("method", ["create", "replace"])
def test_a_lost_answer_is_not_another_holder(store: FakeStore, method: str) -> None:
    """A write that took effect and was not answered is found again by its holder, and nobody else's."""
    if method == "replace":
        taken(store, BOB).release()
    store.faults.lose_next_answer(method, LOST)
    mine = lock(store)
    with pytest.raises(Failure):
        mine.acquire(ALICE)
    mine.acquire(ALICE)
    store.faults.lose_next_answer("replace", LOST)
    with pytest.raises(Failure):
        mine.renew()
    mine.renew()
    mine.check()


def test_a_broken_lock_stops_its_holder(store: FakeStore) -> None:
    """After `unlock` the old holder learns at its next heartbeat by whom it was broken."""
    first = taken(store, ALICE)
    assert lock(store).force_release(ALICE, "carol@desk")
    first.renew()
    with pytest.raises(RefusedError, match=r"broken by carol@desk"):
        first.check()


def test_only_the_hold_that_was_named_is_broken(store: FakeStore) -> None:
    """Between asking and breaking the lock may change hands; the new one is not broken."""
    taken(store, BOB)
    assert not lock(store).force_release(ALICE, "carol@desk")
    assert lock(store).current()


def test_a_removed_object_is_a_lost_lock(store: FakeStore) -> None:
    """Somebody who deletes it by hand has ended the hold: another may have begun since."""
    first = taken(store, ALICE)
    del store.objects[first.key]
    first.renew()
    with pytest.raises(RefusedError, match="removed"):
        first.check()


def test_an_unreadable_object_blocks_until_it_expires(store: FakeStore) -> None:
    """Nonsense in the bucket is respected as somebody's until it expires, and then replaced."""
    store.write(f"{PREFIX}lock.json", b"\x00nonsense")
    with pytest.raises(RefusedError):
        lock(store).acquire(ALICE)
    store.clock.time += SECONDS + 1
    lock(store).acquire(ALICE)


def test_people_can_read_it(store: FakeStore) -> None:
    """The object tells holder, node, and when it expires if nobody renews it."""
    first = taken(store, ALICE)
    first.report_node("RUN_TASK")
    first.renew()
    told = json.loads(store.objects[first.key][0])
    assert told["holder"]["node"] == "RUN_TASK"
    assert (told["ttl"], told["expires"]) == (SECONDS, store.clock.now() + SECONDS)


def test_the_heart_stops_with_the_release(store: FakeStore) -> None:
    """However the release ends, the lock is free afterwards and no thread goes on."""
    first = taken(store, ALICE)
    with pytest.raises(KeyboardInterrupt), heartbeat(first):
        raise KeyboardInterrupt
    assert lock(store).current() is None
