"""Parquet, where pyarrow is installed (the extra `parquet`): records, as Airbyte writes them too."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from pipeline.errors import BrokenObject
from pipeline.parsers.raw import whole

_BATCH = 10_000


def parquet_records(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Records in the order of the file. Raises BrokenObject without pyarrow, and for a damaged file."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise BrokenObject(
            "unknown_format", "Parquet needs pyarrow, which is not installed: the extra `parquet` has it"
        ) from error
    try:
        file = parquet.ParquetFile(io.BytesIO(whole(stream)))
        for batch in file.iter_batches(_BATCH):
            yield from batch.to_pylist()
    except (ArrowException, OSError, ValueError) as error:
        raise BrokenObject("broken_parquet", f"{error}"[:200]) from error
