"""`deployer rollback`: restores a verified release's image, task definition and schedule."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from deployer.adapters.local.machine import RandomIds, SystemClock
from deployer.commands.bootstrap import shared_state
from deployer.commands.plan import DO, SKIP
from deployer.commands.project import Project
from deployer.commands.release import first_state
from deployer.commands.shared_state import locked_ports
from deployer.config.model import Config
from deployer.errors import RefusedError
from deployer.flow.release import FLOW
from deployer.flow.revision import tags_of
from deployer.flow.trust import refuse_foreign, refuse_foreign_copy
from deployer.lock import who
from deployer.model import Image, Release, TaskDefinition, dump
from deployer.ports import Ports, Revision, Tasks
from deployer.records.evidence import EvidenceFolder
from deployer.records.journal import NAME, Journal, read
from deployer.records.releases import PUT_BACK, VERIFIED, Releases, state_of
from deployer.redaction import HIDDEN, Redactor
from deployer.retry import RetryPolicy
from deployer.task.definition import changes, registrable

NEEDED = ("aws", "image", "run", "logs", "schedule", "state")
"""Without the database's address, unless the job is to be run as well."""


@contextmanager
def rollback(project: Project, wanted: str | None, env: str | None) -> Iterator["Rollback"]:
    """Holds the environment's lock while the changes are shown, confirmed and made.

    RefusedError: no verified release to go back to, or a release is running.
    """
    if wanted:
        env = env or str(project.releases.records(wanted)[0]["env"])
    name = project.env(env)
    config = project.config(name, needed=NEEDED)
    target, newest = choose(project.releases, name, wanted)
    state, retry = shared_state(config), RetryPolicy.configured(config.retries, SystemClock())
    with locked_ports(project, config, target.id) as ports:

        def kept() -> Any:
            return EvidenceFolder(project.releases.path(target.id), Redactor()).read("task-definition")

        path = project.releases.path(target.id) / NAME
        header = read(path, state.signer(target.id) if state else None)[0]
        by = str(header.get("by", ""))
        yield retry(lambda: Rollback(config, ports, target, newest, kept, by))


def choose(releases: Releases, env: str, wanted: str | None) -> tuple[Release, str]:
    """The release to go back to, and the id of the one to go back from: the newest that was no rollback
    itself, so that going back twice leads to the same place.

    RefusedError: there is none, or the wanted one was not verified.
    """
    known = releases.states(env)
    newest = next((release for release, _ in known if not release.rollback), None)
    if wanted:
        return _verified(releases, env, wanted), newest.id if newest else wanted
    for release, end in known:
        if newest and end in VERIFIED and release.made != newest.made:
            return release, newest.id
    raise RefusedError(
        f"no verified release to {env} is known to go back to"
        + (f" from {newest.id}: none before it had another image or task definition" if newest else ""),
        "`deployer history` lists them; name one: `deployer rollback ID`",
    )


def _verified(releases: Releases, env: str, wanted: str) -> Release:
    records = releases.records(wanted)
    if records[0]["env"] != env:
        raise RefusedError(f"release {wanted} went to {records[0]['env']}, not to {env}", "leave --env out")
    if records[-1].get("end") not in VERIFIED:
        raise RefusedError(
            f"release {wanted} was not verified: its data was never proven",
            "choose one that ended at END_SUCCESS: `deployer history`",
        )
    return state_of(records)


def record(project: Project, back: Release) -> None:
    """Records a rollback that was not run, for `deployer history`."""
    clock, shared = SystemClock(), shared_state(project.config(back.env, needed=NEEDED))
    release = RandomIds().release_id(clock.now())
    state = dump(first_state(Release(release, back.env, clock.now()), back))
    path = project.releases.folder / release / NAME
    header = {"release": release, "env": back.env, "flow": FLOW.fingerprint, "by": who()}
    journal = Journal.create(path, clock, shared.signer(release) if shared else None, **header, state=state)
    journal.append("ended", end=PUT_BACK, exit_code=0)
    journal.close()


