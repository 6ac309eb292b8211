"""What can be said in deploy.toml: its tables and keys, which are what the reference lists."""

import datetime
import re
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from deployer.config.checks import Check, Drift
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
    environment: tuple[str, ...] = ()
    """Variables with credentials that tests and seed commands may have all the same, such as `PIP_*`."""


class Compose(_Table):
    """The compose test, for a project that has a compose file. What is not said is read from the file.

    `service` is the job; the documents that it loads are counted in `mongo_service`. `data` is the folder
    that it loads; where it is not there, `seed_command` makes it.
    """

    file: str | tuple[str, ...] = ()
    """Empty: as Compose finds it (compose.yaml, docker-compose.yml, overrides, COMPOSE_FILE)."""
    service: str = ""
    data: str = ""
    seed_command: tuple[str, ...] = ()
    timeout: Seconds = 600
    mongo_service: str = ""
    mongo_port: int | None = Field(default=None, ge=1, le=65535)
    mongo_user: str | None = None
    database: str = ""
    """Empty: the database of `[verify]`."""
    environment: tuple[str, ...] = ()
    """Variables with credentials that the file may use all the same, such as `AWS_*`."""
    expect_documents: tuple[str, ...] = ()
    """Collections that must not be empty afterwards."""

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file,) if isinstance(self.file, str) and self.file else tuple(self.file)


class Build(_Table):
    context: str = "."
    dockerfile: str = "Dockerfile"
    platform: str = "linux/amd64"
    target: str = ""
    """The stage to build; empty: the last one."""
    args: dict[str, str] = {}
    secrets: dict[str, str] = {}
    """Files, or `env:NAME`, for `RUN --mount=type=secret,id=...`; their content is not part of the image's
    tag."""
    ssh: tuple[str, ...] = ()
    """Agents for `RUN --mount=type=ssh`, as `docker buildx build --ssh` takes them: `default`."""
    build_contexts: dict[str, str] = {}
    """Folders of this machine, or what `docker buildx build --build-context` takes, by the name that the
    Dockerfile knows them by."""
    inputs: tuple[str, ...] = ()
    """Files and folders that make the image; empty: all that Docker is sent. Every COPY must be covered."""


class ImageSettings(_Table):
    repository: str
    registry: str | None = None
    """Only where the registry's own answer cannot be used as an address."""
    promote_tag: str = "latest"
    """The tag that moves to every proven image; empty: none does (for immutable repositories)."""
    keep_releases: int | None = Field(default=None, ge=1)
    """How many different verified releases keep their image and revision; None: all."""

    @field_validator("repository")
    @classmethod
    def _bare(cls, repository: str) -> str:
        host, slash, _ = repository.partition("/")
        if ":" in repository or "@" in repository or (slash and "." in host and ".ecr" in f".{host}"):
            raise ValueError("a name without a registry (it goes to `registry`), a tag or a digest")
        return repository

    @field_validator("registry")
    @classmethod
    def _host(cls, registry: str | None) -> str | None:
        return re.sub(r"^https?://|/+$", "", registry) or None if registry else None


class Task(_Table):
    """`definition`: path of the template, or the definition itself as a table, in the ECS API's spelling.
    `${NAME}` in it comes from `values`; IMAGE, AWS_REGION and LOG_GROUP are known without."""

    definition: dict[str, Any]
    """Left out: one container on Fargate, made from the keys below."""
    container: str
    """Left out: the definition's only container, or the one that `${IMAGE}`, its repository, its name or what
    the others are tell from its sidecars."""
    values: dict[str, str] = {}
    cpu: str = "256"
    memory: str = "512"
    secrets: dict[str, str] = {}
    """Environment variables of the container, by the secret or parameter that they come from."""
    execution_role: str = "ecsTaskExecutionRole"
    task_role: str = ""


class CapacityProvider(_Table):
    """One entry of a capacity provider strategy."""

    name: str
    """FARGATE, FARGATE_SPOT, or a provider of the cluster."""
    weight: int = Field(default=1, ge=0)
    """Its share of the tasks."""
    base: int = Field(default=0, ge=0)
    """So many tasks are placed on it first."""


class Run(_Table):
    """How the task is launched: by a launch type or by capacity providers."""

    cluster: str
    launch_type: Literal["FARGATE", "FARGATE_SPOT", "EC2", "EXTERNAL", "none"] | None = None
    """Looked up in the task definition where it is not set; `none` takes the cluster's default strategy."""
    capacity_provider: str = ""
    """The name of one capacity provider, instead of a launch type."""
    capacity_providers: tuple[CapacityProvider, ...] = ()
    """A strategy of several."""
    platform_version: str = ""
    """Of Fargate; empty: the latest."""
    subnets: tuple[str, ...] = ()
    """For the network mode awsvpc only."""
    security_groups: tuple[str, ...] = ()
    """For the network mode awsvpc only; none: the default group of the VPC."""
    assign_public_ip: bool = False
    volumes: tuple[dict[str, Any], ...] = ()
    """`volumeConfigurations` of RunTask, in the ECS API's spelling: EBS volumes that are made at launch."""
    environment: dict[str, str] = {}
    """What a run's container gets on top of the task definition; RUN_ID always."""
    max_runtime: Seconds = 6 * 3600
    start_timeout: Seconds = 600
    on_interrupt: Literal["ask", "leave", "stop"] = "ask"

    @model_validator(mode="after")
    def _one_way_to_launch(self) -> Self:
        chosen = [self.launch_type, self.capacity_provider, self.capacity_providers]
        if sum(bool(choice) for choice in chosen) > 1:
            raise ValueError("launch-type, capacity-provider or capacity-providers: only one of them")
        return self

    @property
    def strategy(self) -> tuple[CapacityProvider, ...]:
        """The capacity providers, where the task is not launched by a launch type."""
        single = self.capacity_provider or ("FARGATE_SPOT" if self.launch_type == "FARGATE_SPOT" else "")
        return (CapacityProvider(name=single),) if single else self.capacity_providers


