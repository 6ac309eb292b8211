"""Programs that the deployer starts get no credentials of the operator, unless deploy.toml names them."""

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.local.workspace import ProjectFolder
from deployer.adapters.notify import Message, channels
from deployer.commands.bootstrap import real_ports
from deployer.config.model import Build, Notify
from deployer.errors import Failure
from deployer.redaction import Redactor
from deployer.sandbox import seed
from tests.fakes.world import settings

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "held-by-the-operator",
    "MONGO_URI": "mongodb+srv://cluster.test",
    "ATLAS_PRIVATE_KEY": "held-by-the-operator",
    "GITHUB_TOKEN": "held-by-the-operator",
}
PROGRAM = (sys.executable, "-c", "import os, sys; open(sys.argv[1], 'w').write('\\n'.join(os.environ))")


def of_tests(folder: Path, allowed: tuple[str, ...]) -> str:
    """The shell that runs tests, seed commands and whatever else is local."""
    config = settings(test={"environment": allowed})
    ports = real_ports(folder, folder, config, os.environ, Redactor())
    ports.shell.run((*PROGRAM, "seen"), print)
    return (folder / "seen").read_text()


def of_the_compose_program(folder: Path, allowed: tuple[str, ...]) -> str:
    """`docker compose`, which puts variables into the file."""
    script(folder / "bin/docker", f"printenv >{folder}/seen; exit 1")
    config = settings(compose={"file": "compose.yaml", "environment": allowed})
    environ = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    ports = real_ports(folder, folder, config, environ, Redactor())
    assert ports.compose
    with pytest.raises(Failure):
        ports.compose.up("p", "image", "r1", print)
    return (folder / "seen").read_text()


def of_a_notification(folder: Path, allowed: tuple[str, ...]) -> str:
    said = Notify.model_validate({"command": [*PROGRAM, str(folder / "seen")], "environment": allowed})
    ((_, send),) = channels(said, no_aws)
    send(Message("failed", "key", "title"))
    return (folder / "seen").read_text()


def of_the_sandbox_seed(folder: Path, allowed: tuple[str, ...]) -> str:
    draft = (
        sys.executable,
        "-c",
        "import os, sys; os.makedirs(sys.argv[1]); os.chdir(sys.argv[1]);"
        "open('seen', 'w').write('\\n'.join(os.environ))",
    )
    made = seed.source(None, draft, folder / ".deployer/sandbox", date(2027, 1, 1), print, allowed)
    assert made
    return (made / "seen").read_text()


CHILDREN: dict[str, Callable[[Path, tuple[str, ...]], str]] = {
    "tests": of_tests,
    "compose": of_the_compose_program,
    "notify": of_a_notification,
    "seed": of_the_sandbox_seed,
}


def no_aws() -> Any:
    raise LookupError("no AWS here")


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "PLAIN_SETTING": "1"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("child", CHILDREN)
def test_a_child_gets_what_it_needs(tmp_path: Path, child: str) -> None:
    """None of the credentials, every plain variable; with its key in deploy.toml those that are named."""
    for number, allowed in enumerate(((), ("GITHUB_*",))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "compose.yaml").write_text("no services\n")
        names = {line.partition("=")[0] for line in CHILDREN[child](folder, allowed).splitlines()}
        assert names & SECRETS.keys() == ({"GITHUB_TOKEN"} if allowed else set())
        assert {"PATH", "PLAIN_SETTING"} <= names


@pytest.mark.usefixtures("operator")
def test_git_gets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository's own settings may start programs (fsmonitor)."""
    script(tmp_path / "bin/git", f"printenv >{tmp_path}/seen; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/Dockerfile").write_text("FROM scratch\n")
    ProjectFolder(tmp_path / "project", Build(), lambda *_: {}).source()
    names = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert "PLAIN_SETTING" in names and not names & SECRETS.keys()
