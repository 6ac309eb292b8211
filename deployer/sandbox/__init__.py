"""The embedded AWS and MongoDB that a release to `sandbox` runs against."""

from deployer.sandbox.errors import SandboxDown, SandboxError
from deployer.sandbox.facts import PartStatus, SandboxFacts, SandboxStatus
from deployer.sandbox.sandbox import Sandbox
from deployer.sandbox.settings import SandboxSettings

__all__ = [
    "PartStatus",
    "Sandbox",
    "SandboxDown",
    "SandboxError",
    "SandboxFacts",
    "SandboxSettings",
    "SandboxStatus",
]
