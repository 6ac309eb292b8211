"""What is done to the database besides loading: forget an object, and bring old documents up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any

from pymongo.database import Database

from pipeline.app import configured, open_run_store
from pipeline.config import MongoSettings, Settings
from pipeline.connectivity import explain
from pipeline.errors import DataError, MongoError
from pipeline.gateways.measurements import MongoMeasurements
from pipeline.gateways.migration import two_rains
from pipeline.gateways.mongo import connect, translated
from pipeline.gateways.run_store import utc_now
from pipeline.gateways.schema import create_indexes, create_views, missing_indexes, missing_views
from pipeline.model import Document, Extent

_BATCH = 1000


def forget(settings: Settings, key: str, keep_history: timedelta) -> Document:
    """Withdraw every reading whose document is this object's row, and all that is remembered of the object.

    Objects that may hold the same readings are read again by the next run. Raises DataError when nothing of
    the object is known.
    """
    run_id = f"forget-{utc_now():%Y%m%dT%H%M%S}"
    with _explained(settings.mongo), connect(settings.mongo) as client:
        database = client[settings.mongo.database]
        measurements = MongoMeasurements(database, utc_now, keep_history)
        stored = measurements.stored(key, None)
        withdrawn, gone = 0, dict[str, Extent]()
        while batch := list(islice(stored, _BATCH)):
            withdrawn += measurements.withdraw(key, batch, run_id)
            for item in batch:
                here = Extent(frozenset({item.station}), item.moment, item.moment)
                gone[item.station] = here.joined(gone.get(item.station))
        with open_run_store(configured(settings), run_id) as run_store:
            again = sorted(run_store.overlapping([(key, extent) for extent in gone.values()]))
            known = run_store.forget(key, again)
    if not withdrawn and not known:
        raise DataError(f"no object {key} is known", "Name it as `loaded_objects` and the reports do.")
    return {
        "event": "forgotten",
        "object": key,
        "withdrawn": withdrawn,
        "run_id": run_id,
        "read_again": again,
    }


def migrate(settings: MongoSettings, *, dry_run: bool) -> Document:
    """Bring documents, indexes and views of earlier versions to what this one writes; counts of each."""
    with _explained(settings), connect(settings) as client:
        database: Database[dict[str, Any]] = client[settings.database]
        with translated():
            made = {"indexes": missing_indexes(database), "views": missing_views(database)}
            changed = two_rains(database, dry_run=dry_run)
        if not dry_run:
            create_indexes(database)
            create_views(database)
    return {"event": "migrated", "dry_run": dry_run, **changed, **made}


@contextmanager
def _explained(settings: MongoSettings) -> Iterator[None]:
    try:
        yield
    except MongoError as error:
        raise explain(settings, error) from error
