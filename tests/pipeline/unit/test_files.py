"""Packed files, encodings, workbooks and bombs: read as their author meant them, or named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import zipfile
from datetime import datetime, time
from typing import Any

import openpyxl
import orjson
import pyarrow as arrow
import pytest
import zstandard
from pyarrow import parquet

from pipeline.errors import BrokenObject
from pipeline.measurement import Row
from pipeline.parsers.reading import rows
from pipeline.sample.formats import COLUMNS
from pipeline.stations import load_catalog
from tests.pipeline.two_days import EXPECTED, NAME, ONE_DAY, TIMES, dated, ids, learned
from tests.pipeline.workshop import context, csv, read, rejections, wu_row


def packed_zip(content: bytes, name: str = "readings.csv") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._x.csv", b"junk")
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".gz", gzip.compress),
        (".zip", packed_zip),
        (".zst", zstandard.ZstdCompressor().compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        ("", gzip.compress),
    ],
)
def test_packed_files_are_known_by_their_content(ending: str, pack: Any) -> None:
    """Whatever the name says."""
    content = csv(*[wu_row(shown) for shown in TIMES])
    assert ids(read(f"{NAME}_030924.csv{ending}", pack(content))) == ONE_DAY


@pytest.mark.parametrize(
    "pack", [gzip.compress, packed_zip, zstandard.ZstdCompressor().compress, bz2.compress, lzma.compress]
)
def test_a_packed_file_that_is_cut_breaks_its_object(pack: Any) -> None:
    """What is missing is not taken for the end."""
    content = pack(csv(*[wu_row(shown, temp=f"{n} F") for n, shown in enumerate(TIMES * 400)]))
    with pytest.raises(BrokenObject, match=r"^broken_"):
        read(f"{NAME}_030924.csv", content[: len(content) // 2])


def test_an_archive_of_days_is_read_file_by_file() -> None:
    """Each file has its day in its own name; the rows are numbered through."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for day in ("030924", "040924"):
            archive.writestr(f"{day}.csv", csv(*[wu_row(shown) for shown in TIMES]))
    found = read(f"{NAME}.zip", file.getvalue())
    assert ids(found) == EXPECTED
    assert sorted(row.position for row in found) == [2, 3, 4, 6, 7, 8]


def test_parquet_is_read_where_its_library_is() -> None:
    """Airbyte's columns stand beside those of the source; times may be times."""
    records = [{**row, "UV": 1, "_airbyte_raw_id": "x"} for row in dated(Date="{d}")]
    file = io.BytesIO()
    parquet.write_table(arrow.Table.from_pylist(records), file)
    found, known = learned(f"{NAME}.parquet", file.getvalue())
    assert ids(found) == EXPECTED
    assert not known.columns.unknown
    with pytest.raises(BrokenObject, match="broken_parquet"):
        read(f"{NAME}.parquet", file.getvalue()[:200])


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: text.encode("cp1252"),
        lambda text: text.replace("\n", "\r\n").encode("cp1252"),
        lambda text: text.replace("\n", "\r").encode(),
    ],
    ids=["bom", "utf-16", "utf-16 without mark", "utf-16-be", "utf-32", "cp1252", "windows", "old mac"],
)
def test_encodings_of_other_systems_are_read(encode: Any) -> None:
    """CSV, JSON Lines and JSON: nothing is lost, not even the first row."""
    records = [wu_row(shown) for shown in TIMES]
    lines = "\n".join(orjson.dumps(record).decode() for record in records) + "\n"
    assert ids(read(f"{NAME}_030924.csv", encode(csv(*records).decode()))) == ONE_DAY
    assert ids(read(f"{NAME}_030924.jsonl", encode(lines))) == ONE_DAY
    assert ids(read(f"{NAME}_030924.json", encode(orjson.dumps(records).decode()))) == ONE_DAY


@pytest.mark.parametrize("left", [1, 30, 60])
def test_a_csv_that_is_cut_loses_its_last_row(left: int) -> None:
    """A row with fewer cells than the header is refused: its last number may be half a number."""
    whole = csv(*[wu_row(shown, temp="48.6 F") for shown in TIMES])
    start = whole.rindex(b"\n") + 1
    found = read(f"{NAME}_030924.csv", whole[: start + 8 + left])
    assert len(ids(found)) == 2
    assert [row.reason for row in rejections(found)] == ["short_row"]


def test_decimal_commas_in_a_table_with_commas_are_refused() -> None:
    """Each such row has more cells than the header: no value of it stands where it belongs."""
    content = b"Time,Temperature,Pressure\n00:07:00,14,2 C,1008,4 hPa\n"
    (refused,) = rejections(read(f"{NAME}_030924.csv", content))
    assert refused.reason == "long_row"


@pytest.mark.parametrize(
    "top", [b"sep=;\n", b"La Madeleine\n\n", b"# made by hand\n;;\n", b"Station;La Madeleine\nUnit;F\n"]
)
def test_a_title_may_stand_above_the_header(top: bytes) -> None:
    """Excel's separator line, a title, notes."""
    content = top + csv(*[wu_row(shown) for shown in TIMES], delimiter=";")
    assert ids(read(f"{NAME}_030924.csv", content)) == ONE_DAY


