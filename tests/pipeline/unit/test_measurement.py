"""Documents put together from encoded pieces are what the encoder would make, and compare as bytes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.measurement import Measurement, Origin, Series, element
from pipeline.model import ObjectRef
from tests.pipeline.fakes import NOON

FIELDS = {"temperature_c": 13.78, "weather_code": 61}


def row(
    fields: dict[str, Any], position: int = 7, run: str = "r1", ref: ObjectRef | None = None
) -> Measurement:
    origin = Origin(run, ref or ObjectRef("a/é.csv", "v1", 10, NOON))
    encoded = b"".join(element(name, value) for name, value in fields.items())
    return Series("S-1_é", "infoclimat", origin).at(NOON, encoded, position)


@given(
    seconds=st.integers(-(2**31), 2**33),
    fields=st.dictionaries(st.sampled_from(["a", "b_c", "d"]), st.floats(-1e6, 1e6) | st.integers(0, 99)),
    position=st.sampled_from([1, 255, 2**31 - 1, 2**31, 2**40]),
)
def test_a_document_is_what_the_encoder_makes(seconds: int, fields: dict[str, Any], position: int) -> None:
    """Any instant, any values, any position: the same bytes as of the whole document encoded at once."""
    moment, modified = NOON + timedelta(seconds=seconds), NOON
    encoded = b"".join(element(name, value) for name, value in fields.items())
    origin = Origin("run-é", ObjectRef("a/é.csv", "v1", 10, modified))
    made = Series("S_é", "infoclimat", origin).at(moment, encoded, position)
    source = {"object": "a/é.csv", "etag": "v1", "modified": modified, "position": position}
    whole = {
        "_id": f"S_é@{moment.isoformat()}Z", "station_id": "S_é", "timestamp": moment,
        "network": "infoclimat", **fields, "run_id": "run-é", "source": source,
    }  # fmt: skip
    assert made.bson == bson.encode(whole)
    assert made.document() == whole
    assert made.values == bson.encode({name: whole[name] for name in list(whole)[:-2]})[4:-1]


def test_the_same_values_show_whence_they_come_and_whether_from_the_same_row() -> None:
    """The stamp is that of the stored document, the same for every row of one run and object."""
    mine = row(FIELDS, run="r2")
    here, there = mine.stamp_in(row(FIELDS).bson), mine.stamp_in(row(FIELDS, position=8).bson)
    assert here is not None
    assert there is not None
    assert (here[1], there[1]) == (True, False)
    assert here[0] == there[0]
    other = mine.stamp_in(row(FIELDS, ref=ObjectRef("b.csv", "v1", 10, NOON)).bson)
    assert other is not None
    assert other[0] != here[0]


@pytest.mark.parametrize(
    "stored",
    [
        row({**FIELDS, "weather_code": 62}).bson,
        row({"temperature_c": 13.78}).bson,
        row(FIELDS, position=2**31).bson,
        bson.encode({**row(FIELDS).document(), "noted": "by hand"}),
        bson.encode({name: value for name, value in row(FIELDS).document().items() if name != "source"}),
        bson.encode({"_id": "S"}),
    ],
    ids=["other value", "field less", "far position", "field more", "no source", "nothing"],
)
def test_bytes_that_do_not_show_it_leave_the_question_open(stored: bytes) -> None:
    """Other values, and documents that were not written this way, are to be looked into."""
    assert row(FIELDS).stamp_in(stored) is None