class Schedule(_Table):
    """What starts the job: its target follows every proven release."""

    name: str
    """Of the schedule, or of the rule; `deployer schedule` makes a schedule of this name."""
    group: str = "default"
    """The schedule's group, or the rule's event bus."""
    kind: Literal["schedule", "rule"] = "schedule"
    """A schedule of EventBridge Scheduler, or a rule of EventBridge."""
    role: str = ""
    """The ARN of the role in which a new schedule starts the job: it trusts scheduler.amazonaws.com and may
    run the task and pass its roles, as `deployer doctor --policy` prints it."""


class LogSettings(_Table):
    group: str
    stream_prefix: str = "ecs"
    drain_timeout: Seconds = 5
    """How long the stream must stay silent after the task has stopped before it counts as drained."""


class Report(_Table):
    """Where the job writes a report of each run: a document whose `_id` is RUN_ID."""

    collection: str


class Deadline(_Table):
    """When a run must have loaded its data, for `deployer verify` on any day, whoever starts the runs."""

    max_age: Seconds | None = None
    """The newest run must have started within this time, such as `"26h"`."""
    by: datetime.time | None = None
    """A run must have started in the 24 hours before this time of day, such as `"07:00"`."""
    time_zone: str = "UTC"
    """The time zone of `by`, such as `"Europe/Paris"`."""
    empty: Literal["ok", "fail"] = "fail"
    """What a run without documents means."""

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError('a time zone such as "Europe/Paris"') from None
        return name


class Verify(_Table):
    uri: str
    database: str
    report: Report | None = None
    deadline: Deadline = Deadline()
    drift: Drift | None = None
    checks: tuple[Check, ...] = ()


class JobCommands(_Table):
    """Commands of the job's own image, which one-off tasks run in the job's network. Empty: it has none."""

    query: tuple[str, ...] = ()
    """Answers questions about the database: the checks' reading."""
    connectivity: tuple[str, ...] = ()
    """Checks the connection to MongoDB step by step and prints the result as JSON."""


class Retries(_Table):
    """`max_elapsed`: how long a call is repeated on errors that pass by themselves, from the first one.
    `max_loops`: how often another retry edge of the flowchart may be taken before the release ends;
    `max_loops_by_edge` names exceptions ("PUSH_OK -> ECR_LOGIN")."""

    max_elapsed: Seconds = 120
    initial_delay: Seconds = 1
    max_delay: Seconds = 30
    max_wait: Seconds = 900
    """How long a task that finds no capacity is launched again before the release pauses."""
    max_loops: int = Field(default=3, ge=1)
    max_loops_by_edge: dict[str, int] = {}


LONGEST_TTL = 86400.0
"""Seconds that a lock may block others after its holder has died."""


class State(_Table):
    """What machines share. `lock_ttl`: how long the lock of a release that was killed blocks the next one."""

    bucket: str | None = None
    bucket_owner: str = Field(default="", pattern=r"^(\d{12})?$")
    """The account that owns the bucket; empty: the caller's own. Another account's is refused."""
    key: str = ""
    """A secret of Secrets Manager, by name or ARN: it signs the records, and unsigned ones are refused."""
    lock_ttl: Seconds = Field(default=60, ge=10, le=LONGEST_TTL)


class Notify(_Table):
    """Who hears of runs that failed, recovered or are late, from `deployer watch`. Addresses are secrets and
    come from the process environment: `"${SLACK_WEBHOOK:-}"`."""

    webhook: str = ""
    webhook_format: Literal["auto", "slack", "teams", "json"] = "auto"
    signing_key: str = ""
    """Signs the webhook's JSON: header `X-Deployer-Signature`, HMAC-SHA256 of the body."""
    sns_topic: str = ""
    smtp: str = ""
    """`smtp://user:password@host:587`, or `smtps://`."""
    mail_from: str = "deployer@localhost"
    mail_to: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    """A program that gets the message as JSON on standard input."""
    environment: tuple[str, ...] = ()
    """Variables with credentials that the program may have all the same."""
    remind_after: Seconds = 86400


class Aws(_Table):
    region: str
    endpoint_url: str | None = None
    profile: str | None = None


class SandboxSettings(_Table):
    """How the sandbox is set up: MiniStack, which plays AWS, and MongoDB. Ports are chosen free where none
    is given."""

    cluster: str
    bucket: str
    secret: str
    access_key: str = Field(default="", exclude=True, repr=False)
    """Filled in: the sandbox's own key."""
    seed_command: tuple[str, ...] = ()
    """Makes the folder, named as its last argument, that the bucket is filled from; empty: the bucket is
    empty."""
    aws_port: int | None = Field(default=None, ge=1, le=65535)
    mongo_port: int | None = Field(default=None, ge=1, le=65535)


class Config(_Table):
    """One environment's settings, ready to use."""

    env: str
    sandbox: SandboxSettings | None = None
    """Only in the environment that is the sandbox on this machine."""
    project: Project
    test: Test = Test()
    compose: Compose = Compose()
    build: Build = Build()
    image: ImageSettings
    task: Task
    run: Run
    schedule: Schedule | None = None
    logs: LogSettings
    verify: Verify
    job_commands: JobCommands = JobCommands()
    aws: Aws
    retries: Retries = Retries()
    state: State = State()
    notify: Notify = Notify()
