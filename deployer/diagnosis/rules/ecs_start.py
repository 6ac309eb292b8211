"""The task did not start: secrets, logs, network interfaces, volumes, as ECS and Fargate word it."""

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

_SEEN = (STOPPED_REASON, CONTAINER_REASON, RUN_TASK_FAILURE, TASK_LOG, CLIENT_ERROR)
_INIT = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html"
_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html"
_SECRETS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"
_START = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html"
_DEFINITION = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html"
_NO_ANSWER = r"(?:i/o timeout|context deadline|deadline exceeded|RequestCanceled|context canceled|Client\.Timeout|connection (?:issue|timed out|refused)|dial tcp|no such host|request send failed|RequestError)"
_ROUTE_REMEDY = (
    "Give the task's subnets a way out on 443: assignPublicIp=ENABLED in a public subnet, a NAT gateway, or VPC "
    "endpoints (ecr.api, ecr.dkr, logs, secretsmanager or ssm, and the S3 gateway); the security group must allow "
    "egress: `aws ec2 describe-route-tables --filters Name=association.subnet-id,Values=<subnet>`."
)

ECS_START: tuple[Rule, ...] = (
    Rule(
        failure_class="aws-config",
        subcause="secret-malformed-json",
        matches=r"invalid character '[^\n]*looking for|did not contain json key|unmarshal[^\n]*secret"
        r"|secret[^\n]*unmarshal|secret[^\n]*(?:not|invalid)[^\n]*json",
        context=r"\basm\b|secret",
        confidence=DECISIVE,
        channels=ECS,
        remedy="The secret is not JSON with the key that the task definition's `valueFrom` asks for: look at its keys, "
        "then `aws secretsmanager put-secret-value --secret-id <name> --secret-string file://<secret>.json`.",
        link=_SECRETS,
        example="ResourceInitializationError: unable to pull secrets or registry auth: retrieved secret from Secrets "
        "Manager did not contain json key mongo_uri",
    ),
    Rule(
        failure_class="aws-config",
        subcause="secret-missing",
        matches=r"can't find the specified secret|invalid (?:ssm )?parameters?:|ParameterNotFound"
        r"|secret[^\n]*(?:was|not) found|can't find the specified secret value for staging label"
        r"|Secret[^\n]*marked for deletion|secret[^\n]*does not exist",
        context=r"secret|ssm|parameter",
        confidence=DECISIVE,
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
        remedy="Create the secret, or correct its full ARN (with the six random characters) and region in the task "
        "definition: `aws secretsmanager list-secrets --query 'SecretList[].ARN'`, `deployer secret set <name>`.",
        link=_SECRETS,
        example="ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: Secrets "
        "Manager can't find the specified secret.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="secrets-no-route",
        matches=r"(?:secret|\basm\b|\bssm\b|registry auth|Secrets Manager|GetAuthorizationToken)[^\n]*"
        + _NO_ANSWER,
        confidence=0.9,
        channels=ECS,
        remedy=_ROUTE_REMEDY,
        link=_ENDPOINTS,
        example="ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve ecr registry "
        "auth: RequestError: send request failed caused by: Post: dial tcp 10.1.2.3:443: i/o timeout",
    ),
    Rule(
        failure_class="aws-config",
        subcause="secrets-fetch",
        matches=r"unable to (?:pull secrets or registry auth|retrieve secrets?)|failed to fetch secret"
        r"|unable to get registry auth|fetching secret data|cannot pull (?:secrets|registry auth)"
        r"|can't retrieve (?:the )?secrets?|unexpected ARN format[^\n]*secret",
        confidence=FAMILY + 0.05,
        channels=ECS,
        remedy="Three things can stop it: the execution role may not read the secret, its ARN or key is wrong, or the "
        "subnet has no way to Secrets Manager, SSM or ECR: `deployer doctor` looks at each; "
        "`aws secretsmanager describe-secret --secret-id <arn>` shows whether it exists.",
        link=_INIT,
        example="ResourceInitializationError: unable to retrieve secret from asm, tried twice",
    ),
    Rule(
        failure_class="aws-config",
        subcause="log-group-missing",
        matches=r"log group does not exist|ResourceNotFoundException[^\n]*log (?:group|stream)"
        r"|can't find the CloudWatch log group|log group '?[^\n]*' (?:was )?not found",
        confidence=DECISIVE,
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
        remedy="Create the group that the task definition names: `aws logs create-log-group --log-group-name "
        "</ecs/name> --region <region>`, or set awslogs-create-group to true.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html",
        example="ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
        "ResourceNotFoundException: The specified log group does not exist.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="logs-no-route",
        matches=r"failed to (?:validate logger args|initialize logging driver|create (?:Cloudwatch )?log stream)"
        r"|logging driver[^\n]*(?:fail|error|unable)|(?:fail|error|unable)[^\n]*logging driver"
        r"|log driver[^\n]*(?:fail|not)|unable to (?:create|find)[^\n]*log (?:group|stream)"
        r"|connection issue[^\n]*CloudWatch",
        confidence=FAMILY + 0.1,
        channels=ECS,
        remedy="The awslogs driver could not start: the log group, awslogs-region and the execution role's logs:* actions "
        "must be right, and the subnet needs a way to CloudWatch Logs (NAT, or the `logs` VPC endpoint): "
        "`aws logs describe-log-groups --log-group-name-prefix <group>`.",
        link=_INIT,
        example="failed to initialize logging driver: no answer from logs.eu-west-3.amazonaws.com",
    ),
    Rule(
        failure_class="aws-config",
        subcause="env-file",
        matches=r"failed ?to ?download ?env(?:ironment)? ?files?|env(?:ironment)? file[^\n]*(?:download|fail|denied)",
        confidence=0.9,
        channels=ECS,
        remedy="ECS could not read environmentFiles from S3: check the object's ARN, s3:GetObject and s3:GetBucketLocation "
        "of the execution role, and the subnet's way to S3: `aws s3 ls s3://<bucket>/<file>.env`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html",
        example="ResourceInitializationError: failed to download env files: loader.env: no answer",
    ),
    Rule(
        failure_class="aws-config",
        subcause="volume",
        matches=r"EFS utils|mount\.nfs4?|\.efs\.[\w-]+\.amazonaws|failed to (?:set up|mount) EFS"
        r"|\befs\b[^\n]*(?:mount|volume|access point)|CannotCreateVolumeError|VolumeDriver"
        r"|error while mounting volume|EBS volume|failed to mount|mknod|/rootfs/[^\n]*errno|invalid mount"
        r"|bind source path|FSx",
        confidence=FAMILY + 0.1,
        channels=ECS,
        remedy="Correct the volume: a mount target in each of the task's subnets, security groups that open 2049 between "
        "them, the file system's policy, and a mount path that hides nothing of the image: "
        "`aws efs describe-mount-targets --file-system-id <fs>`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html",
        example="ResourceInitializationError: failed to invoke EFS utils commands: mount.nfs4: Connection timed out",
    ),
    Rule(
        failure_class="aws-config",
        subcause="subnet-ip-exhausted",
        matches=r"InsufficientFreeAddresses|not (?:have )?enough free (?:IP )?addresses"
        r"|no (?:free|available) (?:IP|private) address|insufficient (?:free )?(?:IP )?addresses"
        r"|run out of (?:IP )?addresses",
        confidence=DECISIVE,
        channels=_SEEN,
        remedy="The subnet has no address left: add a larger subnet to [run] subnets, or free some: `aws ec2 describe-subnets "
        "--subnet-ids <subnet> --query 'Subnets[].AvailableIpAddressCount'`.",
        link=_START,
        example="Unexpected EC2 error while attempting to create network interface in subnet 'subnet-0a': "
        "InsufficientFreeAddressesInSubnet",
    ),
    Rule(
        failure_class="aws-config",
        subcause="network-interface",
        matches=r"Unexpected EC2 error|attempting to create network interface"
        r"|(?:InvalidSubnetID|InvalidGroup|InvalidSecurityGroupID)\S*NotFound"
        r"|(?:subnet|security group)[^\n]*(?:does not exist|not found|not belong|different (?:VPC|network))"
        r"|NetworkInterfaceLimitExceeded|failed to configure ENI|(?-i:\bENI\b)[^\n]*limit",
        confidence=0.83,
        channels=_SEEN,
        remedy="ECS could not make the task's network interface in that subnet: see that subnets and security groups exist, "
        "are of one VPC, have addresses left, and that the interface quota is not reached: `aws ec2 describe-subnets "
        "--subnet-ids <subnet>`, `aws ec2 describe-security-groups --group-ids <group>`.",
        link=_START,
        example="Unexpected EC2 error while making a network interface in subnet-0a",
    ),
    Rule(
        failure_class="aws-config",
        subcause="container-start-timeout",
        matches=r"(?:Docker|ContainerRuntime)TimeoutError|Could not transition to|Could not tranisition",
        confidence=GENERIC + 0.06,
        channels=ECS,
        remedy="The container did not get to its next state in time. Run it again once; if it repeats, look at the way out of "
        "the subnet (image, secrets, logs) and at the size of the image: `aws ecs describe-tasks --cluster <cluster> "
        "--tasks <task>`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cannot-start-container.html",
        example="ContainerRuntimeTimeoutError: Could not transition to running; timed out after waiting 1m",
    ),
    Rule(
        failure_class="aws-config",
        subcause="container-settings",
        matches=r"Cannot\w*ContainerError[^\n]*(?:API error \(4\d\d\)|invalid|Conflict|must be|not supported|unknown|expected \w+$"
        r"|chown|copy file info|/volumes/|VolumeDriver|mount)",
        confidence=GENERIC + 0.07,
        channels=ECS,
        remedy="The engine refused the container's settings (volume, mount, port, limit, option): correct the container definition: "
        "`aws ecs describe-task-definition --task-definition <family> --query 'taskDefinition.containerDefinitions'`.",
        link=_DEFINITION,
        example="CannotCreateContainerError: API error (400): the mount path must be absolute",
    ),
    Rule(
        failure_class="aws-config",
        subcause="load-balancer-health",
        matches=r"ELB health checks|is unhealthy in|target-group[^\n]*health|Health checks failed",
        confidence=GENERIC,
        channels=(*ECS, CLIENT_ERROR),
        remedy="The load balancer got no good answer from the task: see its check (port, path, grace period) and that its security "
        "group reaches the task's: `aws elbv2 describe-target-health --target-group-arn <arn>`; the task's log says whether it "
        "was up.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshoot-service-load-balancers.html",
        example="Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:eu-west-3:111122223333:loader)",
    ),
    Rule(
        failure_class="aws-config",
        subcause="resource-initialization",
        matches=r"ResourceInitializationError|connection issue between the task and",
        confidence=0.6,
        channels=ECS,
        remedy=_ROUTE_REMEDY,
        link=_INIT,
        example="ResourceInitializationError: failed to initialize the task's resources",
    ),
)
