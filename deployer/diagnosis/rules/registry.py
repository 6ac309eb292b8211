"""The registry does not know who asks: logins, tokens and credential helpers."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    FAMILY,
    Rule,
)

_SEEN = (DOCKER_PUSH, DOCKER_BUILD, CLIENT_ERROR, *ECS)
_LOGIN = (
    "Log in to the registry anew: `aws ecr get-login-password --region <region> | docker login --username AWS "
    "--password-stdin <account>.dkr.ecr.<region>.amazonaws.com`"
)
_DOC = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html"
_ERRORS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"

REGISTRY: tuple[Rule, ...] = (
    Rule(
        failure_class="registry-auth",
        subcause="token-expired",
        matches=r"authorization token (?:has expired|is invalid|is expired)"
        r"|authorization token[^\n]*(?:expired|invalid)|token (?:has )?expired[^\n]*get-login",
        confidence=DECISIVE,
        channels=_SEEN,
        remedy=_LOGIN + " (a token lives 12 hours).",
        link=_DOC,
        example="denied: Your authorization token has expired",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="credential-helper",
        matches=r"error (?:storing|getting|saving|listing) credentials|docker-credential-[\w-]+|credential helper"
        r"|credsStore|credHelpers|Error saving credentials"
        r"|specified item (?:already exists|could not be found) in the keychain|pass not initialized"
        r"|ecr-login[^\n]*(?:error|fail)|gpg[^\n]*(?:decryption|pass)|Cannot autolaunch D-Bus"
        r"|org\.freedesktop\.secrets",
        confidence=0.93,
        channels=_SEEN,
        remedy="Correct `credsStore`/`credHelpers` in ~/.docker/config.json (the helper it names is missing or fails), or take "
        "the entry out; then log in again with `docker login`.",
        link="https://docs.docker.com/reference/cli/docker/login/#credential-stores",
        example='error getting credentials - err: exec: "docker-credential-pass": executable file not found in $PATH, out: ``',
    ),
    Rule(
        failure_class="registry-auth",
        subcause="not-logged-in",
        matches=r"no basic auth credentials|authentication ?required|not logged in|login prior to (?:push|pull)"
        r"|no credentials? (?:found|available)[^\n]*registry",
        confidence=0.9,
        channels=_SEEN,
        remedy=_LOGIN + ", for the very host in the image's name.",
        link=_ERRORS,
        example="no basic auth credentials",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="not-logged-in",
        matches=r"(?:please|must|need to|may require '?)(?: run)? ?'?docker login|access to the resource is denied"
        r"|authorization failed",
        confidence=0.88,
        channels=(DOCKER_PUSH, CLIENT_ERROR),
        remedy=_LOGIN + ", for the very host in the image's name.",
        link=_ERRORS,
        example="denied: requested access to the resource is denied",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="public-ecr-token",
        matches=r"public\.ecr\.aws[^\n]*(?:403|Forbidden|denied|expired|401|unauthorized)"
        r"|(?:403|denied|401)[^\n]*public\.ecr\.aws",
        confidence=DECISIVE,
        channels=_SEEN,
        unless=r"toomanyrequests",
        remedy="A stale token for public.ecr.aws is refused where none would do: `docker logout public.ecr.aws`, or log in "
        "anew with `aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws`.",
        link="https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html",
        example="failed to resolve source metadata for public.ecr.aws/docker/library/python:3.12: unexpected status from HEAD "
        "request: 403 Forbidden",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="login-failed",
        matches=r"incorrect username or password|login attempt[^\n]*failed|failed with status: 40[013]"
        r"|status: 40[013] (?:Unauthorized|Bad Request|Forbidden)|40[013] Unauthorized|(?-i:\bUNAUTHORIZED\b)"
        r"|unauthorized: |invalid username/password|(?:bad|invalid) credentials|Must provide --username"
        r"|Password Required|password-stdin|access forbidden|two-factor|personal access token|invalid token"
        r"|failed to (?:fetch|get) (?:oauth|anonymous) token: unexpected status[^\n]*(?:401|403)"
        r"|denied: denied|unknown (?:options?|(?:shorthand )?flag)"
        r"|failed to authorize: [^\n]*(?:401|403|unauthorized)|unable to retrieve auth"
        r"|(?<!require ')docker login[^\n]*(?:fail|error)",
        confidence=0.82,
        channels=_SEEN,
        unless=r"not authorized to perform|/simple/",
        remedy=_LOGIN
        + "; the user name is AWS, the password the token as printed, the host the registry's without a path.",
        link=_ERRORS,
        example="Error response from daemon: Get https://111122223333.dkr.ecr.eu-west-3.amazonaws.com/v2/: unauthorized: "
        "incorrect username or password",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="login-without-credentials",
        matches=r"Unable to locate credentials|ExpiredToken"
        r"|security token included in the request is (?:expired|invalid)|Error loading SSO Token"
        r"|Token has expired and refresh failed|when calling the GetAuthorizationToken operation",
        context=r"get-login|GetAuthorizationToken|non[- ]TTY|docker login",
        unless=r"not authorized to perform|AccessDenied|Throttling|Rate exceeded",
        confidence=0.91,
        channels=_SEEN,
        remedy="The token for the registry needs AWS credentials, and there are none that are valid: `aws sso login --profile "
        "<profile>` (or new keys), then `aws ecr get-login-password --region <region>` must print a token.",
        link=_DOC,
        example="Unable to locate credentials\nError: Cannot perform an interactive login from a non TTY device",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="login-without-password",
        matches=r"non[- ]TTY|Cannot perform an interactive login",
        confidence=FAMILY - 0.1,
        channels=_SEEN,
        remedy="`docker login` got no password: the command before the pipe failed or printed nothing; run it alone: "
        "`aws ecr get-login-password --region <region>`.",
        link=_DOC,
        example="Error: Cannot perform an interactive login from a non TTY device",
    ),
    Rule(
        failure_class="registry-auth",
        subcause="push-refused",
        matches=r"(?:unexpected status|HEAD|PUT|POST|PATCH)[^\n]*403|^\W*denied\b|denied: |403 Forbidden|HTTP 403",
        confidence=FAMILY,
        channels=(DOCKER_PUSH,),
        unless=r"not authorized to perform",
        remedy=_LOGIN
        + "; if it is refused still, the repository's policy or your IAM rights do not allow the push.",
        link=_ERRORS,
        example="failed to push: unexpected status from HEAD request to https://111122223333.dkr.ecr.eu-west-3.amazonaws.com: "
        "403 Forbidden",
    ),
)
