"""AWS had no room, was slow or slowed us down: a retry is the mend."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DECISIVE,
    ECS,
    FAMILY,
    GENERIC,
    RUN_TASK_FAILURE,
    STOPPED_REASON,
    TASK_LOG,
    Rule,
)

_PLACED = (RUN_TASK_FAILURE, STOPPED_REASON, CONTAINER_REASON, CLIENT_ERROR, TASK_LOG)
_RETRY = "Nothing to mend: `deployer resume` tries again with growing pauses"
_FAILURES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"

CAPACITY: tuple[Rule, ...] = (
    Rule(
        failure_class="capacity",
        subcause="fargate-capacity",
        matches=r"Capacity is unavailable|capacity[^\n]*(?:unavailable|not available)|\bno capacity\b(?! provider)|insufficient capacity"
        r"|InsufficientInstanceCapacity|InsufficientHostCapacity|RunTask failed[^\n]*capacity"
        r"|do not have sufficient (?:\S+ )?capacity",
        confidence=DECISIVE,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY + "; a subnet in another availability zone in [run] subnets widens the choice.",
        link=_FAILURES,
        example="Capacity is unavailable at this time. Please try again later or in a different availability zone",
    ),
    Rule(
        failure_class="capacity",
        subcause="spot-interruption",
        matches=r"Spot Task was interrupted|SpotInterruption|spot[^\n]*(?:interrupt|reclaim|terminat)",
        confidence=DECISIVE + 0.03,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY + "; for a job that must end, use the capacity provider FARGATE, not FARGATE_SPOT.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
        example="Your Spot Task was interrupted.",
    ),
    Rule(
        failure_class="capacity",
        subcause="spot-interruption",
        matches="",
        stop_codes=("SpotInterruption", "TerminationNotice"),
        confidence=DECISIVE + 0.03,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY + "; for a job that must end, use the capacity provider FARGATE, not FARGATE_SPOT.",
        example="Essential container in task exited",
    ),
    Rule(
        failure_class="capacity",
        subcause="instance-resources",
        matches=r"RESOURCE:\w+|insufficient (?:CPU|memory) (?:units )?available|(?:CPU|memory)[^\n]*units available"
        r"|already using a port required|enough (?:CPU|memory)[^\n]*available"
        r"|insufficient (?:cpu|memory|resources)|has insufficient|with sufficient"
        r"|closest matching[^\n]*(?:has no|does ?n[o']t have)[^\n]*available",
        confidence=0.92,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY
        + "; if it stays so, lower cpu and memory of the task, stop other tasks, or add instances: "
        "`aws ecs describe-container-instances --cluster <cluster> --container-instances <id> "
        "--query 'containerInstances[].remainingResources'`.",
        link=_FAILURES,
        example="unable to place a task: container-instance 0a has insufficient CPU units available",
    ),
    Rule(
        failure_class="capacity",
        subcause="agent-disconnected",
        matches=r"\"?reason\"?\W+(?-i:AGENT)\b|^\W*(?-i:AGENT)\W*$|agent (?:is )?(?:not connected|disconnected)|(?:does ?n.t|not) have the agent connected"
        r"|\"AGENT\"|agent[^\n]*disconnect",
        confidence=0.92,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY
        + "; if it stays so, the ECS agent of the instance is down: `aws ecs describe-container-instances "
        "--cluster <cluster> --container-instances <id> --query 'containerInstances[].agentConnected'`.",
        link=_FAILURES,
        example='{"failures": [{"arn": "arn:aws:ecs:eu-west-3:111122223333:container-instance/0a", "reason": "AGENT"}]}',
    ),
    Rule(
        failure_class="capacity",
        subcause="provisioning-timeout",
        matches=r"network interface provision|timeout waiting for[^\n]*(?:network|(?-i:\bENI\b)|EBS|provision)"
        r"|provisioning[^\n]*time(?:d )?out|(?:(?-i:\bENI\b)|attachment)[^\n]*(?:timed out|timeout|expired)"
        r"|timed out[^\n]*(?:attach|provision)",
        confidence=0.9,
        channels=_PLACED,
        transient=True,
        remedy=_RETRY + "; if it repeats, look for subnets short of addresses.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html",
        example="Timeout waiting for network interface provisioning to complete.",
    ),
    Rule(
        failure_class="capacity",
        subcause="throttled",
        matches=r"Throttl\w+|TooMany(?:Requests|Updates)(?:Exception)?|Too Many Requests|Rate exceeded|RequestLimitExceeded"
        r"|Slow ?Down|reduce your request rate|Request rate (?:is too high|limit)|ProvisionedThroughputExceeded"
        r"|RequestThrottled|BandwidthLimitExceeded|too many concurrent",
        confidence=0.86,
        channels=(CLIENT_ERROR, *ECS, TASK_LOG),
        unless=r"mongo|toomanyrequests: You have reached",
        transient=True,
        remedy=_RETRY + "; fewer calls at once, or AWS_RETRY_MODE=adaptive, keep it from coming back.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html",
        example="An error occurred (ThrottlingException) when calling the RunTask operation: Rate exceeded",
    ),
    Rule(
        failure_class="capacity",
        subcause="pull-rate-limit",
        matches=r"toomanyrequests|(?:reached|exceeded) your (?:unauthenticated )?pull rate limit|429 Too Many Requests"
        r"|status code 429|pull rate limit|docker\.com/increase-rate-limit",
        confidence=DECISIVE,
        channels=(*ECS, TASK_LOG),
        transient=True,
        remedy=_RETRY
        + "; for good, take the image from ECR (or public.ecr.aws), or give repositoryCredentials in the task "
        "definition.",
        link="https://docs.docker.com/docker-hub/usage/",
        example="CannotPullContainerError: inspect image has been retried 1 time(s): toomanyrequests: You have reached your "
        "pull rate limit.",
    ),
    Rule(
        failure_class="capacity",
        subcause="pull-refused-by-hub",
        matches=r"unexpected status code https://registry-1\.docker\.io",
        confidence=FAMILY,
        channels=ECS,
        transient=True,
        remedy=_RETRY
        + "; Docker Hub's pull limit is the likeliest reason: take the image from ECR or public.ecr.aws.",
        link="https://docs.docker.com/docker-hub/usage/",
        example="CannotPullContainerError: failed open: unexpected status code https://registry-1.docker.io/v2/acme/loader/",
    ),
    Rule(
        failure_class="capacity",
        subcause="service-trouble",
        matches=r"ServerException|InternalServer(?:Error|Exception)|InternalFailure|ServiceUnavailable(?:Exception)?"
        r"|Service Unavailable|InternalServiceError|\(5\d\d\) (?:occurred )?when calling|status code: 5\d\d"
        r"|Status Code: 5\d\d|StatusCode: 5\d\d|502 Bad Gateway|504 Gateway|503 Slow|Please try again later"
        r"|reached max retries|Reason: Internal error|5\d\d Internal Server Error|\(RequestTimeout\)|temporary AWS issues?|\(InternalError\)|InternalError\W+(?:We|An|The|$)",
        confidence=0.78,
        channels=(CLIENT_ERROR, *ECS, TASK_LOG),
        context=r"aws|ServiceUnavailableException|\becs\b|\becr\b|fargate|amazon|when calling the|ServerException|\bs3\b|InternalError|pull|unable to place",
        unless=r"mongo|django|flask|express|HTTP/1",
        transient=True,
        remedy=_RETRY + "; if it lasts, see https://health.aws.amazon.com for the region.",
        link="https://health.aws.amazon.com/health/status",
        example="An error occurred (ServerException) when calling the RunTask operation: Service Unavailable. Please try again "
        "later.",
    ),
    Rule(
        failure_class="capacity",
        subcause="host-gone",
        matches=r"Host EC2[^\n]*terminated|underlying infrastructure|maintenance"
        r"|instance[^\n]*(?:draining|was terminated)|retired|Host EC2",
        confidence=0.85,
        channels=(STOPPED_REASON, CONTAINER_REASON),
        transient=True,
        remedy=_RETRY + ".",
        example="Host EC2 (instance i-0a) terminated.",
    ),
    Rule(
        failure_class="capacity",
        subcause="container-agent",
        matches=r"could not find bridge|no such network interface|failed to create endpoint",
        confidence=GENERIC + 0.2,
        channels=ECS,
        unless=r"already allocated|address already in use",
        transient=True,
        remedy=_RETRY + "; if it repeats on one instance, its Docker engine is ill: drain and replace it.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cannot-start-container.html",
        example="CannotStartContainerError: could not find bridge br7 on the host",
    ),
    Rule(
        failure_class="capacity",
        subcause="container-agent",
        matches=r"Cannot(?:Create|Inspect|Describe|Stop|Remove|List)\w*Error|ContainerVanishedError|DockerStateError"
        r"|CannotGetDockerclientError|CgroupError|Agent could not|InternalError: |API error \(500\)",
        confidence=GENERIC + 0.05,
        channels=ECS,
        transient=True,
        remedy=_RETRY + "; if it repeats on one instance, its Docker engine is ill: drain and replace it.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cannot-start-container.html",
        example="CannotInspectContainerError: Could not inspect the container",
    ),
    Rule(
        failure_class="capacity",
        subcause="task-failed-to-start",
        matches=r"Task failed to start",
        confidence=GENERIC - 0.1,
        channels=ECS,
        transient=True,
        remedy=_RETRY
        + "; ECS gave no cause: if it repeats, `aws ecs describe-tasks --cluster <cluster> --tasks <task>` shows "
        "the containers' reasons and the network attachment.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html",
        example="Task failed to start",
    ),
)
