"""MongoDB refusing, stepping down and dying: which layer it was, and that nothing is proven by accident."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from pymongo import MongoClient

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.config.checks import Check
from deployer.errors import Failure, TransientFailure
from deployer.model import Verification
from deployer.ports import QueryRefused
from deployer.verification.run import VerifyContext, verify
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

PATIENCE = 60
SLOW = {"$function": {"body": "function() { sleep(50); return true }", "args": [], "lang": "js"}}


@pytest.fixture
def mongod(tmp_path: Path) -> Iterator[Mongod]:
    with running(tmp_path) as mongod:
        with mongod.client("loader") as client:
            client[DATABASE]["readings"].insert_many({"_id": n} for n in range(40))
        yield mongod


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running(tmp_path_factory.mktemp("mongod")) as mongod:
        yield mongod


def counted(mongod: Mongod, election: float = 15) -> Verification:
    """A quick check, and one that takes two seconds or more."""
    tables = [
        {"name": "quick", "kind": "count", "collection": "readings", "exactly": 40},
        {"name": "slow", "kind": "count", "collection": "readings", "query": {"$expr": SLOW}, "exactly": 40},
    ]
    checks: list[Check] = TypeAdapter(list[Check]).validate_python(tables)
    with MongoDatabase(mongod.uri("reader"), DATABASE, election) as database:
        return verify(checks, database, VerifyContext("r1", None, {}, 0.0))


def await_the_slow_check(mongod: Mongod) -> None:
    """Returns once the server is at work on it."""
    with mongod.client("admin") as client:
        end = time.monotonic() + PATIENCE
        working = {"op": "command", "command.aggregate": "readings", "appName": "deployer", "active": True}
        while time.monotonic() < end:
            running_now = [
                {"$currentOp": {"allUsers": True}},
                {"$match": {**working, "command.explain": None}},
            ]
            if any(
                "$function" in str(operation["command"]) for operation in client.admin.aggregate(running_now)
            ):
                return
    raise AssertionError("the slow check never began")


def test_a_step_down_in_the_middle_is_waited_for(mongod: Mongod) -> None:
    """The primary steps down while a check runs and is elected again: every check is answered, rightly."""
    with ThreadPoolExecutor() as pool:
        verification = pool.submit(counted, mongod)
        await_the_slow_check(mongod)
        with mongod.client("admin") as client:
            client.admin.command("replSetStepDown", 2, secondaryCatchUpPeriodSecs=0, force=True)
        assert [result.ok for result in verification.result().checks] == [True, True]


def test_mongodb_killed_in_the_middle_is_a_failure(mongod: Mongod) -> None:
    """mongod dies while a check runs: no result at all, but a failure of class mongodb."""
    with ThreadPoolExecutor() as pool:
        verification = pool.submit(counted, mongod, election=2)
        await_the_slow_check(mongod)
        mongod.kill()
        with pytest.raises(Failure) as caught:
            verification.result()
    assert caught.value.exit_code == 16
    assert "MongoDB at 127.0.0.1" in caught.value.message


def test_mongodb_restarted_in_the_middle_is_asked_again(mongod: Mongod) -> None:
    """mongod dies while a check runs and comes back: the check is repeated and answered."""
    with ThreadPoolExecutor() as pool:
        verification = pool.submit(counted, mongod)
        await_the_slow_check(mongod)
        mongod.kill()
        mongod.start()
        assert all(check.ok for check in verification.result().checks)


def test_without_a_primary_it_is_a_passing_failure(mongod: Mongod) -> None:
    """A member that answers but is no primary is an election: the same call may succeed in a moment."""
    with mongod.client("admin") as client:
        client.admin.command("replSetStepDown", 30, secondaryCatchUpPeriodSecs=0, force=True)
    with MongoDatabase(mongod.uri("reader"), DATABASE) as database, pytest.raises(TransientFailure) as caught:
        database.ping()
    assert "none is the primary" in caught.value.message


def test_what_was_just_written_is_read(steady: Mongod) -> None:
    """A hundred times over: what another client had acknowledged is counted at once."""
    with MongoDatabase(steady.uri("reader"), DATABASE) as database, steady.client("loader") as client:
        for number in range(100):
            client[DATABASE]["fresh"].insert_one({"_id": number})
            assert database.count("fresh", {}) == number + 1


def test_checks_are_read_from_a_secondary_and_miss_nothing(tmp_path: Path) -> None:
    """Fifty times over: what was just acknowledged is counted at once, and not by the primary."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    other = Mongod(tmp_path / "other")
    with running(tmp_path / "one") as mongod:
        other.start()
        try:
            mongod.add(other)
            with MongoDatabase(mongod.uri("reader"), DATABASE) as database, mongod.client("loader") as client:
                for number in range(50):
                    client[DATABASE]["fresh"].insert_one({"_id": number})
                    assert database.count("fresh", {}) == number + 1
            with MongoClient(
                other.uri("admin").replace("replicaSet=rs0", "directConnection=true")
            ) as secondary:
                status = secondary.admin.command("serverStatus")
            assert status["metrics"]["commands"]["aggregate"]["total"] >= 50
        finally:
            other.kill()


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (
            "mongodb://u:hidden-word@127.0.0.1:1/",
            "MongoDB at 127.0.0.1:1: TCP failed: 127.0.0.1:1: [Errno 111]",
        ),
        ("mongodb://u:hidden-word@nowhere.invalid/", "MongoDB at nowhere.invalid: DNS failed"),
        ("mongodb+srv://u:hidden-word@nowhere.invalid/", "MongoDB at nowhere.invalid: DNS failed"),
        ("mongodb://u:hidden/word@127.0.0.1/", "the database's address is not a valid MongoDB address"),
        ("http://hidden.example", "the database's address is not a valid MongoDB address (InvalidURI)"),
    ],
)
def test_addresses_that_lead_nowhere(uri: str, said: str) -> None:
    """The layer that refused is named, with a hint; nothing of the password is ever shown."""
    with MongoDatabase(uri, DATABASE) as database, pytest.raises(Failure) as caught:
        database.ping()
    assert caught.value.message.startswith(said)
    assert caught.value.hint
    assert "hidden" not in caught.value.message + caught.value.hint
    assert not isinstance(caught.value, TransientFailure)


