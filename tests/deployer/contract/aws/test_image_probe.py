"""The task's image as the probe sees it, in MiniStack's registry: there or not, and for which processor."""

import json
import urllib.request
from hashlib import sha256
from typing import Any

import pytest

from deployer.adapters.aws.probes import image
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.ports import Finding
from tests.deployer.contract.aws.worlds import configured

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"


class Registry:
    """One repository, filled over the registry's own protocol as a push would."""

    def __init__(self, endpoint: str, session: AwsSession, name: str) -> None:
        self._base, self._session, self.name = f"{endpoint}/v2/{name}", session, name
        session.client("ecr").create_repository(repositoryName=name)

    def push(self, platform: dict[str, str], tag: str = "src-1") -> str:
        """An image of one layer less than one; returns its digest."""
        blob = json.dumps({**platform, "rootfs": {"type": "layers", "diff_ids": []}}).encode()
        config = f"sha256:{sha256(blob).hexdigest()}"
        place = self._send("POST", f"{self._base}/blobs/uploads/", b"").headers["Location"]
        base = self._base.partition("/v2/")[0]
        upload = place if place.startswith("http") else f"{base}{place}"
        self._send("PUT", f"{upload}{'&' if '?' in upload else '?'}digest={config}", blob)
        return self._manifest(
            {"config": {"mediaType": _CONFIG, "digest": config, "size": len(blob)}, "layers": []},
            _MANIFEST,
            tag,
        )

    def push_index(self, *platforms: dict[str, str]) -> str:
        entries = [
            {"mediaType": _MANIFEST, "digest": f"sha256:{n:064}", "size": 1, "platform": platform}
            for n, platform in enumerate(platforms)
        ]
        return self._manifest({"manifests": entries}, _INDEX, "src-1")

    def _manifest(self, fields: dict[str, Any], kind: str, tag: str) -> str:
        body = json.dumps({"schemaVersion": 2, "mediaType": kind, **fields}).encode()
        self._send("PUT", f"{self._base}/manifests/{tag}", body, kind)
        return f"sha256:{sha256(body).hexdigest()}"

    def _send(self, method: str, url: str, body: bytes, kind: str = "application/octet-stream") -> Any:
        request = urllib.request.Request(url, body, {"Content-Type": kind}, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer

    def config(self, **runtime: str) -> Config:
        """Of a task on `runtime`; the registry is reached at MiniStack's own address."""
        config = configured({"SANDBOX_REGISTRY": self._base.partition("//")[2].partition("/")[0]})
        definition = {**config.task.definition, "runtimePlatform": runtime} if runtime else None
        task = config.task.model_copy(update={"definition": definition or config.task.definition})
        settings = config.image.model_copy(update={"repository": self.name})
        return config.model_copy(update={"task": task, "image": settings})

    def look(self, digest: str | None, **runtime: str) -> Finding:
        (finding,) = image.check(self.config(**runtime), self._session, digest)
        return finding


@pytest.fixture
def registry(ministack: str, ministack_session: AwsSession, name: str) -> Registry:
    return Registry(ministack, ministack_session, name)


_AMD = {"architecture": "amd64", "os": "linux"}
_ARM = {"architecture": "arm64", "os": "linux", "variant": "v8"}
_ATTESTATION = {"architecture": "unknown", "os": "unknown"}


def test_an_image_for_the_task_s_processor_is_fine(registry: Registry) -> None:
    """Its configuration, a blob of the registry, says for which processor it is."""
    assert registry.look(registry.push(_AMD)).state == "pass"


def test_an_image_for_another_processor_is_wrong(registry: Registry) -> None:
    """Such an image ends in `exec format error`; both sides are named, and what to set."""
    finding = registry.look(registry.push(_ARM))
    assert (finding.state, finding.detail) == ("fail", "is for linux/arm64, the task runs on linux/amd64")
    assert 'platform = "linux/amd64"' in finding.remedy


def test_the_task_may_want_the_other_processor(registry: Registry) -> None:
    """runtimePlatform of the task definition decides, not the machine that builds."""
    digest = registry.push(_ARM)
    assert registry.look(digest, cpuArchitecture="ARM64", operatingSystemFamily="LINUX").state == "pass"


@pytest.mark.parametrize(
    ("platforms", "state"),
    [((_AMD, _ARM, _ATTESTATION), "pass"), ((_ARM, _ATTESTATION), "fail"), ((_ATTESTATION,), "fail")],
)
def test_one_of_an_index_s_images_has_to_fit(
    registry: Registry, platforms: tuple[dict[str, str], ...], state: str
) -> None:
    """An index is an image for each of its platforms; attestations are none."""
    assert registry.look(registry.push_index(*platforms)).state == state


def test_an_image_that_is_not_there_is_wrong(registry: Registry) -> None:
    """A digest that the repository lacks: somebody has removed the image, and building brings it back."""
    finding = registry.look(f"sha256:{'0' * 64}")
    assert finding.state == "fail"
    assert "deployer resume" in finding.remedy


def test_before_the_first_release_there_is_no_image(registry: Registry) -> None:
    """Without a digest the last proven image is meant, which need not exist yet."""
    assert registry.look(None).state == "pass"
    registry.push(_ARM, "latest")
    assert registry.look(None).state == "fail"


def test_a_missing_repository_has_its_command(registry: Registry, ministack_session: AwsSession) -> None:
    """The repository is the account's to make, with one command."""
    ministack_session.client("ecr").delete_repository(repositoryName=registry.name, force=True)
    finding = registry.look(None)
    assert finding.state == "fail"
    assert f"aws ecr create-repository --repository-name {registry.name}" in finding.remedy


def test_a_configuration_that_cannot_be_had_is_unknown(
    registry: Registry, ministack_session: AwsSession
) -> None:
    """The manifest is there and its configuration is not: for which processor it is cannot be told."""
    body = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": {"digest": "sha256:1"}})
    answer = ministack_session.client("ecr").put_image(
        repositoryName=registry.name, imageManifest=body, imageManifestMediaType=_MANIFEST, imageTag="latest"
    )
    finding = registry.look(answer["image"]["imageId"]["imageDigest"])
    assert (finding.state, finding.what.partition("@")[0]) == ("unknown", f"image {registry.name}")
