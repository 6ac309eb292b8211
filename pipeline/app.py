"""The only place where real objects are built."""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from threading import Event, Thread

from pipeline.config import Settings
from pipeline.connectivity import explain
from pipeline.errors import MongoError, PipelineError
from pipeline.executors import Dask, Inline, Job, Processes
from pipeline.fingerprint import code_with
from pipeline.gateways.configuration import read_configuration
from pipeline.gateways.folder import FolderSource
from pipeline.gateways.measurements import KEEP_HISTORY, MongoMeasurements
from pipeline.gateways.mongo import connect
from pipeline.gateways.run_store import MongoRunStore, utc_now
from pipeline.load import Loader, RunIdentity
from pipeline.parsers.reading import is_a_stations
from pipeline.ports import Executor, RunStore, Source
from pipeline.progress import Counts, Progress, Say
from pipeline.report import Limits, RunReport
from pipeline.run import Run, Selection
from pipeline.stations import Catalog, load_catalog
from pipeline.terminal import showing
from pipeline.upsert import Upserter

_BEAT_S = 10.0
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about a run. `bar`: its lines are for people."""

    workers: int = 1
    dask: str | None = None
    full: bool = False
    limits: Limits = field(default_factory=Limits)
    exclude: tuple[str, ...] = ()
    keep_history: timedelta = KEEP_HISTORY
    bar: bool = False


@dataclass(frozen=True, slots=True)
class _Prepared:
    report: RunReport
    job: Job
    executor: Executor
    counts: Counts


def open_source(settings: Settings) -> Source:
    if not settings.source.startswith("s3://"):
        return FolderSource(Path(settings.source))
    from pipeline.gateways.s3 import S3Source, s3_client

    client = s3_client(settings.region, settings.s3_timeout_s)
    return S3Source(settings.source, client, time.sleep, settings.s3_timeout_s)


def source_name(settings: Settings) -> str:
    """The source as reports and `loaded_objects` name it."""
    if not settings.source.startswith("s3://"):
        return str(Path(settings.source))
    bucket, _, prefix = settings.source.removeprefix("s3://").partition("/")
    return f"s3://{bucket}/{prefix}"


def configured(settings: Settings) -> Settings:
    """The settings with what the files of STATIONS and NETWORKS hold. Raises ConfigurationError."""

    def text(variable: str, where: str | None) -> str | None:
        if where is None:
            return None
        return read_configuration(variable, where, settings.region, settings.s3_timeout_s)

    read = replace(
        settings,
        stations_text=text("STATIONS", settings.stations),
        networks_text=text("NETWORKS", settings.networks),
    )
    catalog(read)
    return read


def catalog(settings: Settings) -> Catalog:
    """The stations and networks of these settings. Raises ConfigurationError where they are not usable."""
    where = settings.stations or "pipeline/stations.toml", settings.networks or "networks.toml"
    return _catalog(settings.stations_text, settings.networks_text, *where)


_catalog = cache(load_catalog)


@contextmanager
def open_run_store(settings: Settings, attempt: str) -> Iterator[MongoRunStore]:
    code = code_with(catalog(settings).digest)
    with connect(settings.mongo) as client:
        database = client[settings.mongo.database]
        yield MongoRunStore(database, utc_now, code, source_name(settings), attempt)


def open_loader(job: Job, on_rows: Callable[[int], None] = lambda _: None) -> Loader:
    """The loader of one process; runs in workers as well, so it takes all it needs from the job.

    Documents are made and dropped by the million and hold no cycles: looking for those less often saves 8 %.
    The upserter repeats writes that were interrupted, so the driver need not.
    """
    gc.set_threshold(20_000, 20, 20)
    name = job.settings.mongo.database
    with ExitStack() as clients:
        once = clients.enter_context(connect(job.settings.mongo, retry_writes=False))
        run_store = clients.enter_context(open_run_store(job.settings, job.run.attempt))
        measurements = MongoMeasurements(once[name], utc_now, job.keep_history)
        return Loader(
            job.run,
            open_source(job.settings),
            measurements,
            Upserter(measurements, time.sleep),
            run_store,
            catalog(job.settings),
            clients.pop_all().close,
            on_rows,
        )


def perform_run(settings: Settings, options: Options, say: Say) -> RunReport:
    """One run from start to report.

    An expected failure is in the report, also when MongoDB does not answer.
    """
    settings = configured(settings)
    prepared = _prepare(settings, options)

    def perform() -> None:
        with open_run_store(settings, prepared.job.run.attempt) as run_store:
            run_store.create_schema()
            _perform(prepared, options, run_store, say, None)

    return _reported(prepared.report, settings, perform)


def retry_rejected(settings: Settings, options: Options, say: Say) -> RunReport:
    """Read those objects again of which rows are refused; what passes now is loaded. None is fine."""
    settings = configured(settings)
    prepared = _prepare(settings, options)
    prepared.report.may_be_empty = True

    def perform() -> None:
        with open_run_store(settings, prepared.job.run.attempt) as run_store:
            _perform(prepared, options, run_store, say, frozenset(run_store.rejected_objects()))

    return _reported(prepared.report, settings, perform)


def _prepare(settings: Settings, options: Options) -> _Prepared:
    now = utc_now()
    run_id = settings.run_id or f"run-{now:%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    identity = RunIdentity(run_id, now + _AHEAD, uuid.uuid4().hex[:12])
    job = Job(identity, replace(settings, run_id=run_id), options.keep_history)
    counts = Counts(live=True)
    executor: Executor = Inline(job, partial(open_loader, on_rows=counts.add_rows))
    if options.dask:
        executor = Dask(job, open_loader, options.dask)
    elif options.workers > 1:
        executor = Processes(job, open_loader, options.workers)
    counts.live = isinstance(executor, Inline)
    report = RunReport(run_id, source_name(settings), now, executor.name, options.full, options.limits)
    return _Prepared(report, job, executor, counts)


def _perform(
    prepared: _Prepared, options: Options, run_store: RunStore, say: Say, only: frozenset[str] | None
) -> None:
    report = prepared.report
    say("started", run_id=report.run_id, source=report.source, executor=report.executor)
    known = catalog(prepared.job.settings)
    selection = Selection(partial(is_a_stations, catalog=known), only, options.exclude)
    progress = Progress(say, prepared.counts)
    source = open_source(prepared.job.settings)
    run = Run(report, source, run_store, prepared.executor, utc_now, progress, selection)
    with _heartbeat(run_store, report.run_id), showing(prepared.counts, say, bar=options.bar):
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
