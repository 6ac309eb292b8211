"""A measurement on its way into MongoDB: BSON from the start.

Its document is the values (`_id`, station, time, network, fields), then the stamp (run and object, the same
for every row of an object), then the row's position. It is put together from elements that were encoded once
for each different value. So nothing is encoded again when it is sent, and what is there already is compared
as bytes.

BSON: https://bsonspec.org/spec.html. A document is its size, its elements and a zero byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from typing import Any

import bson

from pipeline.model import Document, ObjectRef, Rejection

_INT32, _INT64 = Struct("<i").pack, Struct("<q").pack
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00")
_POSITION = b"\x10position\0"
_PLACE = 6  # bytes behind the name of the position: its value, the end of `source`, the end of the document


def element(name: str, value: Any) -> bytes:
    """One field as it stands in a document."""
    return bson.encode({name: value})[4:-1]


class Origin:
    """The run and the object that measurements come from."""

    def __init__(self, run_id: str, ref: ObjectRef) -> None:
        self._run_id = run_id
        self._source = {"object": ref.key, "etag": ref.etag, "modified": ref.modified}
        self._stamp = self._encoded(0)[:-_PLACE]

    def end(self, position: int) -> bytes:
        """What stands behind the values in the document of this row."""
        if position < 2**31:
            return b"%b%b\0\0" % (self._stamp, _INT32(position))
        return self._encoded(position)

    def _encoded(self, position: int) -> bytes:
        return bson.encode({"run_id": self._run_id, "source": {**self._source, "position": position}})[4:]


@dataclass(slots=True)
class Measurement:
    """One row, as the document that is stored; its values end before byte `end`. `moment` is naive UTC."""

    id: str
    station: str
    moment: datetime
    position: int
    bson: bytes
    end: int

    @property
    def values(self) -> bytes:
        return self.bson[4 : self.end]

    def document(self) -> Document:
        return bson.decode(self.bson)

    def stamp_in(self, stored: bytes) -> tuple[bytes, bool] | None:
        """Of a stored document with the same values: its stamp, and whether it has this row's position.

        None when the bytes do not show that the values are the same; they may be so all the same.
        """
        end = self.end
        if stored[4:end] != self.bson[4:end] or stored[-_PLACE - len(_POSITION) : -_PLACE] != _POSITION:
            return None
        return stored[end:-_PLACE], int.from_bytes(stored[-_PLACE:-2], "little") == self.position


class Series:
    """What the measurements of one station in one object share; the text of a day and of a time is kept."""

    def __init__(self, station: str, network: str, origin: Origin) -> None:
        self._station = station
        self._origin = origin
        self._day: tuple[int, str] = (0, f"{station}@1970-01-01T")
        self._clocks: dict[int, str] = {}
        id_ = element("_id", f"{self._day[1]}00:00:00Z")
        self._first = id_[: len(b"\x02_id\0size")]
        self._second = b"\0" + element("station_id", station) + element("timestamp", _EPOCH)[:-8]
        self._third = element("network", network)
        self._size = 4 + len(id_) - 1 + len(self._second) + 8 + len(self._third)

    def at(self, moment: datetime, fields: bytes, position: int) -> Measurement:
        """The measurement of a whole second in UTC. `fields` are its other elements."""
        since = moment - _EPOCH
        days, seconds = since.days, since.seconds
        if days != self._day[0]:
            self._day = days, f"{self._station}@{moment.isoformat()[:11]}"
        clock = self._clocks.get(seconds)
        if clock is None:
            clock = self._clocks[seconds] = f"{moment.isoformat()[11:]}Z"
        id_ = self._day[1] + clock
        last = self._origin.end(position)
        end = self._size + len(fields)
        pieces = (
            _INT32(end + len(last)), self._first, id_.encode(), self._second,
            _INT64((days * 86_400 + seconds) * 1000), self._third, fields, last,
        )  # fmt: skip
        return Measurement(id_, self._station, moment, position, b"".join(pieces), end)


Row = Measurement | Rejection
