"""The morning after each kind of night: what `runs`, `verify`, `explain --task`, `watch` and a webhook say.

The account is moto's, MongoDB is a real one; what ECS would have made of a night is set in moto's memory.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from moto.backends import get_backend

from deployer.commands.explain import explain_run
from deployer.commands.logs.request import of_project
from deployer.commands.project import Project
from deployer.commands.runs import files_of, find, runs
from deployer.commands.verify import VerifyOptions, verify
from deployer.commands.watch import watch
from deployer.errors import EXIT_CODES
from deployer.ports import LogEvent
from deployer.records.runs import Run
from deployer.view.explain import format_story
from tests.deployer.contract.aws.worlds import AwsWorld, definition, session
from tests.deployer.integration.verification.mongod import DATABASE, Mongod, running
from tests.fakes.webhook import Taken, listening

HOUR, NAME = 3600.0, "tides"
ACCOUNT, REGION = "123456789012", "eu-west-3"
DEPLOY_TOML = """
default-env = "production"
[project]
name = "tides"
[image]
repository = "tides"
[task]
definition = "task-definition.json"
container = "forecast-etl"
[logs]
group = "/ecs/tides"
[verify]
uri = "${MONGO_URI}"
database = "DATABASE"
report = { collection = "loads" }
[verify.deadline]
max-age = "26h"
[[verify.checks]]
name = "tides of this run"
kind = "count"
collection = "tides"
query = { run_id = "${RUN_ID}" }
equals-report = "inserted"
[notify]
webhook = "WEBHOOK"
[env.production.aws]
region = "eu-west-3"
[env.production.run]
cluster = "tides"
subnets = ["SUBNET"]
security-groups = ["sg-1"]
"""


class Coast:
    """The account, the database, and the nights in them."""

    def __init__(self, world: AwsWorld, mongod: Mongod, project: Project, taken: Taken) -> None:
        self.world, self.mongod, self.project, self.taken = world, mongod, project, taken
        self.now = time.time()
        self.revision = world.tasks.revisions(NAME)[0]

    def begins(self, hours_ago: float, run: str) -> Any:
        """The schedule starts a task; moto's own record of it comes back, to be changed."""
        group = self.world.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
        network = {"subnets": list(self.world.config.run.subnets), "securityGroups": [group]}
        override = {"name": "forecast-etl", "environment": [{"name": "RUN_ID", "value": run}]}
        arn = self.world.client("ecs").run_task(
            cluster=NAME,
            taskDefinition=self.revision,
            launchType="FARGATE",
            networkConfiguration={"awsvpcConfiguration": network},
            startedBy="chronos-schedule/nightly",
            overrides={"containerOverrides": [override]},
        )["tasks"][0]["taskArn"]
        task: Any = get_backend("ecs")[ACCOUNT][REGION].tasks[NAME][arn]
        task.created_at = datetime.fromtimestamp(self.now - hours_ago * HOUR, UTC)
        return task

    def ends(self, task: Any, code: int | None, *log: str, stop: str = "", why: str = "") -> None:
        """An hour later, with these last lines in its log."""
        begun = task.created_at.timestamp()
        task.stopped_at = datetime.fromtimestamp(begun + HOUR, UTC)
        task.last_status = task.desired_status = "STOPPED"
        task.stop_code = stop or "EssentialContainerExited"
        by_itself = "Essential container in task exited"
        task.stopped_reason = "Task stopped by user" if stop == "UserInitiated" else by_itself
        (container,) = task.containers
        del container.exitCode
        container.exit_code, container.last_status = code, "STOPPED"
        if why and code is None:
            task.stopped_reason = why
        elif why:
            container.reason = why
        if log:
            events = [LogEvent(begun + 10 + n, text) for n, text in enumerate(log)]
            request = of_project(self.project.config("production"))
            self.world.put_log(request.group, f"{request.streams}{task.id}", *events)

    def forgets(self, task: Any) -> None:
        """What ECS does within the hour of a task's end."""
        del get_backend("ecs")[ACCOUNT][REGION].tasks[NAME][task.task_arn]

    def loads(self, task: Any, run: str, documents: int, status: str = "succeeded") -> None:
        """The job's documents and its report."""
        with self.mongod.client("loader") as client:
            database = client[DATABASE]
            if documents:
                database["tides"].insert_many([{"run_id": run, "n": n} for n in range(documents)])
            report = {"_id": run, "started_at": task.created_at, "status": status, "inserted": documents}
            database["loads"].insert_one(report)

    def good(self, hours_ago: float, run: str, documents: int = 5) -> Any:
        task = self.begins(hours_ago, run)
        self.loads(task, run, documents)
        self.ends(task, 0, "loaded")
        return task

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.taken]


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    with running(tmp_path_factory.mktemp("mongod")) as mongod:
        yield mongod


