"""ECS refused a call or a placement: task definition, network settings, cluster, quotas."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    FAMILY,
    GENERIC,
    RUN_TASK_FAILURE,
    TASK_LOG,
    Rule,
)

_CALL = (CLIENT_ERROR, RUN_TASK_FAILURE, *ECS, DOCKER_PUSH)
_CALL_OR_LOG = (*_CALL, TASK_LOG, DOCKER_BUILD)
_FAILURES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"
_NETWORK = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html"
_DEFINITION = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"

ECS_API: tuple[Rule, ...] = (
    Rule(
        failure_class="aws-config",
        subcause="no-container-instances",
        matches=r"No Container Instances were found|cluster has no (?:registered )?container instances"
        r"|EMPTY CAPACITY PROVIDER",
        confidence=DECISIVE,
        channels=_CALL,
        remedy="The cluster has no EC2 instance: run on Fargate (launch type FARGATE, requiresCompatibilities FARGATE), or "
        "register instances: `aws ecs list-container-instances --cluster <cluster>`.",
        link=_FAILURES,
        example="InvalidParameterException: No Container Instances were found in your cluster.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="placement-constraint",
        matches=r"placement constraint|missing an attribute|(?-i:\bATTRIBUTE\b)"
        r"|\"?reason\"?\W+(?-i:MISSING|INACTIVE|LOCATION)\b|MemberOf|distinctInstance"
        r"|didn't match[^\n]*constraint|^\W*(?-i:MISSING|INACTIVE|LOCATION)\W*$",
        confidence=0.9,
        channels=_CALL,
        remedy="What was asked for does not exist there: no instance satisfies the constraint or attribute, or the named task, "
        "instance or cluster is missing or inactive: `aws ecs describe-container-instances --cluster <cluster> "
        "--container-instances <id>`, `aws ecs describe-clusters --clusters <cluster>`.",
        link=_FAILURES,
        example="unable to place a task: container-instance 0a is missing an attribute required by your task",
    ),
    Rule(
        failure_class="aws-config",
        subcause="quota",
        matches=r"reached the limit on (?:the )?number of|LimitExceeded(?:Exception)?\b|QuotaExceeded"
        r"|quota[^\n]*(?:exceeded|reached)|(?:exceed|reach)\w*[^\n]*(?:service )?(?:quota|account limit)"
        r"|VcpuLimitExceeded|too many (?:active )?revisions"
        r"|limit (?:on|of) (?:vCPU|task)s?[^\n]*(?:reached|exceeded)|account is currently blocked"
        r"|TooManyBuckets|Maximum number of[^\n]*(?:reached|exceeded)",
        confidence=0.83,
        channels=_CALL_OR_LOG,
        unless=r"RequestLimitExceeded|SubscriptionLimit|space quota|mongo|Disk quota|toomanyrequests"
        r"|ThrottlingException",
        remedy="A quota of the account is reached, waiting does not help: stop what is not needed, or ask for more: "
        "`aws service-quotas request-service-quota-increase --service-code fargate --quota-code <code> --desired-value <n>`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html",
        example="You've reached the limit on the number of vCPUs you can run concurrently",
    ),
    Rule(
        failure_class="aws-config",
        subcause="network-configuration",
        matches=r"Network Configuration (?:is not valid|must be provided)"
        r"|(?:subnets?|security ?groups?) can(?:not| not) be (?:empty|blank)"
        r"|awsvpc(?:Configuration)?[^\n]*(?:required|must|not (?:valid|supported|compatible))"
        r"|assign ?public ?IP[^\n]*not supported|networkMode[^\n]*(?:required|must|invalid|not)"
        r"|Network Configuration must|subnets? (?:is|are) (?:required|not valid)"
        r"|(?:subnet|security group)s? (?:IDs? )?[^\n]*(?:does not exist|not exist|invalid)"
        r"|must (?:be|have)[^\n]*same VPC|Invalid id: \"",
        confidence=0.9,
        channels=_CALL,
        remedy="Give awsvpcConfiguration subnets, security groups and assignPublicIp in [run] of deploy.toml (only tasks with "
        "networkMode awsvpc take it): `aws ec2 describe-subnets --filters Name=vpc-id,Values=<vpc>`.",
        link=_NETWORK,
        example="InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="execution-role-missing",
        matches=r"requires? (?:that )?(?:the )?task definition to have (?:an )?execution role"
        r"|execution ?role ?(?:ARN)?[^\n]*(?:required|missing|must|invalid)|service linked role"
        r"|Role is not valid|role[^\n]*(?:does not exist|cannot be found|not valid)|NoSuchEntity[^\n]*role",
        confidence=0.88,
        channels=_CALL_OR_LOG,
        remedy="Set executionRoleArn (and taskRoleArn where the program calls AWS) to roles that exist and that "
        "ecs-tasks.amazonaws.com may assume: `aws iam get-role --role-name ecsTaskExecutionRole`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
        example="ClientException: executionRoleArn is required for images from ECR",
    ),
    Rule(
        failure_class="aws-config",
        subcause="task-definition-invalid",
        matches=r"No Fargate configuration exists|Invalid 'cpu' setting|Invalid setting for container"
        r"|At least one of 'memory'"
        r"|(?:cpu|memory)[^\n]*(?:value|combination|setting)[^\n]*(?:invalid|not (?:valid|supported)|unsupported)"
        r"|RegisterTaskDefinition[^\n]*(?:ClientException|InvalidParameter|ParamValidation|SerializationException)"
        r"|(?:ClientException|InvalidParameterException)[^\n]*(?:RegisterTaskDefinition|container|task definition|taskDefinition)"
        r"|Container\.(?:name|image) |Error parsing parameter"
        r"|Unknown parameter in (?:input|containerDefinitions)|Unexpected key[^\n]*found in params"
        r"|Missing required parameter in input|(?:no|one|least)[^\n]*essential container|log driver option"
        r"|unknown log opt|TaskDefinition (?:is|was|not)|Unable to describe task definition"
        r"|Unknown task definition"
        r"|task definition[^\n]*(?:inactive|not found|does not (?:exist|support|match)|incompatible|not compatible)"
        r"|requiresCompatibilities|Task definition does not support|duplicate[^\n]*environment",
        confidence=0.8,
        channels=_CALL,
        remedy="Correct the task definition where the message says so, and look at what ECS has now: "
        "`aws ecs describe-task-definition --task-definition <family>`.",
        link=_DEFINITION,
        example="An error occurred (ClientException) when calling the RegisterTaskDefinition operation: No Fargate "
        "configuration exists for given values.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="cluster-missing",
        matches=r"ClusterNotFound(?:Exception)?|Cluster not found"
        r"|cluster[^\n]*(?:was not found|inactive|does not exist)|ServiceNotFound(?:Exception)?"
        r"|ServiceNotActive|Service not found|Referenced cluster was inactive",
        confidence=0.9,
        channels=_CALL_OR_LOG,
        unless=r"mongo|database cluster|kubernetes",
        remedy="The cluster or service does not exist in that region and account: correct [run] cluster, or create it: "
        "`aws ecs create-cluster --cluster-name <cluster> --region <region>`.",
        link=_FAILURES,
        example="An error occurred (ClusterNotFoundException) when calling the RunTask operation: Cluster not found.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="region",
        matches=r"You must specify a region|NoRegionError|Missing region in config|Region is missing|Invalid region"
        r"|InvalidRegion\w*|Provided region_name '|Unknown region|UnknownEndpoint|Inaccessible host"
        r"|may not be available in the|Invalid Region|could not find region"
        r"|not (?:available|supported) in (?:this |the )?region|PermanentRedirect|AuthorizationHeaderMalformed"
        r"|the region '[^']*' is wrong|IllegalLocationConstraint"
        r"|must be addressed using the specified endpoint|MissingRegion|Invalid endpoint: |Could not find the region",
        confidence=0.9,
        channels=(CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH),
        remedy="Set the region that the resources are in: AWS_REGION in the task definition's environment, or "
        "`aws configure set region <region>` on this machine.",
        link="https://docs.aws.amazon.com/general/latest/gr/rande.html",
        example="botocore.exceptions.NoRegionError: You must specify a region.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="bucket-missing",
        matches=r"NoSuchBucket|specified bucket does not exist|InvalidBucketName|Invalid bucket name|Required parameter name not set"
        r"|\bBucket\b[^\n]{0,60}(?:does not exist|not found)",
        confidence=0.9,
        channels=(TASK_LOG, CLIENT_ERROR, *ECS, DOCKER_BUILD, DOCKER_PUSH),
        unless=r"(?-i:NO_SUCH_KEY)|NoSuchKey",
        remedy="Correct the bucket's name (S3_BUCKET_NAME in the task definition) or create it: `aws s3 ls`, "
        "`aws s3 mb s3://<bucket> --region <region>`.",
        link="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example="botocore.errorfactory.NoSuchBucket: An error occurred (NoSuchBucket) when calling the ListObjectsV2 "
        "operation: The specified bucket does not exist",
    ),
    Rule(
        failure_class="aws-config",
        subcause="aws-request-refused",
        matches=r"An error occurred \([\w.]+\) (?:occurred )?when calling (?:the )?\w+"
        r"|botocore\.(?:exceptions|errorfactory)\.\w+|api error \w+:|operation error [\w ]+: \w+"
        r"|\(Service: (?:Amazon|Aws)?\w+; Status Code: \d+|status code: 4\d\d, request id|ParamValidationError"
        r"|aws\W+error:|Amazon\w+Exception|com\.amazonaws\.\w+|software\.amazon\.awssdk|@aws-sdk"
        r"|aws-sdk-go|AWS Error \w+ during|AWS\.[A-Z]\w+\.[A-Z]\w+|Resource handler returned message"
        r"|\b(?:Client|InvalidParameter|Validation|ResourceNotFound|InvalidRequest)Exception\b",
        confidence=GENERIC + 0.12,
        channels=_CALL_OR_LOG,
        unless=r"non[- ]TTY",
        remedy="AWS refused the call: read its message, correct the named parameter, resource or permission, and try "
        "again; `aws sts get-caller-identity` and `aws configure list` show as whom and where.",
        example="An error occurred (InvalidRequestException) when calling the CreateThing operation: the name is taken",
    ),
    Rule(
        failure_class="aws-config",
        subcause="placement-failed",
        matches=r"unable to place a task",
        confidence=FAMILY - 0.1,
        channels=(RUN_TASK_FAILURE, CLIENT_ERROR, *ECS),
        remedy="No instance met the task's requirements: read the reason behind it in "
        "`aws ecs describe-services --cluster <cluster> --services <service> --query 'services[].events[:5]'`.",
        link=_FAILURES,
        example="service loader was unable to place a task.",
    ),
)
