"""One of many processes that want the same lock at the same moment."""

from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from deployer.adapters.aws.object_store import StateBucket
from deployer.adapters.local.machine import SystemClock
from deployer.errors import RefusedError
from deployer.lock import Holder, SharedLock
from tests.deployer.contract.aws.worlds import session

SECONDS = 60.0


def lock_of(bucket: StateBucket, number: int) -> SharedLock:
    """The lock of that round."""
    return SharedLock(bucket, f"job/round-{number}/", SECONDS, SystemClock())


def contend(
    endpoint: str, bucket: str, rounds: int, start: Barrier, won: "Queue[tuple[int, str | None]]"
) -> None:
    """Tells for each round its own release's id if it got the lock, else None."""
    store, clock = StateBucket(bucket, session(endpoint)), SystemClock()
    for number in range(rounds):
        me = Holder.here(f"r{number}", clock.now())
        start.wait(60)
        try:
            lock_of(store, number).acquire(me)
        except RefusedError:
            won.put((number, None))
        else:
            won.put((number, f"{me.pid}"))
