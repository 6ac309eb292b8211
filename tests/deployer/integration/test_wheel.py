"""The distributions: what `pip install deployer` brings, and that the job is not in it."""

import subprocess
import sys
import venv
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


def test_without_the_sandbox_extra_it_says_how_to_get_it(
    wheels: Mapping[str, zipfile.ZipFile], tmp_path: Path
) -> None:
    """Installed alone, in an empty folder: init works, and a release names the extra, class resources; the
    job of this repository is not there."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheels["deployer"].filename)], check=True, timeout=300)
    job = tmp_path / "job"
    job.mkdir()
    (job / "Dockerfile").write_text("FROM scratch\n")

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        return subprocess.run(command, cwd=job, env=environ, capture_output=True, text=True, check=False)

    deployer = tmp_path / "venv/bin/deployer"
    assert run(deployer, "init", "--yes").returncode == 0
    released = run(deployer, "release", "--yes")
    assert released.returncode == 15, released.stderr
    assert "pip install 'deployer[sandbox]'" in released.stderr
    assert "Traceback" not in released.stderr
    assert "No module named 'pipeline'" in run(python, "-c", "import pipeline").stderr


def test_the_picture_is_in_the_wheel(wheels: Mapping[str, zipfile.ZipFile]) -> None:
    """Data that a command reads is installed with it."""
    assert "deployer/view/flow.svg" in wheels["deployer"].namelist()