def _project(folder: Path, mongod: Mongod, text: str) -> Project:
    (folder / "deploy.toml").write_text(text)
    return Project(folder, {"MONGO_URI": mongod.uri("reader")})


@pytest.fixture
def coast(mongod: Mongod, tmp_path: Path) -> Iterator[Coast]:
    """A job whose run of the night before last was good, and was watched."""
    with mongod.client("admin") as client:
        client.drop_database(DATABASE)
    with mock_aws(), listening() as (webhook, taken):
        world = AwsWorld(NAME, session(None))
        world.tasks.register(definition(NAME), {})
        text = DEPLOY_TOML.replace("DATABASE", DATABASE).replace("WEBHOOK", webhook)
        text = text.replace("SUBNET", world.config.run.subnets[0])
        (tmp_path / "task-definition.json").write_text(json.dumps(definition(NAME)))
        coast = Coast(world, mongod, _project(tmp_path, mongod, text.replace("26h", "40h")), taken)
        world.schedule("nightly", coast.revision)
        before = coast.good(28, "tide-1")
        assert watch(coast.project, None)["messages"] == []
        coast.forgets(before)
        coast.project = _project(tmp_path, mongod, text)
        yield coast


TRACEBACK = ("Traceback (most recent call last):", '  File "job.py", line 3, in run', "KeyError: 'height'")
NO_SECRET = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval"
    " failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch"
    " secret arn:aws:secretsmanager:eu-west-3:123456789012:secret:tides/uri from secrets manager:"
    " ResourceNotFoundException: Secrets Manager can't find the specified secret."
)


def good(coast: Coast) -> None:
    coast.good(4, "tide-2", 7)


def traceback(coast: Coast) -> None:
    coast.ends(coast.begins(4, "tide-2"), 1, *TRACEBACK)


def traceback_forgotten(coast: Coast) -> None:
    """Nobody looked within the hour."""
    task = coast.begins(4, "tide-2")
    coast.ends(task, 1, *TRACEBACK)
    coast.forgets(task)


def silent_end_forgotten(coast: Coast) -> None:
    task = coast.begins(4, "tide-2")
    coast.ends(task, 0, "good night")
    coast.forgets(task)


def secret_missing(coast: Coast) -> None:
    coast.ends(coast.begins(4, "tide-2"), None, stop="TaskFailedToStart", why=NO_SECRET)


def nothing_written(coast: Coast) -> None:
    task = coast.begins(4, "tide-2")
    coast.loads(task, "tide-2", 0)
    coast.ends(task, 0, "done")


def no_report(coast: Coast) -> None:
    coast.ends(coast.begins(4, "tide-2"), 0, "done")


def unfinished_report(coast: Coast) -> None:
    task = coast.begins(4, "tide-2")
    coast.loads(task, "tide-2", 3, status="running")
    coast.ends(task, 0, "done")


def killed(coast: Coast) -> None:
    why = "OutOfMemoryError: Container killed due to memory usage"
    coast.ends(coast.begins(4, "tide-2"), 137, "reading", why=why)


def stopped(coast: Coast) -> None:
    """Half done, it ends with 0 all the same."""
    task = coast.begins(4, "tide-2")
    coast.loads(task, "tide-2", 2)
    coast.ends(task, 0, "told to stop", stop="UserInitiated")


