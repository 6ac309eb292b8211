"""Networks of stations as configuration: which columns their tables have, and what these are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.dates import Order
from pipeline.fields import FIELDS, Field, column_name
from pipeline.strict_toml import Table, tables_of
from pipeline.units import unit_key

STATION_ZONE = "station"
_KEYS = ("network", "zone", "separator", "records", "time", "date", "datetime", "date-order", "missing",
         "required", "ignore", "station", "columns")  # fmt: skip
_STATION_KEYS = ("id", "name", "latitude", "longitude", "elevation_m")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its field, the unit of a bare number (and of a metric station's), texts that are values."""

    header: str
    field: Field
    unit: str
    metric: str
    words: Mapping[str, float | None]

    def bare(self, *, metric: bool) -> str:
        """The unit of a bare number."""
        return self.metric if metric else self.unit


@dataclass(frozen=True, slots=True)
class Network:
    """A kind of table. `zone` is None where each station tells the time in its own.

    Names of columns are as `column_name` gives them. `station_id` is empty where the object's name says which
    station it is.
    """

    name: str
    stored_as: str
    zone: ZoneInfo | None
    separator: str | None
    records: str | None
    time: tuple[str, ...]
    date: tuple[str, ...]
    datetime: tuple[str, ...]
    order: Order | None
    missing: frozenset[str]
    required: tuple[str, ...]
    ignore: frozenset[str]
    ignores_all: bool
    station_id: tuple[str, ...]
    about: Mapping[str, str]
    columns: Mapping[str, Column]

    def column_of(self, field: str) -> str:
        """How the network calls a field's first column."""
        return next((column.header for column in self.columns.values() if column.field.name == field), field)


@dataclass(frozen=True, slots=True)
class Networks:
    """All known networks by name; those that name their stations in the rows come first in a search."""

    by_name: Mapping[str, Network]
    text: str = ""
    """What they were read from."""

    @property
    def self_naming(self) -> Iterable[Network]:
        return (network for network in self.by_name.values() if network.station_id)


def load_networks(text: str | None = None, where: str = "pipeline/networks.toml") -> Networks:
    """The networks that ship with the package, and those of another file beside or instead of them.

    Raises ConfigurationError naming file, line and key.
    """
    own = resources.files("pipeline").joinpath("networks.toml").read_text("utf-8")
    tables = tables_of("pipeline/networks.toml", own) + (tables_of(where, text) if text is not None else [])
    return Networks({table.path[0]: _network(table) for table in tables}, f"{own}\0{text}")


def _network(table: Table) -> Network:
    table.allow(_KEYS)
    station, name = table.table_of("station"), table.path[0]
    station.allow(_STATION_KEYS)
    columns = _columns(table.table_of("columns"), table)
    time, moment = (_names(table, key) for key in ("time", "datetime"))
    if not time and not moment:
        table.refuse("datetime", "is missing, and so is time", 'Name the column: datetime = ["date"].')
    required = table.texts_of("required")
    for field in required:
        if field not in {column.field.name for column in columns.values()}:
            table.refuse("required", f"names {field!r}, which no column is")
    ignore = table.texts_of("ignore")
    separator = table.text_of("separator", "") or None
    if separator and len(separator) != 1:
        table.refuse("separator", f"must be one character, not {separator!r}")
    order = table.choice_of("date-order", [*Order, ""], "")
    return Network(
        name=name,
        stored_as=table.text_of("network", name),
        zone=_zone(table),
        separator=separator,
        records=table.text_of("records", "") or None,
        time=time,
        date=_names(table, "date"),
        datetime=moment,
        order=Order(order) if order else None,
        missing=frozenset(text.strip().lower() for text in table.texts_of("missing")),
        required=required,
        ignore=frozenset(column_name(item) for item in ignore),
        ignores_all="*" in ignore,
        station_id=_names(station, "id"),
        about={key: station.text_of(key) for key in _STATION_KEYS[1:] if key in station.values},
        columns=columns,
    )


def _names(table: Table, key: str) -> tuple[str, ...]:
    return tuple(column_name(item) for item in table.texts_of(key, one_will_do=True))


def _zone(table: Table) -> ZoneInfo | None:
    name = table.text_of("zone")
    if name == STATION_ZONE:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        table.refuse("zone", f"is {name!r}", 'It is "station" or a name like Europe/Paris or UTC.')


def _columns(table: Table, network: Table) -> dict[str, Column]:
    if not table.values:
        network.refuse(
            "columns", "is missing", 'Add a table of columns, such as t = { field = "temperature_c" }.'
        )
    columns = {}
    for header in table.values:
        entry = table.table_of(header)
        entry.allow(("field", "unit", "metric", "words"))
        name = entry.text_of("field")
        if name not in FIELDS:
            table.refuse(header, f"names the unknown field {name!r}", f"Fields are {', '.join(FIELDS)}.")
        field = FIELDS[name]
        unit = entry.text_of("unit", "")
        metric = entry.text_of("metric", unit)
        for text in (unit, metric):
            if text and text != "°" and unit_key(text) not in field.units:
                table.refuse(header, f"has the unknown unit {text!r}",
                             f"Units of {name} are {', '.join(field.units)}.")  # fmt: skip
        if not unit:
            table.refuse(header, "has no unit", f"Units of {name} are {', '.join(field.units)}.")
        columns[column_name(header)] = Column(header, field, unit, metric, _words(entry))
    return columns


def _words(entry: Table) -> dict[str, float | None]:
    words = entry.table_of("words")
    return {text.lower(): words.number_of(text, -1e9, 1e9) for text in words.values}
