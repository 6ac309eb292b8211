"""What AWS does and an emulator does not, each by its name and with its documented source.

A behavior sees the calls of one release, in order, and answers for the service (`before`), changes what the
emulator is told (`sent`) or its answer (`after`). Time counts from the first RunTask.
"""

import random
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An error of the service."""

    code: str
    message: str
    status: int = 400


@dataclass
class Course:
    """What has happened so far; `seed` decides what is left to chance."""

    seed: int = 1
    begun: float = 0.0
    calls: list[str] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    @property
    def age(self) -> float:
        return time.monotonic() - self.begun if self.begun else 0.0

    def count(self, action: str) -> int:
        return self.calls.count(action)


class Behavior:
    """AWS as an emulator already plays it."""

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        """A refusal or an answer in the service's place."""
        return None

    def sent(self, course: Course, action: str, body: Body) -> Body:
        """What the emulator is asked."""
        return body

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        """What the caller is told."""
        return answer


def _missing(body: Body) -> Body:
    failures = [{"arn": arn, "reason": "MISSING"} for arn in body.get("tasks", ())]
    return {"tasks": [], "failures": failures}


class MissingAfterRunTask(Behavior):
    """DescribeTasks does not know a task for seconds after RunTask.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html (eventual consistency)
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        return _missing(body) if action == "DescribeTasks" and course.age < 3 else None


class MissingOnce(Behavior):
    """A task that was described is missing in one later answer.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html (MISSING)
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        return _missing(body) if action == "DescribeTasks" and course.count(action) == 3 else None


_THROTTLED = Refusal("ThrottlingException", "Rate exceeded")


class Throttled(Behavior):
    """About every third call that reads is throttled.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        reads = action.startswith(("Describe", "Get", "List"))
        return _THROTTLED if reads and course.random.random() < 1 / 3 else None


class RateLimited(Behavior):
    """Each action of ECS and Logs has a bucket of `BURST` tokens, refilled with `RATE` a second; a call
    without one is throttled. The real buckets are larger, and a whole account shares them.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html (token bucket),
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html (GetLogEvents)
    """

    BURST, RATE = 2.0, 2.0
    ACTIONS = (
        "RunTask", "DescribeTasks", "ListTasks", "RegisterTaskDefinition", "DescribeTaskDefinition",
        "GetLogEvents", "DescribeLogStreams",
    )  # fmt: skip

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action not in self.ACTIONS:
            return None
        now = time.monotonic()
        left, since = course.notes.get(action, (self.BURST, now))
        left = min(self.BURST, left + (now - since) * self.RATE)
        course.notes[action] = (left - 1 if left >= 1 else left, now)
        return None if left >= 1 else _THROTTLED


class CapacityUnavailable(Behavior):
    """RunTask finds no capacity twice.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action != "RunTask" or course.count(action) > 2:
            return None
        reason = "Capacity is unavailable at this time. Please try again later or in a different zone"
        return {"tasks": [], "failures": [{"reason": reason}]}


