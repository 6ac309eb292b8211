"""`deployer release`: take the lease, begin or go on, walk, and say how it ended."""

import platform
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from deployer.app.planning import observe, read_plan, refuse_if_moved
from deployer.app.project import Project
from deployer.app.sharing import Sharing, mirror_of, patiently
from deployer.app.wiring import real_ports, shared_state
from deployer.config import Config
from deployer.errors import INTERRUPTED, RefusedError, TransientFailure
from deployer.events import Begun, Emit, Ended, Noted
from deployer.gateways.clock import SystemClock
from deployer.gateways.ids import RandomIds
from deployer.history import state_of
from deployer.journal import NAME, Journal
from deployer.lease import Holder, held
from deployer.lease.guard import GuardedJournal, guarded
from deployer.redaction import Redactor, secrets_of
from deployer.release.definition import for_image
from deployer.release.flow import FLOW
from deployer.release.ports import Ports
from deployer.release.state import Release, Rollback, dump
from deployer.release.steps import BEHAVIOUR
from deployer.release.steps.build import LATEST
from deployer.runner import PAUSED, Position, Runner, Stop, position

FromPhase = Literal["dev", "build", "deploy"]


@dataclass(frozen=True)
class Request:
    """What the command line asked for. `resume`: go on with `release`, or the newest one under way."""

    env: str | None = None
    resume: bool = False
    release: str | None = None
    from_phase: FromPhase = "dev"
    plan: Path | None = None
    detach: bool = False
    watch: bool = False
    back_to: Release | None = None
    """Run again what this verified release ran; its task definition's ARN is the revision to run."""


AskToStop = Callable[[str], bool]
"""Asks a person whether the running task shall be stopped; gets its ARN."""


def release(project: Project, request: Request, emit: Emit, ask: AskToStop | None = None) -> int:
    """Runs or resumes one release; returns the exit code. Raises DeployerError before it has begun."""
    if request.resume:
        wanted = request.release or project.releases.resumable(project.env(request.env))
        env = str(project.releases.records(wanted)[0]["env"])
        if request.env and request.env != env:
            raise RefusedError(f"release {wanted} goes to {env}, not to {request.env}", "leave --env out")
    else:
        wanted, env = RandomIds().release_id(SystemClock().now()), project.env(request.env)
    config = _ready(project, env, emit)
    with ExitStack() as stack:
        clock, redactor = SystemClock(), Redactor(secrets_of(config.verify.uri, project.environ))
        state, folder = shared_state(config), project.releases.folder / wanted
        me, shared = Holder.here(wanted, clock.now()), state.lease() if state else None
        leases = project.folder / "leases"
        lease = patiently(config.retries, lambda: stack.enter_context(held(leases, env, me, shared)))
        if state and request.resume:
            patiently(config.retries, lambda: state.archive().bring(wanted, folder))
        ports = guarded(real_ports(project.root, folder, config, project.environ, redactor), lease.check)
        if not request.resume:
            _could_succeed(config, ports)
        if request.plan:
            refuse_if_moved(read_plan(request.plan), observe(project.releases, config, ports))
        journal = _journal(folder, request, wanted, env, clock)
        stack.callback(journal.close)
        journal.redactor, journal.check = redactor, lease.check
        sharing = Sharing(
            lambda event: emit(redactor.clean(event)),
            lease,
            mirror_of(state, folder, lease) if state else None,
        )
        stack.callback(sharing.finish)
        return _Session(config, ports, journal, request, sharing, ask).run()


def _ready(project: Project, env: str, emit: Emit) -> Config:
    """The settings, found usable before anything is started; a sandbox that is not up is."""
    checked = project.checked(env)
    for_image(checked, "image")
    if checked.embedded:
        project.sandbox(env, report=lambda text: emit(Noted("START", text))).up()
    return project.config(env)


def _could_succeed(config: Config, ports: Ports) -> None:
    """The looks that take no time, before anything is begun: who calls, whether the registry answers, whether
    the schedule is there.
    What may pass by itself is left to the release, which is patient."""
    with suppress(TransientFailure):
        ports.account.identity()
        ports.registry.digest(config.image.repository, LATEST)
        if config.schedule:
            ports.schedules.task_definition(config.schedule.name, config.schedule.group)


