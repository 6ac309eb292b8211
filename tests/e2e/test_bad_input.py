"""What a person may get wrong, or lack: one clear message, the documented exit code, never a traceback."""

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.e2e import projects
from tests.e2e.command import Event, Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.e2e.proxy import proxy

NOBODY = "http://127.0.0.1:9"
"""Loopback, and nobody there: whatever goes wrong, no call leaves this machine."""
PRODUCTION = {
    "AWS_ENDPOINT_URL": NOBODY,
    "AWS_EC2_METADATA_DISABLED": "true",
    "MONGO_URI": "mongodb://127.0.0.1:9/",
    "MONGO_URI_SECRET_ARN": "arn:aws:secretsmanager:eu-west-3:718281697661:secret:mongo",
}


EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")


def refused(ran: Ran, code: int, *facts: str) -> None:
    """The exit code, and one message on stderr that names the facts; the last event says the same."""
    assert ran.code == code, ran.said()
    for fact in facts:
        assert fact in ran.stderr, ran.said()
    assert ran.stderr.count("deployer: ") == 1, ran.said()
    assert ran.ended["exit_code"] == code


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The ETL's project, in which nothing is ever started."""
    return projects.etl(tmp_path_factory.mktemp("idle"), "idle")


@pytest.fixture
def spoilt(idle: Project, tmp_path: Path) -> Project:
    """A copy of it to spoil."""
    return projects.etl(tmp_path / "spoilt", "spoilt")


def test_every_mistyped_key_is_named_at_once(spoilt: Project) -> None:
    """Three slips in one file: one message, all three key paths, the nearest valid key of each."""
    spoilt.edit("deploy.toml", "[compose]\nservice", "[compose]\nservic")
    spoilt.edit("deploy.toml", "[retries]\nmax-elapsed", "[retries]\nmax-elapsd")
    spoilt.edit("deploy.toml", "[build]\ncontext", "[build]\ncontxt")
    ran = spoilt.release()
    refused(
        ran,
        2,
        "compose.servic:",
        "retries.max-elapsd:",
        "build.contxt:",
        "'context'",
        "'max-elapsed'",
        "'service'",
    )
    assert not (spoilt.folder / ".deployer" / "releases").exists()


def test_an_address_with_a_password_is_refused_and_not_repeated(spoilt: Project) -> None:
    """A secret does not belong in deploy.toml; the message names the key, not the value."""
    spoilt.edit("deploy.toml", 'uri = "${MONGO_URI}"', 'uri = "mongodb://etl:hunter2@db.test/"')
    ran = spoilt.release("--env", "production")
    refused(ran, 2, "env.production.verify.uri", "password")
    assert "hunter2" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        (("release", "--env", "prodution"), 2, ("no environment 'prodution'", "'production'")),
        (("resume",), 3, ("no release to sandbox can be resumed",)),
        (("resume", "nosuch"), 3, ("no release 'nosuch'",)),
        (("show", "nosuch"), 3, ("no release 'nosuch'",)),
        (("show",), 3, ("no release",)),
        (("logs", "--release", "nosuch"), 3, ("no release 'nosuch'",)),
        (("verify", "--release", "nosuch"), 3, ("no release 'nosuch'",)),
        (("logs", "--task", "1", "--all-tasks"), 2, ("--task and --all-tasks",)),
        (("verify",), 13, ("sandbox", "deployer sandbox up")),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_not_there_is_refused(
    idle: Project, arguments: tuple[str, ...], code: int, facts: tuple[str, ...]
) -> None:
    """An unknown environment or release, or a sandbox that is down, is named, with the command that helps."""
    refused(idle.deployer(*arguments, "--output", "json"), code, *facts)


def test_an_argument_too_many_is_named(idle: Project) -> None:
    """`release` takes no ID: exit code 2, and the argument is shown."""
    ran = idle.deployer("release", "nosuch")
    assert (ran.code, "nosuch" in ran.stderr) == (2, True), ran.said()


def test_there_is_no_project_here(tmp_path: Path, idle: Project) -> None:
    """A folder without deploy.toml: exit code 2."""
    refused(idle.deployer("--project", str(tmp_path), "show", "--env", "sandbox", "--output", "json"), 3)
    refused(idle.deployer("--project", str(tmp_path), "release", "--output", "json"), 2, "deploy.toml")


def test_no_engine_answers(idle: Project) -> None:
    """A dead socket: the sandbox is not begun, exit code 11."""
    ran = idle.deployer.release(environ={"DOCKER_HOST": f"unix://{idle.folder}/nosuch.sock"})
    refused(ran, 11, "Docker engine")


def test_no_engine_answers_in_the_middle_of_a_release(job: Project) -> None:
    """An account needs no engine until the build: the release pauses there, and goes on once there is one."""
    job.renew()
    ran = job.deployer.release(
        "--start-at", "build", environ={"DOCKER_HOST": f"unix://{job.folder}/nosuch.sock"}
    )
    assert (ran.code, ran.ended["end"], ran.ended["node"]) == (11, "PAUSED", "DOCKER_BUILD"), ran.said()
    assert ran.paused["remedy"]
    resumed = job.resume()
    assert (resumed.release, resumed.ended["end"]) == (ran.release, "END_SUCCESS"), resumed.said()


