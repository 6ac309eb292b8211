"""The way from here to a real mongod: what each step says, and which is the first that is refused."""

from collections.abc import Iterator

import pytest

from deployer.adapters.mongodb.connectivity import MongoConnectivity
from deployer.adapters.mongodb.database import MongoDatabase
from deployer.ports import Finding
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running

STEPS = [f"MongoDB: {step}" for step in ("DNS", "TCP", "TLS", "login", "rights")]
REST = ["MongoDB version", "MongoDB write concern", "MongoDB storage"]
QUICK = "&serverSelectionTimeoutMS=1000"


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running(tmp_path_factory.mktemp("mongod"), tls=True) as mongod:
        yield mongod


def walked(uri: str) -> list[Finding]:
    with MongoDatabase(uri, DATABASE) as database:
        return list(MongoConnectivity(uri, database).check())


def test_the_whole_way(mongod: Mongod) -> None:
    """Names, port, TLS, login and rights are fine; then come version, write concern and storage."""
    way = walked(mongod.uri("admin"))
    assert [step.what for step in way] == STEPS + REST
    assert {step.state for step in way[: len(STEPS)]} == {"pass"}, way


@pytest.mark.parametrize(
    ("uri", "last"),
    [
        ("mongodb://nowhere.invalid/?connect=false", 1),
        ("mongodb+srv://nowhere.invalid/", 1),
        ("mongodb://127.0.0.1:1/", 2),
    ],
)
def test_a_place_that_is_not_there(uri: str, last: int) -> None:
    """The walk ends at the first step that is refused, which has a mend."""
    way = walked(uri)
    assert [step.what for step in way] == STEPS[:last]
    assert [step.state for step in way] == ["pass"] * (last - 1) + ["fail"]
    assert way[-1].remedy


def test_a_certificate_that_nobody_vouches_for(mongod: Mongod) -> None:
    """TLS is asked for, and the authority's file is not given."""
    way = walked(mongod.plain_uri("admin", options="&tls=true" + QUICK))
    assert [step.what for step in way] == STEPS[:3]
    assert (way[-1].state, "certificate" in way[-1].detail) == ("fail", True)


def test_a_wrong_password_and_a_user_without_rights(mongod: Mongod) -> None:
    """The first is refused at the login, the second behind it; no password is told."""
    secret = "not-the-right-one"
    login = walked(mongod.uri("admin", secret=secret))
    rights = walked(mongod.uri("stranger"))
    assert (login[-1].what, login[-1].state) == ("MongoDB: login", "fail")
    assert (rights[-1].what, rights[-1].state) == ("MongoDB: rights", "fail")
    assert secret not in str(login)


def test_an_authority_s_file_that_is_not_there(mongod: Mongod) -> None:
    """The address cannot be used as it is; the file's option is named."""
    (step,) = walked(mongod.plain_uri("admin", options="&tls=true&tlsCAFile=/no/such.pem"))
    assert (step.state, "tlsCAFile" in step.remedy) == ("fail", True)
