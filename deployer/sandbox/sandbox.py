"""The sandbox as a whole: up, down, status, facts."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from deployer.sandbox import engine, mongo_image, network, parts, secrets, seed, state
from deployer.sandbox.aws import LAYOUT, Aws, provision, translated
from deployer.sandbox.errors import SandboxDown, SandboxError
from deployer.sandbox.facts import PartStatus, SandboxFacts, SandboxStatus
from deployer.sandbox.ministack import MiniStack, instance, require_installed
from deployer.sandbox.mongod import Mongod
from deployer.sandbox.parts import Part, Running
from deployer.sandbox.settings import SandboxSettings
from deployer.sandbox.state import State
from deployer.sandbox.waiting import wait_for

_CLOSING_SECONDS = 5.0
_LOCK_SECONDS = 300.0


def _say_nothing(_sentence: str) -> None:
    return


def _today() -> date:
    return datetime.now(UTC).date()


class Sandbox:
    """The embedded AWS and MongoDB of one folder. `report` is given progress as sentences."""

    def __init__(
        self,
        settings: SandboxSettings,
        report: Callable[[str], None] = _say_nothing,
        *,
        today: Callable[[], date] = _today,
    ) -> None:
        self._settings = replace(settings, root=settings.root.resolve())
        self._report = report
        self._today = today

    def up(self) -> SandboxFacts:
        """Start what is not up, repair what is half there, seed the bucket; what is right is left alone.

        Raises SandboxError: no Docker engine, a port that is taken, a part that does not start, no data.
        """
        require_installed()
        with self._lock():
            host = engine.host()
            new = self._make_folders()
            wanted = self._settings
            made = (wanted.seed_command, wanted.root, self._today(), self._report, wanted.seed_environment)
            folder = seed.source(wanted.data, *made)
            image = mongo_image.ensure(wanted.mongo_image, self._report)
            known = replace(state.load(self._state_file), host=host, mongo_image=image)
            if new:
                self._parts(known)[1].erase()
            remembered = self._with_ports(known)
            state.save(self._state_file, remembered)
            ministack, mongod = self._parts(remembered)
            with ThreadPoolExecutor() as pool:  # each waits for its server
                start = partial(parts.ensure_running, report=self._report)
                made_for = list(pool.map(start, (ministack, mongod)))
            provisioned = _digest(self._settings, remembered.host, made_for)
            if remembered.provisioned != provisioned or not ministack.holds(self._settings.bucket):
                state.save(self._state_file, replace(remembered, provisioned="", facts=None))
                facts = self._provision(ministack, mongod)
                remembered = replace(remembered, provisioned=provisioned, facts=facts, seeded="")
                state.save(self._state_file, remembered)
            remembered = self._cleared(remembered, mongod)
            if folder is not None:
                self._seed(remembered, folder)
            return self.facts()

    def down(self, *, purge: bool = False) -> None:
        """Stop the processes and remove the containers of this sandbox; `purge` removes its files and the
        images that the project's releases have built too.

        Ports, data and pushed images are kept for the next `up` unless purged.
        """
        with self._lock():
            for part in self._parts(state.load(self._state_file)):
                parts.stop(part, self._report, keep=not purge)
            self._remove(engine.remove_containers, instance(self._settings.root), "containers")
            if purge:
                self._remove(engine.remove_volumes, instance(self._settings.root), "volumes")
                self._remove(engine.remove_images, self._settings.project, "images")
                if self._settings.root.exists():
                    shutil.rmtree(self._settings.root)

    def status(self) -> SandboxStatus:
        """How each part is right now; changes nothing."""
        remembered = state.load(self._state_file)
        return SandboxStatus((_engine_status(), *(_part_status(part) for part in self._parts(remembered))))

    def facts(self) -> SandboxFacts:
        """What the last `up` made. Raises SandboxDown when a part does not run."""
        remembered = state.load(self._state_file)
        if remembered.facts is None:
            raise SandboxDown(f"nothing is remembered in {self._settings.root}")
        for part in self._parts(remembered):
            if not part.find():
                raise SandboxDown(f"{part.name} does not run")
        return remembered.facts

    @property
    def _state_file(self) -> Path:
        return self._settings.root / "state.json"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One command at a time. The lock lies beside the folder, so that a purge leaves it valid."""
        root = self._settings.root
        lock = FileLock(root.with_name(f"{root.name}.lock"))
        try:
            root.parent.mkdir(parents=True, exist_ok=True)
            self._acquire(lock)
            try:
                yield
            finally:
                lock.release()
        except OSError as error:
            raise SandboxError(
                f"the sandbox's files cannot be used: {error}",
                f"make {root} this user's own and writable",
                failure_class="resources",
            ) from error

    def _acquire(self, lock: FileLock) -> None:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self._report("another command is working on the sandbox: waiting for it")
            try:
                lock.acquire(timeout=_LOCK_SECONDS)
            except Timeout as error:
                raise SandboxError(
                    f"another command holds {lock.lock_file} for more than {_LOCK_SECONDS:.0f} s",
                    "let it end, or stop it; then try again",
                ) from error

    def _make_folders(self) -> bool:
        """Returns whether the sandbox is new, so that data of one that was deleted by hand is not its own."""
        root = self._settings.root
        root.mkdir(mode=0o700, exist_ok=True)
        (root / "aws").mkdir(exist_ok=True)
        return secrets.make_keyfile(root / "mongo.key")

    def _parts(self, remembered: State) -> tuple[MiniStack, Mongod]:
        settings, host = self._settings, remembered.host
        return (
            MiniStack(settings, remembered.aws_port or 0, engine.addresses(host), self._keys()),
            Mongod(settings, remembered.mongo_port or 0, host, remembered.mongo_image),
        )

    def _keys(self) -> secrets.Keys:
        """Where there is no sandbox, keys that open nothing: looking at its state makes no file."""
        path = self._settings.root / "aws-keys.json"
        return secrets.keys(path) if self._settings.root.is_dir() else secrets.Keys("", "")

    def _with_ports(self, remembered: State) -> State:
        """A configured port as it is; else the remembered one if still to be had; else a free one."""
        ministack, mongod = self._parts(remembered)
        return replace(
            remembered,
            aws_port=self._settings.aws_port or self._port(ministack),
            mongo_port=self._settings.mongo_port or self._port(mongod),
        )

    def _port(self, part: Part) -> int:
        """A process that was killed a moment ago is gone before the kernel has closed its sockets."""
        remembered, addresses = part.port, part.addresses
        if remembered and (
            part.find() or wait_for(lambda: network.is_free(remembered, addresses), _CLOSING_SECONDS)
        ):
            return remembered
        port = network.free_port(part.addresses)
        if part.port:
            self._report(f"{part.name} moves from port {part.port}, which is now taken, to {port}")
        return port

    def _provision(self, ministack: MiniStack, mongod: Mongod) -> SandboxFacts:
        self._report("making the replica set, its users and the AWS resources")
        password = secrets.password(self._settings.root / "mongo.password")
        mongod.prepare(password)
        endpoint = f"http://{engine.LOOPBACK}:{ministack.port}"
        with translated():
            aws = Aws(endpoint, self._settings.region, ministack.keys.operator)
            made = provision(aws, self._settings, mongod.uri(password, inside=True))
        return SandboxFacts(
            endpoint=endpoint,
            registry=f"{engine.LOOPBACK}:{ministack.port}",
            subnet=made.subnet,
            security_group=made.security_group,
            execution_role=made.execution_role,
            task_role=made.task_role,
            mongo_secret_arn=made.secret_arn,
            mongo_uri=mongod.uri(password, inside=False),
            bucket=self._settings.bucket,
            state_bucket=self._settings.state_bucket,
            log_group=self._settings.log_group,
            cluster=self._settings.cluster,
            account=made.account,
            region=self._settings.region,
            access_key=ministack.keys.operator,
        )

    def _cleared(self, remembered: State, mongod: Mongod) -> State:
        """Data of another origin starts with an empty database, or two data sets would stand there as one."""
        data = self._settings.data
        origin = str(data.resolve()) if data else "sample"
        if remembered.origin == origin:
            return remembered
        if remembered.origin:
            mongod.forget()
            self._report(f"other data than before: database {self._settings.database} starts empty")
        return replace(remembered, origin=origin, seeded="")

    def _seed(self, remembered: State, folder: Path) -> None:
        content = seed.fingerprint(folder)
        if remembered.seeded == content:
            return
        with translated():
            endpoint = f"http://{engine.LOOPBACK}:{remembered.aws_port}"
            s3 = Aws(endpoint, self._settings.region, self._keys().operator).client("s3")
            written, deleted = seed.synchronize(s3, self._settings.bucket, folder)
        self._report(f"bucket {self._settings.bucket}: {written} objects written, {deleted} deleted")
        state.save(self._state_file, replace(remembered, seeded=content))

    def _remove(self, remove: Callable[[str], int], of: str, what: str) -> None:
        try:
            removed = remove(of)
        except SandboxError as error:
            self._report(f"{what} were not removed: {error.message}")
            return
        if removed:
            self._report(f"removed {removed} {what}")


def _digest(settings: SandboxSettings, host: str, made_for: list[Running]) -> str:
    """What the resources were made for: these settings in these very servers."""
    return hashlib.sha256(repr((LAYOUT, settings, host, made_for)).encode()).hexdigest()


def _engine_status() -> PartStatus:
    try:
        engine.host()
    except SandboxError as error:
        return PartStatus("Docker", "stopped", hint=f"{error.message}: {error.hint}")
    return PartStatus("Docker", "running")


def _part_status(part: Part) -> PartStatus:
    found = part.find()
    if not found:
        return PartStatus(part.name, "stopped", port=part.port or None, hint="deployer sandbox up")
    well = part.healthy()
    return PartStatus(
        part.name,
        "running" if well else "unhealthy",
        pid=found[0].pid,
        port=part.port,
        since=found[0].since,
        hint="" if well else f"deployer sandbox up restarts it; its log: {part.log}",
    )
