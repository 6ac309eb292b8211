"""Whatever the bytes: no crash, the accounting holds, and a second run changes nothing."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model import Tally
from pipeline.sample.write import write_sample
from tests.pipeline.workshop import IICHTE19, Workshop, answer, csv, hour, jsonl, utc, wu_row

QUIET = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SEEDS = {
    f"{IICHTE19}.jsonl": jsonl(*[wu_row(f"00:{m:02}:00") for m in range(4, 30, 5)]),
    f"{IICHTE19}.csv": csv(*[wu_row(f"00:{m:02}:00") for m in range(4, 30, 5)]),
    "infoclimat.json": orjson.dumps(answer(*[hour("07015", f"2024-10-05 0{h}:00:00") for h in range(5)])),
    "airbyte.jsonl": jsonl(answer(hour("07015", "2024-10-05 00:00:00"))),
    f"{IICHTE19}.jsonl.gz": gzip.compress(
        jsonl(*[wu_row(f"00:{m:02}:00") for m in range(4, 30, 5)]), mtime=0
    ),
}


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(100, folder, utc("2024-10-07T23:59:59"))
    return Path(folder, "station_ichtegem_BE.xlsx").read_bytes()


@st.composite
def mutations(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with some bytes changed, left out, doubled or cut off."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(0, 40))
        match draw(st.sampled_from(["change", "drop", "double", "cut"])):
            case "change":
                data[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
            case "drop":
                del data[place : place + length]
            case "double":
                data[place:place] = data[place : place + length]
            case "cut":
                del data[place:]
    return bytes(data)


def check(key: str, content: bytes) -> None:
    work = Workshop({key: content})
    first = work.run("r1")
    assert first.as_document()["exit_code"] in (0, 3)
    assert first.total.balanced
    assert first.total.written == len(work.measurements.documents)
    before = dict(work.measurements.documents)
    again = work.run("r2", full=True)
    assert again.total.balanced
    assert again.total.written == 0
    assert again.total.documents == len(before)
    assert work.measurements.documents == before


@pytest.mark.parametrize("key", SEEDS)
@given(data=st.data())
@QUIET
def test_no_mutated_file_makes_it_crash(key: str, data: Any) -> None:
    """Mutated text formats: exit 0 or 3, balanced, exact about what was written, and stable."""
    check(key, data.draw(mutations(SEEDS[key])))


@given(data=st.data())
@QUIET
def test_no_mutated_workbook_makes_it_crash(workbook: bytes, data: Any) -> None:
    """The same for XLSX."""
    check(f"{IICHTE19}.xlsx", data.draw(mutations(workbook)))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=12),
    st.just([]), st.just({}),
    st.sampled_from(["56.8 °F", "-999 °F", "1e9 in", "--", "12:04 AM", "00:04:00", "WSW"]),
)  # fmt: skip


@given(
    records=st.lists(st.dictionaries(st.sampled_from([*wu_row(), *hour("07015", "x")]), VALUES), max_size=8)
)
@QUIET
def test_any_record_is_accounted_for(records: list[dict[str, Any]]) -> None:
    """Records of any values in known columns are readings, refusals or blank, and never a crash."""
    check(f"{IICHTE19}.jsonl", jsonl(*records))


@given(order=st.permutations(range(12)), doubled=st.lists(st.integers(0, 11), max_size=6))
@QUIET
def test_order_and_repetition_of_dated_rows_do_not_matter(order: list[int], doubled: list[int]) -> None:
    """Rows that tell their dates, shuffled and repeated, give the documents of the rows in order, once."""
    rows = [wu_row(f"2024-10-01 {n:02}:04:00", temp=f"{50 + n} °F") for n in range(12)]
    plain, mixed = Workshop({f"{IICHTE19}.jsonl": jsonl(*rows)}), Workshop()
    mixed.source.objects[f"{IICHTE19}.jsonl"] = jsonl(*[rows[n] for n in [*order, *doubled]])
    plain.run("r1")
    report = mixed.run("r1")
    assert mixed.values() == plain.values()
    assert report.total == Tally(read=12 + len(doubled), inserted=12, duplicate=len(doubled))
