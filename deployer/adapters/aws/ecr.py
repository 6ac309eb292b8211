"""Elastic Container Registry, from the AWS side: address, login, tags. Layers go through the engine."""

import base64
import json
import re
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from deployer.adapters.aws.session import AwsSession, error_code, translated
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.ports import Login, Tagged

_AT_ONCE: Final = 100
"""BatchDeleteImage takes at most this many."""

_TIMEOUT: Final = 10.0
_LARGEST: Final = 4 * 2**20
"""Bytes of a configuration, which is a list of layers and their history."""

# Without these ECR would answer with a schema 1 manifest, or not at all for an OCI image.
_MEDIA_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class RepositoryMissing(Failure):
    """There is no repository of that name in this account and region; the hint creates one."""


_ADDRESS: Final = re.compile(
    r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.(?:com|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|s?c2s\.(?:ic|sgov)\.gov).*"
)


def registry_of(config: Config) -> tuple[str, str]:
    """Account and region of `[image] registry`; both empty where that is no address of ECR."""
    match = _ADDRESS.fullmatch(config.image.registry or "")
    return (match[1], match[2]) if match else ("", "")


class Ecr:
    """The registry of the caller's account, or `[image] registry`, which may be another account's."""

    def __init__(self, config: Config, session: AwsSession) -> None:
        self._config = config
        self._session = session
        account, self._region = registry_of(config)
        self._account = {"registryId": account} if account else {}

    @property
    def _client(self) -> Any:
        return self._session.client("ecr", self._region or None)

    def describe(self, repository: str) -> dict[str, Any]:
        """DescribeRepositories; empty where there is none."""
        try:
            with self._calling(repository):
                found = self._client.describe_repositories(repositoryNames=[repository], **self._account)
        except RepositoryMissing:
            return {}
        return dict(next(iter(found["repositories"]), {}))

    def address(self) -> str:
        """`[image] registry` where it is set, else what ECR says."""
        return self._config.image.registry or _host(self._authorization())

    def login(self) -> Login:
        """Credentials from GetAuthorizationToken, good for twelve hours."""
        data = self._authorization()
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return Login(self._config.image.registry or _host(data), user, password)

    def digest(self, repository: str, tag: str) -> str | None:
        image = self._image(repository, {"imageTag": tag})
        return str(image["imageId"]["imageDigest"]) if image else None

    def manifest(self, repository: str, reference: str) -> Mapping[str, Any] | None:
        image = self._image(repository, _named(reference))
        return dict(json.loads(image["imageManifest"])) if image else None

    def blob(self, repository: str, digest: str) -> tuple[str, dict[str, str]]:
        """The address of a layer or a configuration, and the headers for its download."""
        registry = self._config.image.registry
        if registry:
            scheme = "http" if registry.startswith(("127.0.0.1:", "localhost:")) else "https"
            token = self._authorization()["authorizationToken"]
            return f"{scheme}://{registry}/v2/{repository}/blobs/{digest}", {
                "Authorization": f"Basic {token}"
            }
        with self._calling(repository):
            answer = self._client.get_download_url_for_layer(
                repositoryName=repository, layerDigest=digest, **self._account
            )
        return str(answer["downloadUrl"]), {}

    def configuration(self, repository: str, digest: str) -> Mapping[str, Any]:
        """An image's configuration, by its own digest. OSError: it cannot be read; ValueError: it is none."""
        url, headers = self.blob(repository, digest)
        if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError(f"{url.partition('?')[0]} is no https address")
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  see above
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
            held = json.loads(answer.read(_LARGEST))
        if not isinstance(held, dict):
            raise ValueError("the image's configuration is no JSON object")
        return held

    def labels(self, repository: str, digest: str) -> Mapping[str, str] | None:
        """Of an index: those of its first image."""
        with suppress(Failure, OSError, ValueError, LookupError, TypeError, AttributeError):
            manifest = self.manifest(repository, digest) or {}
            images = (e for e in manifest.get("manifests", ()) if e["platform"]["os"] != "unknown")
            first = next(images, None)
            manifest = self.manifest(repository, first["digest"]) or {} if first else manifest
            held = self.configuration(repository, manifest["config"]["digest"])["config"]
            return {str(key): str(value) for key, value in (held.get("Labels") or {}).items()}
        return None

    def move_tag(self, repository: str, tag: str, digest: str) -> None:
        """PutImage of the existing manifest."""
        if self.digest(repository, tag) == digest:
            return
        image = self._image(repository, {"imageDigest": digest})
        if image is None:
            raise Failure(
                "aws-config",
                f"ECR repository {repository}: no image {digest}",
                f"list the images: `aws ecr describe-images --repository-name {repository}`",
            )
        media_type = image.get("imageManifestMediaType")
        with self._calling(repository):
            self._client.put_image(
                repositoryName=repository,
                imageManifest=image["imageManifest"],
                imageTag=tag,
                imageDigest=digest,
                **self._account,
                **({"imageManifestMediaType": media_type} if media_type else {}),
            )

    def tagged(self, repository: str) -> tuple[Tagged, ...]:
        pages = self._client.get_paginator("describe_images")
        with self._calling(repository):
            return tuple(
                Tagged(tag, image["imageDigest"], image["imagePushedAt"].timestamp())
                for page in pages.paginate(
                    repositoryName=repository, filter={"tagStatus": "TAGGED"}, **self._account
                )
                for image in page["imageDetails"]
                for tag in image["imageTags"]
            )

    def remove(self, repository: str, tags: Sequence[str]) -> None:
        """BatchDeleteImage by tag: an image goes with its last tag."""
        for start in range(0, len(tags), _AT_ONCE):
            with self._calling(repository):
                answer = self._client.batch_delete_image(
                    repositoryName=repository,
                    imageIds=[{"imageTag": tag} for tag in tags[start : start + _AT_ONCE]],
                    **self._account,
                )
            refused = [f for f in answer.get("failures", ()) if f.get("failureCode") != "ImageNotFound"]
            if refused:
                said = "; ".join(f"{f['imageId'].get('imageTag')}: {f.get('failureReason')}" for f in refused)
                raise Failure("aws-config", f"ECR repository {repository}: cannot remove {said}")

    def _authorization(self) -> dict[str, Any]:
        with translated("ECR", refused="registry-auth"):
            data: dict[str, Any] = self._client.get_authorization_token()["authorizationData"][0]
        return data

    def _image(self, repository: str, image_id: dict[str, str]) -> dict[str, Any] | None:
        with self._calling(repository):
            answer = self._client.batch_get_image(
                repositoryName=repository,
                imageIds=[image_id],
                acceptedMediaTypes=list(_MEDIA_TYPES),
                **self._account,
            )
        return next(iter(answer["images"]), None)

    @contextmanager
    def _calling(self, repository: str) -> Iterator[None]:
        where = f"ECR repository {repository}"
        with translated(where):
            try:
                yield
            except Exception as error:
                remedy = _REMEDIES.get(error_code(error))
                if remedy is None:
                    raise
                account = self._account.get("registryId", "")
                names = {"repository": repository, "region": self._region or self._session.region}
                names["account"] = f" (in account {account})" if account else ""
                kind = RepositoryMissing if error_code(error) == _MISSING else Failure
                raise kind("aws-config", f"{where}: {error}", remedy.format(**names)) from error


_MISSING: Final = "RepositoryNotFoundException"
_REMEDIES: Final = {
    _MISSING: "create it{account}: "
    "`aws ecr create-repository --repository-name {repository} --region {region}`",
    "ImageTagAlreadyExistsException": (
        'its tags are immutable: set promote-tag = "" under [image], or let one tag move:'
        " `aws ecr put-image-tag-mutability"
        " --repository-name {repository} --region {region} --image-tag-mutability IMMUTABLE_WITH_EXCLUSION"
        " --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=latest`"
    ),
}


def _named(reference: str) -> dict[str, str]:
    return {"imageDigest" if reference.startswith("sha256:") else "imageTag": reference}


def _host(authorization: dict[str, Any]) -> str:
    return str(authorization["proxyEndpoint"]).removeprefix("https://").removeprefix("http://")
