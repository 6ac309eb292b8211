"""A release told in events, for the views to show."""

from collections.abc import Iterator

from deployer.events import Begun, Ended, Entered, Event, Left, Paused
from deployer.flow.release import FLOW

RELEASE = "20260714-093112-4f2a"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def begun(node: str = "START", *, resumed: bool = False) -> Begun:
    return Begun(RELEASE, "sandbox", node, resumed)


def passed(
    node: str, answer: str = "", *, visit: int = 1, skipped: bool = False, seconds: float = 1.0
) -> list[Event]:
    """A node entered and left along its arrow."""
    target = FLOW.follow(node, answer).target
    return [Entered(node, visit), Left(node, answer, target, seconds, skipped, f"{node} was fine")]


def success() -> Iterator[Event]:
    """From START to END_SUCCESS along the unchanged task definition."""
    yield begun()
    node = FLOW.start
    while node != "END_SUCCESS":
        answer = "" if "" in FLOW.answers(node) else "no" if node == "UPDATE_TASK" else "yes"
        yield from passed(node, answer, skipped=node == "DOCKER_BUILD")
        node = FLOW.follow(node, answer).target
    yield ended()


def ended(end: str = "END_SUCCESS", exit_code: int = 0, node: str = "END_SUCCESS") -> Ended:
    counts = {"measurements": 2320, "stations": 6}
    return Ended(RELEASE, end, exit_code, 61.0, node, counts, ("DOCKER_BUILD",), f"deployer show {RELEASE}")


def paused() -> Paused:
    return Paused(
        node="CHECK_CONFIG",
        failure_class="aws-config",
        subcause="missing-secret",
        message="no such secret",
        evidence=("ResourceInitializationError: unable to pull secrets", "second [red]line[/red]"),
        remedy="aws iam attach-role-policy --role-name " + "r" * 80,
        resume=f"deployer resume {RELEASE}",
        exit_code=13,
    )
