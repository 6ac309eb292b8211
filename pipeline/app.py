"""The only place where real objects are built."""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

from pipeline.config import Settings
from pipeline.connectivity import explain
from pipeline.errors import MongoError, PipelineError
from pipeline.executors import Dask, Inline, Job, Processes
from pipeline.fingerprint import fingerprint
from pipeline.gateways.folder import FolderSource
from pipeline.gateways.measurements import MongoMeasurements
from pipeline.gateways.mongo import connect
from pipeline.gateways.run_store import MongoRunStore, utc_now
from pipeline.load import Loader, RunIdentity
from pipeline.ports import Executor, RunStore, Source
from pipeline.report import RunReport
from pipeline.run import Run, Say
from pipeline.stations import load_catalog
from pipeline.upsert import Upserter

_BEAT_S = 10.0
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about a run."""

    workers: int = 1
    dask: str | None = None
    full: bool = False
    max_rejected: float = 0.05


def open_source(settings: Settings) -> Source:
    if not settings.source.startswith("s3://"):
        return FolderSource(Path(settings.source))
    from pipeline.gateways.s3 import S3Source, s3_client

    return S3Source(settings.source, s3_client(settings.region, settings.s3_timeout_s), time.sleep)


@contextmanager
def open_run_store(settings: Settings) -> Iterator[MongoRunStore]:
    with connect(settings.mongo) as client:
        yield MongoRunStore(client[settings.mongo.database], utc_now, fingerprint())


def open_loader(job: Job) -> Loader:
    """The loader of one process; runs in workers as well, so it takes all it needs from the job.

    Documents are made and dropped by the million and hold no cycles: looking for those less often saves 8 %.
    The upserter repeats writes that were interrupted, so the driver need not.
    """
    gc.set_threshold(20_000, 20, 20)
    name = job.settings.mongo.database
    with ExitStack() as clients:
        once = clients.enter_context(connect(job.settings.mongo, retry_writes=False))
        client = clients.enter_context(connect(job.settings.mongo))
        return Loader(
            job.run,
            open_source(job.settings),
            Upserter(MongoMeasurements(once[name]), time.sleep),
            MongoRunStore(client[name], utc_now, fingerprint()),
            load_catalog(),
            clients.pop_all().close,
        )


def perform_run(settings: Settings, options: Options, say: Say) -> RunReport:
    """One run from start to report.

    An expected failure is in the report, also when MongoDB does not answer.
    """
    report, executor = _prepare(settings, options)

    def perform() -> None:
        with open_run_store(settings) as run_store:
            run_store.create_indexes()
            _perform(report, settings, run_store, executor, say, None)

    return _reported(report, settings, perform)


def retry_rejected(settings: Settings, options: Options, say: Say) -> RunReport:
    """Read those objects again of which rows are refused; what passes now is loaded. None is fine."""
    report, executor = _prepare(settings, options)
    report.may_be_empty = True

    def perform() -> None:
        with open_run_store(settings) as run_store:
            _perform(report, settings, run_store, executor, say, frozenset(run_store.rejected_objects()))

    return _reported(report, settings, perform)


def _prepare(settings: Settings, options: Options) -> tuple[RunReport, Executor]:
    now = utc_now()
    run_id = settings.run_id or f"run-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    job = Job(RunIdentity(run_id, now + _AHEAD), replace(settings, run_id=run_id))
    executor: Executor = Inline(job, open_loader)
    if options.dask:
        executor = Dask(job, open_loader, options.dask)
    elif options.workers > 1:
        executor = Processes(job, open_loader, options.workers)
    report = RunReport(run_id, settings.source, now, executor.name, options.full, options.max_rejected)
    return report, executor


def _perform(
    report: RunReport,
    settings: Settings,
    run_store: RunStore,
    executor: Executor,
    say: Say,
    only: frozenset[str] | None,
) -> None:
    say("started", run_id=report.run_id, source=report.source, executor=executor.name)
    run = Run(report, open_source(settings), run_store, executor, utc_now, say, only)
    with _heartbeat(run_store, report.run_id):
        run.perform()


def _reported(report: RunReport, settings: Settings, perform: Callable[[], None]) -> RunReport:
    """A failure before the run could open its entry goes into the report, with the stage that failed."""
    try:
        perform()
    except MongoError as error:
        report.error = explain(settings.mongo, error)
    except PipelineError as error:
        report.error = error
    report.finished_at = report.finished_at or utc_now()
    return report


@contextmanager
def _heartbeat(run_store: RunStore, run_id: str) -> Iterator[None]:
    stop = Event()

    def beat() -> None:
        while not stop.wait(_BEAT_S):
            with suppress(PipelineError):
                run_store.beat(run_id)

    thread = Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
