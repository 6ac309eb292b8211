"""The table of rules, in order: at equal confidence the earlier rule speaks first."""

from deployer.diagnosis.rule import Rule
from deployer.diagnosis.rules.aws_access import AWS_ACCESS
from deployer.diagnosis.rules.aws_reach import AWS_REACH
from deployer.diagnosis.rules.capacity import CAPACITY
from deployer.diagnosis.rules.data import DATA
from deployer.diagnosis.rules.data_malformed import DATA_MALFORMED
from deployer.diagnosis.rules.dependencies import DEPENDENCIES
from deployer.diagnosis.rules.docker import DOCKER
from deployer.diagnosis.rules.ecs_api import ECS_API
from deployer.diagnosis.rules.ecs_start import ECS_START
from deployer.diagnosis.rules.entrypoint import ENTRYPOINT
from deployer.diagnosis.rules.families import FAMILIES
from deployer.diagnosis.rules.image_pull import IMAGE_PULL
from deployer.diagnosis.rules.mongodb_access import MONGODB_ACCESS
from deployer.diagnosis.rules.mongodb_use import MONGODB_USE
from deployer.diagnosis.rules.network import NETWORK
from deployer.diagnosis.rules.registry import REGISTRY
from deployer.diagnosis.rules.resources import RESOURCES
from deployer.diagnosis.rules.runtime import RUNTIME
from deployer.diagnosis.rules.stops import STOPS

RULES: tuple[Rule, ...] = (
    *AWS_ACCESS,
    *ECS_START,
    *ECS_API,
    *IMAGE_PULL,
    *CAPACITY,
    *REGISTRY,
    *RESOURCES,
    *MONGODB_ACCESS,
    *MONGODB_USE,
    *DATA,
    *DATA_MALFORMED,
    *ENTRYPOINT,
    *DOCKER,
    *DEPENDENCIES,
    *AWS_REACH,
    *NETWORK,
    *FAMILIES,
    *RUNTIME,
    *STOPS,
)
