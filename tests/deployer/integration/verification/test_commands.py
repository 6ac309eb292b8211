"""How many commands a verification sends: two a check, however many there are."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from pymongo import monitoring

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config.checks import Check
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

CHECKS = 60


class Commands(monitoring.CommandListener):
    """Counts what clients of the deployer send while `counting`; login and topology are not commands here."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self.counting = False
        self._lock = threading.Lock()

    def started(self, event: Any) -> None:
        if self.counting and event.command_name not in ("saslStart", "saslContinue", "endSessions"):
            with self._lock:
                self.names[event.command_name] += 1

    def succeeded(self, event: Any) -> None:
        """Counted when it started."""

    def failed(self, event: Any) -> None:
        """Counted when it started."""


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    folder: Path = tmp_path_factory.mktemp("mongod")
    with running(folder) as mongod:
        with mongod.client("loader") as client:
            client[DATABASE]["readings"].insert_many({"_id": n, "station": n % 7} for n in range(200))
        yield mongod


@pytest.fixture(scope="module")
def commands() -> Commands:
    listener = Commands()
    monitoring.register(listener)
    return listener


@contextmanager
def counted(commands: Commands) -> Iterator[Counter[str]]:
    commands.names.clear()
    commands.counting = True
    try:
        yield commands.names
    finally:
        commands.counting = False


def test_a_check_costs_two_commands_at_most(mongod: Mongod, commands: Commands) -> None:
    """One explains it, one reads; the primary is asked for its time once, not before each of them."""
    tables = [
        {
            "name": f"n{n}",
            "kind": "count",
            "collection": "readings",
            "query": {"_id": {"$gt": n}},
            "at-least": 1,
        }
        for n in range(CHECKS)
    ]
    checks: list[Check] = TypeAdapter(list[Check]).validate_python(tables)
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database, counted(commands) as names:
        found = verify(checks, database, VerifyContext("r1", None, {}, 0.0))
    assert all(check.ok for check in found.checks) and len(found.checks) == CHECKS
    assert names["ping"] == 1
    assert names["explain"] <= CHECKS and names["aggregate"] <= CHECKS
    assert sum(names.values()) <= 2 * CHECKS + 8


def test_the_same_read_is_explained_once(mongod: Mongod, commands: Commands) -> None:
    """Checks that read the same share what the server says of it."""
    tables = [
        {"name": f"n{n}", "kind": "count", "collection": "readings", "query": {"station": 3}, "at-least": n}
        for n in range(1, 9)
    ]
    checks: list[Check] = TypeAdapter(list[Check]).validate_python(tables)
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database, counted(commands) as names:
        assert all(check.ok for check in verify(checks, database, VerifyContext("r1", None, {}, 0.0)).checks)
    assert names["explain"] == 1


def test_what_is_written_after_the_ping_is_seen(mongod: Mongod) -> None:
    """A read after a write of the same moment misses nothing, with one ping for both."""
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database, mongod.client("loader") as client:
        database.ping()
        for number in range(20):
            client[DATABASE]["late"].insert_one({"_id": number})
            assert database.count("late", {}) == number + 1
