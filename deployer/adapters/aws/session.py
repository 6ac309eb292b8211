"""The AWS session, its clients, and the one place where botocore's exceptions become ours.

boto3 is imported when the first client is made (0.25 s), not before.
Codes: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and each service's own.
"""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final

from deployer.adapters.aws.limiter import Limiter, again, is_throttled
from deployer.config.model import Aws
from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import CLIENT_ERROR
from deployer.errors import DeployerError, ExpiredCredentials, Failure, FailureClass, TransientFailure

CONNECT_TIMEOUT: Final = 5
READ_TIMEOUT: Final = 30
"""Seconds. One page of log events is at most 1 MB, so no call takes longer."""

POOL: Final = 16


@dataclass(frozen=True)
class Credentials:
    """Fixed credentials, for an endpoint that accepts any (the sandbox)."""

    key: str
    secret: str = field(repr=False)


class AwsSession:
    """Clients, made once each when first used; safe to share between threads. A process has one session, so
    that an MFA code is asked for once.

    botocore repeats only calls that read: RunTask sent twice could take effect twice.
    """

    def __init__(self, settings: Aws, credentials: Credentials | None = None) -> None:
        self.region = settings.region
        self._settings = settings
        self._credentials = credentials
        self._session: Any = None
        self._clients: dict[tuple[str, str, float], Any] = {}
        self._lock = threading.Lock()
        self._limiter = Limiter(time.monotonic, time.sleep)

    def client(self, service: str, region: str | None = None, read_timeout: float = READ_TIMEOUT) -> Any:
        """The boto3 client of `service`. Failure `aws-config`: no such profile, or no valid endpoint."""
        key = (service, region or self.region, read_timeout)
        with self._lock, translated(f"AWS {service}"):
            if key not in self._clients:
                try:
                    self._clients[key] = self._make(*key)
                except ValueError as error:
                    raise Failure(
                        "aws-config", f"AWS {service}: {error}", "fix [aws] in deploy.toml"
                    ) from error
            return self._clients[key]

    @cached_property
    def account(self) -> str:
        """The number of the caller's account, asked for once."""
        with translated("AWS identity"):
            return str(self.client("sts").get_caller_identity()["Account"])

    def _make(self, service: str, region: str, read_timeout: float) -> Any:
        from botocore.config import Config

        if self._session is None:
            self._session = self._open()
        options = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=POOL,
            inject_host_prefix=self._settings.endpoint_url is None,
            **({"proxies": {}} if self._credentials else {}),
        )
        client = self._session.client(
            service, region_name=region, endpoint_url=self._settings.endpoint_url, config=options
        )
        client.meta.events.register("before-send", self._limiter.wait)
        client.meta.events.register("after-call", self._limiter.learn)
        client.meta.events.register("needs-retry", again)
        client.meta.events.register("after-call", self._forget_if_expired)
        return client

    def _forget_if_expired(self, parsed: Mapping[str, Any], **_: Any) -> None:
        """The next client reads the credentials anew: somebody may have renewed them."""
        if _EXPIRED.search(parsed.get("Error", {}).get("Code", "")):
            with self._lock:
                self._session = None
                self._clients.clear()

    def _open(self) -> Any:
        import boto3
        import botocore.session
        from botocore.utils import JSONFileCache

        fixed = self._credentials
        profile, isolated = (None, _ISOLATED) if fixed else (self._settings.profile, None)
        core = botocore.session.Session(session_vars=isolated, profile=profile)
        core.register_component("data_loader", _descriptions(core.get_config_variable("data_path")))
        if not fixed:
            roles = core.get_component("credential_provider").get_provider("assume-role")
            if os.access(os.path.expanduser("~"), os.W_OK):
                roles.cache = JSONFileCache(os.path.expanduser("~/.aws/cli/cache"))
            roles._prompter = _ask_for_code
        keys = (fixed.key, fixed.secret) if fixed else ()
        return boto3.Session(*keys, region_name=self.region, botocore_session=core)


def _ask_for_code(prompt: str) -> str:
    """The MFA code, through the terminal. Failure `aws-config`: there is none."""
    import getpass

    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return getpass.getpass(prompt)
    except OSError as error:
        raise Failure(
            "aws-config",
            f"the AWS profile asks for an MFA code and there is no terminal ({prompt.strip()})",
            "run any `aws` command with this profile in a terminal first (its login is kept), or set"
            " AWS_PROFILE to one without MFA",
        ) from error


@cache
def _descriptions(folders: str | None) -> Any:
    """botocore's descriptions of services and endpoints, read once for all sessions: most of what a session
    costs (0.07 s). `folders`: AWS_DATA_PATH."""
    from botocore.loaders import create_loader

    return create_loader(folders)


_ISOLATED: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""With fixed credentials the operator's profiles, files and proxies are ignored."""


@contextmanager
def translated(where: str, refused: FailureClass = "aws-config") -> Iterator[None]:
    """Turns botocore's exceptions into Failure or TransientFailure; `where` begins the message.

    `refused` is the class of missing, expired or rejected credentials (`registry-auth` at a registry login).
    """
    try:
        yield
    except DeployerError:
        raise
    except Exception as error:
        failure = failure_of(error, where, refused)
        if failure is None:
            raise
        raise failure from error


