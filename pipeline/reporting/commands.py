"""`forecast-etl report`: quality of the data, performance of reading it, replication of the set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer

from pipeline.config import MongoSettings, mongo_settings
from pipeline.connectivity import explain
from pipeline.errors import MongoError
from pipeline.gateways.mongo import connect
from pipeline.reporting import check_quality, performance, replication
from pipeline.words import printable


class Output(StrEnum):
    plain = "plain"
    json = "json"


_OutputOption = Annotated[Output, typer.Option(help="plain: a table for people; json: one object.")]
report = typer.Typer(
    help="Reports about what is loaded: 0 good, 1 not good.", no_args_is_help=True, add_completion=False
)
report.command("quality")(check_quality.command)


@report.command("performance")
def performance_command(output: _OutputOption = Output.plain) -> None:
    """Five ways of reading the data, each against a limit."""
    settings = mongo_settings()
    with _explained(settings), connect(settings) as client:
        taken = performance.measure(client[settings.database])
    _end(output, performance.as_document(taken), performance.lines(taken))


@report.command("replication")
def replication_command(output: _OutputOption = Output.plain) -> None:
    """Is a write seen on every secondary, how soon, and how far does each lag behind?"""
    settings = mongo_settings()
    with _explained(settings):
        found = replication.replication(settings)
    _end(output, replication.as_document(found), replication.lines(found))


def _end(output: Output, document: dict[str, Any], lines: list[str]) -> None:
    if output is Output.json:
        print(orjson.dumps(document).decode())
    else:
        print("\n".join(printable(line) for line in lines))
    raise SystemExit(0 if document["ok"] else 1)


@contextmanager
def _explained(settings: MongoSettings) -> Iterator[None]:
    try:
        yield
    except MongoError as error:
        raise explain(settings, error) from error
