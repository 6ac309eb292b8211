"""The image could not be pulled by the task, or is not where the push or the task definition says."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_PUSH,
    ECS,
    STOPPED_REASON,
    TASK_LOG,
    Rule,
)

_PULL = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html"
_PUSH = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html"
_PULLING = (
    r"CannotPull|pull(?:ing)? image|Failed to pull|image manifest|inspect image|ref pull"
    r"|failed to resolve ref|copy image"
)

IMAGE_PULL: tuple[Rule, ...] = (
    Rule(
        failure_class="code",
        subcause="wrong-architecture-manifest",
        matches=r"no match for platform|does not contain descriptor matching platform|no matching manifest for"
        r"|image (?:operating system|platform)[^\n]*(?:does not match|cannot be used)",
        confidence=DECISIVE,
        channels=ECS,
        remedy="The pushed image is for another platform: `docker build --platform linux/amd64 -t <image> .` and push it "
        "again, or set runtimePlatform in the task definition.",
        link=_PULL,
        example="CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
    ),
    Rule(
        failure_class="aws-config",
        subcause="image-not-found",
        matches=r"manifest[^\n]*(?:not found|unknown)|: not found|repository[^\n]*(?:not found|does not exist)"
        r"|name unknown|RepositoryNotFound|ImageNotFound|requested image not found"
        r"|does not exist or no pull access|may require 'docker login'|(?:tag|image)[^\n]*does not exist"
        r"|invalid reference format|normalize image reference|MANIFEST_UNKNOWN|NAME_UNKNOWN|pull access denied|response status code 404"
        r"|404 Not Found|unexpected status[^\n]*404|insufficient_scope",
        context=_PULLING + r"|Essential container|manifest|repository|image",
        confidence=0.84,
        channels=ECS,
        remedy="The image of the task definition is not in that registry (repository, tag or digest): "
        "`aws ecr describe-images --repository-name <repository>`; then register the full URI, by digest.",
        link=_PULL,
        example="CannotPullContainerError: failed to resolve ref docker.io/acme/loader:v9: docker.io/acme/loader:v9: not found",
    ),
    Rule(
        failure_class="aws-config",
        subcause="image-pull-refused",
        matches=r"(?:403 Forbidden|Forbidden|AccessDenied|HTTP 403|status code 403|unexpected status[^\n]*403)",
        context=_PULLING,
        confidence=0.83,
        unless=r"public\.ecr\.aws",
        channels=ECS,
        remedy="The registry knows the task and refuses it: give the execution role AmazonECSTaskExecutionRolePolicy, and "
        "for another account's repository a repository policy: `aws ecr get-repository-policy --repository-name <repository>`.",
        link=_PULL,
        example="CannotPullContainerError: failed to copy: httpReadSeeker: failed open: unexpected status code "
        "https://111122223333.dkr.ecr.eu-west-3.amazonaws.com/v2/loader/blobs/sha256:0a: 403 Forbidden",
    ),
    Rule(
        failure_class="aws-config",
        subcause="image-pull-no-route",
        matches=r"i/o timeout|Client\.Timeout|context (?:deadline exceeded|canceled)|dial tcp|no such host"
        r"|connection (?:refused|timed out|reset)|request canceled|TLS handshake timeout"
        r"|network is unreachable|x509|net/http",
        context=_PULLING,
        confidence=0.85,
        channels=ECS,
        remedy="The subnet has no way to the registry: assignPublicIp=ENABLED in a public subnet, a NAT gateway, or the VPC "
        "endpoints ecr.api, ecr.dkr and S3; egress on 443 in the security group: `aws ec2 describe-route-tables "
        "--filters Name=association.subnet-id,Values=<subnet>`.",
        link=_PULL,
        example="CannotPullContainerError: Head https://registry.test/v2/loader: dial tcp 10.1.2.3:443: i/o timeout",
    ),
    Rule(
        failure_class="aws-config",
        subcause="image-pull-failed",
        matches=r"CannotPull\w*Error",
        confidence=0.6,
        channels=(STOPPED_REASON, *ECS, TASK_LOG),
        remedy="The image could not be pulled: see that it exists (`aws ecr describe-images --repository-name <repository>`), "
        "that the execution role may pull it, and that the subnet has a way to the registry.",
        link=_PULL,
        example="CannotPullContainerError: pull command failed",
    ),
    Rule(
        failure_class="aws-config",
        subcause="repository-missing",
        matches=r"name unknown|RepositoryNotFoundException|repository with name '[^\n]*' does not exist|NAME_UNKNOWN"
        r"|repository does not exist in the registry|repository not found",
        confidence=DECISIVE,
        channels=(DOCKER_PUSH, CLIENT_ERROR),
        remedy="Create the repository in the account and region of the URI: `aws ecr create-repository --repository-name "
        "<repository> --region <region>`.",
        link=_PUSH,
        example="name unknown: The repository with name 'loader' does not exist in the registry with id '111122223333'",
    ),
    Rule(
        failure_class="aws-config",
        subcause="registry-refuses",
        matches=r"(?:unexpected|received)[^\n]*status[^\n]*\b(?:400|404|405|409|413|415|422)\b",
        confidence=0.6,
        channels=(DOCKER_PUSH,),
        remedy="The registry knows you and does not take this request: see that the repository exists and what it allows: `aws ecr "
        "describe-repositories --repository-names <repository>`; an old client may ask in a way that ECR does not know.",
        link=_PUSH,
        example="failed to push: unexpected status code 405 Method Not Allowed",
    ),
    Rule(
        failure_class="aws-config",
        subcause="tag-immutable",
        matches=r"tag[^\n]*immutable|ImageTagAlreadyExists|ImageAlreadyExists"
        r"|cannot be overwritten because the repository is immutable",
        confidence=DECISIVE,
        remedy="The repository does not let a tag be moved: push under a new tag (deployer names images by content), or "
        "`aws ecr put-image-tag-mutability --repository-name <repository> --image-tag-mutability MUTABLE`.",
        link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
        channels=(DOCKER_PUSH, CLIENT_ERROR),
        example="tag invalid: The image tag 'v9' already exists in the 'loader' repository and cannot be overwritten because "
        "the repository is immutable.",
    ),
    Rule(
        failure_class="aws-config",
        subcause="image-missing-locally-named",
        matches=r"ImageNotFoundException|image with imageId[^\n]*does not exist|Requested image not found",
        confidence=0.9,
        channels=(CLIENT_ERROR, DOCKER_PUSH),
        remedy="The tag or digest is not in the repository: `aws ecr describe-images --repository-name <repository>`.",
        link=_PULL,
        example="An error occurred (ImageNotFoundException) when calling the DescribeImages operation: the image with imageId "
        "{imageTag:'v9'} does not exist within the repository",
    ),
)
