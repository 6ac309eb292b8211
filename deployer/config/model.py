"""What can be said in deploy.toml: its tables and keys, which are what the reference lists."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from deployer.config.checks import Check
from deployer.config.durations import Seconds


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_kebab)


class Project(_Table):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")


class Test(_Table):
    """The local tests. An empty command means there are none."""

    command: tuple[str, ...] = ()


class Compose(_Table):
    """The compose test: `service` is the job; the documents it loads are counted in `mongo_service`.

    `data` is the folder it loads (DATA_DIR in the compose file); where it is not there, `make_data` makes it.
    """

    file: str = "docker-compose.yml"
    service: str
    data: str = ""
    make_data: tuple[str, ...] = ()
    timeout: Seconds = 600
    mongo_service: str = "mongo1"
    mongo_port: int = 27017
    mongo_user: str = "forecast"
    database: str
    expect_documents: tuple[str, ...] = ()
    """Collections that must not be empty afterwards."""


class Build(_Table):
    context: str = "."
    dockerfile: str = "Dockerfile"
    platform: str = "linux/amd64"
    args: dict[str, str] = {}
    inputs: tuple[str, ...] = Field(min_length=1)
    """Files and folders whose content makes the image; their hash is its tag."""


class ImageSettings(_Table):
    repository: str
    registry: str | None = None
    """Only where the registry's own answer cannot be used as an address."""
    keep: int | None = Field(default=None, ge=1)
    """How many different verified releases keep their image and revision; None: all."""


class Task(_Table):
    """`definition`: path of the template, or the definition itself as a table, in the ECS API's spelling.
    `${NAME}` in it comes from `values`; IMAGE, AWS_REGION and LOG_GROUP are known without."""

    definition: dict[str, Any]
    container: str
    values: dict[str, str] = {}


class Run(_Table):
    cluster: str
    launch_type: Literal["FARGATE", "EC2"] = "FARGATE"
    subnets: tuple[str, ...] = Field(min_length=1)
    security_groups: tuple[str, ...] = Field(min_length=1)
    assign_public_ip: bool = False
    environment: dict[str, str] = {}
    """What a run's container gets on top of the task definition; RUN_ID always."""
    max_runtime: Seconds = 6 * 3600
    start_timeout: Seconds = 600
    connectivity_command: tuple[str, ...] = ()
    """The image's command that walks the way to MongoDB and prints it as JSON; empty: it has none."""
    on_interrupt: Literal["ask", "leave", "stop"] = "ask"


class Schedule(_Table):
    """An EventBridge Scheduler schedule that starts the job: its target follows every proven release."""

    name: str
    group: str = "default"


class LogSettings(_Table):
    group: str
    stream_prefix: str = "ecs"
    drain: Seconds = 5
    """How long the stream must stay silent after the task has stopped before it counts as drained."""


class Report(_Table):
    """Where the job writes its own account of a run: the document whose `_id` is RUN_ID."""

    collection: str = "load_runs"


class Verify(_Table):
    uri: str
    database: str
    report: Report | None = None
    ask_command: tuple[str, ...] = ()
    """The image's command that answers questions about the database; empty: it has none."""
    checks: tuple[Check, ...] = Field(min_length=1)


class Retries(_Table):
    """`transient`: tries of one call on errors that pass by themselves. `loops`: how often one arrow that
    leads back may be taken before the release ends; `arrows` names exceptions ("PUSH_OK -> ECR_LOGIN")."""

    transient: int = Field(default=5, ge=1)
    first_wait: Seconds = 1
    longest_wait: Seconds = 30
    loops: int = Field(default=3, ge=1)
    arrows: dict[str, int] = {}


class State(_Table):
    """What machines share. `lease`: how long a release that died without a word blocks the next one."""

    bucket: str | None = None
    lease: Seconds = Field(default=60, ge=10)


class Aws(_Table):
    region: str
    endpoint_url: str | None = None
    profile: str | None = None


class SandboxSettings(_Table):
    """What the embedded AWS is set up with. Ports are chosen free where none is given."""

    cluster: str
    bucket: str
    secret: str
    aws_port: int | None = Field(default=None, ge=1, le=65535)
    mongo_port: int | None = Field(default=None, ge=1, le=65535)


class Config(_Table):
    """One environment's settings, ready to use. `embedded`: it is the sandbox on this machine."""

    env: str
    embedded: bool = False
    sandbox: SandboxSettings | None = None
    project: Project
    test: Test = Test()
    compose: Compose
    build: Build
    image: ImageSettings
    task: Task
    run: Run
    schedule: Schedule | None = None
    logs: LogSettings
    verify: Verify
    aws: Aws
    retries: Retries = Retries()
    state: State = State()
