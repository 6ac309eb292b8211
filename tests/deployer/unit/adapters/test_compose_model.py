"""Compose files as people have them: which service is what, who may log in, which port was taken."""

from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.docker.compose import _TAKEN
from deployer.adapters.docker.compose_model import ComposeModel, Credentials, compose_files
from deployer.config.model import Compose

SETUP = {"image": "mongo:7", "command": "mongosh --host db --eval 'rs.initiate()'"}
OWN = {"build": {"context": "."}}


def model(*names: str, **services: dict[str, Any]) -> ComposeModel:
    return ComposeModel.of({"services": {"load": OWN, **services}}, Compose(), names)


@pytest.mark.parametrize(
    ("services", "server", "port"),
    [
        ({"db": {"image": "docker.io/library/mongo:7"}}, "db", 27017),
        ({"a-setup": SETUP, "db": {"image": "mongo:7"}}, "db", 27017),
        ({"a-setup": {**SETUP, "command": None, "entrypoint": ["sh", "/s.sh"]}, "db": {"image": "mongo"}},
         "db", 27017),
        ({"exporter": {"image": "percona/mongodb_exporter:1"}, "db": {"image": "percona-server-mongodb"}},
         "db", 27017),
        ({"mongo-express": {"image": "mongo-express"}, "mongodb": {"build": "./mongo"}}, "mongodb", 27017),
        ({"m1": {"image": "mongo", "command": ["mongod", "--port", "27118"]},
          "m2": {"image": "mongo", "command": "--port 27119", "ports": [{"target": 27119}]}},
         "m2", 27119),
        ({"arbiter": {"image": "mongo:7"}, "m1": {"image": "mongo:7"}}, "m1", 27017),
    ],
    ids=["image", "set-up", "script", "exporter", "built", "published", "arbiter"],
)  # fmt: skip
def test_the_server_is_told_from_what_only_has_its_name(
    services: dict[str, Any], server: str, port: int
) -> None:
    """Set-ups, exporters, consoles and arbiters hold no documents; the job is what is built here."""
    found = model(**services)
    assert (found.mongo, found.mongo_port, found.job) == (server, port, "load")


def test_without_a_mongodb_there_is_nothing_to_count() -> None:
    """A file of other databases has none."""
    assert not model(db={"image": "postgres:17"}, queue={"image": "redis"}).has_mongo


def test_a_password_in_a_secret_s_file_is_read(tmp_path: Path) -> None:
    """The image's own way to keep it out of the file; an address of the job comes after it."""
    (tmp_path / "pw.txt").write_text("over the hill\n")
    user = {"MONGO_INITDB_ROOT_USERNAME": "chief", "MONGO_INITDB_ROOT_PASSWORD_FILE": "/run/secrets/root"}
    db = {"image": "mongo", "environment": user}
    load = {**OWN, "environment": {"MONGO_URI": "mongodb://l:p%40@db/shop?authSource=shop"}}
    table = {"services": {"db": db, "load": load}, "secrets": {"root": {"file": str(tmp_path / "pw.txt")}}}
    assert ComposeModel.of(table, Compose()).credentials({}) == [
        Credentials("chief", "over the hill"),
        Credentials("l", "p@", "shop"),
        Credentials(),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "COMPOSE_FILE=one.yml:two.yml",
        "COMPOSE_FILE='one.yml:two.yml' # both",
        'export COMPOSE_FILE="one.yml:two.yml"\r',
        "COMPOSE_FILE = one.yml:two.yml   # both",
        "COMPOSE_PATH_SEPARATOR=|\nCOMPOSE_FILE=one.yml|two.yml",
    ],
)
def test_the_files_that_dotenv_names(tmp_path: Path, line: str) -> None:
    """Quotes, comments, `export`, line ends of Windows, another separator."""
    (tmp_path / ".env").write_text(f"# local\n{line}\n")
    assert compose_files(tmp_path, (), {}) == ("one.yml", "two.yml")


@pytest.mark.parametrize(
    "said",
    [
        "Bind for 0.0.0.0:47017 failed: port is already allocated",
        "listen tcp4 0.0.0.0:47017: bind: address already in use",
        "failed to bind host port for 127.0.0.1:47017:172.18.0.2:27017/tcp: address already in use",
        "failed to bind host port 0.0.0.0:47017/tcp: address already in use",
        "exposing port TCP [::]:47017 -> 127.0.0.1:0: listen tcp [::]:47017: bind: address already in use",
    ],
)
def test_a_taken_port_is_read_in_every_engine_s_words(said: str) -> None:
    """Of old and new engines, and of Docker Desktop."""
    found = _TAKEN.search(f"Error response from daemon: driver failed: {said}")
    assert found and (found[1] or found[2]) == "47017"
