"""The options of `deployer logs`, in the form that the tailer takes."""

import re
from dataclasses import dataclass, field
from typing import Literal

from deployer.config.model import Config
from deployer.errors import RefusedError, UsageError
from deployer.task.definition import for_image
from deployer.task.verdict import job_log, log_place
from deployer.view.log_lines import Style


@dataclass(frozen=True, kw_only=True)
class TailRequest:
    """`tasks`: IDs or ARNs; none means the newest of the project, or with `all_tasks` every one.

    `since`: seconds since the epoch, 0 for all there is. `grep`: a regular expression that a line must match.
    `credentials_wait`: seconds for which expired credentials are waited for while following.
    """

    group: str
    stream_prefix: str
    container: str
    family: str
    drain: float
    tasks: tuple[str, ...] = ()
    all_tasks: bool = False
    since: float = 0.0
    follow: bool = False
    grep: str = ""
    output: Literal["plain", "json"] = "plain"
    style: Style = field(default_factory=Style)
    exit_code_from_task: bool = False
    credentials_wait: float = 600.0

    @property
    def streams(self) -> str:
        """How the names of the job's streams begin; the task's ID follows."""
        return f"{self.stream_prefix}/{self.container}/"

    def pattern(self) -> re.Pattern[str] | None:
        """UsageError: `grep` is no regular expression."""
        try:
            return re.compile(self.grep) if self.grep else None
        except re.error as error:
            raise UsageError(f"--grep {self.grep!r}: {error}", "quote special characters with \\") from error


def of_project(config: Config, container: str | None = None) -> TailRequest:
    """The request for the newest task of deploy.toml's job; `dataclasses.replace` adds the options.

    `container`: another one of the task. UsageError: there is none of that name. RefusedError: it logs
    elsewhere.
    """
    definition = for_image(config, "none")
    name = container or config.task.container
    place = job_log(config) if name == config.task.container else log_place(definition, name)
    if place is None:
        names = ", ".join(str(entry["name"]) for entry in definition["containerDefinitions"])
        raise UsageError(
            f"--container {name!r}: the task definition has no such container", f"one of: {names}"
        )
    if not place.group:
        raise RefusedError(
            f"container {name} logs to {place.driver}: deployer cannot read that", "read its log there"
        )
    return TailRequest(
        group=place.group,
        stream_prefix=place.prefix,
        container=name,
        family=str(definition["family"]),
        drain=config.logs.drain_timeout,
    )
