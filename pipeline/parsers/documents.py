"""JSON: a document, or one a line. Airbyte's envelopes, InfoClimat's answers, lists of records, records.

An answer of InfoClimat has `stations` with metadata and license, and `hourly` records by station. Each part
may be text that holds JSON, as Airbyte writes it with some settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from pipeline.errors import BrokenObject
from pipeline.fields import column_name
from pipeline.measurement import Row
from pipeline.model import Rejection
from pipeline.networks import Network
from pipeline.parsers.raw import LARGE, Decoder, check_parts
from pipeline.rows import ObjectRows
from pipeline.units import SAME, unit_key

_INFOCLIMAT = "infoclimat"
_NOT_A_STATION = "_params"
_ERRORS = ("errors", "error", "message", "messages", "detail")
_GOOD = frozenset({"ok", "success", "true", "200"})
_DEEP = 4
_SNIFFED = 50
_LISTS = ("data", "records", "rows", "results", "items")
"""What a list of records is called in documents that hold nothing else."""
_NO_UNIT = ("code", "okta")


def json_rows(content: bytes, rows: ObjectRows, networks: Iterable[Network]) -> Iterator[Row]:
    """Rows of one document. Raises BrokenObject when it is none that we know."""
    decoder = Decoder()
    try:
        check_parts(content)
        document = orjson.loads(content)
    except ValueError as error:
        document = _windows_json(content, decoder)
        if document is None:
            first, _, rest = content.partition(b"\n")
            if rest.strip() and _parses(first):
                yield from json_lines(content.split(b"\n"), rows, networks)
                return
            raise BrokenObject("not_json", f"{error}"[:200]) from error
    reader = _Reader(rows, networks)
    described, position = rows.context.described, 0
    for row in reader.read(1, document):
        if type(row) is Rejection and row.reason == "error_answer" and not position:
            raise BrokenObject(row.reason, row.detail)
        position += 1
        yield row
    yield from rows.finish()
    if not position and not rows.context.blank and rows.context.described == described and not reader.empty:
        raise BrokenObject("unknown_format", "no answer and no records of a known network")


def json_lines(lines: Iterable[bytes], rows: ObjectRows, networks: Iterable[Network]) -> Iterator[Row]:
    """Rows of documents that stand one a line.

    Raises BrokenObject for bytes that are no text: the object is not what it says it is.
    """
    reader, decoder, position = _Reader(rows, networks), Decoder(), 0
    plain, loads = rows.plain, orjson.loads
    for line in lines:
        position += 1
        try:
            if position < _SNIFFED or len(line) > LARGE:
                _look_at(line, decoder)
            data = loads(line)
        except ValueError as error:
            data = _otherwise(line, decoder, position, error)
        if type(data) is dict:
            if "_airbyte_data" in data:
                data = data["_airbyte_data"]
            if type(data) is dict and (known := plain.get(tuple(data))) is not None:
                if (row := known[0](position, data, known[1])) is not None:
                    yield row
                continue
        for row in [data] if type(data) is Rejection else reader.read(position, data):
            position = max(position, row.position)
            yield row
    yield from rows.finish()


def _look_at(line: bytes, decoder: Decoder) -> None:
    """Whether the text is UTF-8 shows in its first lines; a large line might be a bomb."""
    decoder.saw(line)
    if len(line) > LARGE:
        check_parts(line)


def _otherwise(line: bytes, decoder: Decoder, number: int, error: ValueError) -> Any:
    """What a line is that is no JSON in UTF-8: nothing, JSON of another encoding, or a row to refuse."""
    if not line.strip():
        return []
    data = _windows_json(line, decoder, number)
    return Rejection(number, "not_json", f"{error}"[:200], _text(line)) if data is None else data


def record_rows(
    records: Iterable[dict[str, Any]], rows: ObjectRows, networks: Iterable[Network]
) -> Iterator[Row]:
    """Rows of records that are parsed already."""
    reader, position = _Reader(rows, networks), 0
    for record in records:
        position += 1
        for row in reader.read(position, record):
            position = max(position, row.position)
            yield row
    yield from rows.finish()


class _Reader:
    """Finds the records in a document, whatever it is wrapped in."""

    def __init__(self, rows: ObjectRows, networks: Iterable[Network]) -> None:
        self._rows = rows
        known = list(networks)
        self._records = {*_LISTS, *(network.records for network in known if network.records)}
        self._infoclimat = next((network for network in known if network.name == _INFOCLIMAT), None)
        self.special = frozenset({"_airbyte_data", "hourly", "stations", *self._records})
        self._content = frozenset({"hourly", "stations", *self._records})
        self.empty = False
        """A document of a known kind had no records, and said so."""

    def read(self, position: int, document: Any, depth: int = 0) -> Iterator[Row]:
        """Rows of a parsed document; the first one has the given position, the others count up from it."""
        document = _unwrapped(document)
        if isinstance(document, list) and depth < _DEEP:
            for item in document:
                for row in self.read(position, item, depth + 1):
                    position = max(position, row.position)
                    yield row
                position += 1
            self.empty = self.empty or not document
        elif not isinstance(document, dict):
            yield Rejection(
                position, "not_a_record", f"no object but {type(document).__name__}", f"{document}"[:200]
            )
        elif "hourly" in document or isinstance(_parsed(document.get("stations")), list):
            yield from self._answer(position, document)
        elif inner := next((name for name in self._records if _has_list(document, name)), None):
            yield from self.read(position, _parsed(document[inner]), depth + 1)
        elif (found := self.record(position, document)) is not None:
            yield found

    def record(self, position: int, record: dict[str, Any]) -> Row | None:
        """One record; an answer that is an error is refused in its own words."""
        row = self._rows.record(position, record)
        if type(row) is Rejection and row.reason == "unknown_record" and (words := self._error_of(record)):
            return Rejection(position, "error_answer", words, record)
        return row

    def _error_of(self, document: Any) -> str | None:
        """What an answer that is an error says; None for all others."""
        if not isinstance(document, dict) or any(document.get(key) for key in self._content):
            return None
        told = [document.get(key) for key in _ERRORS if document.get(key)]
        state = document.get("status", document.get("success"))
        bad = state is not None and str(state).lower() not in _GOOD
        if not told and not bad:
            return None
        if not bad and len(document) > 4 and "errors" not in document and "error" not in document:
            return None
        words = "; ".join(_words(told)) or f"status {state}"
        return words[:300]

    def _answer(self, position: int, answer: dict[str, Any]) -> Iterator[Row]:
        """Raises BrokenObject when the answer says that a field is in another unit."""
        self._check_units(_parsed(answer.get("metadata")))
        listed = _parsed(answer.get("stations"))
        for station in listed if isinstance(listed, list) else ():
            self._rows.context.describe(_parsed(station))
        hourly = _parsed(answer.get("hourly"))
        if not hourly:
            self.empty = isinstance(hourly, dict)
            return
        self.empty = True
        if isinstance(hourly, list):
            yield from self.read(position, hourly, 1)
            return
        if not isinstance(hourly, dict) or self._infoclimat is None:
            yield Rejection(position, "unknown_record", "`hourly` is no object by station", None)
            return
        for station_id, hours in hourly.items():
            if station_id == _NOT_A_STATION:
                continue
            hours = _parsed(hours)
            for hour in hours if isinstance(hours, list) else [hours]:
                if (row := self._hour(position, _parsed(hour), station_id)) is not None:
                    yield row
                position += 1

    def _hour(self, position: int, hour: Any, station: str) -> Row | None:
        if not isinstance(hour, dict) or self._infoclimat is None:
            return Rejection(
                position, "not_a_record", f"expected an object, found {type(hour).__name__}", hour
            )
        return self._rows.answer_record(position, hour, self._infoclimat, station)

    def _check_units(self, metadata: Any) -> None:
        """`metadata` names the unit of each field."""
        columns = self._infoclimat.columns if self._infoclimat else {}
        for key, text in metadata.items() if isinstance(metadata, dict) else ():
            column = columns.get(column_name(key))
            unit = str(text).rpartition(",")[2].strip()
            if column is None:
                continue
            units = column.field.units
            own = units.get(unit_key(column.unit), SAME)
            if column.unit not in _NO_UNIT and units.get(unit_key(unit)) != own:
                raise BrokenObject("unknown_unit", f"{key} is in {unit!r}, not in {column.unit}")


def _unwrapped(document: Any) -> Any:
    """The record in Airbyte's envelope, and the JSON in a text."""
    document = _parsed(document)
    if isinstance(document, dict) and "_airbyte_data" in document:
        return _parsed(document["_airbyte_data"])
    return document


def _parsed(value: Any) -> Any:
    """The JSON in a text that holds an object, a list or such a text; all other values as they are."""
    if isinstance(value, str) and (value.lstrip()[:1] in ("{", "[") or value.startswith(('"{', '"['))):
        try:
            inner = orjson.loads(value)
        except ValueError:
            return value
        return _parsed(inner) if value[0] == '"' else inner
    return value


def _words(value: Any) -> Iterator[str]:
    """The texts in what tells an error, however deep they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _has_list(document: dict[str, Any], name: str) -> bool:
    """Whether a key holds a list that is not empty."""
    value = _parsed(document.get(name))
    return isinstance(value, list) and bool(value)


def _windows_json(content: bytes, decoder: Decoder, number: int = 1) -> Any:
    """What JSON of another encoding holds; None where it is no JSON. Raises BrokenObject for no text."""
    try:
        content.decode()
    except UnicodeDecodeError:
        try:
            return orjson.loads(decoder.decode(content, number))
        except ValueError:
            return None
    return None


def _parses(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict | list)
    except ValueError:
        return False


def _text(line: bytes) -> str:
    return line[:2000].decode(errors="replace")
