"""What the servers are started with, and what a sandbox tells of itself."""

import os
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import pytest

from deployer.errors import Failure
from deployer.sandbox import (
    PartStatus,
    SandboxDown,
    SandboxError,
    SandboxFacts,
    SandboxSettings,
    SandboxStatus,
    engine,
)
from deployer.sandbox.ministack import MiniStack, instance, require_installed
from deployer.sandbox.mongod import Mongod, binary
from deployer.sandbox.secrets import Keys

ADDRESSES = ("127.0.0.1", "172.17.0.1")
KEYS = Keys("operator", "job")


def settings(root: Path) -> SandboxSettings:
    """With the names of a project."""
    return SandboxSettings(root, "job", "job", "cluster", "/ecs/job", "raw-data", "mongo-uri")


def facts() -> SandboxFacts:
    """Each field's value is its name."""
    return SandboxFacts(**{field.name: field.name for field in fields(SandboxFacts)})


def test_ministack_binds_each_address_and_no_other(tmp_path: Path) -> None:
    """Its command names loopback and the bridge; what would listen everywhere is switched off."""
    part = MiniStack(settings(tmp_path), 4566, ADDRESSES, KEYS)
    command = part.command()
    bound = [after for before, after in pairwise(command) if before == "--bind"]
    assert bound == ["127.0.0.1:4566", "172.17.0.1:4566"]
    assert part.environment()["SFTP_ENABLED"] == part.environment()["IOT_MTLS_ENABLED"] == "0"


def test_ministack_hears_nothing_of_the_operators_aws(tmp_path: Path) -> None:
    """Of this process's environment only what finds programs and the engine is handed on."""
    handed_on = {
        name
        for name, value in MiniStack(settings(tmp_path), 1, ADDRESSES, KEYS).environment().items()
        if os.environ.get(name) == value
    }
    assert handed_on <= {"PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"}


def test_mongod_binds_each_address_and_asks_for_passwords(tmp_path: Path) -> None:
    """One replica set, with a key file, on loopback and the bridge; the URI names the bridge."""
    part = Mongod(settings(tmp_path), 27017, ADDRESSES)
    command = part.command()
    assert command[command.index("--bind_ip") + 1] == "127.0.0.1,172.17.0.1"
    assert command[command.index("--keyFile") + 1] == str(tmp_path / "mongo.key")
    assert part.uri("p@ss") == "mongodb://job:p%40ss@172.17.0.1:27017/?replicaSet=rs0&authSource=admin"


def test_mongod_comes_from_the_wheel_ready_to_run() -> None:
    """The binary is there and has its run bit."""
    assert os.access(binary(), os.X_OK)


def test_each_folder_has_its_own_instance(tmp_path: Path) -> None:
    """Containers of two sandboxes carry different names, those of one sandbox always the same."""
    assert instance(tmp_path / "a") == instance(tmp_path / "a") != instance(tmp_path / "b")


def test_every_fact_has_a_variable() -> None:
    """The environment has each of the facts, and the key under the names that AWS SDKs know."""
    environment = facts().as_environment()
    assert {field.name for field in fields(SandboxFacts)} <= set(environment.values())
    assert environment["SANDBOX_ENDPOINT"] == "endpoint"
    assert environment["AWS_REGION"] == "region"
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "access_key"


def test_the_password_is_not_printed_by_accident() -> None:
    """The facts' repr leaves the URI out."""
    assert "mongo_uri" not in repr(facts())
    assert "access_key" not in repr(facts())


def test_it_is_up_when_every_part_is() -> None:
    """One part that does not run well is enough for the whole not to be up."""
    well = PartStatus("a", "running")
    assert SandboxStatus((well, well)).up
    assert not SandboxStatus((well, PartStatus("b", "stopped"))).up
    assert not SandboxStatus((PartStatus("b", "unhealthy"), well)).up


def test_errors_are_failures_with_a_class() -> None:
    """Each ends the program with its class's exit code and says what to do."""
    assert SandboxError("no", "yes", failure_class="docker").exit_code == 11
    assert issubclass(SandboxDown, Failure)
    assert SandboxDown("it sleeps").hint == "start it with: deployer sandbox up"


def test_the_gateway_of_a_bridge_is_its_ipv4_one() -> None:
    """As the engine lists it, else the subnet's first address; an IPv6 range has none for us."""
    assert engine.ipv4_gateway({"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.9"}) == "172.17.0.9"
    assert engine.ipv4_gateway({"Subnet": "172.17.0.0/16"}) == "172.17.0.1"
    assert engine.ipv4_gateway({"Subnet": "fd00::/64", "Gateway": "fd00::1"}) is None


def test_a_sandbox_that_is_not_installed_says_how_to_get_it() -> None:
    """The extra of the package is named before anything is started; with it nothing is said."""
    require_installed()
    with pytest.raises(SandboxError, match="no nosuch_emulator") as missing:
        require_installed(("deployer", "nosuch_emulator"))
    assert "pip install 'deployer[sandbox]'" in missing.value.hint
