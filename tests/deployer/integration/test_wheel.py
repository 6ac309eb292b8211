"""The distributions: what `pip install deployer` brings, and that the job is not in it."""

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, zipfile.ZipFile]:
    """Both, by name, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    sources = [str(ROOT), str(ROOT / "packaging" / "forecast-etl")]
    subprocess.run([*command, "--wheel-dir", str(folder), *sources], check=True, timeout=120)
    return {path.name.partition("-")[0]: zipfile.ZipFile(path) for path in folder.iterdir()}


def test_each_wheel_has_its_own_package(wheels: Mapping[str, zipfile.ZipFile]) -> None:
    """No top-level package but its own, and its command."""
    for name, package, command in (
        ("deployer", "deployer", "deployer"),
        ("forecast_etl", "pipeline", "forecast-etl"),
    ):
        files = wheels[name].namelist()
        tops = {file.partition("/")[0] for file in files}
        assert {top for top in tops if not top.endswith(".dist-info")} == {package}
        scripts = next(file for file in files if file.endswith("entry_points.txt"))
        assert wheels[name].read(scripts).decode().splitlines()[1].startswith(f"{command} = ")


def test_the_picture_is_in_the_wheel(wheels: Mapping[str, zipfile.ZipFile]) -> None:
    """Data that a command reads is installed with it."""
    assert "deployer/view/flow.svg" in wheels["deployer"].namelist()
