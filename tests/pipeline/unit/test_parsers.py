"""Every source format to the same documents; what cannot be read is refused or broken, never silent."""

from __future__ import annotations

import gzip
import io
from datetime import time
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from pipeline.errors import BrokenObject
from pipeline.parsers import raw
from pipeline.sample.formats import COLUMNS
from pipeline.sample.write import write_sample
from tests.pipeline.workshop import (
    IICHTE19,
    answer,
    csv,
    documents,
    hour,
    jsonl,
    read,
    rejections,
    utc,
    wu_row,
)

EXPECTED = {
    "_id": "IICHTE19@2024-09-30T22:04:00Z", "station_id": "IICHTE19", "timestamp": utc("2024-09-30T22:04:00"),
    "network": "weather_underground", "temperature_c": 13.78, "dew_point_c": 11.72, "humidity_pct": 87.0,
    "wind_direction_deg": 247.5, "wind_speed_kmh": 13.2, "wind_gust_kmh": 16.74, "pressure_hpa": 998.31,
    "precipitation_rate_mm_h": 3.048, "precipitation_day_mm": 0.254, "uv_index": 2.0, "solar_w_m2": 5.5,
}  # fmt: skip


def workbook(sheets: dict[str, list[list[Any]]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in [list(COLUMNS), [None] * len(COLUMNS), *lines]:
            sheet.append(line)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def cells(moment: time, **changes: Any) -> list[Any]:
    return [moment, *list(wu_row(**changes).values())[1:]]


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("key", "content"),
    [
        (f"{IICHTE19}.jsonl", jsonl(wu_row())),
        (f"{IICHTE19}.csv", csv(wu_row())),
        (f"{IICHTE19}.csv", b"\xef\xbb\xbf" + csv(wu_row(), delimiter=";")),
        ("station_ichtegem_BE.xlsx", workbook({"011024": [cells(time(0, 4))]})),
    ],
    ids=["jsonl", "csv", "csv-semicolon-bom", "xlsx"],
)
def test_each_format_of_weather_underground_gives_the_same_document(
    key: str, content: bytes, pack: Any
) -> None:
    """Formats differ, the reading does not; gzip is recognised by its content, not by a name."""
    (document,) = documents(read(key, pack(content)))
    source = document.pop("source")
    assert document.pop("run_id") == "run"
    assert document == EXPECTED
    assert (source["object"], source["etag"]) == (key, "etag")


def test_a_sheet_is_a_day_and_a_blank_row_is_no_row() -> None:
    """Each sheet carries its day in its name; blank rows are not read, and positions go on over sheets."""
    found = read(
        "station_ichtegem_BE.xlsx",
        workbook({"011024": [cells(time(0, 4))], "020224": [cells(time(0, 4)), cells(time(0, 9))]}),
    )
    assert [row["_id"] for row in documents(found)] == [
        "IICHTE19@2024-09-30T22:04:00Z", "IICHTE19@2024-02-01T23:04:00Z", "IICHTE19@2024-02-01T23:09:00Z",
    ]  # fmt: skip
    assert [row["source"]["position"] for row in documents(found)] == [3, 6, 7]
    assert not rejections(found)


def test_a_sheet_without_a_day_refuses_its_rows() -> None:
    """A date is never invented: every row is refused with its reason."""
    (refused,) = rejections(read("station_ichtegem_BE.xlsx", workbook({"Sheet1": [cells(time(0, 4))]})))
    assert refused.reason == "no_date"


def test_infoclimat_answers_and_their_airbyte_copies_are_the_same() -> None:
    """The whole answer under one envelope, or a record a line, gives what the file gives."""
    content = answer(hour("07015", "2024-10-05 00:00:00", vent_direction="90", nebulosite="", temps_omm="61"))
    from_file = read("infoclimat.json", orjson.dumps(content))
    from_answer = read("airbyte/infoclimat.jsonl", jsonl(content))
    from_record = read("airbyte/infoclimat.jsonl", jsonl(content["hourly"]["07015"][0]))
    (one,), (two,), (three,) = map(documents, (from_file, from_answer, from_record))
    assert {**one, "source": 0} == {**two, "source": 0} == {**three, "source": 0}
    assert one["_id"] == "07015@2024-10-05T00:00:00Z"
    assert (one["temperature_c"], one["pressure_hpa"], one["weather_code"]) == (7.6, 1020.7, 61)
    assert "cloud_cover_okta" not in one


def test_params_of_an_answer_are_no_station() -> None:
    """`_params` lists names of columns; it gives neither a row nor a refusal."""
    assert len(read("infoclimat.json", orjson.dumps(answer(hour("07015", "2024-10-05 00:00:00"))))) == 1


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (wu_row(time=None), "no_time"),
        (wu_row(time="25:00"), "bad_time"),
        (wu_row(time="2027-01-01 00:00:00"), "in_the_future"),
        (wu_row(time=["00:04"]), "malformed"),
        (wu_row(temp={"a": 1}), "malformed"),
        ({"Time": "00:04:00", "Temperature": "-999 °F"}, "no_values"),
        ({"Something": 1}, "unknown_record"),
        (hour("../x", "2024-10-05 00:00:00"), "no_station"),
        (hour("07015", "yesterday"), "bad_time"),
        (hour("07015", "2024-10-05"), "no_time"),
        ("a text", "not_a_record"),
        (b"{not json", "not_json"),
        (b'{"a": 1}', "unknown_record"),
        (b"7", "not_a_record"),
    ],
)
def test_a_row_that_cannot_be_a_reading_is_refused_with_its_reason(record: Any, reason: str) -> None:
    """The rows around it stand."""
    found = read(f"{IICHTE19}.jsonl", jsonl(wu_row("00:04:00"), record, wu_row("00:09:00")))
    assert len(documents(found)) == 2
    (refused,) = rejections(found)
    assert (refused.reason, refused.position) == (reason, 2)


