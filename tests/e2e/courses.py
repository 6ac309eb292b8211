"""Courses of a real release: what goes wrong on its way, who mends it, and what it leaves outside."""

import json
import re
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deployer.model import dump
from deployer.records.journal import NAME, Record, read
from deployer.records.releases import state_of
from tests.e2e.command import Deployer, Ran
from tests.e2e.failures import wrong_password
from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.faults.proxy import Fault, Plan, Proxy, calm

MORTAL = Path(__file__).with_name("mortal.py")
BEGIN = ("release", "--start-at", "build", "--output", "json")
RESUME = ("resume", "--output", "json")
MOST_RESUMES = 8


@dataclass(frozen=True)
class Scene:
    """One job that is released to the sandbox; AWS and the registry are reached through the proxy."""

    job: Project
    outside: Outside
    proxy: Proxy

    @property
    def secrets(self) -> Any:
        return self.outside.aws("secretsmanager")

    @property
    def uri(self) -> str:
        """What the secret must hold."""
        return self.outside.facts["SANDBOX_MONGO_URI"]


def all_is_well(scene: Scene) -> Plan:
    return calm


DENIED = Fault("refused", "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


def much_goes_wrong(scene: Scene) -> Plan:
    """ECR takes the first push's login for expired. When the first task is asked for, somebody has just given
    the secret a wrong password, and deleted it."""

    def spoiled(operation: str, number: int) -> Fault | None:
        if (operation, number) == ("RunTask", 1):
            scene.secrets.put_secret_value(SecretId=scene.job.name, SecretString=wrong_password(scene.uri))
            scene.secrets.delete_secret(SecretId=scene.job.name)
        return DENIED if (operation, number) == ("POST blobs", 1) else None

    return spoiled


def restore_secret(scene: Scene) -> None:
    scene.secrets.restore_secret(SecretId=scene.job.name)


def correct_password(scene: Scene) -> None:
    scene.secrets.put_secret_value(SecretId=scene.job.name, SecretString=scene.uri)


@dataclass(frozen=True)
class Course:
    """`prepare` says what goes wrong; `mends` is what the operator does, by the node that has paused."""

    name: str
    prepare: Callable[[Scene], Plan]
    mends: Mapping[str, Callable[[Scene], None]] = field(default_factory=dict)


COURSES = (
    Course("smooth", all_is_well),
    Course("rough", much_goes_wrong, {"CHECK_CONFIG": restore_secret, "CHECK_ATLAS": correct_password}),
)


@dataclass(frozen=True)
class Fate:
    """SIGKILL before or after this record (0: the header)."""

    when: str
    record: int

    def of(self, deployer: Deployer) -> Deployer:
        return replace(deployer, program=(sys.executable, MORTAL, self.when, str(self.record)))


@dataclass(frozen=True)
class Life:
    """A release's whole life: every process that worked at it, and where it stood when one was killed."""

    records: list[Record]
    deaths: list[str]
    resumes: int
    last: Ran

    @property
    def release(self) -> str:
        return str(self.records[0]["release"])


def live(scene: Scene, course: Course, fates: Iterable[Fate] = ()) -> Life:
    """Releases, and resumes after each death and each pause, which is mended once, until it has ended."""
    scene.proxy.begin(course.prepare(scene))
    through = {"ENDPOINT": f"http://{scene.proxy.address}", "SANDBOX_REGISTRY": scene.proxy.address}
    to_come, deaths, resumes = list(fates), list[str](), 0
    records: list[Record] = []
    mended: set[int] = set()
    while not records or records[-1]["kind"] != "ended":
        deployer = to_come[0].of(scene.job.deployer) if to_come else scene.job.deployer
        ran = deployer(*(RESUME if records else BEGIN), environ=through)
        resumes += bool(records)
        records = journal(scene.job)
        assert records or ran.code == -signal.SIGKILL, ran.said()
        if ran.code == -signal.SIGKILL:
            to_come.pop(0)
            deaths.append(f"{records[-1]['kind']} {records[-1].get('node', '')}" if records else "nothing")
        if records and records[-1]["kind"] == "paused" and records[-1]["seq"] not in mended:
            assert records[-1]["node"] in course.mends, ran.said()
            course.mends[records[-1]["node"]](scene)
            mended.add(records[-1]["seq"])
        assert resumes < MOST_RESUMES, ran.said()
    return Life(records, deaths, resumes, ran)


def journal(job: Project) -> list[Record]:
    """What is recorded of the only release of that job; nothing before it has begun."""
    found = list((job.folder / ".deployer" / "releases").glob(f"*/{NAME}"))
    return read(found[0]) if found else []


def effects(scene: Scene, life: Life, before: Collection[str]) -> dict[str, Any]:
    """What is there of it outside, under names that any two releases share; `before`: digests that were there
    in its repository before it."""
    outside, release = scene.outside, life.release
    images = outside.images(scene.job.repository)
    own = [tags for digest, tags in images.items() if digest not in before]
    tasks = sorted(outside.tasks(release), key=lambda task: str(task["startedBy"]))
    return {
        "digests and their tags": [sorted(re.sub("[0-9a-f]{16}", "#", tag) for tag in tags) for tags in own],
        "revisions": len(outside.revisions(scene.job.name)),
        "tasks": [
            (task["startedBy"].removeprefix(release), task["containers"][0].get("exitCode")) for task in tasks
        ],
        "documents": sorted(row["value"] for row in outside.collection("rows").find({"run": release})),
        "reports": outside.collection("runs").count_documents({"_id": release}),
    }


_OF_THE_HOUR = {"started_at", "run_at", "requested_at", "seconds", "token", "baseline", "counts"}


def state(scene: Scene, life: Life) -> Any:
    """The recorded state, less what differs between any two releases: names, hashes, times."""
    text = json.dumps(dump(state_of(life.records)))
    job = scene.job
    for name in (life.release, job.deployer.environ["SECRET_ARN"], job.name, job.repository):
        text = text.replace(name, "#")
    text = re.sub(r"127\.0\.0\.1:\d+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}", "#", text)
    return json.loads(
        text,
        object_hook=lambda fields: {key: value for key, value in fields.items() if key not in _OF_THE_HOUR},
    )
