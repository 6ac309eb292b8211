"""MongoDB connectivity: which stage fails is named, by the check and by a run that cannot start."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from pipeline.config import MongoSettings
from tests.deployer.integration.verification.mongod import running
from tests.pipeline.mongod import Mongod, initiate
from tests.pipeline.process import Ended, end, etl, start

QUICK = "serverSelectionTimeoutMS=2000"


def check(uri: str) -> Ended:
    return end(start(["pipeline.connectivity", "--output", "json"], MongoSettings(uri, "weather")))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A mongod that asks for a login: `root` may do all, `reader` may only read."""
    folder = tmp_path_factory.mktemp("guarded")
    key = folder / "key"
    key.write_text("pipeline" * 8)
    key.chmod(0o400)
    server = Mongod(folder / "db")
    server.start("--keyFile", str(key))
    try:
        initiate([server], users={"root": ["root"], "reader": ["read"]})
        yield server
    finally:
        server.stop()


def uri(server: Mongod, user: str, password: str) -> str:
    return f"mongodb://{user}:{password}@127.0.0.1:{server.port}/?replicaSet=rs0&authSource=admin&{QUICK}"


def test_all_stages_pass(mongo: MongoSettings) -> None:
    """With a server that answers each stage says what it found, and nothing is changed."""
    ended = check(mongo.uri)
    assert ended.code == 0
    assert [stage["name"] for stage in ended.report["stages"]] == [
        *("dns", "tcp", "replica-set", "authentication", "authorisation"),
        *("write-concern", "server-version", "storage"),
    ]
    with MongoClient(mongo.uri) as client:
        assert "weather" not in client.list_database_names()


@pytest.mark.parametrize(
    ("address", "stage"),
    [
        (f"mongodb://nowhere.invalid/?{QUICK}", "dns"),
        (f"mongodb+srv://nowhere.invalid/?{QUICK}", "dns"),
        (f"mongodb://127.0.0.1:1/?{QUICK}", "tcp"),
    ],
)
def test_a_place_that_is_not_there(address: str, stage: str) -> None:
    """Names that do not resolve and ports where nobody listens."""
    ended = check(address)
    assert (ended.code, ended.report["failed"]) == (4, stage)
    assert ended.report["hint"]


def test_a_server_that_does_not_speak_tls() -> None:
    """A port that is open and closes the connection at the handshake."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        def hang_up() -> None:
            for _ in range(2):  # the stages tcp and tls
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        ended = check(f"mongodb://127.0.0.1:{port}/?tls=true&{QUICK}")
        thread.join(10)
    assert (ended.code, ended.report["failed"]) == (4, "tls")


def test_a_server_that_requires_tls(tmp_path: Path) -> None:
    """It hangs up on a plain connection; that it speaks TLS and nothing else is found out and said."""
    with running(tmp_path, tls=True) as server:
        plain = check(server.plain_uri("loader", options=f"&{QUICK}"))
        safe = check(server.uri("loader", options=f"&{QUICK}"))
    assert (plain.code, plain.report["failed"]) == (4, "tls")
    assert "speaks TLSv1" in plain.report["stages"][-1]["detail"]
    assert "tls=true" in plain.report["hint"]
    assert (safe.code, safe.report["failed"]) == (0, None)


def test_options_of_tls_are_those_of_the_driver(tmp_path: Path) -> None:
    """Another name than the certificate's is refused unless allowed; a client certificate is shown."""
    with running(tmp_path, tls=True) as server:
        other = server.uri("loader", options=f"&{QUICK}").replace("@127.0.0.1:", "@localhost:")
        refused = check(other)
        own = f"&tlsCertificateKeyFile={tmp_path / 'server.pem'}"
        allowed = check(f"{other}&tlsAllowInvalidHostnames=true{own}")
    assert (refused.code, refused.report["failed"]) == (4, "tls")
    assert "localhost" in refused.report["stages"][-1]["detail"]
    assert (allowed.code, allowed.report["failed"]) == (0, None)


def test_a_majority_that_does_not_answer(tmp_path: Path) -> None:
    """A set whose other members lag: the primary takes the write, and no majority acknowledges it."""
    server = Mongod(tmp_path / "db")
    server.start("--setParameter", "enableTestCommands=1")
    try:
        initiate([server])
        refusal = {"code": 64, "errmsg": "waiting for replication timed out"}
        with MongoClient("127.0.0.1", server.port, directConnection=True) as client:
            client.admin.command(
                "configureFailPoint",
                "failCommand",
                mode={"skip": 5},  # the deletes of the stage before
                data={"failCommands": ["delete"], "writeConcernError": refusal},
            )
        ended = check(f"mongodb://127.0.0.1:{server.port}/?replicaSet=rs0&{QUICK}")
    finally:
        server.stop()
    assert (ended.code, ended.report["failed"]) == (4, "write-concern")


def test_a_wrong_replica_set(mongod: Mongod) -> None:
    """The server is there, but the set has another name."""
    ended = check(f"mongodb://127.0.0.1:{mongod.port}/?replicaSet=other&{QUICK}")
    assert (ended.code, ended.report["failed"]) == (4, "replica-set")


@pytest.mark.parametrize(
    ("user", "password", "failed"),
    [("root", "root", None), ("root", "wrong", "authentication"), ("reader", "reader", "authorisation")],
)
def test_login_and_rights(guarded: Mongod, user: str, password: str, failed: str | None) -> None:
    """A wrong password is authentication; a login that may only read is authorisation."""
    ended = check(uri(guarded, user, password))
    assert (ended.code, ended.report["failed"]) == (4 if failed else 0, failed)


@pytest.mark.parametrize(
    ("user", "password", "said"), [("root", "wrong", "authentication"), ("reader", "reader", "authoris")]
)
def test_a_run_says_what_is_in_its_way(
    guarded: Mongod, tmp_path: Path, user: str, password: str, said: str
) -> None:
    """Exit 4 with the stage, the report as the last line, and never the password."""
    ended = etl(MongoSettings(uri(guarded, user, password), "weather"), "run", "--source", tmp_path)
    assert ended.code == 4
    assert said in ended.err
    assert json.loads(ended.out.splitlines()[-1])["exit_code"] == 4
    assert "Traceback" not in ended.err
    assert f":{password}@" not in ended.err + ended.out
