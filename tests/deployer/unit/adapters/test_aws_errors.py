"""What botocore raises becomes our errors, once, with a class, a place and a hint."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as seen
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from deployer.adapters.aws.session import AwsSession, Credentials, failure_of, translated
from deployer.config.model import Aws
from deployer.errors import ExpiredCredentials, Failure, TransientFailure


def _answered(code: str, message: str = "", status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "RunTask")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("Throttling", 400),
        ("RequestLimitExceeded", 503),
        ("TooManyRequestsException", 429),
        ("ServerException", 500),
        ("ServiceUnavailableException", 503),
        ("InternalError", 500),
        ("502", 502),
        ("RequestTimeout", 408),
    ],
)
def test_what_passes_by_itself_is_transient(code: str, status: int) -> None:
    """Throttling and 5xx answers are retried by the runner."""
    failure = failure_of(_answered(code, status=status), "ECS")
    assert isinstance(failure, TransientFailure)
    assert failure.failure_class == "capacity"


@pytest.mark.parametrize(
    "error",
    [
        seen.EndpointConnectionError(endpoint_url="https://ecs.eu-west-3.amazonaws.com"),
        seen.ConnectTimeoutError(endpoint_url="https://ecs.eu-west-3.amazonaws.com"),
        seen.ReadTimeoutError(endpoint_url="https://ecs.eu-west-3.amazonaws.com"),
        seen.ConnectionClosedError(endpoint_url="https://ecs.eu-west-3.amazonaws.com"),
        seen.ProxyConnectionError(proxy_url="http://proxy"),
        ResponseParserError("Unable to parse response (syntax error), invalid XML received: b'<html>'"),
    ],
)
def test_a_broken_connection_is_transient(error: Exception) -> None:
    """A reset, a time-out, a name that does not resolve or a proxy's own page may be over in a moment."""
    failure = failure_of(error, "ECS")
    assert isinstance(failure, TransientFailure)
    assert failure.failure_class == "network"


@pytest.mark.parametrize(
    ("error", "failure_class"),
    [
        (_answered("AccessDeniedException", "not authorized to perform: ecs:RunTask on *"), "aws-config"),
        (_answered("ClusterNotFoundException", "Cluster not found."), "aws-config"),
        (_answered("InvalidClientTokenId", "The security token is invalid"), "aws-config"),
        (_answered("SignatureDoesNotMatch"), "aws-config"),
        (_answered("SomethingNeverSeen", "of which nobody knows"), "aws-config"),
        (seen.NoCredentialsError(), "aws-config"),
        (seen.PartialCredentialsError(provider="env", cred_var="secret"), "aws-config"),
        (seen.ProfileNotFound(profile="nobody"), "aws-config"),
        (seen.NoRegionError(), "aws-config"),
        (seen.ParamValidationError(report="Unknown parameter"), "aws-config"),
        (seen.SSLError(endpoint_url="https://x", error="certificate verify failed"), "network"),
    ],
)
def test_what_does_not_pass_by_itself_is_not_transient(error: Exception, failure_class: str) -> None:
    """A refusal stops at once, with the exit code of its class."""
    failure = failure_of(error, "ECS cluster c")
    assert type(failure) is Failure
    assert failure.failure_class == failure_class
    assert failure.message.startswith("ECS cluster c: ")


@pytest.mark.parametrize(
    "error",
    [
        _answered("ExpiredTokenException", "The security token included in the request is expired"),
        _answered("ExpiredToken"),
        _answered("RequestExpired"),
        seen.UnauthorizedSSOTokenError(),
        seen.SSOTokenLoadError(error_msg="gone"),
        seen.TokenRetrievalError(provider="sso", error_msg="expired"),
    ],
)
def test_expired_credentials_say_how_to_renew_them(error: Exception) -> None:
    """Credentials that ran out are told from wrong ones, and never retried as if they would pass."""
    failure = failure_of(error, "ECS")
    assert isinstance(failure, ExpiredCredentials)
    assert "aws sso login" in failure.hint


