"""The image cannot be pushed."""

from deployer.diagnosis.signature import (
    DOCKER_PUSH,
    Signature,
)

_ERRORS = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html"
_LOGIN = (
    "`aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}`"
)

PUSHES = (
    Signature(
        failure_class="registry-auth",
        subcause="push-refused",
        pattern=r"(?:unexpected status|HEAD|PUT|POST|PATCH)[^\n]{0,300}403|^\W{0,3}denied\b",
        texts="denied:  | 403 Forbidden | HTTP 403",
        without=r"not authorized to perform|proxy",
        channels=(DOCKER_PUSH,),
        weight=0.84,
        meaning="The registry refuses the push, most often for want of a valid token.",
        fix=(
            "Log in again ("
            + _LOGIN
            + "); if it is refused still, your IAM rights or the policy of {repository} do not "
            + "allow the push."
        ),
        source=_ERRORS,
        example=(
            "failed to push: unexpected status from HEAD request to "
            "https://111122223333.dkr.ecr.eu-west-3.amazonaws.com: 403 Forbidden"
        ),
        counter="latest: digest: sha256:0a size: 1573",
    ),
    Signature(
        failure_class="aws-config",
        subcause="registry-refuses",
        pattern=r"(?:unexpected|received)[^\n]{0,60}status[^\n]{0,40}\b(?:400|404|405|409|413|415|422)\b",
        channels=(DOCKER_PUSH,),
        weight=0.62,
        meaning="The registry does not accept what was pushed there.",
        fix=(
            "Check that {repository} exists in {region} and takes this kind of image: `aws ecr "
            "describe-repositories --repository-names {repository} --region {region}`."
        ),
        source=_ERRORS,
        example="received unexpected HTTP status: 405 Method Not Allowed",
        counter="latest: digest: sha256:0a size: 1573",
    ),
    Signature(
        failure_class="docker",
        subcause="push-failed",
        texts=(
            "does not exist locally | tag does not exist | an image does not exist | no such image"
            " | manifest invalid | unknown blob | invalid reference format | unsupported manifest"
            " | unsupported media | repository name must be | layer digest | blob upload"
            " | layer does not exist | must be lowercase"
        ),
        channels=(DOCKER_PUSH,),
        weight=0.85,
        meaning="What is pushed is not there under that name on this machine.",
        fix=(
            "See what was built (`docker image ls`), give it the name (`docker tag <image> "
            "{image}`), then `docker push {image}`."
        ),
        source="https://docs.docker.com/reference/cli/docker/image/push/",
        example=(
            "An image does not exist locally with the tag: "
            "111122223333.dkr.ecr.eu-west-3.amazonaws.com/loader"
        ),
        counter="0a1b2c3d4e5f: Layer already exists",
    ),
)