def error_code(error: BaseException) -> str:
    """The service's own error code (`ThrottlingException`), "" where it gave none."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def failure_of(error: Exception, where: str, refused: FailureClass = "aws-config") -> Failure | None:
    """The Failure for botocore's `error`; None if it is not botocore's."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    if isinstance(error, ClientError):
        return _service_failure(error, where, refused)
    if isinstance(error, BotoCoreError):
        return _client_failure(error, where, refused)
    if isinstance(error, ResponseParserError):
        message = f"{where}: the answer is not from AWS: {str(error)[:300]}"
        return TransientFailure("network", message, "check what answers instead: HTTPS_PROXY, endpoint-url")
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError):
        missing = error.filename or error
        return Failure(
            refused,
            f"{where}: the AWS profile's credentials cannot be read: {missing}: {error.strerror or error}",
            "check credential_process and web_identity_token_file of the profile in ~/.aws/config",
        )
    return None


_BROKEN: Final = re.compile(
    r"^(Internal(Error|Failure|Server\w*)|Server(Exception|Internal)|ServiceUnavailable\w*|Unavailable|\w*Timeout\w*"
    r"|TransactionInProgress\w*|PriorRequestNotComplete)$"
)
_RENEW: Final = "renew the credentials (`aws sso login`, or export new ones)"
_EXPIRED: Final = re.compile(r"ExpiredToken|RequestExpired|TokenRefreshRequired")
_UNKNOWN_CALLER: Final = re.compile(
    r"^(InvalidClientTokenId|UnrecognizedClient\w*|AuthFailure|InvalidAccessKeyId|MissingAuthenticationToken\w*"
    r"|IncompleteSignature\w*|NotAuthorized|OptInRequired)$"
)
_CLOCK: Final = re.compile(r"^(InvalidSignature\w*|SignatureDoesNotMatch|RequestTimeTooSkewed)$")
_DENIED: Final = re.compile(r"AccessDenied|UnauthorizedOperation|^Forbidden$|^403$")
_ACTION: Final = re.compile(r"perform:? ([a-z0-9-]+:\w+)")


def _service_failure(error: Any, where: str, refused: FailureClass) -> Failure:
    """The service returned an error code."""
    code = error_code(error)
    said = str(error.response.get("Error", {}).get("Message", "")).strip()
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    message = f"{where}: {error.operation_name}: {code}" + (f": {said}" if said and said != code else "")
    if is_throttled(code):
        return TransientFailure("capacity", message, "AWS throttles the calls; retry in a moment")
    if status >= 500 or _BROKEN.match(code):
        return TransientFailure("capacity", message, "temporary AWS error; retry in a moment")
    if _EXPIRED.search(code):
        return ExpiredCredentials(refused, message, _RENEW)
    if _UNKNOWN_CALLER.match(code):
        return Failure(refused, message, "check the identity: `aws sts get-caller-identity`; set AWS_PROFILE")
    if _CLOCK.match(code):
        return Failure(refused, message, "check this machine's clock (`timedatectl`) and the secret key")
    if _DENIED.search(code):
        action = _ACTION.search(said)
        missing = action[1] if action else error.operation_name
        return Failure("aws-config", message, f"allow {missing} for the caller in IAM")
    return _classified(str(error), message)


def _client_failure(error: Exception, where: str, refused: FailureClass) -> Failure:
    """botocore failed before or during the call."""
    from botocore import exceptions as seen

    message = f"{where}: {type(error).__name__}: {error}"
    if isinstance(error, seen.ParamValidationError):
        return Failure("aws-config", f"{where}: {error}", "fix [task] definition or [run] in deploy.toml")
    if isinstance(error, seen.NoCredentialsError | seen.PartialCredentialsError):
        return Failure(refused, message, "export AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if isinstance(
        error,
        seen.SSOError
        | seen.CredentialRetrievalError
        | seen.TokenRetrievalError
        | seen.RefreshWithMFAUnsupportedError,
    ):
        return ExpiredCredentials(refused, message, _RENEW)
    if isinstance(error, seen.ProfileNotFound):
        return Failure("aws-config", message, "list the profiles with `aws configure list-profiles`")
    if isinstance(error, seen.SSLError):
        return Failure("network", message, "trust the proxy's CA: export AWS_CA_BUNDLE=/path/to/ca.pem")
    if isinstance(error, seen.ConnectionError | seen.HTTPClientError | seen.IncompleteReadError):
        return TransientFailure("network", message, "check the network, the proxy settings and [aws] region")
    return _classified(message, message)


def _classified(text: str, message: str) -> Failure:
    """Any other code: the diagnosis names class and remedy."""
    cause = classify(Evidence(text, channel=CLIENT_ERROR)).cause
    if cause.failure_class == "unknown":
        return Failure("aws-config", message)
    kind = TransientFailure if cause.transient else Failure
    return kind(cause.failure_class, message, cause.remedy)
