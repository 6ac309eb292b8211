"""What the servers are started with, and what a sandbox tells of itself."""

import os
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Any

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
from deployer.sandbox.mongod import Mongod
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


def mongod(root: Path, host: str, port: int = 27017) -> Mongod:
    """With a key file, as `up` makes one."""
    (root / "mongo.key").write_text("key")
    return Mongod(settings(root), port, host, "mongo:8.0")


def test_on_linux_one_address_of_mongodb_serves_all(tmp_path: Path) -> None:
    """Its port is published on loopback and the bridge; people and containers have the same URI, which names
    the database."""
    part = mongod(tmp_path, "172.17.0.1")
    assert part.addresses == ADDRESSES
    wanted = "mongodb://job:p%40ss@172.17.0.1:27017/test?replicaSet=rs0&authSource=admin"
    assert part.uri("p@ss", inside=True) == part.uri("p@ss", inside=False) == wanted


def test_with_docker_desktop_containers_have_a_name_for_this_machine(tmp_path: Path) -> None:
    """Its port is published on loopback, where people reach it without asking who the set's members are."""
    part = mongod(tmp_path, "host.docker.internal")
    assert part.addresses == ("127.0.0.1",)
    assert "@host.docker.internal:27017/test?replicaSet=rs0&" in part.uri("p", inside=True)
    assert "@127.0.0.1:27017/test?directConnection=true&" in part.uri("p", inside=False)


BRIDGE = {"IPAM": {"Config": [{"Subnet": "fd00::/64"}, {"Subnet": "172.20.0.0/16"}]}}


@pytest.mark.parametrize(
    ("product", "system", "local", "wanted"),
    [
        ("Docker Engine - Community", "linux", True, "172.20.0.1"),
        ("", "linux", True, "172.20.0.1"),
        ("Docker Desktop 4.34.2 (167172)", "linux", False, "host.docker.internal"),
        ("Docker Desktop 4.34.2 (167172)", "darwin", False, "host.docker.internal"),
        ("Docker Engine - Community", "darwin", False, "host.docker.internal"),  # colima, OrbStack
    ],
)
def test_how_containers_call_this_machine(product: str, system: str, *, local: bool, wanted: str) -> None:
    """By the bridge's gateway where the engine runs here; by a name where it has a machine of its own."""
    assert engine.host_of(product, system, BRIDGE, lambda address: local) == wanted


@pytest.mark.parametrize(
    ("bridge", "said"),
    [(BRIDGE, "bridge 172.20.0.1 is not on this machine"), ({}, "has no IPv4 network")],
)
def test_an_engine_that_cannot_reach_this_machine_is_refused(bridge: dict[str, Any], said: str) -> None:
    """On Linux without Docker Desktop: class docker."""
    with pytest.raises(SandboxError, match=said) as refusal:
        engine.host_of("Docker Engine", "linux", bridge, lambda address: False)
    assert refusal.value.exit_code == 11


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
