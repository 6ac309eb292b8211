"""The shared state in memory. It keeps its own time, and can be away."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from deployer.errors import TransientFailure
from deployer.ports.object_store import Stored
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults

AWAY = TransientFailure("network", "the store is away", "look at the network")


@dataclass
class FakeStore:
    """`objects`: key -> (content, version, when written by `clock`). `away`: every call fails."""

    where = "s3://state"
    clock: FakeClock = field(default_factory=FakeClock)
    faults: Faults = field(default_factory=Faults)
    objects: dict[str, tuple[bytes, str, float]] = field(default_factory=dict)
    away: bool = False
    written: list[str] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def read(self, key: str) -> Stored | None:
        with self._called("read"):
            if key not in self.objects:
                return None
            content, version, written = self.objects[key]
            return Stored(content, version, self.clock.now() - written)

    def write(self, key: str, content: bytes) -> None:
        with self._called("write"):
            self._put(key, content)

    def create(self, key: str, content: bytes) -> str | None:
        with self._called("create"):
            return None if key in self.objects else self._put(key, content)

    def replace(self, key: str, content: bytes, version: str) -> str | None:
        with self._called("replace"):
            if key not in self.objects or self.objects[key][1] != version:
                return None
            return self._put(key, content)

    def sizes(self, prefix: str, after: str = "") -> Mapping[str, int]:
        with self._called("sizes"):
            found = sorted(self.objects.items())
            return {key: len(value[0]) for key, value in found if key.startswith(prefix) and key > after}

    def folders(self, prefix: str, after: str = "") -> Sequence[str]:
        with self._called("folders"):
            rest = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
            return sorted(
                {name for name, slash, _ in (key.partition("/") for key in rest) if slash and name > after}
            )

    def _put(self, key: str, content: bytes) -> str:
        version = str(next(self._versions))
        self.objects[key] = (content, version, self.clock.now())
        self.written.append(key)
        return version

    @contextmanager
    def _called(self, method: str) -> Iterator[None]:
        if self.away:
            raise AWAY
        self.faults.before(method)
        with self._lock:
            yield
        self.faults.after(method)