@dataclass(frozen=True)
class Morning:
    """What is said after a night. `cause`: class and subcause; `problem`: what verify says, in part."""

    night: Callable[[Coast], None]
    verdict: str
    exit_code: int
    cause: tuple[str | None, str | None] = (None, None)
    problem: str = ""
    story: str = ""


MORNINGS = (
    Morning(good, "ok", 0, story="It ended well"),
    Morning(traceback, "failed", 10, ("code", "exception"), "a newer run failed", "KeyError: 'height'"),
    Morning(traceback_forgotten, "unknown", 10, ("code", "exception"), "left no report", "KeyError"),
    Morning(silent_end_forgotten, "unknown", 17, ("data", "no-report"), "left no report", "no longer known"),
    Morning(secret_missing, "failed", 13, ("aws-config", "secret"), "a newer run failed", "tides/uri"),
    Morning(nothing_written, "failed", 17, ("data", "nothing-loaded"), "0 documents", "0 documents"),
    Morning(no_report, "unproven", 17, ("data", "no-report"), "left no report", "nothing shows"),
    Morning(unfinished_report, "unproven", 17, ("data", "no-report"), "left no report", "never finished"),
    Morning(killed, "failed", 15, ("resources", "out-of-memory"), "a newer run failed", "OutOfMemoryError"),
    Morning(stopped, "failed", 17, ("unknown", "stopped-by-hand"), "the run failed", "It failed"),
)


@pytest.mark.parametrize("morning", MORNINGS, ids=lambda morning: morning.night.__name__)
def test_the_morning_after(coast: Coast, morning: Morning) -> None:
    """All five say the same of it, each with the cause; after a bad night nobody says that all is well."""
    morning.night(coast)
    checked = verify(coast.project, VerifyOptions())
    listed = runs(coast.project, None, 20)["runs"]
    assert [run["verdict"] for run in listed] == [morning.verdict, "ok"]
    newest = listed[0]
    assert (newest["class"], newest["subcause"]) == morning.cause
    assert (checked["ok"], checked["exit_code"]) == (morning.exit_code == 0, morning.exit_code)
    assert morning.problem in checked["problem"]
    told = explain_run(find(coast.project, None, newest["task"]), "production")
    assert morning.story in "\n".join(format_story(told, markdown=False))
    seen = watch(coast.project, None)
    assert seen["exit_code"] == (EXIT_CODES[newest["class"]] if newest["class"] else 0)
    messages = coast.told()
    assert [message["event"] for message in messages] == ([] if morning.exit_code == 0 else ["failed"])
    for message in messages:
        assert message["title"].startswith(f"tides (production): Run {morning.verdict}")
        assert str(morning.cause[1]) in message["title"]
        assert message["fix"]
    assert watch(coast.project, None)["messages"] == []
    coast.good(0.5, "tide-3")
    assert verify(coast.project, VerifyOptions())["exit_code"] == 0
    assert watch(coast.project, None)["exit_code"] == 0
    assert [m["event"] for m in coast.told()[len(messages) :]] == ["recovered"] * len(messages)


def test_a_schedule_that_did_not_fire(coast: Coast) -> None:
    """No trace of the night is left but its absence: told once, with what the schedule says."""
    coast.world.schedules.disable("nightly", "default")
    checked = verify(coast.project, VerifyOptions())
    assert (checked["ok"], checked["exit_code"]) == (False, 17)
    assert checked["problem"].startswith("no run since")
    assert "schedule default/nightly is disabled" in checked["problem"]
    assert [run["verdict"] for run in runs(coast.project, None, 20)["runs"]] == ["ok"]
    assert watch(coast.project, None)["exit_code"] == 17
    ((late),) = coast.told()
    assert (late["event"], "schedule default/nightly is disabled" in late["text"]) == ("late", True)
    assert watch(coast.project, None)["messages"] == []
    coast.good(0.5, "tide-3")
    assert watch(coast.project, None)["exit_code"] == 0
    assert [message["event"] for message in coast.told()] == ["late", "recovered"]


