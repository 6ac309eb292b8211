"""Other calls that AWS refuses: rights, quotas, what does not exist."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    SPECIFIC,
    TASK_LOG,
    Signature,
)

_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"
_CODES = "https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"
_SEEN = (CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH)

AWS_CALLS = (
    Signature(
        failure_class="aws-config",
        subcause="iam-denied",
        pattern=(
            r"(?:is|are) not authorized to perform(?! iam:Pass)"
            r"|does not have permissions? to (?:call|perform)|logs:\w{4,30}\W{1,4}denied"
        ),
        texts=(
            "unable to perform this operation because you do not have | with an explicit deny"
            " | no identity-based policy allows | no resource-based policy allows"
            " | access to kms is not allowed | customer master key that does not exist"
            " | s3serviceexception:access denied | account is not authorized"
            " | not authorized to perform | User is not authorized"
        ),
        names=(
            "AccessDenied~ AccessDeniedException UnauthorizedOperation AuthorizationError~ "
            "AuthorizationErrorException OperationNotPermitted~ NotAuthorized~ UnauthorizedAccess~ "
            "DisabledException KMSInvalidStateException KmsException KMSAccessDeniedException "
            "KMS_DISABLED OrganizationAccessDenied"
        ),
        within=(
            r"aws|amazon|\blogs:|\barn:|An error occurred|api error|Exception|boto|\biam\b|\bs3\b|\becs\b"
            r"|policy|perform|execution role"
        ),
        without=r"mongo|mysql|psycopg|FileSystem|java\.nio",
        channels=_SEEN,
        weight=0.84,
        meaning="IAM refuses that action on that resource to that identity.",
        fix=(
            "Allow {principal} the action {action} on {resource}: `aws iam put-role-policy "
            "--role-name {role} --policy-name allow-{operation} --policy-document "
            "file://policy.json`; `aws iam simulate-principal-policy --policy-source-arn "
            "{principal} --action-names {action}` shows what denies it."
        ),
        source=_IAM,
        example=(
            "An error occurred (AccessDeniedException) when calling the Publish operation: "
            "role/loader is not authorized to perform: sns:Publish"
        ),
        counter="INFO authorized, 0 denied",
    ),
    Signature(
        failure_class="aws-config",
        subcause="quota",
        pattern=(
            r"reached the limit (?:of \d{1,6} )?on (?:the )?number of"
            r"|quota[^\n]{0,60}(?:exceeded|reached)"
            r"|exceed\w{0,3}[^\n]{0,60}(?:service quota|account limit)"
            r"|limit (?:on|of) (?:vCPU|task)s?[^\n]{0,60}(?:reached|exceeded)"
        ),
        texts=(
            "account is currently blocked | aws account was blocked | layer part size limit"
            " | too many active revisions"
        ),
        names=(
            "LimitExceeded~ LimitExceededException ServiceQuotaExceeded~ QuotaExceeded~ "
            "VcpuLimitExceeded TooManyBuckets MaxSpotInstanceCountExceeded BlockedException "
            "ResourceLimitExceeded NetworkInterfaceLimitExceeded AddressLimitExceeded"
        ),
        without=r"RequestLimit|space quota|mongo|disk quota|toomanyrequests|Throttling|collections",
        channels=_SEEN,
        weight=SPECIFIC,
        meaning="A quota of the account is reached; waiting does not help.",
        fix=(
            "Stop what is not needed, or ask for more: `aws service-quotas list-service-quotas "
            "--service-code fargate --region {region}` shows the code, `aws service-quotas "
            "request-service-quota-increase --service-code fargate --quota-code <quota-code> "
            "--desired-value <n> --region {region}` asks."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html",
        example="You've reached the limit on the number of vCPUs you can run concurrently",
        counter="INFO 3 of 5 tasks, under the quota",
    ),
    Signature(
        failure_class="aws-config",
        subcause="bucket-missing",
        pattern=r"\bBucket\b[^\n]{0,60}(?:does not exist|not found)",
        texts=(
            "specified bucket does not exist | required parameter name not set"
            " | bucket name must match the regex | Invalid bucket name"
        ),
        names="NoSuchBucket InvalidBucketName NoSuchBucketException",
        without=r"NO_SUCH_KEY|NoSuchKey",
        channels=_SEEN,
        weight=0.91,
        meaning="The bucket does not exist under that name in that account.",
        fix=(
            "Correct the bucket's name in the task definition, or create it: `aws s3 ls`, `aws s3 "
            "mb s3://{bucket} --region {region}`."
        ),
        source="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example=(
            "botocore.errorfactory.NoSuchBucket: An error occurred (NoSuchBucket) when calling the "
            "ListObjectsV2 operation: The specified bucket does not exist"
        ),
        counter="INFO bucket raw is there",
    ),
    Signature(
        failure_class="aws-config",
        subcause="aws-request-refused",
        pattern=(
            r"An error occurred \((?P<code>[\w.]{2,80})\) (?:occurred )?when calling (?:the )?"
            r"(?P<operation>\w{3,60})"
            r"|botocore\.(?:exceptions|errorfactory)\.\w{3,60}|api error (?P<api_code>\w{3,60}):"
            r"|operation error [\w ]{2,40}: \w{3,60}|\(Service: [\w ]{2,40}[;,] Status Code: 4\d\d"
            r"|status code: 4\d\d, request id|AWS Error \w{3,40} during"
            r"|\bAWS\.[A-Z]\w{2,40}\.[A-Z]\w{2,60}|Amazon\w{2,40}Exception\b"
            r"|boto\.exception\.\w{3,60}"
        ),
        texts=(
            "resource handler returned message | waiter tasksstopped failed"
            " | waiter servicesstable failed | non-existent queue | specified queue does not exist"
            " | sessionmanagerplugin is not found | parameter validation failed | aws: error:"
        ),
        names=(
            "ClientException InvalidParameterException ValidationException "
            "ResourceNotFoundException InvalidRequestException ParamValidationError "
            "SdkClientException ResourceInUse~ TargetNotConnectedException InvalidObjectState~ "
            "QueueDoesNotExist UnsupportedFeatureException UnsupportedOperationException "
            "ResourceInUseException InvalidParameterValue~ ValidationError WaiterError "
            "KMSInvalidState~ AWSBadRequestException SSLClientError ResourceNotFoundFault "
            "EntityAlreadyExists ConditionalCheckFailedException"
        ),
        within=(
            r"aws|amazon|\barn:|An error occurred|api error|ClientException"
            r"|InvalidParameterException|Parameter validation|boto|\bs3\b|\becs\b|\bECR\b|waiter"
            r"|wsdl|Service:|status code|SessionManager|resource handler|client_error"
        ),
        without=(
            r"non[- ]TTY|pydantic|marshmallow|jsonschema|mongo|\bPath `|ParamSpec|django|\(5\d\d\)"
            r"|ServerException|Unavailable"
        ),
        channels=_SEEN,
        weight=0.66,
        meaning="AWS refused the call for a reason that stands in its message.",
        fix=(
            "Correct what the message names in the call {operation} ({code}); `aws sts "
            "get-caller-identity` and `aws configure list` show as whom and where it was made."
        ),
        source=_CODES,
        example=(
            "An error occurred (InvalidRequestException) when calling the CreateThing operation: "
            "the name is taken"
        ),
        counter="INFO botocore session opened",
    ),
)
