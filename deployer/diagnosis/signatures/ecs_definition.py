"""What ECS says of task definitions, roles, clusters and health."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    ECS,
    FAMILY,
    TASK_LOG,
    Signature,
)

_REASONS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"
_FAILURES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"
_REWRITES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html"
_CALL = (CLIENT_ERROR, *ECS)

ECS_DEFINITION = (
    Signature(
        failure_class="aws-config",
        subcause="execution-role-missing",
        pattern=(
            r"requires? (?:that )?(?:the )?task definition to have (?:an )?execution role"
            r"|execution ?role ?(?:ARN)?[^\n]{0,60}(?:required|missing|must|invalid)"
            r"|role[^\n]{0,60}(?:does not exist|cannot be found|not valid)"
            r"|NoSuchEntity[^\n]{0,80}role"
        ),
        texts="role is not valid | service linked role | service-linked role",
        without=r"trust relationship|assume|not authorized",
        channels=(*_CALL, TASK_LOG),
        weight=0.9,
        meaning="The task definition names no execution role, or one that does not exist.",
        fix=(
            "Set executionRoleArn (and taskRoleArn where the program calls AWS) to a role that "
            "exists: `aws iam get-role --role-name {role}`; ecsTaskExecutionRole with "
            "AmazonECSTaskExecutionRolePolicy is the usual one."
        ),
        source=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"),
        example=(
            "ClientException: Fargate requires task definition to have execution role ARN to "
            "support ECR images."
        ),
        counter="INFO execution role loader-execution",
    ),
    Signature(
        failure_class="aws-config",
        subcause="task-definition-invalid",
        pattern=(
            r"(?:cpu|memory)['\" ][^\n]{0,80}(?:value|combination|setting"
            r"|greater)[^\n]{0,40}(?:invalid|not (?:valid|supported)|unsupported|than)"
            r"|Unexpected key[^\n]{0,60}found in params"
            r"|(?:no|one|least)[^\n]{0,40}essential container|log driver [^\n]{0,30}option"
            r"|task ?definition[^\n]{0,80}(?:inactive|not found|does not (?:exist|support|match"
            r"|contain)|incompatib|not compatible|not have)"
            r"|container [\w-]{1,60} does not exist in the task definition"
            r"|(?:ClientException|InvalidParameterException)[^\n]{0,200}(?:RegisterTaskDefinition"
            r"|container|task ?definition|platform)"
            r"|RegisterTaskDefinition[^\n]{0,80}(?:ClientException|InvalidParam|ParamValid"
            r"|Serialization)"
        ),
        texts=(
            "no fargate configuration exists | invalid 'cpu' setting | invalid setting for container"
            " | at least one of 'memory' | error parsing parameter"
            " | missing required parameter in input | unknown log opt"
            " | unable to describe task definition | requirescompatibilities"
            " | invalid task definition | host ports and container ports in port mappings must match"
            " | requires that 'cpu' be defined | not idempotent"
            " | one or more of the requested capabilities | the platform version"
            " | invalid type for parameter | Container.name  | Container.image "
            " | Unknown parameter in input | Unknown parameter in container | Expected params."
        ),
        names="PlatformTaskDefinitionIncompatibilityException PlatformUnknownException",
        without=(
            r"concurrent attempts|execution role|not authorized|load balanc|network ?mode="
            r"|ServiceUnavailable|target group"
        ),
        channels=_CALL,
        weight=0.87,
        meaning="ECS refuses the task definition, or knows none of that name.",
        fix=(
            "Correct the task definition where the message says so (Fargate: cpu 256 goes with "
            "memory 512 to 2048) and compare it with what ECS has: `aws ecs "
            "describe-task-definition --task-definition {family} --region {region}`."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html",
        example=(
            "An error occurred (ClientException) when calling the RegisterTaskDefinition "
            "operation: No Fargate configuration exists for given values."
        ),
        counter="INFO task definition loader:7 registered",
    ),
    Signature(
        failure_class="aws-config",
        subcause="cluster-missing",
        pattern=(
            r"cluster[^\n]{0,40}(?:was not found|inactive|does not exist)"
            r"|capacity provider[^\n]{0,60}was not found"
        ),
        texts=("cluster not found | service not found | service was not active | namespace does not exist"),
        names=(
            "ClusterNotFound~ ClusterNotFoundException ServiceNotFound~ ServiceNotFoundException "
            "ServiceNotActive~ ServiceNotActiveException"
        ),
        within=r"clustern|servicen|\becs\b|cluster|service|capacity provider",
        without=r"mongo|database cluster|kubernetes|\bshard",
        channels=(*_CALL, TASK_LOG),
        weight=0.9,
        meaning="The cluster or service does not exist in that region and account.",
        fix=(
            "Correct [run] cluster, or create it: `aws ecs list-clusters --region {region}`, `aws "
            "ecs create-cluster --cluster-name {cluster} --region {region}`."
        ),
        source=_FAILURES,
        example=(
            "An error occurred (ClusterNotFoundException) when calling the RunTask operation: "
            "Cluster not found."
        ),
        counter="INFO cluster loader is active",
    ),
    Signature(
        failure_class="aws-config",
        subcause="load-balancer-health",
        pattern=r"target ?group[^\n]{0,60}(?:health|load balancer)",
        texts=(
            "ELB health checks | is unhealthy in | Health checks failed | Classic Load balancers"
            " | HEALTH_CHECK"
        ),
        channels=_CALL,
        weight=FAMILY,
        meaning="The load balancer or the container's health check gives up on the task.",
        fix=(
            "See why: `aws elbv2 describe-target-health --target-group-arn {target_group} --region "
            "{region}`; correct path and port of the health check, or give the container more time "
            "to start (startPeriod)."
        ),
        source=(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshoot-service-load-"
            "balancers.html"
        ),
        example=(
            "Task failed ELB health checks in (target-group "
            "arn:aws:elasticloadbalancing:eu-west-3:111122223333:targetgroup/loader/0a)"
        ),
        counter="INFO health checks passed",
    ),
    Signature(
        failure_class="aws-config",
        subcause="command-is-one-word",
        pattern=(
            r"exec: \\?\"(?P<command>[^\"\s\\]{1,100} [^\"\n\\]{1,200})\\?\": (?:executable file not found"
            r"|stat)"
        ),
        channels=ECS,
        weight=DECISIVE,
        meaning="The task definition gives the whole command as one word, which no file is called.",
        fix=(
            "Give each word of {command} an element of its own in `command` of the container "
            'definition: ["python", "-m", "job"], or ["sh", "-c", "..."].'
        ),
        source=(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
        ),
        example=(
            'CannotStartContainerError: OCI runtime create failed: exec: "python -m loader": '
            "executable file not found in $PATH"
        ),
        counter="INFO exec python -m loader",
    ),
    Signature(
        failure_class="aws-config",
        subcause="container-settings",
        pattern=(
            r"Cannot(?:Create|Start|Inspect)ContainerError[^\n]{0,300}(?:API error \(4\d\d\)"
            r"|volume name|conflict|must be|not supported|expected string|chown|copy file info"
            r"|/volumes/|mounting \"|npm start)"
        ),
        texts="no users found",
        without=r"entrypoint|exec format|permission denied|cgroup|no space|port is already|chdir",
        channels=ECS,
        weight=0.72,
        meaning="A setting of the container definition cannot be applied.",
        fix=(
            "Correct that setting of the container definition (command, mountPoints, links, user): "
            "`aws ecs describe-task-definition --task-definition {family} --query "
            "'taskDefinition.containerDefinitions' --region {region}`."
        ),
        source=_REASONS,
        example="CannotCreateContainerError: API error (400): create x: volume name invalid",
        counter="INFO container created",
    ),
    Signature(
        failure_class="aws-config",
        subcause="resource-initialization",
        pattern=r"Could not tran\w{1,8}ition to",
        texts=(
            "ResourceInitializationError | DockerTimeoutError | ContainerRuntimeTimeoutError"
            " | connection issue between the task and | unable to place a task | Service discovery"
        ),
        channels=(*ECS, CLIENT_ERROR),
        weight=0.6,
        meaning="ECS could not get ready what the task needs.",
        fix=(
            "Read the reason behind it (`aws ecs describe-tasks --cluster {cluster} --tasks <task> "
            "--region {region} --query 'tasks[].[stoppedReason,containers[].reason]'`); `deployer "
            "doctor` checks secrets, log group, subnets and roles."
        ),
        source=_REWRITES,
        example="ResourceInitializationError: failed to get ready",
        counter="INFO resources ready",
    ),
)
