"""The registry does not know who asks."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    STOPPED_REASON,
    TASK_LOG,
    Signature,
)

_LOGIN_DOC = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"
_ERRORS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"
_ENGINE = (DOCKER_PUSH, DOCKER_BUILD, CLIENT_ERROR, COMPOSE)
_SEEN = (*_ENGINE, *ECS)
_LOGIN = (
    "`aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}`"
)

REGISTRY_LOGIN = (
    Signature(
        failure_class="registry-auth",
        subcause="token-expired",
        pattern=(
            r"authorization token[^\n]{0,40}(?:expired|invalid)"
            r"|token (?:has )?expired[^\n]{0,60}get-login"
        ),
        channels=_SEEN,
        weight=DECISIVE,
        meaning="The registry's token has expired; one of ECR lives 12 hours.",
        fix="Log in again: " + _LOGIN + "; then push or pull again.",
        source=_ERRORS,
        example="denied: Your authorization token has expired. Reauthenticate and try again.",
        counter="INFO token valid until 12:00",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="credential-helper",
        pattern=(
            r"error (?:storing|getting|saving|listing) credentials"
            r"|(?P<helper>docker-credential-[\w-]{1,40})|ecr-login[^\n]{0,60}(?:error|fail)"
        ),
        texts=(
            "in the keychain | pass not initialized | cannot autolaunch d-bus"
            " | org.freedesktop.secrets | credential helper | credsStore | credHelpers"
        ),
        channels=(*_ENGINE, TASK_LOG),
        weight=0.95,
        meaning="The credential helper that Docker's configuration names is missing or fails.",
        fix=(
            "Install {helper}, or take `credsStore`/`credHelpers` out of ~/.docker/config.json; "
            + "then "
            + _LOGIN
            + "."
        ),
        source="https://docs.docker.com/reference/cli/docker/login/#credential-stores",
        example=(
            'error getting credentials - err: exec: "docker-credential-pass": executable file '
            "not found in $PATH, out: ``"
        ),
        counter="Login Succeeded",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="public-ecr-token",
        pattern=(
            r"public\.ecr\.aws[^\n]{0,300}(?:403|forbidden|denied|expired|401|unauthorized)"
            r"|(?:403|denied|401)[^\n]{0,200}public\.ecr\.aws"
        ),
        without=r"toomanyrequests|ecr-public:|connection issue",
        channels=_SEEN,
        weight=0.95,
        meaning="A stale token for public.ecr.aws is refused where none is needed.",
        fix=(
            "`docker logout public.ecr.aws`, or log in anew: `aws ecr-public get-login-password "
            "--region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws`."
        ),
        source="https://docs.aws.amazon.com/AmazonECR/latest/public/public-troubleshooting.html",
        example=(
            "failed to resolve source metadata for public.ecr.aws/docker/library/python:3.12: "
            "unexpected status from HEAD request: 403 Forbidden"
        ),
        counter="#2 load metadata for public.ecr.aws/docker/library/python:3.12",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="package-index-login",
        pattern=(
            r"(?P<status>40[13]) (?:Error, Credentials not correct for"
            r"|Client Error[^\n]{0,60} for url:?) (?P<url>https?://[\w./:@-]{3,200})"
            r"|npm (?:ERR!|error) code E(?:401|403|NEEDAUTH)"
            r"|(?:401|403)[^\n]{0,60}(?:/simple/|npm\.pkg|maven|nuget)"
        ),
        channels=(DOCKER_BUILD,),
        weight=0.9,
        meaning="The private package index refuses the login of the build.",
        fix=(
            "Give the build credentials for {host}: `docker build --secret "
            "id=pip,src=$HOME/.config/pip/pip.conf .` with `RUN "
            "--mount=type=secret,id=pip,target=/etc/pip.conf pip install ...` (npm: `.npmrc` in "
            "the same way)."
        ),
        source="https://docs.docker.com/build/building/secrets/",
        example="WARNING: 401 Error, Credentials not correct for https://pypi.acme.test/simple/tools/",
        counter="Looking in indexes: https://pypi.acme.test/simple",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="login-without-credentials",
        texts=(
            "unable to locate credentials | security token included in the request is"
            " | error loading sso token | token has expired and refresh failed"
            " | when calling the getauthorizationtoken operation | no basic auth credentials"
        ),
        names="ExpiredToken ExpiredTokenException NoCredentialsError UnrecognizedClientException",
        within=r"get-login|GetAuthorizationToken|non[- ]TTY|docker login",
        without=r"not authorized to perform|AccessDenied|Throttl|rate exceeded|registry-1",
        channels=_ENGINE,
        weight=0.92,
        meaning="The token for the registry needs AWS credentials, and there are none that are valid.",
        fix=(
            "Get AWS credentials (`aws sso login --profile {profile}`, or new keys) until `aws ecr "
            "get-login-password --region {region}` prints a token; then log in again."
        ),
        source=_LOGIN_DOC,
        example=(
            "Unable to locate credentials\nError: Cannot perform an interactive login from a non TTY device"
        ),
        counter="Login Succeeded",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="not-logged-in",
        pattern=r"(?:please|must|need to|may require '?)(?: run)? ?'?docker login",
        texts=(
            "no basic auth credentials | authentication required | authenticationrequired"
            " | not logged in | login prior to | no pull access | access to the resource is denied"
            " | authorization failed | no push access | does not have push access"
            " | insufficient scopes | insufficient_scope"
        ),
        without=(
            r"CannotPull[^\n]{0,200}(?:pull access denied|does not exist)|executable file"
            r"|unauthorized: incorrect|mongo|Proxy Auth"
        ),
        channels=(DOCKER_PUSH, CLIENT_ERROR, STOPPED_REASON),
        weight=0.91,
        meaning="Docker has no login for that registry.",
        fix="Log in to the host that stands in the image's name: " + _LOGIN + ".",
        source=_ERRORS,
        example="no basic auth credentials",
        counter="Login Succeeded",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="base-image-login",
        texts="no basic auth credentials | authentication required | not logged in",
        without=r"Proxy Auth|executable file",
        channels=(DOCKER_BUILD, COMPOSE),
        weight=0.91,
        meaning="The base image is in a private registry that Docker is not logged in to.",
        fix="Log in to the base image's registry before the build: " + _LOGIN + ".",
        source=_ERRORS,
        example=(
            "failed to solve: 111122223333.dkr.ecr.eu-west-3.amazonaws.com/base:1: no basic auth credentials"
        ),
        counter="Login Succeeded",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="login-failed",
        pattern=(
            r"login attempt[^\n]{0,200}failed|failed with status: 40[013]"
            r"|status: 40[01] (?:Unauthorized|Bad Request)|40[013] Unauthorized"
            r"|(?-i:\bUNAUTHORIZED\b)"
            r"|(?:fetch|get) (?:oauth|anonymous) token: [^\n]{0,300}(?:401|403)"
            r"|failed to authorize: [^\n]{0,200}(?:401|403|unauthorized)"
            r"|docker login[^\n]{0,60}(?:fail|error)"
        ),
        texts=(
            "incorrect username or password | invalid username/password | must provide --username"
            " | password required | access forbidden | two-factor | personal access token"
            " | unable to retrieve auth | denied: denied | unauthorized:  | bad credentials"
            ' | invalid credentials | /v2/": 400 Bad Request | /v2/: 400 Bad Request'
        ),
        without=r"not authorized to perform|/simple/|mongo|Proxy|status: (?:429|5\d\d)",
        channels=_SEEN,
        weight=0.89,
        meaning="The registry refuses the user or password.",
        fix="Log in again with user AWS and a fresh token, to the host without a path: " + _LOGIN + ".",
        source=_ERRORS,
        example=(
            "Error response from daemon: Get "
            "https://111122223333.dkr.ecr.eu-west-3.amazonaws.com/v2/: unauthorized: incorrect "
            "username or password"
        ),
        counter="Login Succeeded",
    ),
    Signature(
        failure_class="registry-auth",
        subcause="login-without-password",
        pattern=r"non[- ]TTY",
        texts="Cannot perform an interactive login | the input device is not a TTY",
        channels=_ENGINE,
        weight=0.84,
        meaning="`docker login` got no password: the command before the pipe printed none.",
        fix=(
            "Run the first half alone and read its error: `aws ecr get-login-password --region "
            "{region}` (AWS CLI version 2 is needed)."
        ),
        source=_LOGIN_DOC,
        example="Error: Cannot perform an interactive login from a non TTY device",
        counter="Login Succeeded",
    ),
)
