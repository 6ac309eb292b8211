"""One run of `deployer release`: the flow, its interrupts, and how it ended."""

import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import Final, Literal

from deployer.commands.prune import prune
from deployer.config.model import Config
from deployer.errors import INTERRUPTED, DeployerError
from deployer.events import Begun, Emit, Ended, Noted
from deployer.flow.release import FLOW
from deployer.flow.runner import PAUSED, Outcome, ResumePoint, Runner, resume_point
from deployer.flow.steps import HANDLERS
from deployer.model import Launch, Release, dump
from deployer.ports import Ports
from deployer.records.journal import Journal
from deployer.records.releases import Releases, state_of
from deployer.signals import Terminated

UNTESTED: Final = "login, IAM, network, capacity: `deployer doctor --env NAME` looks at an account"
"""What a release to the sandbox does not show: docs/explanation/sandbox.md."""

StartAt = Literal["test", "build", "deploy"]


@dataclass(frozen=True)
class ReleaseOptions:
    """The options of the command line. `resume`: go on with `release`, or the newest one under way."""

    env: str | None = None
    resume: bool = False
    release: str | None = None
    start_at: StartAt = "test"
    skip: tuple[Literal["test", "compose"], ...] = ()
    rebuild: bool = False
    accept: tuple[str, ...] = ()
    """Findings that a person overrules; kept in the release."""
    plan: Path | None = None
    detach: bool = False
    watch: bool = False
    trusted: bool = False
    """A release that somebody else began or continued is gone on with."""
    back_to: Release | None = None
    """Run again what this verified release ran; its task definition's ARN is the revision to run."""


AskToStop = Callable[[str], bool]
"""Asks a person whether the running task shall be stopped; gets its ARN. Interrupted again it says no."""


class Session:
    """One run of the command: from where the journal stands to an end, a pause or an interrupt."""

    def __init__(
        self,
        config: Config,
        ports: Ports,
        journal: Journal,
        request: ReleaseOptions,
        emit: Emit,
        ask: AskToStop | None,
        releases: Releases,
    ) -> None:
        self._config, self._ports, self._journal = config, ports, journal
        self._request, self._emit, self._ask = request, emit, ask
        self._releases = releases
        self._begun = ports.clock.now()

    def run(self) -> int:
        start = self._accepting(resume_point(self._journal, FLOW))
        recording = Thread(target=self._record_tools, daemon=True, name="tools")
        recording.start()
        self._emit(Begun(start.release.id, start.release.env, start.node, resumed=self._request.resume))
        try:
            stop = self._run_flow(start)
            while stop.end == PAUSED and self._request.watch:
                stop = self._run_flow(self._await_change(stop))
        except KeyboardInterrupt as interrupt:
            return self._interrupted(None if isinstance(interrupt, Terminated) else self._ask)
        if stop.end == "END_SUCCESS":
            self._prune(stop.release.env)
        recording.join()
        return self._ended(stop.end, stop.node, stop.exit_code, stop.release)

    def _accepting(self, start: ResumePoint) -> ResumePoint:
        """The findings that a person overrules at a resume, recorded before anything relies on them."""
        new = tuple(name for name in self._request.accept if name not in start.release.accepted)
        if not new:
            return start
        release = start.release.with_(accepted=(*start.release.accepted, *new))
        self._journal.append("noted", node=start.node, state=dump(release))
        return replace(start, release=release)

    def _record_tools(self) -> None:
        """In a thread of its own: the release need not wait for the versions of other programs.

        A failed write is ignored here: the journal reports a full disk.
        """
        with suppress(OSError, DeployerError):
            self._ports.evidence.write("tools", _tools(self._ports))

    def _run_flow(self, start: ResumePoint) -> Outcome:
        detach = "TASK_STARTED" if self._request.detach else None
        runner = Runner(
            FLOW, HANDLERS, self._config, self._ports, self._journal, self._emit, detach_after=detach
        )
        return runner.run(start)

    def _await_change(self, stop: Outcome) -> ResumePoint:
        """Waits until the project's files change, then goes on at the node that paused."""
        self._emit(Noted(stop.node, "waiting for a change of the project's files (Ctrl-C to leave)"))
        before = self._ports.workspace.source().tree_hash
        while self._ports.workspace.source().tree_hash == before:
            self._ports.clock.sleep(1)
        return ResumePoint(stop.node, stop.release, resumed=True)

    def _prune(self, env: str) -> None:
        """A failure here does not change that the release has succeeded."""
        keep = self._config.image.keep_releases
        if keep:
            try:
                text = prune(self._releases, env, keep, self._ports, self._config.project.name)
            except (DeployerError, KeyboardInterrupt) as error:
                text = f"old images and revisions are left to the next release: {error or 'interrupted'}"
            self._emit(Noted("PROMOTE", text))

    def _interrupted(self, ask: AskToStop | None) -> int:
        """Everything is recorded already; the task runs on unless a person or `on-interrupt` stops it."""
        release, last = state_of(self._journal.records), self._journal.records[-1]
        node = str(last.get("next") or last.get("node") or "")
        try:
            arn = self._running(release.launch)
            if arn and self._wants_stop(arn, ask):
                self._ports.tasks.stop(arn, "deployer: stopped by the operator")
                self._emit(Noted(node, f"asked ECS to stop {arn}"))
        except DeployerError as error:
            self._emit(Noted(node, f"the task, if there is one, was not stopped: {error.message}"))
        return self._ended("INTERRUPTED", node, INTERRUPTED, release)

    def _running(self, launch: Launch | None) -> str | None:
        """The ARN of the task that may be running; RunTask's answer need not have arrived."""
        if launch is None or launch.over or self._config.run.on_interrupt == "leave":
            return None
        if launch.arn:
            return launch.arn
        return next((task.arn for task in self._ports.tasks.started_by(launch.started_by)), None)

    def _wants_stop(self, arn: str, ask: AskToStop | None) -> bool:
        how = self._config.run.on_interrupt
        return ask(arn) if how == "ask" and ask else how == "stop"

    def _ended(self, end: str, node: str, exit_code: int, release: Release) -> int:
        resume = f"deployer resume {release.id}"
        following = {
            "END_SUCCESS": f"deployer show {release.id}",
            "END_FAILED": f"deployer show {release.id}",
            "DETACHED": f"deployer logs --follow --release {release.id}, then {resume}",
        }.get(end, resume)
        self._emit(
            Ended(
                release=release.id,
                end=end,
                exit_code=exit_code,
                seconds=round(self._ports.clock.now() - self._begun, 3),
                node=node,
                counts=release.verification.counts if release.verification else {},
                skipped=release.skipped,
                next_command=following,
                untested=UNTESTED if self._config.sandbox and end == "END_SUCCESS" else "",
            )
        )
        return exit_code


def _tools(ports: Ports) -> dict[str, object]:
    """The versions of what this release is made with."""

    def output(*command: str) -> str:
        lines: list[str] = []
        ports.shell.run(command, lines.append)
        return " ".join(lines)

    return {
        "deployer": version("deployer"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "git": output("git", "--version"),
        "docker": output(
            "docker", "version", "--format", "client {{.Client.Version}}, engine {{.Server.Version}}"
        ),
    }
