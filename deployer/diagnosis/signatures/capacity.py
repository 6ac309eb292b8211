"""AWS had no room, or slowed us down: what a retry can solve."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DECISIVE,
    ECS,
    STOPPED_REASON,
    TASK,
    TASK_LOG,
    Signature,
)

_PLACED = (*ECS, CLIENT_ERROR, TASK_LOG)
_RETRY = "It passes by itself: `deployer resume` tries again with growing pauses"
_FAILURES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"
_REASONS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"

CAPACITY = (
    Signature(
        failure_class="capacity",
        subcause="fargate-capacity",
        pattern=(
            r"capacity (?:is |was )?(?:unavailable|not available)|\bno capacity\b(?! provider)"
            r"|do not have sufficient (?:\S{1,30} )?capacity|RunTask failed[^\n]{0,60}capacity"
        ),
        texts="insufficient capacity",
        names="InsufficientInstanceCapacity InsufficientHostCapacity InsufficientCapacity~",
        channels=_PLACED,
        weight=DECISIVE,
        transient=True,
        meaning="AWS has no free capacity of that kind in that zone now.",
        fix=(
            _RETRY
            + "; a subnet in another availability zone in [run] subnets widens the choice (now "
            + "{subnet})."
        ),
        source=_FAILURES,
        example=(
            "Capacity is unavailable at this time. Please try again later or in a different availability zone"
        ),
        counter="INFO capacity provider FARGATE",
    ),
    Signature(
        failure_class="capacity",
        subcause="spot-interruption",
        pattern=r"spot[^\n]{0,60}(?:interrupt|reclaim|terminat)",
        texts="SpotInterruption",
        channels=_PLACED,
        weight=0.98,
        stop_codes=("SpotInterruption", "TerminationNotice"),
        transient=True,
        meaning="AWS took the Spot capacity back.",
        fix=_RETRY + "; for a job that must end, use the capacity provider FARGATE instead of FARGATE_SPOT.",
        source=(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"
        ),
        example="Your Spot Task was interrupted.",
        counter="INFO runs on FARGATE_SPOT",
    ),
    Signature(
        failure_class="capacity",
        subcause="instance-resources",
        pattern=(
            r"(?-i:\bRESOURCE):(?P<resource_name>[A-Z]{2,12})"
            r"|(?:CPU|memory) units (?:are )?available|enough (?:CPU|memory)[^\n]{0,40}available"
            r"|closest matching[^\n]{0,120}(?:has no|does ?n[o']t have)[^\n]{0,60}available"
        ),
        texts=(
            "already using a port required | insufficient CPU | insufficient memory"
            " | insufficient resources | with sufficient | has insufficient"
        ),
        without=r"agent version|attribute|docker|heap",
        channels=_PLACED,
        weight=0.94,
        transient=True,
        meaning="No instance of the cluster has that much free now.",
        fix=(
            _RETRY
            + "; if it stays so, lower {resource_name} of the task, stop other tasks or add "
            + "instances: `aws ecs list-container-instances --cluster {cluster} --region {region}`."
        ),
        source=_FAILURES,
        example="unable to place a task: container-instance 0a has insufficient CPU units available",
        counter="INFO cpu 256 of 1024 units",
    ),
    Signature(
        failure_class="capacity",
        subcause="agent-disconnected",
        pattern=(
            r"reason['\"]?\W{1,4}(?-i:AGENT)\b|^\W{0,3}(?-i:AGENT)\W{0,3}$"
            r"|agent[^\n]{0,20}(?:not connected|disconnect)"
        ),
        texts='"AGENT" | not have the agent connected | n\'t have the agent connected',
        channels=_PLACED,
        weight=0.93,
        transient=True,
        meaning="The ECS agent of the instance is not connected.",
        fix=(
            _RETRY
            + "; if it stays so, restart the agent: `aws ecs list-container-instances --cluster "
            + "{cluster} --filter agentConnected==false --region {region}`."
        ),
        source=_FAILURES,
        example=(
            '{"failures": [{"arn": '
            '"arn:aws:ecs:eu-west-3:111122223333:container-instance/0a", "reason": "AGENT"}]}'
        ),
        counter="INFO agent connected",
    ),
    Signature(
        failure_class="capacity",
        subcause="provisioning-timeout",
        pattern=(
            r"time-?out waiting for[^\n]{0,60}(?:network|ENI|EBS|provision)"
            r"|provisioning[^\n]{0,40}time(?:d )?-?out"
            r"|(?:\bENI\b|attachment)[^\n]{0,40}(?:timed out|timeout|expired)"
        ),
        texts="network interface provision | network interface detach",
        channels=_PLACED,
        weight=0.93,
        transient=True,
        meaning="AWS did not provide the network interface or volume in time.",
        fix=_RETRY + "; if it repeats, see whether the subnet {subnet} is short of addresses.",
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html",
        example="Timeout waiting for network interface provisioning to complete.",
        counter="INFO network interface attached",
    ),
    Signature(
        failure_class="capacity",
        subcause="throttled",
        texts=(
            "rate exceeded | request limit exceeded | too many requests | reduce your request rate"
            " | too many concurrent | please reduce"
        ),
        names=(
            "Throttling~ ThrottlingException ThrottledException Throttled TooManyRequests~ "
            "TooManyRequestsException TooManyUpdates RequestLimitExceeded SlowDown "
            "RequestThrottled~ RequestThrottledException ProvisionedThroughputExceeded~ "
            "ProvisionedThroughputExceededException BandwidthLimitExceeded EC2ThrottledException "
            "PriorRequestNotComplete"
        ),
        within=(
            r"aws|amazon|An error occurred|Exception|RequestLimit|\bS3\b|SlowDown|Slow Down"
            r"|ClientException|TooManyUpdates|rate exceeded|calling|client_error"
        ),
        without=r"mongo|pull rate limit|toomanyrequests|docker",
        channels=_PLACED,
        weight=0.9,
        transient=True,
        meaning="AWS slows down who calls too often.",
        fix=(
            _RETRY
            + "; fewer calls of {operation} at once, or AWS_RETRY_MODE=adaptive, keep it from "
            + "coming back."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html",
        example=("An error occurred (ThrottlingException) when calling the RunTask operation: Rate exceeded"),
        counter="INFO 429 rows, rate 30 per second",
    ),
    Signature(
        failure_class="capacity",
        subcause="pull-rate-limit",
        texts=(
            "toomanyrequests | pull rate limit | 429 too many requests | status code 429"
            " | unexpected status code https://registry-1.docker.io"
        ),
        channels=TASK,
        weight=0.95,
        transient=True,
        meaning="Docker Hub's pull limit stops the task's pull.",
        fix=(
            _RETRY
            + "; for good, take {image} from ECR or public.ecr.aws, or set `repositoryCredentials` "
            + "in the task definition."
        ),
        source="https://docs.docker.com/docker-hub/usage/pulls/",
        example=(
            "CannotPullContainerError: inspect image has been retried 1 time(s): toomanyrequests: "
            "You have reached your pull rate limit."
        ),
        counter="INFO image pulled, rate limit 200",
    ),
    Signature(
        failure_class="capacity",
        subcause="service-trouble",
        pattern=r"\(5\d\d\) (?:occurred )?when calling|status ?code: 5\d\d|unexpected HTTP status: 5\d\d",
        texts=(
            "service unavailable | please try again later | we encountered an internal error"
            " | temporary aws issue | reached max retries | serviceunavailableexception"
            " | (RequestTimeout) | (InternalError) | 503 Slow | Reason: Internal error"
        ),
        names=(
            "ServerException InternalServerError InternalServerException InternalFailure "
            "ServiceUnavailable~ ServiceUnavailableException InternalServiceError "
            "InternalServiceException"
        ),
        within=(
            r"aws|amazon|\becs\b|\becr\b|fargate|when calling the|ServerException"
            r"|ServiceUnavailableException|\bs3\b|place a task|CannotPull"
        ),
        without=(
            r"mongo|django|flask|express|HTTP/1|Throttl|timed? ?out connecting|StatusCode: 0"
            r"|capacity|execute command"
        ),
        channels=_PLACED,
        weight=0.85,
        transient=True,
        meaning="The AWS service itself had trouble.",
        fix=_RETRY + "; https://health.aws.amazon.com shows whether {region} has a known problem.",
        source="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html",
        example=(
            "An error occurred (ServiceUnavailableException) when calling the RunTask operation: "
            "Service Unavailable"
        ),
        counter="INFO the service is available again, 503 rows",
    ),
    Signature(
        failure_class="capacity",
        subcause="host-gone",
        pattern=r"instance[^\n]{0,30}(?:draining|was terminated)",
        texts="Host EC2 | underlying infrastructure | performing maintenance",
        channels=(STOPPED_REASON, CONTAINER_REASON),
        weight=0.9,
        transient=True,
        meaning="The machine under the task was stopped or maintained.",
        fix=_RETRY + "; nothing is to be changed in the task.",
        source=_REASONS,
        example="Host EC2 (instance i-0a1b2c) terminated.",
        counter="INFO runs on instance i-0a1b2c",
    ),
    Signature(
        failure_class="capacity",
        subcause="container-agent",
        pattern=r"Cannot(?:Stop|Inspect|Describe|Remove|List)\w{0,20}Error",
        texts=(
            "internalerror: | agent could not"
            " | CannotCreateContainerError: Error response from daemon: devmapper"
            " | CannotCreateContainerError: Error response from daemon: create"
            " | could not find bridge | no such network interface | failed to create endpoint"
            " | API error (500)"
        ),
        names="ContainerVanishedError DockerStateError CannotGetDockerclientError CgroupError",
        without=(
            r"already allocated|address already in use|no space|Thin Pool|not transition"
            r"|expected string|OCI runtime|normalize image"
        ),
        channels=ECS,
        weight=0.62,
        transient=True,
        meaning="The container agent or engine of that host failed.",
        fix=(
            _RETRY
            + "; if it repeats on one instance, drain and replace it: `aws ecs "
            + "update-container-instances-state --cluster {cluster} --container-instances <id> "
            + "--status DRAINING`."
        ),
        source=_REASONS,
        example="ContainerVanishedError: the container is no longer known",
        counter="INFO container stopped",
    ),
    Signature(
        failure_class="capacity",
        subcause="task-failed-to-start",
        texts="task failed to start",
        channels=ECS,
        weight=0.42,
        transient=True,
        meaning="ECS did not start the task and gives no reason.",
        fix=(
            _RETRY
            + "; `aws ecs describe-tasks --cluster {cluster} --tasks <task> --region {region}` may "
            + "say more."
        ),
        source=_REASONS,
        example="Task failed to start",
        counter="INFO task started",
    ),
)
