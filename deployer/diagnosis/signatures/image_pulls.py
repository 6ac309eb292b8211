"""The task's image cannot be pulled; the registry has no such repository or tag."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_PUSH,
    ECS,
    Signature,
)

_PULL = (
    r"CannotPull|pull(?:ing)? image|failed to pull|image manifest|inspect image|ref pull"
    r"|failed to resolve|normalize image"
)
_PULL_DOC = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html"
_ERRORS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"

IMAGE_PULLS = (
    Signature(
        failure_class="code",
        subcause="wrong-architecture-manifest",
        pattern=r"image (?:operating system|platform)[^\n]{0,60}(?:does not match|cannot be used)",
        texts=(
            "no match for platform | does not contain descriptor matching platform | no matching manifest for"
        ),
        channels=ECS,
        weight=0.95,
        meaning="The image was built for another processor than the task has.",
        fix=(
            "Build for the task's platform (`docker build --platform linux/amd64 .`, or "
            "linux/arm64), or set runtimePlatform.cpuArchitecture in the task definition to that "
            "of {image}."
        ),
        source=_PULL_DOC,
        example=(
            "CannotPullContainerError: image Manifest does not contain descriptor matching "
            "platform 'linux/amd64'"
        ),
        counter="INFO platform linux/amd64",
    ),
    Signature(
        failure_class="aws-config",
        subcause="image-not-found",
        pattern=(
            r"manifest[^\n]{0,200}(?:not found|unknown)"
            r"|repository[^\n]{0,120}(?:not found|does not exist)"
            r"|(?:tag|image)[^\n]{0,120}(?:does not exist|not found)|unexpected status[^\n]{0,40}404"
        ),
        texts=(
            "name unknown | does not exist or no pull access | may require 'docker login'"
            " | invalid reference format | normalize image reference | pull access denied"
            " | insufficient_scope | : not found | response status code 404 | 404 Not Found"
        ),
        names="RepositoryNotFound~ ImageNotFound~ MANIFEST_UNKNOWN NAME_UNKNOWN",
        within=_PULL,
        without=r"authentication required|x509|no such host|executable",
        channels=ECS,
        weight=0.89,
        meaning="The task's image does not exist under that name and tag, or is private.",
        fix=(
            "Compare the image in the task definition with what was pushed: `aws ecr "
            "describe-images --repository-name {repository} --image-ids imageTag={tag} --region "
            "{region}`; {image} must be there."
        ),
        source=_PULL_DOC,
        example=(
            "CannotPullContainerError: Error response from daemon: manifest for acme/loader:9 not found"
        ),
        counter="INFO pulled image acme/loader:9",
    ),
    Signature(
        failure_class="aws-config",
        subcause="image-pull-refused",
        pattern=r"unexpected status[^\n]{0,40}403",
        texts=(
            "forbidden | AccessDenied | HTTP 403 | status code 403 | not authorized"
            " | insufficient permissions"
        ),
        within=_PULL,
        without=r"public\.ecr\.aws|ecr:[A-Z]",
        channels=ECS,
        weight=0.86,
        meaning="The execution role, or the repository's policy, does not let the task pull.",
        fix=(
            "Attach AmazonECSTaskExecutionRolePolicy to {role} (`aws iam attach-role-policy "
            "--role-name {role} --policy-arn "
            "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy`); across "
            "accounts allow it in the policy of {repository} too."
        ),
        source=_PULL_DOC,
        example=(
            "CannotPullContainerError: Error response from daemon: received unexpected HTTP "
            "status: 403 Forbidden"
        ),
        counter="INFO pull allowed",
    ),
    Signature(
        failure_class="aws-config",
        subcause="image-pull-no-route",
        pattern=r"connection (?:refused|timed out|reset|issue)",
        texts=(
            "i/o timeout | Client.Timeout | context deadline exceeded | context cancelled"
            " | context canceled | dial tcp | no such host | request cancelled | request canceled"
            " | TLS handshake | network is unreachable | x509 | : EOF"
        ),
        within=_PULL,
        without=r"429|toomanyrequests|no space",
        channels=ECS,
        weight=0.87,
        meaning="The task cannot reach the registry from its subnet.",
        fix=(
            "Give the subnet {subnet} a way to {host}: NAT, or assignPublicIp in a public subnet, "
            "or the VPC endpoints ecr.api, ecr.dkr and s3 (gateway); egress on 443: `aws ec2 "
            "describe-route-tables --region {region}`."
        ),
        source=_PULL_DOC,
        example=(
            "CannotPullContainerError: failed to resolve ref acme/loader:9: failed to do request: "
            'Head "https://registry-1.docker.io/v2/acme/loader": dial tcp 10.1.2.3:443: i/o '
            "timeout"
        ),
        counter="INFO pulled image in 3 s, timeout=30",
    ),
    Signature(
        failure_class="aws-config",
        subcause="image-pull-failed",
        pattern=r"CannotPull\w{0,30}Error",
        channels=ECS,
        weight=0.62,
        meaning="The task's image could not be pulled.",
        fix=(
            "Pull it by hand as the task does (`docker pull {image}`), then check the execution "
            "role, the tag and the subnet's way out: `deployer doctor`."
        ),
        source=_PULL_DOC,
        example="CannotPullContainerError: something odd",
        counter="INFO image pulled",
    ),
    Signature(
        failure_class="aws-config",
        subcause="repository-missing",
        pattern=(
            r"repository with name '(?P<repository>[^'\n]{1,200})' does not exist"
            r"|repository [^\n]{0,120}does not exist in the registry"
            r"|image with imageId[^\n]{0,120}does not exist"
        ),
        texts=(
            "name unknown | repository does not exist in the registry | requested image not found"
            " | repository not found"
        ),
        names=(
            "RepositoryNotFoundException NAME_UNKNOWN RepositoryPolicyNotFoundException "
            "ImageNotFoundException UnableToGetUpstreamImageException LayersNotFoundException"
        ),
        channels=(DOCKER_PUSH, CLIENT_ERROR),
        weight=DECISIVE,
        meaning=("There is no ECR repository, or no image in it, of that name in that account and region."),
        fix=(
            "Create it: `aws ecr create-repository --repository-name {repository} --region "
            "{region}`, or correct [image] repository in deploy.toml."
        ),
        source=_ERRORS,
        example=(
            "name unknown: The repository with name 'acme/loader' does not exist in the registry "
            "with id '111122223333'"
        ),
        counter="The push refers to repository [acme/loader]",
    ),
    Signature(
        failure_class="aws-config",
        subcause="tag-immutable",
        pattern=r"(?:already exists|cannot be overwritten)[^\n]{0,200}immutable",
        texts="cannot be overwritten because the repository is immutable",
        names="ImageTagAlreadyExistsException ImageAlreadyExistsException",
        channels=(DOCKER_PUSH, CLIENT_ERROR),
        weight=DECISIVE,
        meaning="Another image has that tag, and the repository does not let tags move.",
        fix=(
            "Push under another tag, or delete the old one: `aws ecr batch-delete-image "
            "--repository-name {repository} --image-ids imageTag={tag} --region {region}`."
        ),
        source=_ERRORS,
        example=(
            "tag invalid: The image tag 'v7' already exists in the 'acme/loader' repository and "
            "cannot be overwritten because the repository is immutable."
        ),
        counter="INFO tags are immutable",
    ),
)
