"""Where the per-object work runs: in this process, in processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from multiprocessing.util import Finalize
from typing import Any

from pipeline.config import Settings
from pipeline.errors import ConfigurationError, PipelineError
from pipeline.load import Loader, RunIdentity
from pipeline.model import ObjectRef, ObjectReport

_AHEAD = 2
_CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to build its own loader; small, and the same for every object of a run."""

    run: RunIdentity
    settings: Settings


OpenLoader = Callable[[Job], Loader]


class Inline:
    """One object after the other, here."""

    name = "inline"

    def __init__(self, job: Job, open_loader: OpenLoader) -> None:
        self._job = job
        self._open_loader = open_loader

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        loader = self._open_loader(self._job)
        try:
            yield from loader.load(refs)
        finally:
            loader.close()


class Processes:
    """Objects spread over processes of this machine, two waiting for each so that none is idle."""

    def __init__(self, job: Job, open_loader: OpenLoader, workers: int) -> None:
        self.name = f"{workers} processes"
        self._job = job
        self._open_loader = open_loader
        self._workers = workers

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        remaining = iter(refs)
        running: set[Future[ObjectReport]] = set()
        with ProcessPoolExecutor(self._workers, get_context("spawn")) as pool:
            try:
                while True:
                    for ref in islice(remaining, _AHEAD * self._workers - len(running)):
                        running.add(pool.submit(load_in_worker, self._job, self._open_loader, ref))
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BrokenProcessPool as error:
                raise PipelineError(
                    "a worker process died", "Out of memory? Run again: what is loaded is kept."
                ) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


class Dask:
    """Objects as tasks of a Dask cluster.

    Only references and reports go through the scheduler; a task of a worker that died runs again elsewhere,
    which doubles nothing.
    """

    def __init__(self, job: Job, open_loader: OpenLoader, address: str) -> None:
        self.name = f"dask {address}"
        self._job = job
        self._open_loader = open_loader
        self._address = address

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        with self._connected() as client:
            from distributed import KilledWorker

            remaining = iter(refs)
            ahead = _AHEAD * max(sum(client.nthreads().values()), 1)
            running = _as_completed(client, (self._submit(client, ref) for ref in islice(remaining, ahead)))
            try:
                for future in running:
                    yield future.result()
                    future.release()
                    for ref in islice(remaining, 1):
                        running.add(self._submit(client, ref))
            except KilledWorker as error:
                raise PipelineError(
                    f"Dask gave up on an object: {error}", "See the workers' logs."
                ) from error

    def _submit(self, client: Any, ref: ObjectRef) -> Any:
        return client.submit(load_in_worker, self._job, self._open_loader, ref, pure=False, retries=2)

    def _connected(self) -> Any:
        try:
            from distributed import Client
        except ImportError as error:
            raise ConfigurationError("--dask needs dask.distributed", "pip install distributed") from error
        try:
            connect: Any = Client
            return connect(self._address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"no Dask scheduler at {self._address}: {error}",
                "Give --dask tcp://HOST:PORT of a running scheduler.",
            ) from error


def _as_completed(client: Any, futures: Iterable[Any]) -> Any:
    import distributed

    return distributed.as_completed(list(futures), loop=client.loop)  # type: ignore[no-untyped-call]


def load_in_worker(job: Job, open_loader: OpenLoader, ref: ObjectRef) -> ObjectReport:
    """Load one object with the loader of this process and thread, which is made once a run."""
    if getattr(_here, "job", None) != job:
        if hasattr(_here, "close"):
            _here.close()
        _here.loader, _here.job = open_loader(job), job
        _here.close = Finalize(None, _here.loader.close, exitpriority=1)
    report: ObjectReport = next(_here.loader.load([ref]))
    return report


_here = threading.local()
"""The loader of this thread of a worker process, for as long as objects of its run come."""