def test_a_start_that_ecs_refused_leaves_no_trace(coast: Coast) -> None:
    """The schedule is well; where to look is said. With a run still going, that is the reason."""
    said = verify(coast.project, VerifyOptions())["problem"]
    assert "schedule default/nightly (cron(0 3 1 1 ? 2099)) is enabled and starts tides:1" in said
    assert "role/scheduler" in said
    task = coast.begins(9, "tide-2")
    assert f"task {task.id} has been running for" in verify(coast.project, VerifyOptions())["problem"]


def test_a_slow_night_overlaps_the_next(coast: Coast) -> None:
    """The good one is judged while the slow one still runs; its failure afterwards is told, and is over."""
    slow = coast.begins(23, "tide-2")
    coast.good(3, "tide-3")
    checked = verify(coast.project, VerifyOptions())
    assert (checked["exit_code"], checked["run"]) == (0, "tide-3")
    assert [run["verdict"] for run in runs(coast.project, None, 20)["runs"]] == ["ok", "running", "ok"]
    assert (watch(coast.project, None)["exit_code"], coast.told()) == (0, [])
    coast.ends(slow, 1, *TRACEBACK)
    assert verify(coast.project, VerifyOptions())["exit_code"] == 0
    assert [run["verdict"] for run in runs(coast.project, None, 20)["runs"]] == ["ok", "failed", "ok"]
    assert watch(coast.project, None)["exit_code"] == 0
    (failed,) = coast.told()
    assert (failed["event"], slow.id in failed["run"]["task"]) == ("failed", True)


DRIFT = """
[verify.drift]
collection = "tides"
group = "port"
fields = ["height"]
"""


def test_a_night_that_differs_from_the_last_good_ones(coast: Coast) -> None:
    """Its checks pass, but half of the tides have no height and one port is gone: exit code 17, each with a
    picture of the nights before; once accepted it is how it is."""
    path = coast.project.root / "deploy.toml"
    coast.project = _project(
        path.parent, coast.mongod, path.read_text().replace("[notify]", f"{DRIFT}[notify]")
    )
    config = coast.project.config("production")
    usual = {
        "documents": 80.0,
        "documents of port Brest": 40.0,
        "documents of port Roscoff": 40.0,
        "share without height": 0.0,
        "lowest height": 1.0,
        "highest height": 7.0,
    }
    for day in range(2, 8):
        began = coast.now - day * 24 * HOUR
        run = Run(f"{ACCOUNT}/{day:032x}", started_at=began, verdict="ok", measures=usual)
        files_of(coast.project, config).keep(run)
    task = coast.begins(4, "tide-9")
    coast.ends(task, 0)
    with coast.mongod.client("loader") as client:
        heights = [{"height": 1.0}, {"height": 7}, {"height": None}, {}]
        documents = [{"run_id": "tide-9", "port": "Brest", **height} for height in heights * 20]
        client[DATABASE]["tides"].insert_many(documents)
        report = {"_id": "tide-9", "started_at": task.created_at, "status": "succeeded", "inserted": 80}
        client[DATABASE]["loads"].insert_one(report)
    checked = verify(coast.project, VerifyOptions())
    odd = {check["name"]: check for check in checked["checks"]}
    failed = [name for name, check in odd.items() if not check["ok"]]
    assert failed == [
        "drift: documents of port Brest",
        "drift: documents of port Roscoff",
        "drift: share without height",
    ]
    assert odd["drift: documents of port Roscoff"]["found"] == "0 ██████▁"
    assert (checked["exit_code"], "--accept-drift" in checked["problem"]) == (17, True)
    assert watch(coast.project, None)["exit_code"] == 0
    assert watch(coast.project, None)["messages"] == []
    (drifted,) = coast.told()
    assert drifted["event"] == "drifted"
    assert "documents of port Roscoff: 0 ██████▁, expected" in drifted["text"]
    assert verify(coast.project, VerifyOptions(accept_drift=True))["exit_code"] == 0
    assert verify(coast.project, VerifyOptions())["exit_code"] == 0