def _journal(folder: Path, request: Request, wanted: str, env: str, clock: SystemClock) -> GuardedJournal:
    if request.resume:
        return GuardedJournal.resume(folder / NAME, clock)
    state = first_state(Release(wanted, env, clock.now(), request.from_phase), request.back_to)
    return GuardedJournal.create(
        folder / NAME, clock, release=wanted, env=env, flow=FLOW.fingerprint, state=dump(state)
    )


def first_state(release: Release, back_to: Release | None) -> Release:
    """A rollback begins with the source, the image and the revision of the release it goes back to."""
    if back_to is None or back_to.task_definition is None or back_to.task_definition.arn is None:
        return release
    rollback = Rollback(back_to.id, back_to.task_definition.arn)
    return release.with_(from_phase="deploy", source=back_to.source, image=back_to.image, rollback=rollback)


class _Session:
    """One run of the command: from where the journal stands to an end, a pause or an interrupt."""

    def __init__(
        self,
        config: Config,
        ports: Ports,
        journal: Journal,
        request: Request,
        emit: Emit,
        ask: AskToStop | None,
    ) -> None:
        self._config, self._ports, self._journal = config, ports, journal
        self._request, self._emit, self._ask = request, emit, ask
        self._begun = ports.clock.now()

    def run(self) -> int:
        start = position(self._journal, FLOW)
        self._ports.evidence.keep("tools", _tools(self._ports))
        self._emit(Begun(start.release.id, start.release.env, start.node, resumed=self._request.resume))
        try:
            stop = self._walk(start)
            while stop.end == PAUSED and self._request.watch:
                stop = self._walk(self._mended(stop))
        except KeyboardInterrupt:
            return self._interrupted()
        return self._ended(stop.end, stop.node, stop.exit_code, stop.release)

    def _walk(self, start: Position) -> Stop:
        detach = "TASK_STARTED" if self._request.detach else None
        runner = Runner(
            FLOW, BEHAVIOUR, self._config, self._ports, self._journal, self._emit, detach_after=detach
        )
        return runner.walk(start)

    def _mended(self, stop: Stop) -> Position:
        """Waits until the project's files change, then goes on at the node that paused."""
        self._emit(Noted(stop.node, "waiting for a change of the project's files (Ctrl-C to leave)"))
        before = self._ports.workspace.source().tree_hash
        while self._ports.workspace.source().tree_hash == before:
            self._ports.clock.sleep(1)
        return Position(stop.node, stop.release, resumed=True)

    def _interrupted(self) -> int:
        """Everything is recorded already; a running task goes on unless told otherwise."""
        release, last = state_of(self._journal.records), self._journal.records[-1]
        launch = release.launch
        if launch and launch.arn and not launch.over and self._wants_stop(launch.arn):
            self._ports.tasks.stop(launch.arn, "deployer: stopped by the operator")
        return self._ended(
            "INTERRUPTED", str(last.get("next") or last.get("node") or ""), INTERRUPTED, release
        )

    def _wants_stop(self, arn: str) -> bool:
        how = self._config.run.on_interrupt
        if how == "ask" and self._ask:
            try:
                return self._ask(arn)
            except KeyboardInterrupt:
                return False
        return how == "stop"

    def _ended(self, end: str, node: str, exit_code: int, release: Release) -> int:
        going_on = f"deployer release --resume {release.id}"
        following = {
            "END_SUCCESS": f"deployer show {release.id}",
            "END_FAILED": f"deployer show {release.id}",
            "DETACHED": f"deployer logs --follow --release {release.id}, then {going_on}",
        }.get(end, going_on)
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
            )
        )
        return exit_code


def _tools(ports: Ports) -> dict[str, object]:
    """The versions of what this release is made with."""

    def said(*command: str) -> str:
        lines: list[str] = []
        ports.shell.run(command, lines.append)
        return " ".join(lines)

    return {
        "deployer": version("deployer"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "git": said("git", "--version"),
        "docker": said(
            "docker", "version", "--format", "client {{.Client.Version}}, engine {{.Server.Version}}"
        ),
    }
