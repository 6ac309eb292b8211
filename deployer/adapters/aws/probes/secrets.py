"""Does every secret of the containers have a value?

`valueFrom` is a Secrets Manager ARN, with `:json-key:version-stage:version-id` behind it where wanted, or an
SSM parameter's name or ARN
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html).
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from deployer.adapters.aws.probes.probe import (
    failed,
    parameter_names,
    passed,
    region_of,
    report_errors,
    secrets,
)
from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.ports import Finding

_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")
"""What Secrets Manager appends to the name in an ARN."""


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    for variable, source in secrets(config).items():
        what = f"secret of {variable}"
        probe = _secret if ":secretsmanager:" in source else _parameter
        yield from report_errors(what, probe(what, source, session))


def _secret(what: str, source: str, session: AwsSession) -> Iterator[Finding]:
    pieces = source.split(":")
    if len(pieces) < 7:
        yield failed(what, f"{source} is not the ARN of a secret", "set its whole ARN in [task.values]")
        return
    arn, key, name = ":".join(pieces[:7]), (pieces[7:8] or [""])[0], _SUFFIX.sub("", pieces[6])
    region = region_of(arn, session)
    client = session.client("secretsmanager", region)
    create = f"aws secretsmanager create-secret --region {region} --name {name} --secret-string ..."
    with translated(what):
        try:
            deleted = client.describe_secret(SecretId=arn).get("DeletedDate")
        except Exception as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            yield failed(what, f"{arn} does not exist", f"{create}, then set its ARN in [task.values]")
            return
    if deleted:
        restore = f"aws secretsmanager restore-secret --secret-id {arn} --region {region}"
        yield failed(what, f"{arn} is scheduled for deletion", restore)
    elif key:
        yield _json_key(what, arn, key, client)
    else:
        yield passed(what, arn)


def _json_key(what: str, arn: str, key: str, client: Any) -> Finding:
    """The value is read for its keys only."""
    with translated(what):
        text = client.get_secret_value(SecretId=arn).get("SecretString", "")
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if isinstance(keys, dict) and key in keys:
        return passed(what, f"{arn}, key {key}")
    there = (
        f"its keys are: {', '.join(sorted(keys))}" if isinstance(keys, dict) else "it is not a JSON object"
    )
    put = f'aws secretsmanager put-secret-value --secret-id {arn} --secret-string \'{{"{key}": "..."}}\''
    return failed(what, f"{arn} has no key {key}; {there}", put)


def _parameter(what: str, source: str, session: AwsSession) -> Iterator[Finding]:
    """GetParameters takes an ARN; an endpoint that does not takes the name, with or without a slash."""
    region, candidates = region_of(source, session), parameter_names(source)
    client = session.client("ssm", region)
    for candidate in candidates:
        with translated(what):
            try:
                answer = client.get_parameters(Names=[candidate], WithDecryption=False)
            except Exception as error:
                if error_code(error) not in ("ValidationException", "InvalidParameterValue"):
                    raise
                continue
        if answer["Parameters"]:
            yield passed(what, f"{candidate} in {region}")
            return
    put = f"aws ssm put-parameter --region {region} --name {candidates[-1]} --type SecureString --value ..."
    yield failed(what, f"no parameter {candidates[-1]} in {region}", put)