class NoServiceLinkedRole(Behavior):
    """The first RunTask of an account is refused while its service-linked role is being created.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using-service-linked-roles.html
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action != "RunTask" or course.count(action) > 1:
            return None
        said = (
            "Unable to assume the service linked role. Please verify that the ECS service linked role exists."
        )
        return Refusal("InvalidParameterException", said)


class ReadsDenied(Behavior):
    """The caller may release but look at nothing else: clusters, groups, schedules, roles, the network.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html
    """

    DENIED = (
        "DescribeClusters", "DescribeLogGroups", "DescribeRepositories", "GetParameters", "DescribeSecret",
        "GetRole", "SimulatePrincipalPolicy", "DescribeSubnets", "DescribeSecurityGroups",
        "DescribeRouteTables", "DescribeVpcEndpoints", "DescribeVpcAttribute",
    )  # fmt: skip

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        denied = action in self.DENIED
        said = f"User is not authorized to perform: {action}"
        return Refusal("AccessDeniedException", said) if denied else None


class LateLogEvents(Behavior):
    """A page may be empty although there are events: the first read after the stop finds none. And events
    come out of order: the first line of all arrives one answer later.

    Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    ("partially full or empty pages"), .../API_PutLogEvents.html (events need not be in chronological order)
    """

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        if action == "DescribeTasks" and _stopped(answer):
            course.notes.setdefault("withhold", 1)
        if action != "GetLogEvents":
            return answer
        if course.notes.get("withhold", 0) == 1:
            course.notes["withhold"] = 2
            same = body.get("nextToken", "f/begin")
            return {**answer, "events": [], "nextForwardToken": same}
        events, held = answer["events"], course.notes.pop("held", [])
        if events and not course.notes.get("reordered"):
            course.notes.update(reordered=True, held=events[:1])
            events = events[1:]
        return {**answer, "events": [*events, *held]}

    def sent(self, course: Course, action: str, body: Body) -> Body:
        """The emulator does not know the token that it has not given."""
        if action == "GetLogEvents" and body.get("nextToken") == "f/begin":
            return {key: value for key, value in body.items() if key != "nextToken"}
        return body


def _stopped(answer: Body) -> list[Body]:
    return [task for task in answer.get("tasks", ()) if task.get("lastStatus") == "STOPPED"]


class InjectedContainer(Behavior):
    """GuardDuty's agent is in no definition, and is stopped with the task.

    Source: https://docs.aws.amazon.com/guardduty/latest/ug/how-runtime-monitoring-works-ecs-fargate.html
    """

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        for task in answer.get("tasks", ()) if action == "DescribeTasks" else ():
            _add(task, "aws-guardduty-agent-0abc", 137)
        return answer


def _add(task: Body, name: str, code: int) -> None:
    """A container that runs as long as the task, and then ends with that code."""
    stopped = {"exitCode": code} if task["lastStatus"] == "STOPPED" else {}
    task["containers"].append({"name": name, "lastStatus": task["lastStatus"], **stopped})


class EssentialSidecars(Behavior):
    """When an essential container ends ECS stops the others: with SIGTERM (143), after stopTimeout with
    SIGKILL (137). The emulator does not run the sidecars of the definition, `SIDECARS`.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (essential,
    stopTimeout)
    """

    SIDECARS: Mapping[str, int] = {"metrics-agent": 137, "log-router": 143}

    def sent(self, course: Course, action: str, body: Body) -> Body:
        if action != "RegisterTaskDefinition":
            return body
        containers = body["containerDefinitions"]
        course.notes["sidecars"] = [one for one in containers if one["name"] in self.SIDECARS]
        return {**body, "containerDefinitions": [c for c in containers if c["name"] not in self.SIDECARS]}

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        if "taskDefinition" in answer:
            answer["taskDefinition"]["containerDefinitions"] += course.notes.get("sidecars", [])
        for task in answer.get("tasks", ()) if action == "DescribeTasks" else ():
            names = course.random.sample(sorted(self.SIDECARS), k=len(self.SIDECARS))
            for name in names:
                _add(task, name, self.SIDECARS[name])
        return answer


class StagesOfATask(Behavior):
    """PROVISIONING and PENDING before it runs, DEPROVISIONING before it is STOPPED.

    Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
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


class ImmutableRepository(Behavior):
    """A tag that is there cannot move: neither by PutImage nor by a push.

    Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html,
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action != "PutImage":
            return None
        tag = body.get("imageTag") or body["path"].rpartition("/")[2]
        taken = course.notes.setdefault("tags", {"latest"})
        if tag in taken:
            said = f"The image tag '{tag}' cannot be overwritten because the repository is immutable."
            return Refusal("ImageTagAlreadyExistsException" if "imageTag" in body else "TAG_INVALID", said)
        taken.add(tag)
        return None

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        for repository in answer.get("repositories", ()) if action == "DescribeRepositories" else ():
            repository["imageTagMutability"] = "IMMUTABLE"
        return answer


class ScheduleOfThePast(Behavior):
    """A schedule began a year ago, and UpdateSchedule takes no StartDate that has passed.

    Source: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html; the message as
    https://github.com/getmoto/moto/pull/8172 quotes it
    """

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action == "UpdateSchedule" and body.get("StartDate", time.time()) < time.time() - 300:
            said = "The StartDate you specify cannot be earlier than 5 minutes ago."
            return Refusal("ValidationException", said)
        return None

    def after(self, course: Course, action: str, body: Body, answer: Body) -> Body:
        if action == "GetSchedule":
            answer["StartDate"] = time.time() - 365 * 86400
        return answer


class OnlyAllowed(Behavior):
    """Every action that is not in a policy is denied.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """

    def __init__(self, allowed: Collection[str]) -> None:
        named = {action.partition(":")[2] for action in allowed}
        self._allowed = named | {"GetCallerIdentity", ""}
        if "GetObject" in named:
            self._allowed.add("HeadObject")

    def before(self, course: Course, action: str, body: Body) -> Refusal | Body | None:
        if action in self._allowed:
            return None
        return Refusal("AccessDeniedException", f"User is not authorized to perform: {action}", 403)


BEHAVIORS: Mapping[str, Behavior] = {
    "missing after RunTask": MissingAfterRunTask(),
    "missing once": MissingOnce(),
    "throttled": Throttled(),
    "throttled by calls a second": RateLimited(),
    "capacity unavailable": CapacityUnavailable(),
    "no service-linked role": NoServiceLinkedRole(),
    "reads denied": ReadsDenied(),
    "late and unordered log events": LateLogEvents(),
    "injected container": InjectedContainer(),
    "essential sidecars": EssentialSidecars(),
    "stages of a task": StagesOfATask(),
    "immutable repository": ImmutableRepository(),
    "schedule of the past": ScheduleOfThePast(),
}
