"""`deployer secret set`: a value into Secrets Manager, and the line that gives it to the task."""

import re

from deployer.adapters.aws.secrets import SecretStore
from deployer.commands.bootstrap import session
from deployer.commands.project import Project
from deployer.errors import UsageError

LONGEST = 65536
"""Bytes (Secrets Manager's quota)."""


def set_secret(project: Project, env: str | None, name: str, value: str) -> dict[str, str]:
    """Makes or replaces it. Returns its `arn`, and a line of the task definition's `secrets`.

    UsageError: an empty value, or one that is too long. Failure: Secrets Manager would not.
    """
    if not value.strip():
        raise UsageError(f"secret {name}: the value is empty", "pipe it in: `... | deployer secret set NAME`")
    if len(value.encode()) > LONGEST:
        raise UsageError(f"secret {name}: the value is longer than {LONGEST} bytes", "store it in S3 instead")
    config = project.config(project.env(env), needed=("aws",))
    arn = SecretStore(session(config)).put(name, value)
    return {"arn": arn, "name": variable(name), "valueFrom": arn}


def variable(secret: str) -> str:
    """The environment variable that a secret's name suggests: `job/mongo-uri` is MONGO_URI."""
    return re.sub(r"\W+", "_", secret.rpartition("/")[2]).upper()
