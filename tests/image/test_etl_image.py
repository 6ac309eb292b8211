"""The ETL image holds what the ETL needs and nothing else."""

import json
import os
import re
import shutil
import uuid
from typing import Any

import docker
import pytest

from deployer.adapters.docker.packages import packages_of
from tests.image.conftest import ROOT, build

INVENTORY = """
import importlib.metadata, importlib.util, json, pathlib
distributions = importlib.metadata.distributions()
names = ["pip", "setuptools", "deployer", "docker", "pytest"]
caches = [pathlib.Path("/root", ".cache"), pathlib.Path("/tmp"), pathlib.Path("/var/lib/apt/lists")]
print(json.dumps({
    "app": [path.name for path in pathlib.Path("/app").iterdir()],
    "modules": [name for name in names if importlib.util.find_spec(name)],
    "packages": {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions},
    "caches": [str(path) for folder in caches if folder.exists() for path in folder.iterdir()],
}))
"""


@pytest.fixture(scope="module")
def inventory(engine: docker.DockerClient, etl_image: str) -> dict[str, Any]:
    """What root, who may see everything, finds in the image."""
    return json.loads(run_python(engine, etl_image, INVENTORY, user="0"))


def run_python(engine: docker.DockerClient, image: str, script: str, user: str | None = None) -> str:
    output = engine.containers.run(
        image, ["-c", script], entrypoint="python", user=user, network_mode="none", remove=True
    )
    return output.decode()


def test_runs_as_a_numeric_user_who_may_not_change_the_program(engine, etl_image):
    """The user is not root, is given by number, and cannot write the code that runs."""
    script = (
        "import os; print(os.getuid(), os.access('/app/pipeline', os.W_OK), os.access('/opt/venv', os.W_OK))"
    )
    assert engine.images.get(etl_image).attrs["Config"]["User"] == "10001:10001"
    assert run_python(engine, etl_image, script).split() == ["10001", "False", "False"]


def test_starts_the_etl_from_any_folder(engine, etl_image):
    """The entry point finds the pipeline, also where a task definition sets another working directory."""
    output = engine.containers.run(
        etl_image, ["--help"], working_dir="/tmp", network_mode="none", remove=True
    )
    assert "run" in output.decode()


def test_holds_the_pipeline_and_nothing_else_of_the_repository(inventory):
    """Of this repository only the package `pipeline` is inside; the deployer is not."""
    assert inventory["app"] == ["pipeline"]


def test_holds_no_installer_no_tool_and_no_cache(inventory):
    """Neither pip, nor the deployer and its packages, nor what an installer leaves behind is inside."""
    assert (inventory["modules"], inventory["caches"]) == ([], [])


def test_holds_only_pinned_packages(inventory):
    """Each installed package has the version that requirements/pipeline.txt pins."""
    pins = dict(
        re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements/pipeline.txt").read_text(), re.MULTILINE)
    )
    assert inventory["packages"]
    assert inventory["packages"].items() <= pins.items()


def test_holds_no_setting_of_the_machine_that_built_it(engine, etl_image, images):
    """Environment and history name nothing beyond the Dockerfile: no credential, no registry, no proxy."""
    base = engine.images.get(images["PYTHON_IMAGE"])
    inherited = {setting.split("=")[0] for setting in base.attrs["Config"]["Env"] or []}
    image = engine.images.get(etl_image)
    names = {setting.split("=")[0] for setting in image.attrs["Config"]["Env"]}
    own = {"PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert names - inherited <= own
    steps = [layer["CreatedBy"] for layer in image.history()[: -len(base.history())]]
    assert not [
        step for step in steps if re.search(r"(?i)password|secret|token|mongodb|https?:|_proxy", step)
    ]


def test_a_change_of_code_installs_nothing_again(engine, etl_image, images, tmp_path):
    """Only the layer of the code differs when only the code has changed."""
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")
    (tmp_path / "requirements").mkdir()
    shutil.copy(ROOT / "requirements/pipeline.txt", tmp_path / "requirements")
    (tmp_path / "pipeline/changed.py").write_text("")
    tag = f"deployer-test-etl:{uuid.uuid4().hex[:12]}"
    build(engine, tmp_path, tag, images)
    try:
        before, after = (layers(engine, image) for image in (etl_image, tag))
    finally:
        engine.images.remove(tag)
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]


def layers(engine: docker.DockerClient, image: str) -> list[str]:
    return engine.images.get(image).attrs["RootFS"]["Layers"]


def test_what_is_in_the_image_is_known(etl_image: str) -> None:
    """The distribution's packages and the pinned ones of Python, without running the image."""
    distribution, found = packages_of(os.environ, etl_image, "")
    assert distribution == "debian"
    versions = {(package.kind, package.name): package.version for package in found}
    assert f"pymongo=={versions['pypi', 'pymongo']}" in (ROOT / "requirements/pipeline.txt").read_text()
    assert ("deb", "libc6") in versions
