"""How a task ended: which container failed it, with which evidence, and where each container logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deployer.config.model import Config
from deployer.diagnosis.classify import diagnosed
from deployer.diagnosis.model import Evidence
from deployer.model import Cause, ContainerResult, TaskResult
from deployer.ports import Logs
from deployer.task.definition import for_image

_OPTIONS: Final = ("group", "stream-prefix", "region")
_PAGES: Final = 20
"""Of another container's log at most so many pages of 10,000 lines are read."""
_SHOWN: Final = 12


def evidence_of(
    result: TaskResult | None, log: Sequence[str] = (), failures: Sequence[str] = ()
) -> list[Evidence]:
    """The pieces to classify: RunTask's `failures`, the last lines of the log, ECS's reasons for the stop."""
    pieces = [Evidence(text, "run_task_failure") for text in failures]
    if result:
        code, stop = result.exit_code, result.stop_code or None
        pieces.append(Evidence("\n".join(log), "task_log", code, stop))
        pieces += [Evidence(c.reason, "container_reason", c.exit_code) for c in result.containers if c.reason]
        pieces.append(Evidence(result.stopped_reason, "stopped_reason", code, stop))
    return [piece for piece in pieces if piece.text or piece.exit_code]


def ending(result: TaskResult | None) -> str:
    """How a task ended, in half a sentence."""
    result = result or TaskResult()
    code = "without an exit code" if result.exit_code is None else f"with exit code {result.exit_code}"
    return f"{code} ({result.stopped_reason})" if result.stopped_reason else code


def cause_of_container(container: ContainerResult, log: Sequence[str], release: str, node: str) -> Cause:
    """Why another container than the job's failed the run, from its own log and reason alone."""
    pieces = [
        Evidence("\n".join(log), "task_log", container.exit_code),
        Evidence(container.reason, "container_reason", container.exit_code),
    ]
    cause = diagnosed(
        told(container, first=container.essential), [piece for piece in pieces if piece.text], node
    )
    lines = (*cause.evidence, *log[-_SHOWN:]) if cause.confidence < _CERTAIN else cause.evidence
    cause = cause.with_(container=container.name, evidence=tuple(dict.fromkeys(lines)), transient=False)
    if cause.confidence >= _CERTAIN and cause.failure_class != "unknown":
        return cause
    read = f"`deployer logs --release {release} --container {container.name}`"
    return cause.with_(
        failure_class="code",
        subcause="container-failed",
        remedy=f"read its log ({read}), fix container {container.name} in the task definition, then resume",
    )


_CERTAIN: Final = 0.5
"""A cause of less confidence is only a guess, and the container itself is named instead."""


def told(container: ContainerResult, *, first: bool = False) -> str:
    """How a container ended, in a sentence; `first`: before the job."""
    code = "never started" if container.exit_code is None else f"ended with exit code {container.exit_code}"
    when = " before the job" if first else ""
    reason = f" ({container.reason})" if container.reason else ""
    return f"container {container.name} {code}{when}{reason}"


@dataclass(frozen=True)
class LogPlace:
    """Where a container's log is read. `group` is empty where the driver is not awslogs."""

    driver: str
    group: str = ""
    prefix: str = ""
    region: str = ""

    def stream(self, container: str, task: str) -> str:
        """The stream that awslogs names. `task`: the task's ID or ARN."""
        return f"{self.prefix}/{container}/{task.rsplit('/', 1)[-1]}"


def job_log(config: Config) -> LogPlace:
    """Where the job's container logs, by the task definition of deploy.toml."""
    place = log_place(for_image(config, "none"), config.task.container)
    if place is None or (place.group and place.region not in ("", config.aws.region)):
        return LogPlace(f"awslogs in {place.region}" if place else "none")
    return place


def log_place(definition: Mapping[str, Any], container: str) -> LogPlace | None:
    """Of a container of this definition; None where it has no such container."""
    for entry in definition.get("containerDefinitions") or ():
        if entry.get("name") == container:
            logging = entry.get("logConfiguration") or {}
            options = logging.get("options") or {}
            driver = str(logging.get("logDriver") or "none")
            if driver != "awslogs" or not options.get("awslogs-stream-prefix"):
                return LogPlace(driver)
            group, prefix, region = (str(options.get(f"awslogs-{key}") or "") for key in _OPTIONS)
            return LogPlace(driver, group, prefix, region)
    return None


def last_lines(logs: Logs, place: LogPlace, stream: str, most: int) -> list[str]:
    """The last lines of an ended container's stream."""
    lines: list[str] = []
    cursor: str | None = None
    for _ in range(_PAGES):
        page = logs.read(place.group, stream, cursor)
        lines = [*lines, *page.texts][-most:]
        if not page.exists or page.cursor == cursor:
            break
        cursor = page.cursor
    return lines
