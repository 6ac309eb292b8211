"""Command line of the ETL: parses, prints, exits. The last line on stdout of a run is its report, as JSON."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer

from pipeline.app import Options, perform_run, retry_rejected
from pipeline.config import duration, mongo_settings, settings_from
from pipeline.errors import ConfigurationError, PipelineError, Stopped
from pipeline.report import Limits, RunReport, last_line
from pipeline.reporting.commands import report
from pipeline.words import printable


class Output(StrEnum):
    plain = "plain"
    json = "json"


app = typer.Typer(
    help="Weather readings of many stations into MongoDB: exact, accounted, idempotent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(report, name="report")
_SourceOption = Annotated[
    str | None,
    typer.Option(
        help="Folder, file or s3://bucket/prefix. Default: S3_BUCKET_NAME and S3_PREFIX, or data/downloaded."
    ),
]
_Workers = Annotated[int, typer.Option(min=1, help="Processes of this machine to spread objects over.")]
_DaskOption = Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://HOST:PORT.")]
_MaxRejected = Annotated[
    float, typer.Option(min=0, max=1, help="Share of refused rows above which the run exits 3.")
]
_MaxDropped = Annotated[
    float, typer.Option(min=0, max=1, help="Share of unusable values of a field above which the run exits 3.")
]
_MaxConflicts = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="Share of rows that conflict with another of their object above which it exits 3.",
    ),
]
_Exclude = Annotated[
    list[str] | None,
    typer.Option(help="Pattern of names or keys to leave out, such as '*.zip'; repeatable. Also EXCLUDE."),
]
_KeepHistory = Annotated[
    str, typer.Option(metavar="90d", help="How long withdrawn readings stay in measurements_history; 0: not.")
]
_OutputOption = Annotated[Output, typer.Option(help="plain: lines for people; json: an object a line.")]


@app.command()
def run(
    *,
    source: _SourceOption = None,
    workers: _Workers = 1,
    dask: _DaskOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read objects again that are loaded already.")] = False,
    exclude: _Exclude = None,
    max_rejected: _MaxRejected = 0.05,
    max_dropped: _MaxDropped = 0.05,
    max_conflicts: _MaxConflicts = 0.05,
    keep_history: _KeepHistory = "90d",
    output: _OutputOption = Output.plain,
) -> None:
    """Load what is new in the source."""
    settings = settings_from(source=source)
    limits = Limits(max_rejected, max_dropped, max_conflicts)
    left_out = (*(exclude or ()), *settings.exclude)
    kept = duration(keep_history, "--keep-history")
    options = Options(workers, dask, full, limits, left_out, kept, bar=output is Output.plain)
    _end(perform_run(settings, options, _sayer(output)))


@app.command("retry-rejected")
def retry_rejected_command(
    source: _SourceOption = None,
    workers: _Workers = 1,
    max_rejected: _MaxRejected = 1.0,
    output: _OutputOption = Output.plain,
) -> None:
    """Read objects with refused rows again, after a fix; what passes now is loaded."""
    options = Options(workers=workers, limits=Limits(max_rejected), bar=output is Output.plain)
    _end(retry_rejected(settings_from(source=source), options, _sayer(output)))


@app.command("forget")
def forget_command(
    key: Annotated[str, typer.Argument(metavar="OBJECT", help="Key of an object, as reports name it.")],
    source: _SourceOption = None,
    keep_history: _KeepHistory = "90d",
) -> None:
    """Withdraw all readings of an object; objects that hold them as well are read again by the next run."""
    from pipeline.upkeep import forget

    _print_json(forget(settings_from(source=source), key, duration(keep_history, "--keep-history")))


@app.command("migrate")
def migrate_command(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would change.")] = False,
) -> None:
    """Bring documents of earlier versions up to date: the two rains, indexes, views. Twice does no harm."""
    from pipeline.upkeep import migrate

    _print_json(migrate(mongo_settings(), dry_run=dry_run))


@app.command()
def sample(
    rows: Annotated[int, typer.Option(min=1, help="Number of distinct readings.")],
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the files; made if it is not there.")
    ],
    end: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Last day of data, UTC; default today up to this hour."),
    ] = None,
) -> None:
    """Write synthetic data of six stations in every source format, with copies as Airbyte makes them."""
    from pipeline.sample.write import write_sample

    written = write_sample(rows, out, _end_of(end))
    print(orjson.dumps({"event": "sample", **written}).decode())


@app.command()
def connectivity(output: _OutputOption = Output.plain) -> None:
    """Check MongoDB connectivity stage by stage and name the first stage that fails."""
    from pipeline.connectivity import check

    raise SystemExit(check(output.value))


@app.command()
def query() -> None:
    """Answer the queries in QUESTIONS, read-only; used by `deployer verify --via task`."""
    from pipeline.query import main

    main()


def _end_of(text: str | None) -> datetime:
    """The last moment of the sample, naive UTC; never later than the hour that has begun."""
    hour = datetime.now(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    try:
        day = date.fromisoformat(text) if text else hour.date()
    except ValueError as error:
        raise ConfigurationError(f"--end {text}: {error}", "Write a date as YYYY-MM-DD.") from error
    return min(hour, datetime.combine(day, time.max.replace(microsecond=0)))


def _sayer(output: Output) -> Any:
    def say(event: str, **facts: Any) -> None:
        if output is Output.json:
            _print_json({"event": event, **facts})
        else:
            now = datetime.now(UTC)
            print(
                f"{now:%H:%M:%S} {event:11} "
                + " ".join(f"{key}={printable(value)}" for key, value in facts.items()),
                flush=True,
            )

    return say


def _print_json(document: dict[str, Any]) -> None:
    text = orjson.dumps(document, default=str, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode()
    print(text, flush=True)


def _end(report: RunReport) -> NoReturn:
    document = report.as_document()
    if document["error"]:
        _complain(document["error"], document["hint"])
    _print_json(last_line(document))
    raise SystemExit(document["exit_code"])


def _complain(message: str, hint: str | None) -> None:
    print(f"error: {printable(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)


def _stop(number: int, _frame: Any) -> None:
    raise Stopped(signal.Signals(number))


def main() -> None:
    """Entry point of `forecast-etl` and `python -m pipeline`."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, _stop)
    try:
        app()
    except (PipelineError, Stopped) as error:
        _complain(error.message, error.hint)
        raise SystemExit(error.exit_code) from None
