"""Whose log is meant, from deploy.toml."""

from deployer.commands.logs.request import of_project
from deployer.config.model import Config
from tests.deployer.contract.aws.worlds import configured


def _project(definition: dict[str, object], **values: str) -> Config:
    config = configured({})
    task = config.task.model_copy(update={"definition": definition, "values": values, "container": "job"})
    return config.model_copy(update={"task": task})


CONTAINERS = [{"name": "job"}]


def test_the_family_may_be_a_placeholder() -> None:
    """The newest task is looked for under the name that a release registers."""
    config = _project({"family": "${FAMILY}-etl", "containerDefinitions": CONTAINERS}, FAMILY="weather")
    assert of_project(config).family == "weather-etl"


def test_the_definition_may_be_an_answer_of_aws() -> None:
    """What `aws ecs describe-task-definition` prints serves as a template; the family stands inside it."""
    config = _project({"taskDefinition": {"family": "weather", "containerDefinitions": CONTAINERS}})
    assert of_project(config).family == "weather"
