"""Has the identity that releases the permissions that a release needs?"""

import json
from collections.abc import Iterator

from deployer.adapters.aws.policy import Place, release_permissions
from deployer.adapters.aws.probes.permissions import Need, judged
from deployer.adapters.aws.probes.probe import passed, unknown
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    with translated("AWS identity"):
        arn = session.client("sts").get_caller_identity()["Arn"]
    if arn.endswith(":root"):
        yield passed("caller", f"{arn} is the root user and may do everything")
        return
    source = _source(arn, session)
    if source is None:
        yield unknown("caller's permissions", f"{arn} is neither a user nor a role: IAM cannot simulate it")
        return
    yield from judged("caller", source, _needs(config, session.region, arn), session)


def _source(arn: str, session: AwsSession) -> str | None:
    """The IAM identity behind `arn`; an assumed role's session names the role without its path."""
    kind, _, rest = arn.split(":")[5].partition("/")
    if kind in ("user", "role"):
        return arn
    if kind != "assumed-role":
        return None
    with translated("caller's role"):
        role = session.client("iam").get_role(RoleName=rest.split("/")[0])["Role"]
    return str(role["Arn"])


def _needs(config: Config, region: str, caller: str) -> list[Need]:
    return [
        Need(row.purpose, row.actions, resource, _grant(row.actions, resource))
        for row in release_permissions(config, Place.of(caller, region))
        for resource in row.resources
    ]


def _grant(actions: tuple[str, ...], resource: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return f"add to the caller's policy: {json.dumps(statement)}"
