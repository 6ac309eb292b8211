"""Where the per-object work runs: in this process, in processes of this machine, or on a Dask cluster.

What is handed out is a group of objects, so that small ones share batches and round trips everywhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.util import Finalize
from typing import Any

from pipeline.config import Settings
from pipeline.errors import ConfigurationError, WorkerDied
from pipeline.load import Loader, RunIdentity
from pipeline.model import ObjectRef, ObjectReport
from pipeline.prefetch import groups

_AHEAD = 2
_CONNECT_S = 10
_WORK_OF_AN_OBJECT, _WORTH_A_PROCESS = 2048, 24 * 2**20
"""Bytes that an object costs besides its own, and from which on a process earns its start."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that a worker needs to build its own loader; small, and the same for every object of a run."""

    run: RunIdentity
    settings: Settings
    keep_history: timedelta = timedelta(days=90)


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
    """Groups spread over processes of this machine, two waiting for each so that none is idle.

    Never slower than one process: no more processes than processors, and none for little work.
    """

    def __init__(self, job: Job, open_loader: OpenLoader, workers: int) -> None:
        self._workers = min(workers, max(os.cpu_count() or 1, 2))
        less = f" ({workers} asked for)" if self._workers < workers else ""
        self.name = f"{self._workers} processes{less}"
        self._job = job
        self._open_loader = open_loader

    def load(self, refs: Iterable[ObjectRef]) -> Iterator[ObjectReport]:
        remaining = iter(refs)
        first, enough = worth_processes(remaining)
        if enough:
            yield from self._spread(groups(chain(first, remaining)))
        else:
            yield from Inline(self._job, self._open_loader).load(first)

    def _spread(self, remaining: Iterator[list[ObjectRef]]) -> Iterator[ObjectReport]:
        running: set[Future[list[ObjectReport]]] = set()
        with ProcessPoolExecutor(self._workers, get_context("spawn")) as pool:
            try:
                for group in remaining:
                    alone = group[0].suspect
                    while running and (alone or len(running) >= _AHEAD * self._workers):
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        for future in done:
                            yield from future.result()
                    running.add(pool.submit(load_in_worker, self._job, self._open_loader, group))
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from future.result()
            except BrokenProcessPool as error:
                raise WorkerDied(
                    "a worker process died", "Out of memory? Run again: what is loaded is kept."
                ) from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def worth_processes(refs: Iterator[ObjectRef]) -> tuple[list[ObjectRef], bool]:
    """The first objects, and whether they are so much work that starting processes pays."""
    first, work = [], 0
    for ref in refs:
        first.append(ref)
        work += ref.size + _WORK_OF_AN_OBJECT
        if work >= _WORTH_A_PROCESS and len(first) > 1:
            return first, True
    return first, False


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

            remaining = groups(refs)
            ahead = _AHEAD * max(sum(client.nthreads().values()), 1)
            running = _as_completed(
                client, (self._submit(client, group) for group in islice(remaining, ahead))
            )
            try:
                for future in running:
                    yield from future.result()
                    future.release()
                    for group in islice(remaining, 1):
                        running.add(self._submit(client, group))
            except KilledWorker as error:
                raise WorkerDied(f"Dask gave up on an object: {error}", "See the workers' logs.") from error

    def _submit(self, client: Any, group: list[ObjectRef]) -> Any:
        return client.submit(load_in_worker, self._job, self._open_loader, group, pure=False, retries=2)

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


def load_in_worker(job: Job, open_loader: OpenLoader, group: list[ObjectRef]) -> list[ObjectReport]:
    """Load a group with the loader of this process and thread, which is made once a run."""
    if getattr(_here, "job", None) != job:
        if hasattr(_here, "close"):
            _here.close()
        _here.loader, _here.job = open_loader(job), job
        _here.close = Finalize(None, _here.loader.close, exitpriority=1)
    return list(_here.loader.load(group))


_here = threading.local()
"""The loader of this thread of a worker process, for as long as objects of its run come."""
