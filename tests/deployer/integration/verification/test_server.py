"""What a real mongod says of itself, to a user who may read and to one who may do more."""

from collections.abc import Iterator

import pytest

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.adapters.mongodb.server import MongoServer
from deployer.ports import Finding
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running(tmp_path_factory.mktemp("mongod")) as mongod:
        with mongod.client("loader") as client:
            client[DATABASE]["readings"].insert_one({"_id": 1})
        yield mongod


def found(mongod: Mongod, user: str, options: str = "") -> dict[str, Finding]:
    with MongoDatabase(mongod.uri(user, options=options), DATABASE) as database:
        return {finding.what: finding for finding in MongoServer(database).findings()}


def test_version_write_concern_and_storage_are_told(mongod: Mongod) -> None:
    """To a user who may see them all three are fine, with what was found."""
    looks = found(mongod, "admin")
    assert [finding.state for finding in looks.values()] == ["pass", "pass", "pass"], looks
    assert looks["MongoDB version"].detail.startswith("6.")
    assert "w: majority" in looks["MongoDB write concern"].detail
    assert "are left" in looks["MongoDB storage"].detail


def test_what_a_reader_may_not_see_is_unknown(mongod: Mongod) -> None:
    """The user of the checks may not read the cluster's default: unknown, never fine; the rest is told."""
    looks = found(mongod, "reader")
    assert looks["MongoDB write concern"].state == "unknown"
    assert looks["MongoDB version"].state == looks["MongoDB storage"].state == "pass"


@pytest.mark.parametrize(("asked", "state"), [("majority", "pass"), ("1", "pass"), ("0", "fail")])
def test_the_write_concern_of_the_address_goes_first(mongod: Mongod, asked: str, state: str) -> None:
    """It needs no right to be read; writes that nobody acknowledges are wrong."""
    concern = found(mongod, "reader", f"&w={asked}")["MongoDB write concern"]
    assert (concern.state, concern.detail.startswith(f"w: {asked} by the address")) == (state, True)
