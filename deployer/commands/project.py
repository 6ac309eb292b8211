"""The project's folder: its deploy.toml, its environment's values, its sandbox, its releases."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from deployer.adapters.local.machine import private_folder
from deployer.config import load
from deployer.config.defaults import SANDBOX, environments, is_sandbox, overlay_of
from deployer.config.load import FILE
from deployer.config.model import Config
from deployer.errors import DeployerError, UsageError
from deployer.records.releases import Releases
from deployer.records.remote import Archive

if TYPE_CHECKING:
    from deployer.sandbox import Sandbox

IMAGES: Final = "images.env"
"""Written by the set-up: which base images this machine can have."""

MONGO_IMAGE: Final = "MONGO_IMAGE"
"""Environment variable: the image that the sandbox's MongoDB runs from."""

DATA: Final = "DEPLOYER_DATA"
"""Environment variable: the folder that seeds the sandbox's bucket."""


def _say_nothing(text: str) -> None:
    pass


class Project:
    """Everything that a command may want to know before it builds anything."""

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        notify: Callable[[str], None] = _say_nothing,
        *,
        strict: bool = False,
    ) -> None:
        """`notify` prints notices: nothing has failed. `strict`: see the option of that name."""
        self.root, self.strict = root, strict
        self.folder = root / ".deployer"
        self.releases = Releases(self.folder / "releases", self._archives, notify)
        self.environ = {**_assignments(self.folder / IMAGES), **environ}
        self.notify = notify
        self._shared: dict[str, Archive | None] = {}
        self._configs: dict[tuple[str, tuple[str, ...] | None, bool], Config] = {}

    @cached_property
    def table(self) -> dict[str, Any]:
        return load.read(self.root / FILE)

    @property
    def name(self) -> str:
        """The project's name in deploy.toml, else its folder's."""
        about = self.table.get("project")
        return str(about["name"]) if isinstance(about, dict) and "name" in about else self.root.resolve().name

    def env(self, wanted: str | None) -> str:
        return load.environment_name(self.table, wanted)

    def checked(self, env: str) -> Config:
        """The settings with stand-ins for what only a running sandbox knows: all mistakes of the file are
        found before anything is started."""
        if not is_sandbox(self.table, env):
            return self.config(env)
        from deployer.sandbox import SandboxFacts

        return self._loaded(env, None, {**SandboxFacts.stand_ins(), **self.environ})

    def config(self, env: str, needed: Collection[str] | None = None) -> Config:
        """The settings, ready to use. SandboxDown: the environment is a sandbox that is not up."""
        if (env, None, False) in self._configs:
            return self._configs[env, None, False]
        if not is_sandbox(self.table, env):
            return self._loaded(env, needed, self.environ)
        facts = self.sandbox(env).facts().as_environment()
        return self._loaded(env, needed, {**self.environ, **facts})

    def _loaded(self, env: str, needed: Collection[str] | None, variables: Mapping[str, str]) -> Config:
        """Read and validated once; a sandbox that is up has its facts, before that it has stand-ins."""
        stood_in = variables.get("SANDBOX_ENDPOINT") == "endpoint"
        key = env, None if needed is None else tuple(needed), stood_in
        if key not in self._configs:
            self._configs[key] = load.load(self.table, env, variables, self.root, needed)
        return self._configs[key]

    def sandbox(
        self, env: str, data: Path | None = None, report: Callable[[str], None] = _say_nothing
    ) -> "Sandbox":
        """The sandbox of this folder. UsageError: this environment is not the sandbox."""
        from deployer.sandbox import Sandbox, SandboxSettings

        checked = self.checked(env)
        if checked.sandbox is None:
            raise UsageError(f"{FILE}: environment {env!r} is not the sandbox", "leave --env out")
        folder = data or (Path(self.environ[DATA]) if self.environ.get(DATA) else None)
        if folder is not None and not folder.is_dir():
            raise UsageError(f"{folder}: no such folder to seed the sandbox from", f"fix --data or {DATA}")
        return Sandbox(
            SandboxSettings(
                root=private_folder(self.folder) / "sandbox",
                project=checked.project.name,
                repository=checked.image.repository,
                cluster=checked.sandbox.cluster,
                log_group=checked.logs.group,
                bucket=checked.sandbox.bucket,
                secret=checked.sandbox.secret,
                region=checked.aws.region,
                database=checked.verify.database,
                mongo_image=self.environ.get(MONGO_IMAGE) or "mongo:8.0",
                data=folder,
                seed_command=checked.sandbox.seed_command,
                seed_environment=checked.test.environment,
                aws_port=checked.sandbox.aws_port,
                mongo_port=checked.sandbox.mongo_port,
            ),
            report,
        )

    def _archives(self, env: str | None) -> list[Archive]:
        """The shared states to look into: of one environment, or of all that have one."""
        if not (self.root / FILE).is_file():
            return []
        known = environments(self.table)
        names = [name for name in known if env in (None, name) and self._has_bucket(name)]
        return [archive for archive in map(self._archive, names) if archive]

    def _has_bucket(self, env: str) -> bool:
        if is_sandbox(self.table, env):
            return (self.folder / "sandbox").is_dir()
        tables = (self.table.get("state"), overlay_of(self.table, env).get("state"))
        return any(isinstance(table, dict) and table.get("bucket") for table in tables)

    def _archive(self, env: str) -> Archive | None:
        """None: it cannot be asked, which is said unless the reason is a sandbox that is not up: its every
        release is known here."""
        from deployer.commands.bootstrap import shared_state
        from deployer.sandbox.errors import SandboxDown

        if env not in self._shared:
            self._shared[env] = None
            try:
                state = shared_state(self.config(env, needed=("aws", "state")))
                self._shared[env] = state.archive() if state else None
            except SandboxDown:
                pass
            except DeployerError as error:
                self.notify(f"{env}: shared state unavailable ({error.message}); showing local releases only")
        return self._shared[env]

    def sandbox_env(self) -> str:
        """The environment that is the sandbox."""
        named = (name for name in environments(self.table) if is_sandbox(self.table, name))
        return next(named, SANDBOX)


def _assignments(path: Path) -> dict[str, str]:
    """NAME=value lines of a file; none if it is not there."""
    if not path.is_file():
        return {}
    lines = (line.partition("=") for line in path.read_text(encoding="utf-8-sig").splitlines())
    return {name.strip(): value.strip().strip("\"'") for name, sign, value in lines if sign}
