"""What AWS does and an emulator does not, each by its name and with its documented source.

A behavior sees the calls of one release, in order, and answers for the service (`before`) or changes its
answer (`after`). Time counts from the first RunTask.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An error in the JSON protocol."""

    code: str
    message: str
    status: int = 400

    @property
    def body(self) -> Body:
        return {"__type": self.code, "message": self.message}


@dataclass
class Course:
    """What has happened so far; `seed` decides what is left to chance."""

    seed: int = 1
    begun: float = 0.0
    calls: list[str] = field(default_factory=list)
    notes: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    @property
    def age(self) -> float:
        return time.monotonic() - self.begun if self.begun else 0.0

    def count(self, action: str) -> int:
        return self.calls.count(action)


def _pass(course: Course, action: str, body: Body) -> Refusal | Body | None:
    return None


def _keep(course: Course, action: str, body: Body, answer: Body) -> Body:
    return answer


@dataclass(frozen=True)
class Behavior:
    """`before` may refuse or answer a call; `after` may change an answer of the service."""

    source: str
    before: Callable[[Course, str, Body], Refusal | Body | None] = _pass
    after: Callable[[Course, str, Body, Body], Body] = _keep


def _missing(body: Body) -> Body:
    failures = [{"arn": arn, "reason": "MISSING"} for arn in body.get("tasks", ())]
    return {"tasks": [], "failures": failures}


def missing_after_run_task(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """DescribeTasks does not know a task for seconds after RunTask."""
    return _missing(body) if action == "DescribeTasks" and course.age < 3 else None


def missing_once(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """A task that was described is missing in one later answer."""
    return _missing(body) if action == "DescribeTasks" and course.count(action) == 3 else None


def throttled(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """Every third call that reads is throttled."""
    reads = action.startswith(("Describe", "Get", "List"))
    if reads and course.random.random() < 1 / 3:
        return Refusal("ThrottlingException", "Rate exceeded")
    return None


def capacity_unavailable(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """RunTask finds no capacity twice."""
    if action == "RunTask" and course.count("RunTask") <= 2:
        return {
            "tasks": [],
            "failures": [{"reason": "Capacity is unavailable at this time. Please try again"}],
        }
    return None


def no_service_linked_role(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """The first RunTask of an account is refused while its service-linked role is being created."""
    if action == "RunTask" and course.count("RunTask") == 1:
        return Refusal(
            "InvalidParameterException",
            "Unable to assume the service linked role. Please verify that the role exists.",
        )
    return None


def reads_denied(course: Course, action: str, body: Body) -> Refusal | Body | None:
    """The caller may release but not look at clusters, groups and schedules."""
    denied = (
        "DescribeClusters",
        "DescribeLogGroups",
        "DescribeRepositories",
        "GetParameters",
        "DescribeSecret",
    )
    if action in denied:
        return Refusal("AccessDeniedException", f"User is not authorized to perform: {action}")
    return None


def _stopped(answer: Body) -> list[Body]:
    return [task for task in answer.get("tasks", ()) if task.get("lastStatus") == "STOPPED"]


def injected_container(course: Course, action: str, body: Body, answer: Body) -> Body:
    """GuardDuty's agent is in no definition, and is stopped with the task."""
    for task in answer.get("tasks", ()) if action == "DescribeTasks" else ():
        agent = {"name": "aws-guardduty-agent-0abc", "lastStatus": task["lastStatus"]}
        task["containers"].append({**agent, "exitCode": 137} if task["lastStatus"] == "STOPPED" else agent)
    return answer


def stages_of_a_task(course: Course, action: str, body: Body, answer: Body) -> Body:
    """PROVISIONING and PENDING before it runs, DEPROVISIONING before it is STOPPED."""
    for task in answer.get("tasks", ()) if action == "DescribeTasks" else ():
        if course.age < 2:
            task["lastStatus"] = "PROVISIONING" if course.age < 1 else "PENDING"
        elif (
            task["lastStatus"] == "STOPPED"
            and course.notes.setdefault("stopped", course.age) > course.age - 2
        ):
            task["lastStatus"] = "DEPROVISIONING"
            task["startedAt"] = task.get("createdAt", 0)
    return answer


BEHAVIORS: Mapping[str, Behavior] = {
    "missing after RunTask": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (eventual consistency)",
        before=missing_after_run_task,
    ),
    "missing once": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html (MISSING)",
        before=missing_once,
    ),
    "throttled": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html", before=throttled
    ),
    "capacity unavailable": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html",
        before=capacity_unavailable,
    ),
    "no service-linked role": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html",
        before=no_service_linked_role,
    ),
    "reads denied": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html", before=reads_denied
    ),
    "injected container": Behavior(
        "https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-ecs-fargate.html",
        after=injected_container,
    ),
    "stages of a task": Behavior(
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html",
        after=stages_of_a_task,
    ),
}