def test_production_without_credentials(idle: Project) -> None:
    """Nobody to ask AWS as: exit code 13, and which variables to set; no release is begun."""
    ran = idle.deployer.release("--env", "production", "--start-at", "build", environ=PRODUCTION)
    refused(ran, 13, "NoCredentialsError", "AWS_PROFILE")


def test_credentials_that_have_expired(job: Project, outside: Outside) -> None:
    """AWS says so at the first call: no second one, exit code 13, how to log in again; nothing is begun."""
    with proxy(outside.facts["SANDBOX_ENDPOINT"]) as way:
        way.refuse = EXPIRED
        ran = job.deployer.release("--start-at", "build", environ={"ENDPOINT": way.url})
        assert sum(way.calls.values()) == 1
    refused(ran, 13, "expired", "aws sso login")


def test_credentials_that_expire_in_the_middle(job: Project, outside: Outside) -> None:
    """The release pauses where it stands, without a retry; with new credentials it goes on from there."""
    with proxy(outside.facts["SANDBOX_ENDPOINT"]) as way:

        def expire(process: "subprocess.Popen[str]", event: Event) -> None:
            if event["event"] == "left" and event["node"] == "PUSH_OK":
                way.refuse = EXPIRED

        arguments = ("release", "--start-at", "build", "--output", "json")
        ran = job.deployer.watched(arguments, expire, {"ENDPOINT": way.url})
    assert (ran.code, ran.ended["end"]) == (13, "PAUSED"), ran.said()
    assert "expired" in ran.paused["message"]
    assert "aws sso login" in ran.paused["remedy"]
    assert not [event for event in ran.events if event["event"] == "retried"]
    assert job.resume().ended["end"] == "END_SUCCESS"
    assert len(outside.tasks(ran.release)) == 1


def test_a_dead_endpoint_is_retried_and_then_said(job: Project) -> None:
    """Nothing listens where AWS should be: retried as long as deploy.toml says, then exit code 18."""
    job.edit("deploy.toml", 'max-elapsed = "10s"', 'max-elapsed = "3s"')
    ran = job.deployer.release("--start-at", "build", environ={"ENDPOINT": NOBODY})
    assert (ran.code, ran.ended["end"]) == (18, "PAUSED"), ran.said()
    assert sum(event["event"] == "retried" for event in ran.events) > 1
    assert "127.0.0.1:9" in ran.paused["message"]


def test_a_damaged_journal_is_refused(job: Project) -> None:
    """One changed byte: exit code 5 with file and line; the list of releases still works."""
    ran = job.release("--start-at", "build")
    journal = job.folder / ".deployer" / "releases" / ran.release / "journal.jsonl"
    content = bytearray(journal.read_bytes())
    content[content.index(b"BUILD_PHASE")] ^= 1
    journal.write_bytes(content)
    refused(job.deployer("show", ran.release, "--output", "json"), 5, str(journal), "line")
    refused(job.deployer.resume(ran.release), 5, str(journal), "line")
    listed = job.deployer("history", "--output", "json")
    assert (listed.code, "DAMAGED" in listed.stdout) == (0, True), listed.said()


def test_a_journal_torn_by_a_crash_goes_on(job: Project) -> None:
    """Half a last line is what a crash leaves: it is dropped, and nothing is done twice."""
    ran = job.release("--start-at", "build", "--detach")
    journal = job.folder / ".deployer" / "releases" / ran.release / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"seq":99,"kind":"fini')
    assert job.resume().ended["end"] == "END_SUCCESS"


def test_a_folder_that_cannot_be_written(job: Project) -> None:
    """.deployer where nobody may write: exit code 15 and the path; nothing was started."""
    shutil.rmtree(job.folder / ".deployer", ignore_errors=True)
    (job.folder / ".deployer").symlink_to("/sys/kernel")
    refused(job.release("--start-at", "build"), 15, ".deployer")


def test_a_port_in_use(spoilt: Project) -> None:
    """The sandbox names the port that is taken and does not start."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        spoilt.edit("deploy.toml", "[sandbox]\n", f"[sandbox]\naws-port = {port}\n")
        ran = spoilt.deployer("sandbox", "up")
    assert ran.code in range(11, 20), ran.said()
    assert str(port) in ran.stderr
    assert spoilt.deployer("sandbox", "down", "--purge").code == 0


def test_an_unknown_cluster_is_found_by_the_doctor(job: Project) -> None:
    """The doctor names it and exits with 13; the other checks are reported all the same."""
    job.edit("deploy.toml", "${SANDBOX_CLUSTER}", "nosuch-cluster")
    ran = job.deployer("doctor", "--output", "json")
    assert ran.code == 13, ran.said()
    (wrong,) = [finding for finding in json.loads(ran.stdout)["findings"] if finding["state"] == "fail"]
    assert (wrong["what"], "nosuch-cluster" in wrong["remedy"]) == ("cluster nosuch-cluster", True)
