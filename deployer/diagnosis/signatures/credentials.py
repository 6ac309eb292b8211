"""Unknown to AWS: credentials, profiles, clocks, regions."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    TASK_LOG,
    Signature,
)

_TASK_ROLE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"
_CLI = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-troubleshooting.html"
_SEEN = (CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH)

CREDENTIALS = (
    Signature(
        failure_class="aws-config",
        subcause="credentials-missing",
        pattern=(
            r"169\.254\.170\.2[^\n]{0,80}refused"
            r"|failed to (?:retrieve|refresh cached|get) (?:AWS )?credentials"
        ),
        texts=(
            "unable to locate credentials | could not load credentials"
            " | credentials could not be loaded | missing credentials in config"
            " | unable to load aws credentials | partial credentials found"
            " | no awsaccesskey was presented | error when retrieving credentials from"
            " | credentials not available | unable to get aws credentials"
            " | unable to find credentials | missing authentication token"
            " | no valid credential sources | no credential providers | no valid providers in chain"
            " | credential provider was not enabled | .aws/credentials'"
            " | unable to find aws credentials | profile does not have credentials"
            " | no handler was ready to authenticate | could not find credentials"
            " | no credentials found | the aws credentials | unable to load credentials"
            " | unable to retrieve credentials | no EC2 IMDS | get credentials: failed"
        ),
        names=(
            "NoCredentialsError NoCredentialProviders CredentialsProviderError "
            "CredentialRetrievalError PartialCredentialsError EC2MetadataError EC2RoleRequestError "
            "MissingAuthenticationToken~ NoAuthHandlerFound CredentialUnavailableError "
            "CredentialsNotLoaded NoCredentials CredentialsError"
        ),
        without=r"GetAuthorizationToken|get-login|non[- ]TTY|docker|gcloud|azure|google",
        channels=_SEEN,
        weight=0.92,
        meaning="There are no AWS credentials where the call is made.",
        fix=(
            "In a task: set `taskRoleArn` in the task definition and register it again. On this "
            "machine: `aws configure` or `aws sso login --profile {profile}`; `aws sts "
            "get-caller-identity` must then answer."
        ),
        source=_TASK_ROLE,
        example="botocore.exceptions.NoCredentialsError: Unable to locate credentials",
        counter="INFO Found credentials in environment variables.",
    ),
    Signature(
        failure_class="aws-config",
        subcause="credentials-expired",
        pattern=(
            r"SSO (?:session|access token)[^\n]{0,80}(?:expired|invalid)"
            r"|credentials[^\n]{0,40}(?:have|has|are|still) (?:been )?expired"
        ),
        texts=(
            "security token included in the request is expired | token has expired and refresh failed"
            " | your session has expired | error loading sso token | provided token has expired"
            " | the security token included in the request is invalid | provided token is malformed"
            " | provided token is invalid | provided token is expired | request has expired"
        ),
        names=(
            "ExpiredToken~ ExpiredTokenException RequestExpired SSOTokenLoadError "
            "UnauthorizedSSOTokenError SSOProviderInvalidToken TokenRefreshRequired "
            "ExpiredCredentials"
        ),
        without=r"GetAuthorizationToken|get-login|non[- ]TTY|jwt|InvalidClientTokenId",
        channels=_SEEN,
        weight=0.91,
        meaning="The AWS credentials were valid once and are no longer.",
        fix=(
            "Get fresh credentials (`aws sso login --profile {profile}`, or new session keys) "
            "until `aws sts get-caller-identity` answers; then `deployer resume`."
        ),
        source=_CLI,
        example=(
            "An error occurred (ExpiredTokenException) when calling the RegisterTaskDefinition "
            "operation: The security token included in the request is expired"
        ),
        counter="INFO token refreshed before it expired",
    ),
    Signature(
        failure_class="aws-config",
        subcause="clock-skew",
        texts=(
            "difference between the request time and the current time | signature not yet current"
            " | signature expired: | difference between the request time and the server's time"
        ),
        names="RequestTimeTooSkewed RequestInTheFuture",
        channels=(CLIENT_ERROR, TASK_LOG, DOCKER_BUILD, DOCKER_PUSH),
        weight=DECISIVE,
        meaning="The clock of the machine that signs the call is wrong.",
        fix=(
            "Set the clock: `sudo timedatectl set-ntp true` (WSL and Docker Desktop: restart it, "
            "or `sudo hwclock -s`); `date -u` must show the right time; then try again."
        ),
        source="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example=(
            "An error occurred (RequestTimeTooSkewed) when calling the ListBuckets operation: The "
            "difference between the request time and the server's time is too large."
        ),
        counter="INFO clock in step, request time 12 ms",
    ),
    Signature(
        failure_class="aws-config",
        subcause="credentials-invalid",
        texts=(
            "aws access key id you provided does not exist"
            " | request signature we calculated does not match"
            " | aws was not able to validate the provided access credentials | config profile ("
            " | credential should be scoped to | security token in the request does not belong"
            " | you are not subscribed to this service"
            " | security token included in the request is invalid"
        ),
        names=(
            "UnrecognizedClient~ InvalidClientTokenId InvalidAccessKeyId~ InvalidToken AuthFailure "
            "SignatureDoesNotMatch~ InvalidSignature~ IncompleteSignature~ ProfileNotFound "
            "OptInRequired InvalidIdentityToken~ AuthorizationHeaderMalformed NotSignedUp"
        ),
        without=r"jwt|postgres|GetAuthorizationToken",
        channels=_SEEN,
        weight=0.9,
        meaning="The access keys or the profile are not those of this account.",
        fix=(
            "Correct the keys or the profile {profile} (`aws configure list` shows where they come "
            "from) until `aws sts get-caller-identity` answers with the account you mean."
        ),
        source=_CLI,
        example=(
            "An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity "
            "operation: The security token in the request does not belong to any account"
        ),
        counter="INFO profile loaded, signature version 4",
    ),
    Signature(
        failure_class="aws-config",
        subcause="region",
        pattern=(
            r"the region '[^'\n]{1,40}' is wrong"
            r"|not (?:available|supported) in (?:this |the )?region|invalid region[: ]"
        ),
        texts=(
            "you must specify a region | missing region in config | region is missing"
            " | input required and not supplied: aws-region"
            " | must be addressed using the specified endpoint | may not be available in the"
            " | unknown region | invalid endpoint: s3 | inaccessible host | region_name '"
            " | could not find the region | could not find region | unable to find a region"
            " | Unable to load region"
        ),
        names=(
            "NoRegionError MissingRegion InvalidRegionError PermanentRedirect "
            "IllegalLocationConstraint~ UnknownEndpoint InvalidRegionException"
        ),
        channels=_SEEN,
        weight=0.9,
        meaning="No AWS region is set, or a wrong one.",
        fix=(
            "Set the region of the resources: `aws configure set region {region}` here, or "
            "AWS_REGION={region} in the task definition's `environment`."
        ),
        source="https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html",
        example="botocore.exceptions.NoRegionError: You must specify a region.",
        counter="INFO region eu-west-3",
    ),
    Signature(
        failure_class="aws-config",
        subcause="wrong-region",
        pattern=(
            r"\b(?:ecr|ecs|s3|sts|ec2|logs|ssm|kms|sqs|sns|secretsmanager|dynamodb|lambda|api"
            r"|dkr)\.(?!(?:us|eu|ap|sa|ca|me|af|il|mx|cn|eusc)-(?:gov-|isob?-|isoe-"
            r"|de-)?(?:(?:north|south)?(?:east|west)|north|south|central)-[1-7]\.)(?!dkr|api\."
            r"|ecr\.|sso\.|amazonaws|dualstack|accesspoint"
            r"|s3)(?P<wrong>[\w<>${}-]{0,40})\.amazonaws\.com"
            r"|\b(?:sts|ecs|ecr|s3)\.(?P<name>[a-z]{8,20}\d{0,6})\.amazonaws\.com"
            r"|[./](?:None|null|undefined|your-region|region|us-west|us-east"
            r"|eu-west)\.amazonaws\.com"
        ),
        texts="..amazonaws.com",
        within=r"endpoint|host|lookup|resol|connect|invalid|error",
        without=r"dkr\.ecr\.(?:us|eu|ap|sa|ca|me|af|il)-\w{4,12}-\d\.amazonaws\.com/[^\n]{0,80}denied",
        weight=0.93,
        meaning=(
            "The region in the host name does not exist: an availability zone, a placeholder, or nothing."
        ),
        fix=(
            "Set a region that exists (a zone such as eu-west-3a belongs to the region eu-west-3): "
            "`aws configure set region {region}`, and AWS_REGION in the task definition."
        ),
        source="https://docs.aws.amazon.com/general/latest/gr/rande.html",
        example='Could not connect to the endpoint URL: "https://ecs.eu-west-3a.amazonaws.com/"',
        counter='Could not connect to the endpoint URL: "https://ecs.eu-west-3.amazonaws.com/"',
    ),
)
