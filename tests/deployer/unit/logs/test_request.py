"""Whose log is meant, from deploy.toml."""

import pytest

from deployer.commands.logs.request import of_project
from deployer.config.model import Config
from deployer.errors import RefusedError, UsageError
from tests.deployer.contract.aws.worlds import configured


def _project(definition: dict[str, object], **values: str) -> Config:
    config = configured({})
    task = config.task.model_copy(update={"definition": definition, "values": values, "container": "job"})
    return config.model_copy(update={"task": task})


OPTIONS = {"awslogs-group": "/own", "awslogs-stream-prefix": "p"}
CONTAINERS = [
    {"name": "job", "logConfiguration": {"logDriver": "awslogs", "options": OPTIONS}},
    {
        "name": "proxy",
        "logConfiguration": {"logDriver": "awslogs", "options": {**OPTIONS, "awslogs-group": "/p"}},
    },
    {"name": "agent", "logConfiguration": {"logDriver": "splunk"}},
]


def test_the_family_may_be_a_placeholder() -> None:
    """The newest task is looked for under the name that a release registers."""
    config = _project({"family": "${FAMILY}-etl", "containerDefinitions": CONTAINERS}, FAMILY="weather")
    assert of_project(config).family == "weather-etl"


def test_the_definition_may_be_an_answer_of_aws() -> None:
    """What `aws ecs describe-task-definition` prints serves as a template; the family stands inside it."""
    config = _project({"taskDefinition": {"family": "weather", "containerDefinitions": CONTAINERS}})
    assert of_project(config).family == "weather"


def test_another_container_has_its_own_log() -> None:
    """Its group and prefix are those of its own log driver."""
    config = _project({"family": "weather", "containerDefinitions": CONTAINERS})
    job, proxy = of_project(config), of_project(config, "proxy")
    assert (job.group, job.streams) == ("/own", "p/job/")
    assert (proxy.group, proxy.streams) == ("/p", "p/proxy/")


def test_a_container_that_logs_elsewhere_or_is_not_there_is_refused() -> None:
    """It says where the log goes, or which containers there are."""
    config = _project({"family": "weather", "containerDefinitions": CONTAINERS})
    with pytest.raises(RefusedError, match="agent logs to splunk"):
        of_project(config, "agent")
    with pytest.raises(UsageError) as refused:
        of_project(config, "none")
    assert "job, proxy, agent" in refused.value.hint
