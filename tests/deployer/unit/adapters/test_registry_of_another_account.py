"""A registry of another account and region: every call says whose it is, and goes there."""

from typing import Any

from botocore.stub import Stubber

from deployer.adapters.aws.ecr import Ecr
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from tests.fakes.world import settings

OWNER, HOST = "998877665544", "998877665544.dkr.ecr.us-east-1.amazonaws.com"
DIGEST = "sha256:" + "4d" * 32


def test_every_call_names_the_registry_s_account() -> None:
    """Repository, tag and move: `registryId` is the owner's, the region the address's."""
    session = AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))
    registry = Ecr(settings(image={"registry": HOST, "repository": "jobs"}), session)
    client = session.client("ecr", "us-east-1")
    of: dict[str, Any] = {"registryId": OWNER}
    image = {"imageId": {"imageDigest": DIGEST}, "imageManifest": "{}", **of}
    with Stubber(client) as stub:
        stub.add_response("describe_repositories", {"repositories": []}, {"repositoryNames": ["jobs"], **of})
        for asked, found in (("old", []), ("latest", []), (DIGEST, [image])):
            named = {"imageDigest": asked} if asked == DIGEST else {"imageTag": asked}
            stub.add_response("batch_get_image", {"images": found}, _asking(named))
        put = {"repositoryName": "jobs", "imageManifest": "{}", "imageTag": "latest", "imageDigest": DIGEST}
        stub.add_response("put_image", {"image": {}}, {**put, **of})
        registry.describe("jobs")
        assert registry.digest("jobs", "old") is None
        registry.move_tag("jobs", "latest", DIGEST)
        stub.assert_no_pending_responses()
    assert client.meta.region_name == "us-east-1"


def _asking(named: dict[str, str]) -> dict[str, Any]:
    from botocore.stub import ANY

    return {"repositoryName": "jobs", "imageIds": [named], "acceptedMediaTypes": ANY, "registryId": OWNER}
