"""`deployer release`: take the lock, begin or resume, run the flow, report how it ended."""

from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

from deployer.adapters.local.machine import RandomIds, SystemClock, private_folder
from deployer.commands.bootstrap import real_ports, redactor_of, session, shared_state
from deployer.commands.plan import observe, read_plan, refuse_if_changed
from deployer.commands.project import Project
from deployer.commands.session import AskToStop, ReleaseOptions, Session
from deployer.commands.shared_state import LockedJournal, Sharing, mirror_of, require_lock
from deployer.config.model import Config
from deployer.errors import RefusedError, TransientFailure, Unconfirmed
from deployer.events import Emit, Noted
from deployer.flow.release import FLOW
from deployer.flow.trust import refuse_foreign
from deployer.lock import Holder, acquire, who
from deployer.model import Release, Rollback, dump
from deployer.ports import Ports
from deployer.records.journal import NAME, Signer
from deployer.records.releases import state_of
from deployer.records.remote import ELSEWHERE
from deployer.retry import RetryPolicy
from deployer.task.definition import for_image


def release(project: Project, request: ReleaseOptions, emit: Emit, ask: AskToStop | None = None) -> int:
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
        clock, tell = SystemClock(), lambda text: emit(Noted("START", text))
        aws, strict = session(config), project.strict
        redactor = redactor_of(config, aws, project.environ, tell, strict=strict)
        state, folder = shared_state(config), project.releases.folder / wanted
        me, shared = Holder.here(wanted, clock.now()), state.lock() if state else None
        locks, retry = (
            private_folder(project.folder) / "locks",
            RetryPolicy.configured(config.retries, clock),
        )
        lock = retry(lambda: stack.enter_context(acquire(locks, env, me, shared)))
        if state and request.resume:
            retry(lambda: state.archive().fetch(wanted, folder))
        ports = require_lock(real_ports(project.root, folder, config, project.environ, redactor), lock.check)
        if not request.resume:
            _could_succeed(config, ports)
        if request.plan:
            refuse_if_changed(read_plan(request.plan), observe(project.releases, config, ports))
        journal = _journal(folder, request, wanted, env, clock, state.signer(wanted) if state else None)
        stack.callback(journal.close)
        if request.resume:
            _agreed(folder, journal, trusted=request.trusted)
            retry(lambda: refuse_foreign(state_of(journal.records), config, ports))
        journal.redactor, journal.check = redactor, lock.check
        sharing = Sharing(
            lambda event: emit(redactor.clean(event)),
            lock,
            mirror_of(state, folder, lock) if state else None,
        )
        stack.callback(sharing.finish)
        return Session(config, ports, journal, request, sharing, ask, project.releases).run()


def _ready(project: Project, env: str, emit: Emit) -> Config:
    """The settings, checked before anything is started; starts the sandbox where it is not up."""
    checked = project.checked(env)
    for_image(checked, "image")
    if checked.sandbox:
        project.sandbox(env, report=lambda text: emit(Noted("START", text))).up()
    return project.config(env)


def _could_succeed(config: Config, ports: Ports) -> None:
    """Quick checks before anything is begun: the caller, the registry, the schedule. A transient failure is
    left to the release, which retries."""
    with suppress(TransientFailure):
        ports.account.identity()
        ports.registry.digest(config.image.repository, "latest")
        if config.schedule:
            ports.schedules.task_definition(config.schedule.name, config.schedule.group)


def _agreed(folder: Path, journal: LockedJournal, *, trusted: bool) -> None:
    """Unconfirmed: another machine began the release or continued it, and nobody here has agreed yet."""
    marker = folder / ELSEWHERE
    if marker.exists() and not trusted:
        header, image = journal.records[0], state_of(journal.records).image
        began = datetime.fromtimestamp(header["time"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        raise Unconfirmed(
            f"release {header['release']} was begun or continued on another machine"
            f" (by {header.get('by', 'unknown')}, {began}, as its records say);"
            f" image: {image.tag if image else 'none yet'}"
        )
    marker.unlink(missing_ok=True)


def _journal(
    folder: Path,
    request: ReleaseOptions,
    wanted: str,
    env: str,
    clock: SystemClock,
    signer: Signer | None,
) -> LockedJournal:
    if request.resume:
        return LockedJournal.resume(folder / NAME, clock, signer)
    asked = Release(wanted, env, clock.now(), request.start_at, request.skip, request.rebuild, request.accept)
    state = first_state(asked, request.back_to)
    header = {"release": wanted, "env": env, "flow": FLOW.fingerprint, "by": who()}
    return LockedJournal.create(folder / NAME, clock, signer, **header, state=dump(state))


def first_state(release: Release, back_to: Release | None) -> Release:
    """A rollback begins with the source, the image and the revision of the release it goes back to."""
    made = back_to.task_definition if back_to else None
    if back_to is None or made is None or made.arn is None:
        return release
    return release.with_(
        start_at="deploy",
        source=back_to.source,
        image=back_to.image,
        task_definition=made,
        rollback=Rollback(back_to.id, made.arn),
    )