@pytest.mark.parametrize("odd", ["2024-10-01 0:4", "2024-10-01x00:04 AM", "2024-10-01 00:04:00 or so"])
def test_a_time_is_read_the_same_whatever_came_before(odd: str) -> None:
    """Times that were met before make no other time readable."""
    before = [wu_row("2024-10-01 00:09:00"), wu_row("0:04"), wu_row("00:04 AM"), wu_row("00:04:00")]
    alone = rejections(read(f"{IICHTE19}.jsonl", jsonl(wu_row(odd))))
    after = rejections(read(f"{IICHTE19}.jsonl", jsonl(*before, wu_row(odd))))
    assert [row.reason for row in alone] == ["bad_time"]
    assert ("bad_time", 5) in [(row.reason, row.position) for row in after]


def test_the_hour_that_does_not_exist_is_refused_in_a_file() -> None:
    """Rows of the skipped hour are refused, with the local time in the detail."""
    night = jsonl(wu_row("01:59:00"), wu_row("02:30:00"), wu_row("03:00:00"))
    found = read("station_ichtegem_BE_310324.jsonl", night)
    (refused,) = rejections(found)
    assert refused.reason == "nonexistent_local_time"
    assert "02:30:00 does not exist on 2024-03-31" in refused.detail


def test_an_impossible_value_drops_the_field_and_keeps_the_row() -> None:
    """One broken sensor does not cost the readings of the others."""
    (document,) = documents(read(f"{IICHTE19}.jsonl", jsonl(wu_row(temp="-999.9 °F"))))
    assert "temperature_c" not in document
    assert document["humidity_pct"] == 87.0


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [
        (f"{IICHTE19}.jsonl", gzip.compress(jsonl(*[wu_row()] * 9))[:-20], "broken_gzip"),
        (f"{IICHTE19}.jsonl", b"\x1f\x8b" + b"rubbish" * 9, "broken_gzip"),
        (f"{IICHTE19}.jsonl", jsonl(wu_row()) + b'{"_airbyte_data": "\xff\xfe"}\n', "not_utf8"),
        (f"{IICHTE19}.csv", csv(wu_row()) + b"\n\xff\xfe", "not_utf8"),
        (f"{IICHTE19}.csv", b"a,b\n1,2\n", "unknown_format"),
        (f"{IICHTE19}.xlsx", workbook({"011024": [cells(time(0, 4))]})[:-100], "broken_workbook"),
        (f"{IICHTE19}.xlsx", b"PK\x03\x04 not really", "broken_workbook"),
        (f"{IICHTE19}.xlsx", b"", "broken_workbook"),
        ("infoclimat.json", b"[1", "not_json"),
        ("infoclimat.json", b'{"hourly": []}', "unknown_format"),
        ("infoclimat.json", b'{"a": "\x81"}', "not_utf8"),
        (
            "infoclimat.json",
            b'{"hourly": {}, "metadata": {"temperature": "temperature,degF"}}',
            "unknown_unit",
        ),
        ("station_elsewhere_011024.csv", csv(wu_row()), "unknown_station"),
        ("station_elsewhere.xlsx", workbook({"011024": []}), "unknown_station"),
        ("station_elsewhere_011024.jsonl", jsonl(wu_row()), "unknown_station"),
    ],
)
def test_content_that_is_unusable_breaks_the_object_with_a_stable_reason(
    key: str, content: bytes, reason: str
) -> None:
    """A damaged or foreign file is one clear BrokenObject, whatever its library would say."""
    with pytest.raises(BrokenObject) as failure:
        read(key, content)
    assert failure.value.reason == reason


def test_a_line_without_an_end_is_not_taken_into_memory() -> None:
    """A single line of more than 32 MB breaks the object as soon as that is known."""

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(BrokenObject, match="line_too_long"):
        list(raw.lines(endless))  # type: ignore[arg-type]
    assert endless.given < raw.MAX_LINE + 4 * 2**20


@pytest.mark.parametrize("size", [1, 7, 2**20])
def test_lines_do_not_depend_on_how_the_bytes_arrive(size: int, tmp_path: Path) -> None:
    """Lines cut by the pieces of a stream are put together again."""
    content = b"first\n\n" + b"long " * 50_000 + b"\nlast"

    class Drip(io.BytesIO):
        def read(self, wanted: int | None = -1, /) -> bytes:
            return super().read(min(size, wanted) if wanted and wanted > 0 else size)

    assert list(raw.lines(Drip(content[:2000] if size == 1 else content))) == (
        content[:2000] if size == 1 else content
    ).split(b"\n")


def test_the_sample_reads_back_whole(tmp_path: Path) -> None:
    """What `sample` writes in all formats is read without one refusal, each reading as often as written."""
    written = write_sample(2000, tmp_path, utc("2024-10-07T23:59:59"))
    seen: list[str] = []
    for path in sorted(tmp_path.rglob("*.*")):
        found = read(path.relative_to(tmp_path).as_posix(), path.read_bytes())
        assert not rejections(found)
        seen += [row["_id"] for row in documents(found)]
    assert len(set(seen)) == written["readings"] == 2000
    assert len(seen) == 2000 + written["copies"]
    assert {id_.split("@")[0] for id_ in seen} == {
        "IICHTE19",
        "ILAMAD25",
        "07015",
        "00052",
        "000R5",
        "STATIC0010",
    }


def test_the_sample_is_the_same_every_time(tmp_path: Path) -> None:
    """Equal size and end give equal bytes."""
    for name in ("one", "two"):
        write_sample(300, tmp_path / name, utc("2024-10-07T23:59:59"))
    one, two = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    )
    assert one == two
