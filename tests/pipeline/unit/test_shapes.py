"""One week of readings is the same documents in every shape."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.sample.write import write_sample
from tests.pipeline import shapes
from tests.pipeline.oracle import expected
from tests.pipeline.workshop import utc


@pytest.mark.parametrize("shape", shapes.SHAPES, ids=lambda shape: shape.__name__)
def test_every_shape_gives_the_same_documents(shape: shapes.Shape, tmp_path: Path) -> None:
    """Workbook, CSV a day, gzip, folder a station, Airbyte with dates, flattened, range: values are equal."""
    write_sample(2500, tmp_path / "sample", utc("2024-10-07T23:59:59"))
    workbook = tmp_path / "sample" / "station_ichtegem_BE.xlsx"
    answer = tmp_path / "sample" / "infoclimat_2024-10-07.json"
    original = tmp_path / "original"
    shapes.write({path.name: path.read_bytes() for path in (workbook, answer)}, original)
    days = shapes.days_of(workbook.read_bytes())
    shapes.write(shape("station_ichtegem_BE", days, orjson.loads(answer.read_bytes())), tmp_path / "shaped")
    documents = expected(original)
    assert len(documents) > 1000
    assert expected(tmp_path / "shaped") == documents
