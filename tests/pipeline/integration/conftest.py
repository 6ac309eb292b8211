"""A sample in every format, made once, that ends on a fixed day."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sample.write import write_sample
from tests.pipeline.workshop import utc

READINGS = 8_000


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(READINGS, folder, utc("2024-10-07T23:59:59"))
    return folder
