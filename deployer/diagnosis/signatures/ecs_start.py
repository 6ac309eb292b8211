"""What ECS says when it cannot give a task its secrets, logs, files and volumes."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    ECS,
    TASK_LOG,
    Signature,
)
from deployer.diagnosis.signatures.contexts import NO_ANSWER

_REWRITES = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html"
_ROUTE = (
    "give the task's subnets a way out (NAT, or assignPublicIp in a public subnet) or "
    "VPC endpoints for {service_name}, egress on 443 in its security groups, and DNS "
    "support in the VPC: `aws ec2 describe-vpc-endpoints --region {region}`."
)

ECS_START = (
    Signature(
        failure_class="aws-config",
        subcause="secret-malformed-json",
        pattern=(
            r"invalid character '[^\n]{1,20}looking for|not contain json key '?(?P<json_key>[\w.-]{1,80})"
            r"|unmarshal[^\n]{0,60}secret"
            r"|secret[^\n]{0,60}(?:unmarshal|(?:not|invalid) (?:valid )?json)"
        ),
        within=r"\basm\b|secret",
        channels=ECS,
        weight=DECISIVE,
        meaning="The secret is not JSON with the key that `valueFrom` asks for.",
        fix=(
            "Look at the secret's keys (`aws secretsmanager get-secret-value --secret-id {secret} "
            "--query SecretString`) and correct `valueFrom`, or write it as JSON: `aws "
            "secretsmanager put-secret-value --secret-id {secret} --secret-string "
            "file://secret.json`."
        ),
        source=_REWRITES,
        example=(
            "ResourceInitializationError: unable to pull secrets or registry auth: retrieved "
            "secret from Secrets Manager did not contain json key mongo_uri"
        ),
        counter="INFO the secret has the json key mongo_uri",
    ),
    Signature(
        failure_class="aws-config",
        subcause="secret-missing",
        pattern=(
            r"secret[^\n]{0,80}(?:(?:was|not) found|marked for deletion|does not exist)"
            r"|invalid (?:ssm )?parameters?: (?P<parameter>[\w./-]{1,200})"
        ),
        texts="can't find the specified secret",
        names="ParameterNotFound~ ParameterVersionNotFound",
        within=r"secret|ssm|parameter",
        without=r"docker|build",
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
        weight=DECISIVE,
        meaning="The secret or parameter does not exist under that ARN, name, version or region.",
        fix=(
            "Compare the ARN {secret}{parameter} in the task definition with what exists "
            "(`aws secretsmanager list-secrets --region {region} --query 'SecretList[].ARN'`, `aws "
            "ssm get-parameters --names {parameter}`), then correct it or create the secret."
        ),
        source=_REWRITES,
        example=(
            "ResourceInitializationError: unable to pull secrets or registry auth: "
            "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        ),
        counter="INFO secret found",
    ),
    Signature(
        failure_class="aws-config",
        subcause="secrets-no-route",
        pattern=r"\b(?:from|in) (?:asm|ssm)\b",
        texts="Secrets Manager | registry auth | SSM Parameter Store | GetAuthorizationToken",
        within=(NO_ANSWER + r"|connection issue|check your task network"),
        without=r"not authorized|AccessDenied|can't find|json key|looking for",
        channels=ECS,
        weight=0.92,
        meaning="The task cannot reach Secrets Manager, SSM or ECR from its subnet.",
        fix=(
            "No answer from {host}: "
            + _ROUTE.replace("{service_name}", "secretsmanager, ssm, ecr.api, ecr.dkr, logs and s3")
        ),
        source=_REWRITES,
        example=(
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to "
            "retrieve ecr registry auth: RequestError: send request failed caused by: Post: dial "
            "tcp 10.1.2.3:443: i/o timeout"
        ),
        counter="INFO secrets pulled from asm",
    ),
    Signature(
        failure_class="aws-config",
        subcause="secrets-fetch",
        texts=(
            "unable to pull secrets or registry auth | unable to retrieve secret"
            " | failed to fetch secret | unable to get registry auth | fetching secret data"
            " | cannot pull registry auth | cannot pull secrets | can't retrieve the secret"
            " | unexpected arn format"
        ),
        channels=ECS,
        weight=0.84,
        meaning="ECS did not get a secret or the registry's token for the task.",
        fix=(
            "Check three things for {secret}: that it exists (`aws secretsmanager describe-secret "
            "--secret-id {secret} --region {region}`), that the execution role may read it, and "
            "that the subnet reaches the service; `deployer doctor` checks each."
        ),
        source=_REWRITES,
        example="ResourceInitializationError: unable to retrieve secret from asm, tried twice",
        counter="INFO the secret was retrieved",
    ),
    Signature(
        failure_class="aws-config",
        subcause="log-group-missing",
        pattern=(
            r"ResourceNotFoundException[^\n]{0,120}log (?:group|stream)"
            r"|log group '?[^\n']{0,200}'? (?:was )?not found"
        ),
        texts=("log group does not exist | can't find the cloudwatch log group | log stream does not exist"),
        channels=(*ECS, TASK_LOG, CLIENT_ERROR),
        weight=DECISIVE,
        meaning="The log group that the task definition names does not exist.",
        fix=(
            "Create it: `aws logs create-log-group --log-group-name {log_group} --region "
            "{region}`, or set awslogs-create-group to true."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html",
        example=(
            "ResourceInitializationError: failed to validate logger args: create stream has been "
            "retried 1 times: ResourceNotFoundException: The specified log group does not exist."
        ),
        counter="INFO log group /ecs/loader is there",
    ),
    Signature(
        failure_class="aws-config",
        subcause="logs-no-route",
        pattern=(
            r"logging driver[^\n]{0,80}(?:fail|error|unable)"
            r"|(?:fail|error|unable)[^\n]{0,80}logging driver|log driver[^\n]{0,60}(?:fail|not)"
            r"|connection issue[^\n]{0,80}CloudWatch"
        ),
        texts=(
            "failed to validate logger args | failed to create cloudwatch log stream"
            " | failed to create log stream | unable to create log group | unable to find log group"
        ),
        channels=ECS,
        weight=0.84,
        meaning="The log driver could not start: CloudWatch was not reached, or an option is wrong.",
        fix=(
            "Check awslogs-group and awslogs-region ({region}) with `aws logs "
            + "describe-log-groups --log-group-name-prefix {log_group} --region {region}`; then "
            + _ROUTE.replace("{service_name}", "logs")
        ),
        source=_REWRITES,
        example="failed to initialize logging driver: no answer from logs.eu-west-3.amazonaws.com",
        counter="INFO logging driver awslogs",
    ),
    Signature(
        failure_class="aws-config",
        subcause="env-file",
        pattern=(
            r"failed ?to ?download ?env(?:ironment)? ?files?"
            r"|env(?:ironment)? file[^\n]{0,60}(?:download|fail|denied)"
        ),
        channels=ECS,
        weight=0.91,
        meaning="ECS could not read `environmentFiles` from S3.",
        fix=(
            "Check that the object exists (`aws s3 ls s3://{bucket}/{key}`), that the execution "
            "role has s3:GetObject and s3:GetBucketLocation, and that the subnet reaches S3 "
            "(gateway endpoint)."
        ),
        source=_REWRITES,
        example="ResourceInitializationError: failed to download env files: loader.env: no answer",
        counter="INFO environment files read",
    ),
    Signature(
        failure_class="aws-config",
        subcause="volume",
        pattern=(
            r"\.efs\.[\w-]{1,20}\.amazonaws|\bEFS\b[^\n]{0,120}(?:mount|volume|access point)"
            r"|mknod [^\n]{0,300}errno|/rootfs/[^\n]{0,200}errno"
            r"|(?:EBS|FSx)[^\n]{0,60}(?:volume|mount)"
        ),
        texts=(
            "error while mounting volume | invalid mount | failed to mount | failed to set up efs"
            " | EFS utils | mount.nfs | bind source path | attach EBS"
        ),
        names="CannotCreateVolumeError VolumeDriver",
        without=r"timeout waiting for|could not be assumed",
        channels=ECS,
        weight=0.84,
        meaning="A volume of the task definition could not be mounted.",
        fix=(
            "For EFS check that {file_system} has a mount target in the task's zone and lets it in "
            "on port 2049: `aws efs describe-mount-targets --file-system-id {file_system} --region "
            "{region}`; for others correct `volumes` and `mountPoints` of the task definition."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html",
        example=(
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS "
            "volumes: mount.nfs4: no answer"
        ),
        counter="INFO volume mounted",
    ),
)
