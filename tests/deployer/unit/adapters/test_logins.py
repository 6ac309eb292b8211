"""Logins as the user's configuration of Docker has them, however it is broken."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.docker.api import connected
from deployer.adapters.docker.logins import Logins, login_command
from deployer.errors import Failure
from deployer.ports import Login

HELD = {"ServerAddress": "reg.test", "Username": "u", "Password": "s"}
ANSWERS = {
    "good": """[ $1 = list ] && echo '{"reg.test": "u"}' || echo '{"Username": "u", "Secret": "s"}'""",
    "nonsense": "echo not json",
    "list": "echo '[1, 2]'",
    "half": """case $1 in list) echo '{"reg.test": "u"}';; *) echo '{"Username": "u"}';; esac""",
    "silent": "exit 0",
    "failing": "echo 'credentials not found'; exit 1",
    "hanging": "exec sleep 600",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for config.json, beside credential helpers that answer as they should not."""
    for name, text in ANSWERS.items():
        helper = tmp_path / f"docker-credential-{name}"
        helper.write_text(f"#!/bin/sh\n{text}\n")
        helper.chmod(0o755)
    (tmp_path / "docker-credential-locked").write_text("#!/bin/sh\n")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def logins(home: Path, config: Any) -> Logins:
    (home / "config.json").write_bytes(config if isinstance(config, bytes) else json.dumps(config).encode())
    return Logins(dict(os.environ), patience=0.5)


@pytest.mark.parametrize("name", ["missing.exe", "locked", *sorted(ANSWERS.keys() - {"good"})])
def test_a_helper_that_is_no_help_is_passed_over(home: Path, name: str) -> None:
    """For all registries and for one; what another helper and the file itself hold is still there."""
    config = {"auths": {"file.test": {"auth": "dTpw"}}, "credHelpers": {"a.test": name, "reg.test": "good"}}
    assert logins(home, config).all() == {
        "file.test": {"username": "u", "password": "p", "serveraddress": "file.test", "email": None},
        "reg.test": HELD,
    }
    assert logins(home, {"credsStore": name}).all() == {}


@pytest.mark.parametrize("config", [b"{auths", b"", b"\xff\xfe{}", {"auths": None, "credHelpers": None}])
def test_a_configuration_that_docker_passes_over_is_passed_over(home: Path, config: Any) -> None:
    """The release's own login is used, also by buildx."""
    found = logins(home, config)
    found.add("own.test", "u", "p")
    assert found.all() == {"own.test": {"username": "u", "password": "p"}}
    with found.environment() as environment:
        written = json.loads(Path(environment["DOCKER_CONFIG"], "config.json").read_text())
    assert written["auths"] == {"own.test": {"auth": "dTpw"}}


def test_buildx_is_not_left_with_a_helper_that_is_missing_or_hangs(home: Path) -> None:
    """It would fail or wait for ever; one that works is kept."""
    helpers = {"a.test": "missing", "b.test": "hanging", "reg.test": "good"}
    found = logins(home, {"credsStore": "desktop.exe", "credHelpers": helpers})
    found.add("own.test", "u", "p")
    found.all()
    with found.environment() as environment:
        written = json.loads(Path(environment["DOCKER_CONFIG"], "config.json").read_text())
    assert written["credHelpers"] == {"reg.test": "good"}
    assert "credsStore" not in written


@pytest.mark.parametrize("config", [[], "x", {"auths": {"x": {"auth": "%%%"}}}, {"auths": {"x": None}}])
def test_a_damaged_configuration_is_said(home: Path, config: Any) -> None:
    """JSON, but nothing that Docker writes: class docker, and which file, instead of a traceback."""
    logins(home, config)
    nobody = {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    said = r"config\.json .* is not as Docker writes it"
    with pytest.raises(Failure, match=said) as caught, connected(nobody, "look"):
        pass
    assert caught.value.failure_class == "docker"


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("444455556666.dkr.ecr.eu-south-1.amazonaws.com", "eu-south-1"),
        ("444455556666.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("444455556666.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("444455556666.dkr-ecr.eu-west-3.on.aws", "eu-west-3"),
        ("444455556666.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        ("444455556666.dkr.ecr.eu-south-1.amazonaws.com.attacker.example", ""),
        ("444455556666.dkr.ecr.eu-south-1.attacker.example", ""),
    ],
)
def test_the_token_of_ecr_goes_to_addresses_of_ecr_alone(host: str, region: str) -> None:
    """Of every partition, and to no host that only looks like one; the command names the region."""
    found = Logins({}, ecr=lambda: Login(host, "AWS", "token"))
    assert found.prepare(host) is bool(region)
    assert (f"--region {region} " in login_command(host)) is bool(region)
