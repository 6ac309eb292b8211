"""The one table of what is classified, in order: at equal confidence the earlier signature speaks first."""

from deployer.diagnosis.signature import Signature
from deployer.diagnosis.signatures.access import ACCESS
from deployer.diagnosis.signatures.aws_calls import AWS_CALLS
from deployer.diagnosis.signatures.build_steps import BUILD_STEPS
from deployer.diagnosis.signatures.builder import BUILDER
from deployer.diagnosis.signatures.capacity import CAPACITY
from deployer.diagnosis.signatures.compose import COMPOSE_SIGNATURES
from deployer.diagnosis.signatures.credentials import CREDENTIALS
from deployer.diagnosis.signatures.dependencies import DEPENDENCIES
from deployer.diagnosis.signatures.ecs_definition import ECS_DEFINITION
from deployer.diagnosis.signatures.ecs_network import ECS_NETWORK
from deployer.diagnosis.signatures.ecs_start import ECS_START
from deployer.diagnosis.signatures.image_pulls import IMAGE_PULLS
from deployer.diagnosis.signatures.last_resorts import LAST_RESORTS
from deployer.diagnosis.signatures.malformed import MALFORMED
from deployer.diagnosis.signatures.mongodb_access import MONGODB_ACCESS
from deployer.diagnosis.signatures.mongodb_reach import MONGODB_REACH
from deployer.diagnosis.signatures.mongodb_server import MONGODB_SERVER
from deployer.diagnosis.signatures.mongodb_use import MONGODB_USE
from deployer.diagnosis.signatures.network import NETWORK
from deployer.diagnosis.signatures.program import PROGRAM
from deployer.diagnosis.signatures.program_start import PROGRAM_START
from deployer.diagnosis.signatures.pushes import PUSHES
from deployer.diagnosis.signatures.registry_login import REGISTRY_LOGIN
from deployer.diagnosis.signatures.resources import RESOURCES
from deployer.diagnosis.signatures.sources import SOURCES
from deployer.diagnosis.signatures.stops import STOPS

SIGNATURES: tuple[Signature, ...] = (
    *ACCESS,
    *CREDENTIALS,
    *AWS_CALLS,
    *ECS_START,
    *ECS_NETWORK,
    *ECS_DEFINITION,
    *CAPACITY,
    *IMAGE_PULLS,
    *REGISTRY_LOGIN,
    *PUSHES,
    *RESOURCES,
    *MONGODB_ACCESS,
    *MONGODB_REACH,
    *MONGODB_USE,
    *MONGODB_SERVER,
    *SOURCES,
    *MALFORMED,
    *COMPOSE_SIGNATURES,
    *BUILDER,
    *BUILD_STEPS,
    *DEPENDENCIES,
    *NETWORK,
    *PROGRAM_START,
    *PROGRAM,
    *STOPS,
)

WHOLE_TABLE: tuple[Signature, ...] = (*SIGNATURES, *LAST_RESORTS)
"""With what is said when no signature speaks."""
