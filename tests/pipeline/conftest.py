"""A real mongod for the tests of the pipeline.

A replica set of one member, in a temporary folder, on a free port.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from pipeline.config import MongoSettings
from tests.pipeline.mongod import Mongod, initiate


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    server = Mongod(tmp_path_factory.mktemp("mongod"))
    server.start()
    try:
        initiate([server])
        yield server
    finally:
        server.stop()


@pytest.fixture
def mongo(mongod: Mongod) -> Iterator[MongoSettings]:
    """A database of its own, dropped at the end."""
    settings = MongoSettings(
        f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=rs0", f"test_{uuid.uuid4().hex[:12]}"
    )
    yield settings
    with MongoClient(settings.uri) as client:
        client.drop_database(settings.database)


@pytest.fixture
def samples() -> Path:
    return Path(__file__).parent / "samples"