@pytest.mark.parametrize(
    ("user", "secret", "options", "said"),
    [
        ("reader", "other-word", "", "authentication failed: Authentication failed"),
        (
            "stranger",
            "stranger-word",
            "",
            "not authorized on weather to run listCollections",
        ),
        ("reader", "reader-word", "&tls=true", "TLS failed: SSL handshake failed"),
    ],
)
def test_users_that_are_refused(steady: Mongod, user: str, secret: str, options: str, said: str) -> None:
    """A wrong password, a missing role and a missing TLS are told apart."""
    uri = steady.uri(user, secret=secret, options=options)
    with MongoDatabase(uri, DATABASE) as database, pytest.raises(Failure) as caught:
        database.counts()
    assert said in caught.value.message
    assert secret not in caught.value.message


def test_another_replica_set_is_told(steady: Mongod) -> None:
    """A name of the replica set that no member has is named as what it is."""
    uri = steady.uri("reader").replace("replicaSet=rs0", "replicaSet=rs9")
    with MongoDatabase(uri, DATABASE) as database, pytest.raises(Failure, match="replica set failed"):
        database.ping()


def test_a_value_that_mongodb_does_not_know_is_refused(steady: Mongod) -> None:
    """A value that cannot be sent is the query's fault, not the database's."""
    with MongoDatabase(steady.uri("reader"), DATABASE) as database, pytest.raises(QueryRefused):
        database.count("readings", {"a": {1, 2}})


def test_over_tls(tmp_path: Path) -> None:
    """With TLS required, checks run over it; an authority that did not sign is refused as TLS."""
    with running(tmp_path, tls=True) as mongod:
        with mongod.client("loader") as client:
            client[DATABASE]["readings"].insert_many({"_id": n} for n in range(40))
        assert all(check.ok for check in counted(mongod).checks)
        (tmp_path / "other").mkdir()
        other = Mongod(tmp_path / "other", tls=True)
        uri = mongod.uri("reader").replace(str(mongod.authority), str(other.authority))
        with MongoDatabase(uri, DATABASE) as database, pytest.raises(Failure) as caught:
            database.ping()
    assert "TLS failed" in caught.value.message
    assert "certificate verify failed" in caught.value.message
