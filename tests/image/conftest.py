"""The real engine, and the ETL image built on it from this checkout."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from tests.images import ROOT, base_images


@pytest.fixture(scope="session")
def images() -> dict[str, str]:
    """The base images that this machine can have, as scripts/ensure-base has chosen them."""
    return base_images()


@pytest.fixture(scope="session")
def engine(images: dict[str, str]) -> Iterator[docker.DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture(scope="session")
def etl_image(engine: docker.DockerClient, images: dict[str, str]) -> Iterator[str]:
    """The tag of the ETL image, built by the classic builder (the only one that the SDK speaks)."""
    tag = f"deployer-test-etl:{uuid.uuid4().hex[:12]}"
    build(engine, ROOT, tag, images)
    yield tag
    engine.images.remove(tag, force=True)


def build(engine: docker.DockerClient, context: Path, tag: str, images: dict[str, str]) -> str:
    """Builds the ETL image of the checkout at `context`; returns the image's id."""
    image, _ = engine.images.build(
        path=str(context),
        tag=tag,
        platform="linux/amd64",
        buildargs={"PYTHON_IMAGE": images["PYTHON_IMAGE"]},
        rm=True,
    )
    return str(image.id)