def test_at_a_registry_login_bad_credentials_are_the_registry_s() -> None:
    """The same expired token is registry-auth where it keeps the push from logging in."""
    failure = failure_of(_answered("ExpiredTokenException"), "ECR", refused="registry-auth")
    assert failure is not None
    assert failure.failure_class == "registry-auth"


def test_a_missing_permission_is_named() -> None:
    """The action that IAM refused is in the hint."""
    failure = failure_of(
        _answered("AccessDenied", "User: u is not authorized to perform: ecs:StopTask"), "ECS"
    )
    assert failure is not None
    assert "ecs:StopTask" in failure.hint


def test_what_is_not_botocore_s_passes_through() -> None:
    """A mistake of our own is not dressed up as AWS's."""
    with pytest.raises(KeyError), translated("ECS"):
        raise KeyError("x")


def test_a_profile_that_is_not_there_is_a_failure_and_no_traceback() -> None:
    """`[aws] profile` is checked when the first client is made."""
    session = AwsSession(Aws(region="eu-west-3", profile="no-such-profile"))
    with pytest.raises(Failure, match="no-such-profile"):
        session.client("ecs")


def test_an_endpoint_that_is_no_address_is_a_failure() -> None:
    """`[aws] endpoint-url` without a scheme is one clear message."""
    session = AwsSession(Aws.model_validate({"region": "eu-west-3", "endpoint-url": "127.0.0.1"}), _FIXED)
    with pytest.raises(Failure, match=r"127\.0\.0\.1"):
        session.client("ecs")


_FIXED = Credentials("testing", "testing")


def test_a_closed_port_is_a_network_failure() -> None:
    """An endpoint where nobody listens is said to be so, by its address."""
    settings = Aws.model_validate({"region": "eu-west-3", "endpoint-url": "http://127.0.0.1:1"})
    client = AwsSession(settings, _FIXED).client("sts")
    with pytest.raises(TransientFailure, match=r"127\.0\.0\.1:1"), translated("AWS identity"):
        client.get_caller_identity()


def test_a_renewed_token_is_read_afresh() -> None:
    """After an expired token the session makes new clients, so that renewed credentials are found."""
    session = AwsSession(Aws(region="eu-west-3"), _FIXED)
    client = session.client("sts")
    for code, same in (("ThrottlingException", True), ("ExpiredToken", False)):
        with Stubber(client) as stub, pytest.raises(Failure), translated("AWS identity"):
            stub.add_client_error("get_caller_identity", code)
            client.get_caller_identity()
        assert (session.client("sts") is client) is same


SHORT_LIVED = """
import datetime, json, pathlib
count = pathlib.Path({count!r})
count.write_text(count.read_text() + "|")
end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
key = "KEY" + str(len(count.read_text()))
print(json.dumps(dict(Version=1, AccessKeyId=key, SecretAccessKey="x", Expiration=end.isoformat())))
"""


def test_credentials_that_refresh_themselves_are_the_newest_at_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile whose credentials last a minute: the same client signs its next call with renewed ones."""
    count, program, config = tmp_path / "count", tmp_path / "credentials.py", tmp_path / "config"
    count.touch()
    program.write_text(SHORT_LIVED.format(count=str(count)))
    config.write_text(f"[profile short]\ncredential_process = {sys.executable} {program}\n")
    for name, value in (("CONFIG_FILE", str(config)), ("SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))):
        monkeypatch.setenv(f"AWS_{name}", value)
    client = AwsSession(Aws(region="eu-west-3", profile="short")).client("sts")
    first, second = (client.generate_presigned_url("get_caller_identity") for _ in range(2))
    assert len(set(re.findall(r"Credential=(KEY\d+)", first + second))) == 2


def test_credentials_are_not_shown() -> None:
    """The secret of fixed credentials does not appear where they are printed."""
    assert "hidden" not in repr(Credentials("key", "hidden"))


def test_importing_the_gateways_does_not_load_boto3() -> None:
    """`deployer --help` may import any of them without paying for the SDK."""
    modules = "account ecr ecs logs session"
    imports = "; ".join(f"import deployer.adapters.aws.{name}" for name in modules.split())
    code = f"import sys; {imports}; print([m for m in ('boto3', 'botocore') if m in sys.modules])"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert shown.stdout.strip() == "[]"
