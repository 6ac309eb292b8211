"""Eight processes want one lock at once, on a real S3 over HTTP: one gets it, each time."""

import multiprocessing
import time
from collections import Counter

from deployer.adapters.aws.object_store import StateBucket
from deployer.adapters.aws.session import AwsSession
from deployer.adapters.local.machine import SystemClock
from deployer.lock import Holder, SharedLock
from tests.deployer.contract.aws.contender import contend, lock_of
from tests.deployer.contract.aws.test_object_store import bucket

CONTENDERS = 8
ROUNDS = 100
DEAD = Holder("dead", "somebody", "elsewhere", 1, 0.0)


def prepared(store: StateBucket, number: int) -> None:
    """Before the round the lock was never held, or was given back, or its holder died long ago."""
    kind = number % 3
    if kind == 1:
        lock = lock_of(store, number)
        lock.acquire(DEAD)
        lock.release()
    elif kind == 2:
        SharedLock(store, f"job/round-{number}/", 0.5, SystemClock()).acquire(DEAD)


def test_crash_and_race_have_one_winner_each(
    ministack: str, ministack_session: AwsSession, name: str
) -> None:
    """A hundred races of eight processes for a lock that is free, given back, or left by a dead holder:
    one winner each, and the store names that one."""
    store = bucket(name, ministack_session)
    for number in range(ROUNDS):
        prepared(store, number)
    time.sleep(2)  # the dead holders' locks of half a second, in the store's whole seconds
    spawn = multiprocessing.get_context("spawn")
    start, won = spawn.Barrier(CONTENDERS), spawn.Queue()
    processes = [
        spawn.Process(target=contend, args=(ministack, name, ROUNDS, start, won)) for _ in range(CONTENDERS)
    ]
    for process in processes:
        process.start()
    answers = [won.get(timeout=120) for _ in range(ROUNDS * CONTENDERS)]
    for process in processes:
        process.join(60)
    winners = [(number, pid) for number, pid in answers if pid]
    assert Counter(number for number, _ in winners) == dict.fromkeys(range(ROUNDS), 1)
    for number, pid in winners:
        hold = lock_of(store, number).current()
        assert hold and hold.holder and str(hold.holder.pid) == pid
    assert len({pid for _, pid in winners}) > 1
