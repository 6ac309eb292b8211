"""What ECS says when it finds no address or instance for a task."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    ECS,
    TASK_LOG,
    Signature,
)

_FAILURES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html"
_CALL = (CLIENT_ERROR, *ECS)

ECS_NETWORK = (
    Signature(
        failure_class="aws-config",
        subcause="subnet-ip-exhausted",
        pattern=(
            r"(?:not (?:have )?enough|no|insufficient) (?:free |available )?(?:IP "
            r"|private )?address(?:es)?\b"
            r"|Create Network Interface with public IP assignment (?:enabled"
            r"|disabled) in subnet '?(?P<subnet>[\w-]{4,30})'?$"
        ),
        texts="run out of IP addresses | run out of addresses",
        names=("InsufficientFreeAddressesInSubnet PrivateIpAddressLimitExceeded InsufficientFreeAddresses"),
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
        weight=0.95,
        meaning="The subnet has no free address for the task.",
        fix=(
            "Run in another or a larger subnet (`subnets` in [run]); `aws ec2 describe-subnets "
            "--subnet-ids {subnet} --region {region} --query 'Subnets[].AvailableIpAddressCount'` "
            "shows what is left."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html",
        example=(
            "Unexpected EC2 error while attempting to Create Network Interface: "
            "InsufficientFreeAddressesInSubnet"
        ),
        counter="INFO 200 free addresses",
    ),
    Signature(
        failure_class="aws-config",
        subcause="network-interface",
        pattern=(
            r"(?:subnet|security group)[^\n]{0,80}(?:does not exist|not found|not belong"
            r"|different (?:VPC|network))|\bENI\b[^\n]{0,60}limit"
        ),
        texts="unexpected ec2 error | failed to configure ENI",
        names="NotFound",
        within=r"EC2|ENI|subnet|security group|network interface",
        without=r"RequestLimitExceeded|Capacity",
        channels=(*ECS, CLIENT_ERROR),
        weight=0.84,
        meaning="EC2 refused the task's network interface: a subnet or security group is wrong.",
        fix=(
            "Compare [run] subnets and security-groups ({subnet} {security_group}) with what "
            "exists: `aws ec2 describe-subnets --region {region}`, `aws ec2 "
            "describe-security-groups --region {region}`; both must be in one VPC."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/failed-to-start-error.html",
        example=(
            "Unexpected EC2 error while attempting to Create Network Interface in subnet "
            "'subnet-0a1b2c3d': InvalidSubnetID.NotFound"
        ),
        counter="INFO network interface eni-0a attached",
    ),
    Signature(
        failure_class="aws-config",
        subcause="no-container-instances",
        texts=(
            "no container instances were found | cluster has no container instances"
            " | empty capacity provider | no registered container instances | no default vpc found"
        ),
        channels=_CALL,
        weight=DECISIVE,
        meaning="The cluster has no EC2 instance to run the task on.",
        fix=(
            "Run on Fargate (launch type FARGATE), or register instances: `aws ecs "
            "list-container-instances --cluster {cluster} --region {region}`."
        ),
        source=_FAILURES,
        example="InvalidParameterException: No Container Instances were found in your cluster.",
        counter="INFO 3 container instances",
    ),
    Signature(
        failure_class="aws-config",
        subcause="placement-constraint",
        pattern=(
            r"(?-i:^\W{0,3}(?:ATTRIBUTE|MISSING|INACTIVE|LOCATION)\W{0,3}$)"
            r"|reason['\"]?\W{1,4}(?-i:ATTRIBUTE|MISSING|INACTIVE|LOCATION)\b"
        ),
        texts=(
            "missing an attribute required | memberof | distinctinstance | placement constraint"
            " | agent version required"
        ),
        channels=_CALL,
        weight=0.91,
        meaning="What the placement asks for does not exist in the cluster.",
        fix=(
            "Compare the constraint with the instances (`aws ecs list-attributes --cluster "
            "{cluster} --target-type container-instance --region {region}`), and see that cluster "
            "and task definition are active (`aws ecs describe-clusters --clusters {cluster}`)."
        ),
        source=_FAILURES,
        example=(
            "unable to place a task: container-instance 0a is missing an attribute required by your task"
        ),
        counter="INFO the attribute is there",
    ),
    Signature(
        failure_class="aws-config",
        subcause="network-configuration",
        pattern=(
            r"(?:subnets?|security ?groups?) can(?:not| not) be (?:empty|blank)"
            r"|network ?(?:configuration|mode)[^\n]{0,80}(?:not valid|must|required|invalid|only)"
            r"|awsvpc\w{0,14}[^\n]{0,80}(?:required|must|not (?:valid|supported|compatible))"
            r"|assign ?public ?ip[^\n]{0,40}not supported"
        ),
        texts='only supports network mode | Invalid id: "',
        channels=_CALL,
        weight=0.91,
        meaning="The network configuration does not fit the task definition's network mode.",
        fix=(
            "With networkMode awsvpc set subnets, security-groups and assign-public-ip in [run] of "
            "deploy.toml; with another mode leave them out: `aws ecs describe-task-definition "
            "--task-definition {family} --query taskDefinition.networkMode --region {region}`."
        ),
        source=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking-awsvpc.html"),
        example=(
            "InvalidParameterException: Network Configuration must be provided when networkMode "
            "'awsvpc' is specified."
        ),
        counter="INFO network configuration: 2 subnets",
    ),
)
