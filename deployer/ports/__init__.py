"""Ports: what the steps need of the outside world. `adapters/` implements them, `tests/fakes` fakes them.

Every method raises `deployer.errors.Failure` (or a subclass) and nothing else;
what a person can expect to happen (a failed test, a task that exits 1) is a return value.
"""

from dataclasses import dataclass

from deployer.ports.cloud import (
    ONE_OFF_TASK,
    Account,
    Finding,
    FindingState,
    LogEvent,
    Login,
    LogPage,
    Logs,
    NewSchedule,
    Registry,
    Revision,
    RunAnswer,
    Schedules,
    Tagged,
    TaskRequest,
    Tasks,
    TaskStatus,
    Trigger,
)
from deployer.ports.database import (
    Database,
    DatabaseServer,
    JobNetwork,
    NotPermitted,
    QueryRefused,
    Question,
    Reply,
    TimeLimitReached,
    Unreachable,
)
from deployer.ports.evidence import EvidenceStore, LineLog, task_log, task_name
from deployer.ports.machine import (
    BuildInputs,
    BuildResult,
    Clock,
    Compose,
    Engine,
    Ids,
    OnLine,
    OnProgress,
    Shell,
    Workspace,
)

__all__ = [
    "ONE_OFF_TASK",
    "Account",
    "BuildInputs",
    "BuildResult",
    "Clock",
    "Compose",
    "Database",
    "DatabaseServer",
    "Engine",
    "EvidenceStore",
    "Finding",
    "FindingState",
    "Ids",
    "JobNetwork",
    "LineLog",
    "LogEvent",
    "LogPage",
    "Login",
    "Logs",
    "NewSchedule",
    "NotPermitted",
    "OnLine",
    "OnProgress",
    "Ports",
    "QueryRefused",
    "Question",
    "Registry",
    "Reply",
    "Revision",
    "RunAnswer",
    "Schedules",
    "Shell",
    "Tagged",
    "TaskRequest",
    "TaskStatus",
    "Tasks",
    "TimeLimitReached",
    "Trigger",
    "Unreachable",
    "Workspace",
    "task_log",
    "task_name",
]


@dataclass(frozen=True)
class Ports:
    """Everything a step can reach."""

    workspace: Workspace
    shell: Shell
    compose: Compose
    engine: Engine
    registry: Registry
    tasks: Tasks
    schedules: Schedules
    logs: Logs
    database: Database
    server: DatabaseServer
    job_network: JobNetwork
    account: Account
    clock: Clock
    ids: Ids
    evidence: EvidenceStore
