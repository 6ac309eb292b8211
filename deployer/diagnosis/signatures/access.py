"""Refused by AWS: who asked, and what IAM or S3 said no to."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    ECS,
    TASK_LOG,
    Signature,
)

_SEEN = (CLIENT_ERROR, TASK_LOG, *ECS, DOCKER_BUILD, DOCKER_PUSH)
_DENIED = (
    r"not authorized to perform|AccessDenied|access denied|UnauthorizedOperation|forbidden"
    r"|permission|\b403\b|not allowed"
)

ACCESS = (
    Signature(
        failure_class="aws-config",
        subcause="iam-passrole",
        pattern=r"iam:PassRole(?:[^\n]{0,80}on resource: (?P<role_arn>arn:[\w:/.@+=,-]{10,200}))?",
        channels=_SEEN,
        weight=DECISIVE,
        meaning="The caller may not hand the task's roles to ECS.",
        fix=(
            "Allow the caller iam:PassRole on {role_arn}: `aws iam put-role-policy --role-name "
            "{role} --policy-name pass-task-roles --policy-document "
            '\'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:PassRole","Resou'
            'rce":"{role_arn}"}]}\'`.'
        ),
        source="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
        example=(
            "An error occurred (AccessDeniedException) when calling the RunTask operation: User: "
            "arn:aws:iam::111122223333:user/release is not authorized to perform: iam:PassRole on "
            "resource: arn:aws:iam::111122223333:role/loader"
        ),
        counter="INFO passing the role loader to the task",
    ),
    Signature(
        failure_class="aws-config",
        subcause="role-trust",
        pattern=r"when calling the AssumeRole\w{0,20} operation: (?!The security token)",
        texts=(
            "unable to assume the role | unable to assume role | role cannot be assumed"
            " | cannot be assumed by | role could not be assumed"
            " | verify that the role being passed has the proper trust | could not assume role"
            " | not authorized to assume role | check the trust relationship"
            " | proper trust relationship | no openidconnect provider found | sts:AssumeRole"
            " | sts:TagSession"
        ),
        channels=_SEEN,
        weight=DECISIVE - 0.01,
        meaning="The role does not trust the one that wants to use it, or does not exist.",
        fix=(
            "Let ecs-tasks.amazonaws.com (or {principal}) assume the role: `aws iam "
            "update-assume-role-policy --role-name {role} --policy-document file://trust.json`; "
            "`aws iam get-role --role-name {role}` shows whom it trusts now."
        ),
        source=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html"),
        example=(
            "ECS was unable to assume the role 'arn:aws:iam::111122223333:role/loader' that was "
            "provided for this task. Please verify that the role being passed has the proper trust "
            "relationship and permissions."
        ),
        counter="INFO assumed the role loader",
    ),
    Signature(
        failure_class="aws-config",
        subcause="secrets-permission",
        pattern=(
            r"(?:secretsmanager:(?!\w{2}-)|ssm:GetParam|kms:Decrypt|GetSecretValue"
            r"|GetParameters?\b|\bfrom (?:asm|ssm)\b|from AWS Secrets Manager)"
        ),
        within=_DENIED,
        without=(
            r"can't find the specified|ParameterNotFound|ResourceNotFound|ecr:|marked for deletion"
            r"|InvalidSignature|no such host|i/o timeout|json key|deadline"
        ),
        channels=_SEEN,
        weight=0.94,
        meaning="The role that reads the secret or parameter has no permission for it.",
        fix=(
            "Give the role {role} the action {action} on {resource} (execution role for `secrets` "
            "of the task definition, task role for calls of the program; kms:Decrypt too for an "
            "own key): `aws iam put-role-policy --role-name {role} --policy-name read-secrets "
            "--policy-document file://policy.json`."
        ),
        source=("https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html"),
        example=(
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to "
            "retrieve secret from asm: AccessDeniedException: role/loader is not authorized to "
            "perform: secretsmanager:GetSecretValue"
        ),
        counter="INFO read the secret by secretsmanager:GetSecretValue",
    ),
    Signature(
        failure_class="aws-config",
        subcause="registry-or-log-permission",
        pattern=(
            r"(?:perform:? |permission to )(?:ecr(?:-public)?|logs):\w"
            r"|\b(?:ecr(?:-public)?|logs):[A-Z]\w{3,40}"
            r"|(?:CreateLog(?:Group|Stream)|PutLogEvents|create (?:cloudwatch )?log stream)\b"
        ),
        texts="due to insufficient permissions",
        within=(_DENIED + r"|insufficient permissions"),
        without=r"ResourceNotFound|ecs:RunTask",
        channels=_SEEN,
        weight=DECISIVE,
        meaning="The identity in the message lacks an action on ECR or CloudWatch Logs.",
        fix=(
            "Allow {action} on {resource} to {role}: to pull and to write the log `aws iam "
            "attach-role-policy --role-name {role} --policy-arn "
            "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`, for a push "
            "the policy AmazonEC2ContainerRegistryPowerUser; across accounts the repository's "
            "policy must allow it too."
        ),
        source=(
            "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-ex"
            "amples.html"
        ),
        example=(
            "denied: User: arn:aws:iam::111122223333:user/release is not authorized to perform: "
            "ecr:InitiateLayerUpload on resource: "
            "arn:aws:ecr:eu-west-3:111122223333:repository/loader"
        ),
        counter="INFO pushing to ecr, 0 errors",
    ),
    Signature(
        failure_class="aws-config",
        subcause="s3-access-denied",
        pattern=(
            r"\((?:403|AccessDenied|AllAccessDisabled|AccountProblem"
            r"|Forbidden)\) (?:occurred )?when calling the (?:Head|Get|List|Put|Copy|Delete|Create"
            r"|Upload)\w{0,20}(?:Object|Bucket|Part|Upload)\w{0,20}|to perform:? s3:\w"
            r"|(?:S3Exception|\bS3\b|s3a|s3fs|s3cmd|s3://"
            r"|s3[\w.-]{0,40}\.amazonaws\.com)[^\n]{0,300}(?:access ?denied|forbidden|was denied"
            r"|(?:HTTP|Status(?: Code)?:?|returned) 403)"
            r"|(?:access ?denied|\b403 refused|forbidden)[^\n]{0,200}(?:\bs3\b|s3[:.])"
            r"|Access to bucket '[^'\n]{1,80}' was denied"
        ),
        texts=(
            "fatal error: an error occurred (403) | fatal error: an error occurred (accessdenied)"
            " | <code>accessdenied</code> | aws error access_denied | bucket does not allow acls"
            " | bucket raw returned 403 | PermissionError: Forbidden | PermissionError: Access Denied"
        ),
        channels=_SEEN,
        weight=0.92,
        meaning="The task's role may not read or write that bucket or object.",
        fix=(
            "Let {role} list arn:aws:s3:::{bucket} (s3:ListBucket) and read "
            "arn:aws:s3:::{bucket}/* (s3:GetObject; kms:Decrypt where the bucket has a key): `aws "
            "iam put-role-policy --role-name {role} --policy-name read-{bucket} --policy-document "
            "file://policy.json`."
        ),
        source="https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html",
        example=(
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the "
            "ListObjectsV2 operation: Access Denied"
        ),
        counter="INFO read s3://raw/in.csv, 403 rows",
    ),
)
