"""Everything outside of the deployer's process, in one object that outlives it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployer.config.model import Config
from deployer.ports import Ports, TaskRequest
from deployer.records.evidence import EvidenceFolder
from deployer.redaction import Redactor
from tests.fakes.account import FakeAccount
from tests.fakes.clock import FakeClock
from tests.fakes.compose import FakeCompose
from tests.fakes.database import FakeDatabase
from tests.fakes.engine import FakeEngine
from tests.fakes.ids import FakeIds
from tests.fakes.job_network import FakeJobNetwork
from tests.fakes.logs import FakeLogs
from tests.fakes.registry import FakeRegistry
from tests.fakes.schedules import FakeSchedules
from tests.fakes.server import FakeServer
from tests.fakes.shell import FakeShell, Program
from tests.fakes.tasks import FakeTasks, Outcome
from tests.fakes.workspace import FakeWorkspace

TESTS = ("pytest", "-q")
REPOSITORY = "job"
GROUP = "/ecs/job"
LOGGING = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": GROUP, "awslogs-stream-prefix": "ecs", "awslogs-region": "eu-west-3"},
}


def settings(**tables: Mapping[str, Any]) -> Config:
    """A small deploy.toml, as read; `tables` are laid over it key by key."""
    base: dict[str, Any] = {
        "env": "test",
        "project": {"name": "job"},
        "test": {"command": list(TESTS)},
        "compose": {"service": "job", "database": "db", "expect-documents": ["measurements"]},
        "build": {"inputs": ["Dockerfile"]},
        "image": {"repository": REPOSITORY},
        "task": {
            "definition": {
                "family": "job",
                "containerDefinitions": [
                    {"name": "job", "image": "${IMAGE}", "essential": True, "logConfiguration": LOGGING}
                ],
            },
            "container": "job",
        },
        "run": {"cluster": "cluster", "subnets": ["subnet-1"], "security-groups": ["sg-1"]},
        "logs": {"group": GROUP},
        "aws": {"region": "eu-west-3"},
        "verify": {
            "uri": "mongodb://db.test",
            "database": "db",
            "report": {"collection": "load_runs"},
            "checks": [
                {
                    "kind": "count",
                    "name": "documents of this run",
                    "collection": "measurements",
                    "query": {"run_id": "${RUN_ID}"},
                    "equals-report": "written",
                }
            ],
        },
    }
    return Config.model_validate(
        base | {name: {**base.get(name, {}), **table} for name, table in tables.items()}
    )


class World:
    """Registry, cluster, database and the machine. A killed process takes nothing of it along but logins."""

    def __init__(self, *, honours_tokens: bool = True) -> None:
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.workspace = FakeWorkspace({"Dockerfile": "FROM base"}, ("Dockerfile",))
        self.shell = FakeShell({TESTS: Program(("12 passed",))})
        self.compose = FakeCompose()
        self.registry = FakeRegistry()
        self.registry.create(REPOSITORY)
        self.engine = FakeEngine(on_push=self._receive)
        self.logs = FakeLogs()
        self.tasks = FakeTasks(self.logs, GROUP, honours_tokens=honours_tokens)
        self.schedules = FakeSchedules()
        self.database = FakeDatabase({"measurements": {}, "load_runs": {}})
        self.server = FakeServer()
        self.job_network = FakeJobNetwork(self.database)
        self.account = FakeAccount()

    def ports(self, folder: Path) -> Ports:
        """The ports of a new process on this world."""
        self.engine.restart()
        return Ports(
            workspace=self.workspace,
            shell=self.shell,
            compose=self.compose,
            engine=self.engine,
            registry=self.registry,
            tasks=self.tasks,
            schedules=self.schedules,
            logs=self.logs,
            database=self.database,
            server=self.server,
            job_network=self.job_network,
            account=self.account,
            clock=self.clock,
            ids=self.ids,
            evidence=EvidenceFolder(folder, Redactor()),
        )

    def loads(self, documents: int = 3, *, reported: int | None = None, **outcome: Any) -> Outcome:
        """A task that loads so many documents and reports `reported` (None: the truth)."""

        def effect(request: TaskRequest) -> None:
            run = request.environment["RUN_ID"]
            self.database.write(
                "measurements", [{"_id": f"07015@{number}", "run_id": run} for number in range(documents)]
            )
            report = {
                "_id": run,
                "status": "succeeded",
                "written": documents if reported is None else reported,
                "finished_at": datetime.fromtimestamp(self.clock.time, UTC),
            }
            self.database.write("load_runs", [report])

        return Outcome(effect=effect, **outcome)

    def effects(self) -> dict[str, Any]:
        """What can be counted from outside: the effects that must not happen twice."""
        return {
            "digests": {repository: sorted(found) for repository, found in self.registry.digests.items()},
            "tags": self.registry.tags,
            "pushes": len(self.registry.pushes),
            "revisions": [revision.arn for revision in self.tasks.registered],
            "tasks": [task.request.started_by.rsplit("-", 1)[-1] for task in self.tasks.tasks.values()],
            "documents": sorted(self.database.collections["measurements"]),
            "compose sets left": sorted(self.compose.sets),
        }

    def _receive(self, name: str, tag: str, image_id: str) -> str:
        digest = image_id
        self.registry.receive(name.split("/", 1)[1], tag, digest)
        self.registry.carried[digest] = self.engine.labels[image_id]
        return digest