class Rollback:
    """What runs now, what ran then, and the changes between them."""

    def __init__(
        self,
        config: Config,
        ports: Ports,
        target: Release,
        newest: str,
        kept: Callable[[], Any],
        begun_by: str = "",
    ) -> None:
        """`kept` reads the definition from the release's evidence, for where ECS no longer has it.

        RefusedError: what the target's records name is not this project's.
        """
        self.target, self.newest, self.begun_by = target, newest, begun_by
        self._config, self._ports = config, ports
        self._image, made = _proven(target)
        refuse_foreign(target, config, ports)
        self._definition = _definition(ports.tasks, made, target, config, kept)
        self._family = made.family

    def changes(self, *, run: bool = False) -> dict[str, Any]:
        """What the rollback would do, in the shape of `deployer plan`; performs nothing."""
        newest = self._revision()
        differing = self._differing(newest)
        steps = list(self._steps(newest, differing))
        if run:
            steps.append(("RUN_TASK", DO, f"one task on cluster {self._config.run.cluster}, then verified"))
        return {
            "env": self.target.env,
            "release": self.target.id,
            "begun_by": self.begun_by,
            "newest": self.newest,
            "changes": any(action == DO for _, action, _ in steps),
            "steps": [{"node": node, "action": action, "reason": reason} for node, action, reason in steps],
            "differences": list(differing),
        }

    def _steps(self, newest: Revision | None, differing: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
        image, schedule, ports = self._image, self._config.schedule, self._ports
        tag = self._config.image.promote_tag
        latest = ports.registry.digest(image.repository, tag) if tag else image.digest
        if latest == image.digest:
            yield (
                "PROMOTE",
                SKIP,
                f"{image.repository}:{tag} is {image.tag} already" if tag else "no tag moves",
            )
        else:
            moved = f"from {latest or 'nothing'} to {image.digest} ({image.tag})"
            yield "PROMOTE", DO, f"{image.repository}:{tag} {moved}"
        same = newest is not None and not differing
        if newest and same:
            yield "REGISTER_TASK", SKIP, f"{newest.arn} is the same"
        else:
            found = f"{len(differing)} differences to {newest.arn}" if newest else "no revision is active"
            yield "REGISTER_TASK", DO, found
        if schedule:
            starts = ports.schedules.task_definition(schedule.name, schedule.group)
            there = newest is not None and same and starts == newest.arn
            yield "PROMOTE", SKIP if there else DO, f"schedule {schedule.name} starts {starts}"

    def put_back(self) -> Release:
        """Moves `latest`, registers where the newest revision is another, moves the schedule; twice is safe.

        Returns the target with the revision that has its definition now. Failure: the image is gone; then
        nothing was changed.
        """
        return RetryPolicy.configured(self._config.retries, SystemClock())(self._put_back)

    def _put_back(self) -> Release:
        ports, schedule = self._ports, self._config.schedule
        tag = self._config.image.promote_tag
        if tag:
            ports.registry.move_tag(self._image.repository, tag, str(self._image.digest))
        newest = self._revision()
        if newest is None or self._differing(newest):
            arn = ports.tasks.register(self._definition, tags_of(self.target))
        else:
            arn = newest.arn
        if schedule:
            ports.schedules.move(schedule.name, schedule.group, arn)
        _, made = _proven(self.target)
        return self.target.with_(task_definition=replace(made, arn=arn))

    def _revision(self) -> Revision | None:
        return self._ports.tasks.newest_revision(self._family)

    def _differing(self, newest: Revision | None) -> tuple[str, ...]:
        return changes(self._definition, newest) if newest else ()


def _proven(target: Release) -> tuple[Image, TaskDefinition]:
    image, made = target.image, target.task_definition
    if image is None or image.digest is None or made is None or made.arn is None:
        raise LookupError("a release that ended at END_SUCCESS has an image and a revision")
    return image, made


def _definition(
    tasks: Tasks,
    made: TaskDefinition,
    target: Release,
    config: Config,
    kept: Callable[[], Mapping[str, Any] | None],
) -> dict[str, Any]:
    revision = tasks.revision(str(made.arn))
    if revision:
        return registrable(revision.definition)
    definition = kept()
    if definition is None or HIDDEN in json.dumps(definition):
        raise RefusedError(
            f"Task definition {made.arn} no longer exists in ECS, and release {target.id} has no complete"
            " copy",
            "release its commit again, or name another: `deployer rollback ID`",
        )
    refuse_foreign_copy(definition, target, config)
    return dict(definition)