def book(sheets: dict[str, list[list[Any]]]) -> bytes:
    made = openpyxl.Workbook(write_only=True)
    for name, lines in sheets.items():
        sheet = made.create_sheet(name)
        for line in lines:
            sheet.append(line)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def day_rows(*more: Any) -> list[list[Any]]:
    """A header and a day's rows; `more` stands behind each."""
    cells = [[time.fromisoformat(shown), *list(wu_row().values())[1:], *more] for shown in TIMES]
    return [[*COLUMNS, *["Date"][: len(more)]], [], *cells]


@pytest.mark.parametrize(
    "names",
    [
        ("030924", "040924"),
        ("2024-09-03", "04-09-2024"),
        ("20240903", "Mad 20240904"),
        ("03.09.24", "04_09_2024"),
    ],
)
def test_a_sheets_name_is_its_day_and_a_sheet_of_notes_is_named(names: tuple[str, str]) -> None:
    """Notes between the days, before the header or on a sheet of their own lose nothing."""
    titled = [["La Madeleine"], ["checked", "by", "hand"], *day_rows()]
    content = book({names[0]: day_rows(), "Notes": [["Checked by", "M"]], names[1]: titled, "Empty": []})
    found, known = learned(f"{NAME}_090924.xlsx", content)
    assert ids(found) == EXPECTED
    assert not rejections(found)
    assert known.columns.sheets == ["Notes"]


def test_undated_sheets_take_their_days_from_their_rows() -> None:
    """A column of dates, as dates or as Excel's numbers."""
    content = book({"Sheet1": day_rows(datetime(2024, 9, 3)), "Sheet2": day_rows(45539)})  # noqa: DTZ001
    assert ids(read(f"{NAME}.xlsx", content)) == EXPECTED


@pytest.mark.parametrize(
    ("sheets", "refused"),
    [(("Data",), 0), (("Mon 3",), 0), (("300224",), 3), (("Mon 3", "Tue 4"), 6), (("300224", "300225"), 6)],
)
def test_the_workbooks_day_is_that_of_a_sheet_without_a_name(sheets: tuple[str, ...], refused: int) -> None:
    """Sheets that somebody named are days of their own: the day of the export is not theirs."""
    found = read(f"{NAME}_030924.xlsx", book({name: day_rows() for name in sheets}))
    assert [row.reason for row in rejections(found)] == ["no_date"] * refused


def test_a_sheet_with_other_columns_breaks_the_workbook_there() -> None:
    """The days before it stand."""
    renamed = [["Time", "Temp", "Barometer", "Dew Point"], *day_rows()[2:]]
    seen: list[Row] = []
    content = book({"030924": day_rows(), "040924": renamed})
    with pytest.raises(BrokenObject, match="missing_columns"):
        seen.extend(rows(io.BytesIO(content), context(f"{NAME}.xlsx"), load_catalog()))
    assert ids(seen) == ONE_DAY


def test_two_undated_sheets_are_not_one_day() -> None:
    """The second one begins anew under the day of the workbook's name: its rows are refused."""
    found = read(f"{NAME}_030924.xlsx", book({"Sheet1": day_rows(), "Sheet2": day_rows()}))
    assert ids(found) == ONE_DAY
    assert [row.reason for row in rejections(found)] == ["time_steps_back"] * 3


def test_a_dated_sheet_without_a_header_is_refused() -> None:
    """It is a day, not a note."""
    found = read(f"{NAME}.xlsx", book({"030924": day_rows(), "040924": [["oops"]]}))
    assert [row.reason for row in rejections(found)] == ["no_header"]


@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD2", "AAA900000"])
def test_a_cell_far_away_does_not_take_all_memory(cell: str) -> None:
    """A workbook of some kilobytes with a value in its last cell is quarantined, or read without it."""
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "030924"
    for line in day_rows():
        sheet.append([str(item) for item in line])
    sheet[cell] = "x"
    content = io.BytesIO()
    made.save(content)
    try:
        found = ids(read(f"{NAME}.xlsx", content.getvalue()))
    except BrokenObject as broken:
        assert broken.reason == "too_large"
    else:
        assert found == ONE_DAY


BLANK_LINES = gzip.compress((b" " * 999 + b"\n") * 1000)
BOMBS = {
    "values": ("x.json", gzip.compress(b'{"a":[' + b"0," * 4_000_000 + b"0]}", 1)),
    "lists": (f"{NAME}_030924.jsonl", gzip.compress(b'{"a":[' + b"[]," * 1_000_000 + b"[]]}", 1)),
    "one line": (f"{NAME}_030924.csv", gzip.compress(b"0" * 40_000_000, 1)),
    "empty lines": (f"{NAME}_030924.csv", gzip.compress(csv(wu_row(TIMES[0]))) + BLANK_LINES * 300),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_small_packed_file_does_not_become_a_large_one(bomb: tuple[str, bytes]) -> None:
    """A bomb is quarantined before it is taken into memory."""
    key, content = bomb
    with pytest.raises(BrokenObject) as failure:
        list(rows(io.BytesIO(content), context(key), load_catalog()))
    assert failure.value.reason in ("too_large", "line_too_long")


def test_without_its_library_parquet_is_named() -> None:
    """In an image without the extra the object is quarantined, and the message says what is missing."""
    program = (
        "import io, sys; sys.modules['pyarrow'] = None\n"
        "from pipeline.parsers.parquet import parquet_records\n"
        "try: list(parquet_records(io.BytesIO(b'PAR1')))\n"
        "except Exception as error: print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("unknown_format: Parquet needs pyarrow")
