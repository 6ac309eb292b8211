"""Refused by AWS: who asked, and what IAM, STS or S3 said no to."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    FAMILY,
    STOPPED_REASON,
    TASK,
    TASK_LOG,
    Rule,
)

_DENIED = r"(?:not authorized to perform|AccessDenied|access denied|UnauthorizedOperation|Forbidden|\b403\b)"
_NOT_AUTHORIZED = r"(?:is not authorized to perform|not authorized to perform:?)\s*"
_EXECUTION_ROLE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"
_TASK_ROLE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html"
_STS_CREDENTIALS = "https://docs.aws.amazon.com/cli/latest/userguide/cli-chap-troubleshooting.html"

AWS_ACCESS: tuple[Rule, ...] = (
    Rule(
        failure_class="aws-config",
        subcause="iam-passrole",
        matches=r"iam:PassRole|\bPassRole\b[^\n]*(?:denied|not authorized)",
        confidence=DECISIVE,
        channels=(CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH),
        remedy="Allow the caller iam:PassRole on both roles of the task definition: `aws iam put-user-policy "
        "--user-name <user> --policy-name pass-task-roles --policy-document file://<policy>.json`.",
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
        example="An error occurred (AccessDeniedException) when calling the RunTask operation: User: "
        "arn:aws:iam::111122223333:user/release is not authorized to perform: iam:PassRole on resource: "
        "arn:aws:iam::111122223333:role/loader",
    ),
    Rule(
        failure_class="aws-config",
        subcause="role-trust",
        matches=r"unable to assume (?:the )?role|not authorized to perform: sts:AssumeRole"
        r"|sts:AssumeRoleWithWebIdentity|role (?:defined for the function )?cannot be assumed"
        r"|trust relationship|when calling the AssumeRole\w* operation",
        confidence=DECISIVE - 0.01,
        remedy="Let ecs-tasks.amazonaws.com (or the caller) assume the role: `aws iam update-assume-role-policy "
        "--role-name <role> --policy-document file://<trust>.json`; then see that the role's ARN is the one meant.",
        link=_EXECUTION_ROLE,
        example="ECS was unable to assume the role 'arn:aws:iam::111122223333:role/loader' that was provided for "
        "this task. Please verify that the role being passed has the proper trust relationship and permissions.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="secrets-permission",
        matches=_DENIED
        + r"[^\n]*(?:secretsmanager:|ssm:GetParameter|kms:Decrypt|GetSecretValue|GetParameters?\b)"
        r"|(?:GetSecretValue|GetParameters?|secrets? from (?:asm|ssm))[^\n]*"
        + _DENIED
        + r"|Access to KMS is not allowed",
        confidence=DECISIVE,
        remedy="Let the execution role (for `secrets` of the task definition) or the task role (for calls of the "
        "program) read it: secretsmanager:GetSecretValue or ssm:GetParameters on its ARN, and kms:Decrypt for an own "
        "key: `aws iam put-role-policy --role-name <role> --policy-name read-secret --policy-document file://<policy>.json`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html",
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from "
        "asm: AccessDeniedException: role/loader is not authorized to perform: secretsmanager:GetSecretValue",
        channels=(STOPPED_REASON, *TASK, CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH),
    ),
    Rule(
        failure_class="aws-config",
        subcause="ecr-permission",
        matches=_NOT_AUTHORIZED + r"ecr(?:-public)?:|" + _DENIED + r"[^\n]*\becr(?:-public)?:[A-Z]\w+",
        confidence=DECISIVE,
        remedy="Give the identity named in the message that ECR action: the execution role for a pull "
        "(`aws iam attach-role-policy --role-name <execution-role> --policy-arn "
        "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`), the caller for a push "
        "(AmazonEC2ContainerRegistryPowerUser); across accounts the repository policy too.",
        link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html",
        example="denied: User: arn:aws:iam::111122223333:user/release is not authorized to perform: "
        "ecr:InitiateLayerUpload on resource: arn:aws:ecr:eu-west-3:111122223333:repository/loader",
        channels=(DOCKER_PUSH, DOCKER_BUILD, CLIENT_ERROR, *TASK),
    ),
    Rule(
        failure_class="aws-config",
        subcause="logs-permission",
        matches=_NOT_AUTHORIZED
        + r"logs:|"
        + _DENIED
        + r"[^\n]*(?:logs:Create|CreateLog(?:Group|Stream))|CreateLog(?:Group|Stream)[^\n]*"
        + _DENIED,
        confidence=DECISIVE,
        remedy="Give the execution role logs:CreateLogStream and logs:PutLogEvents (and logs:CreateLogGroup where "
        "awslogs-create-group is on): `aws iam attach-role-policy --role-name <execution-role> --policy-arn "
        "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`.",
        link=_EXECUTION_ROLE,
        example="failed to create Cloudwatch log stream: AccessDeniedException: role/loader is not authorized to "
        "perform: logs:CreateLogStream",
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
    ),
    Rule(
        failure_class="aws-config",
        subcause="s3-access-denied",
        matches=r"\((?:403|AccessDenied|AllAccessDisabled|AccountProblem)\) (?:occurred )?when calling the (?:Head|Get|List|Put|Copy|Delete|Create|Upload)\w*(?:Object|Bucket|Part|Upload)\w*"
        r"|s3:(?:Get|Put|List|Delete)\w+"
        r"|(?:S3Exception|AmazonS3Exception|S3)[^\n]*(?:Access ?Denied|Status Code: 403|Forbidden)"
        r"|fatal error: An error occurred \((?:403|AccessDenied)|AccessDenied[^\n]*s3"
        r"|\bs3[\w.-]*\.amazonaws\.com[^\n]*\b403\b|\b403\b[^\n]*\bs3[\w.-]*\.amazonaws\.com|<Code>AccessDenied</Code>|s3fs[^\n]*(?:Forbidden|PermissionError)"
        r"|PermissionError: (?:Forbidden|Access Denied)|AWS Error ACCESS_DENIED",
        confidence=0.9,
        remedy="Let the task role read the bucket: s3:ListBucket on arn:aws:s3:::<bucket> and s3:GetObject on "
        "arn:aws:s3:::<bucket>/* (and kms:Decrypt where it is encrypted with a key): `aws iam put-role-policy "
        "--role-name <task-role> --policy-name read-source --policy-document file://<policy>.json`.",
        link=_TASK_ROLE,
        example="botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ListObjectsV2 "
        "operation: Access Denied",
        channels=(TASK_LOG, *ECS, CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH),
    ),
    Rule(
        failure_class="aws-config",
        subcause="credentials-missing",
        matches=r"Unable to locate credentials|NoCredentialsError|NoCredentialProviders|no valid providers in chain"
        r"|CredentialsProviderError|Could not load credentials from any providers"
        r"|Missing credentials in config|Unable to load (?:AWS )?credentials from any|CredentialRetrievalError"
        r"|PartialCredentialsError|Partial credentials found"
        r"|failed to (?:retrieve|refresh cached|get) (?:AWS )?credentials|No AWSAccessKey was presented"
        r"|EC2 IMDS (?:role|failed)|no EC2 IMDS role found|EC2Metadata\w*|MissingAuthenticationToken"
        r"|Missing Authentication Token|Error when retrieving (?:credentials|token) from"
        r"|Credentials not available|\.aws/credentials|Unable to get AWS (?:credentials|region)"
        r"|no credentials? (?:were )?found[^\n]*aws|anonymous credentials",
        confidence=0.9,
        remedy="In the task: set taskRoleArn in the task definition, and register it anew. On this machine: "
        "`aws configure` or `aws sso login --profile <profile>`; then `aws sts get-caller-identity` must answer.",
        link=_TASK_ROLE,
        example="botocore.exceptions.NoCredentialsError: Unable to locate credentials",
        channels=(TASK_LOG, CLIENT_ERROR, *ECS, DOCKER_BUILD, DOCKER_PUSH),
        unless=r"GetAuthorizationToken|get-login|non[- ]TTY",
    ),
    Rule(
        failure_class="aws-config",
        subcause="credentials-expired",
        matches=r"ExpiredToken|security token included in the request is (?:expired|invalid)|RequestExpired"
        r"|token has expired and refresh failed|SSO session[^\n]*(?:expired|invalid)|SSOTokenLoadError"
        r"|UnauthorizedSSOTokenError|The SSO access token has (?:either )?expired|Your session has expired"
        r"|credentials[^\n]*(?:have|are|has) expired|refreshed? (?:temporary )?credentials[^\n]*still expired"
        r"|Error loading SSO Token|SSOProviderInvalidToken"
        r"|provided token (?:has expired|is (?:expired|malformed|invalid))",
        confidence=0.9,
        remedy="Get fresh AWS credentials (`aws sso login --profile <profile>`, or new session keys), see that "
        "`aws sts get-caller-identity` answers, then resume.",
        link=_STS_CREDENTIALS,
        example="An error occurred (ExpiredTokenException) when calling the RegisterTaskDefinition operation: The "
        "security token included in the request is expired",
        channels=(CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH),
        unless=r"GetAuthorizationToken|get-login|non[- ]TTY",
    ),
    Rule(
        failure_class="aws-config",
        subcause="credentials-invalid",
        matches=r"UnrecognizedClient(?:Exception)?|InvalidClientTokenId|InvalidAccessKeyId|InvalidToken\b|AuthFailure"
        r"|SignatureDoesNotMatch|InvalidSignatureException|IncompleteSignature"
        r"|AWS Access Key Id you provided does not exist|request signature we calculated does not match"
        r"|AWS was not able to validate the provided access credentials"
        r"|config profile \([^)]*\) could not be found|ProfileNotFound|OptInRequired"
        r"|is not (?:a valid|subscribed)[^\n]*AWS|aws_access_key_id|InvalidIdentityToken"
        r"|Credential should be scoped to|Could not assume role with OIDC|not authorized to assume role",
        confidence=0.88,
        remedy="The keys or the profile are not those of this account: correct them (`aws configure list` shows where "
        "they come from) until `aws sts get-caller-identity` answers with the account you mean.",
        link=_STS_CREDENTIALS,
        example="An error occurred (InvalidClientTokenId) when calling the GetCallerIdentity operation: The security "
        "token in the request does not belong to any account",
        channels=(CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH),
    ),
    Rule(
        failure_class="aws-config",
        subcause="clock-skew",
        matches=r"RequestTimeTooSkewed|difference between the request time and the current time"
        r"|Signature (?:not yet current|expired)|InvalidSignatureException[^\n]*(?:expired|current)"
        r"|request time[^\n]*skew",
        confidence=DECISIVE,
        remedy="The clock of the machine that signs is wrong: `timedatectl set-ntp true` (Docker Desktop and WSL: restart "
        "it, or `sudo hwclock -s`), then try again.",
        link="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example="An error occurred (RequestTimeTooSkewed) when calling the ListBuckets operation: The difference between "
        "the request time and the server's time is too large.",
        channels=(CLIENT_ERROR, TASK_LOG, DOCKER_BUILD, DOCKER_PUSH),
    ),
    Rule(
        failure_class="aws-config",
        subcause="iam-denied",
        matches=r"is not authorized to perform|\bAccessDenied(?:Exception)?\b|UnauthorizedOperation"
        r"|UnauthorizedException|You are not authorized to perform this operation|explicit deny"
        r"|NotAuthorized\b|AuthorizationError(?:Exception)?\b|no identity-based policy allows"
        r"|UnauthorizedAccess|OperationNotPermitted",
        confidence=FAMILY + 0.1,
        remedy="Allow the identity in the message that action on that resource (task role: the program; execution role: "
        "ECS; your own: this machine), then check: `aws iam simulate-principal-policy --policy-source-arn <role-arn> "
        "--action-names <action> --resource-arns <arn>`.",
        link="https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
        example="An error occurred (AccessDeniedException) when calling the Publish operation: role/loader is not "
        "authorized to perform: sns:Publish",
        channels=(CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH),
    ),
)
