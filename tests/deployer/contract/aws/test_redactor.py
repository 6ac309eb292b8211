"""Which secrets are hidden: the job's own, as the registered definition has them, and what cannot be read."""

from typing import Any

import pytest

from deployer.commands.bootstrap import redactor_of
from deployer.errors import Failure
from tests.deployer.contract.aws.worlds import AwsWorld, session

VALUE = "w1thin-the-registered-one"


@pytest.fixture
def world(ministack: str, name: str) -> AwsWorld:
    """deploy.toml's definition names a secret that is not there; the registered one another, which is."""
    world = AwsWorld(name, session(ministack))
    held = world.client("secretsmanager").create_secret(Name=name, SecretString=VALUE)["ARN"]
    definition: dict[str, Any] = {
        "family": "forecast-etl",
        "containerDefinitions": [
            {"name": "other", "image": "x", "secrets": [{"name": "PARTNER", "valueFrom": held}]}
        ],
    }
    world.tasks.register(definition, {})
    return world


def test_the_secrets_of_the_registered_definition_are_hidden(world: AwsWorld) -> None:
    """Though deploy.toml does not name them; and one line says what could not be read."""
    told: list[str] = []
    redactor = redactor_of(world.config, world.session, {}, told.append, strict=False)
    assert redactor.text(f"connecting with {VALUE}") == "connecting with ***"
    (line,) = told
    assert "hidden by their looks only: MONGO_URI" in line


def test_strict_refuses(world: AwsWorld) -> None:
    """Nothing is shown or written where a secret might stand in it unseen."""
    told: list[str] = []
    with pytest.raises(Failure, match="MONGO_URI") as refused:
        redactor_of(world.config, world.session, {}, told.append, strict=True)
    assert (refused.value.failure_class, told) == ("aws-config", [])
