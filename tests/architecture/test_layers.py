"""The directions of imports in pyproject.toml hold: imports planted against them are found, by name."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.images import ROOT

LINT = Path(sys.executable).with_name("lint-imports")
PLANTED = {
    "deployer/model.py": "pipeline.model",
    "pipeline/run.py": "deployer.model",
    "deployer/commands/plan.py": "deployer.cli",
    "deployer/adapters/__init__.py": "deployer.view",
    "deployer/flow/runner.py": "deployer.adapters",
    "deployer/task/__init__.py": "deployer.flow",
    "deployer/lock/__init__.py": "deployer.records",
    "deployer/ports/__init__.py": "deployer.retry",
    "deployer/diagnosis/__init__.py": "deployer.ports",
    "deployer/errors.py": "deployer.config",
    "deployer/flow/decisions.py": "rich",
    "deployer/records/journal.py": "boto3",
    "deployer/verification/__init__.py": "pymongo",
    "pipeline/parsers/__init__.py": "pipeline.cli",
    "pipeline/transform.py": "pymongo",
}
"""By file: an import that no contract allows there."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the tree with all of these imports in it."""
    folder = tmp_path_factory.mktemp("planted")
    for package in ("deployer", "pipeline"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, module in PLANTED.items():
        with (folder / file).open("a") as text:
            text.write(f"\nimport {module}\n")
    command = [LINT, "--config", ROOT / "pyproject.toml", "--no-cache"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("file", PLANTED)
def test_an_import_against_the_direction_is_found(found: str, file: str) -> None:
    """The report names the module and what it must not import."""
    importer = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert re.search(rf"{re.escape(importer)} -> {re.escape(PLANTED[file])}\b", found), found


def test_every_contract_is_broken_by_a_planted_import(found: str) -> None:
    """No contract of pyproject.toml is one that nothing can break."""
    assert "Contracts: 0 kept" in found, found


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    """At most 350 lines (docs/adr/0012-how-large-deployer-may-be.md)."""
    lengths = {path: len(path.read_text().splitlines()) for path in (ROOT / "deployer").rglob("*.py")}
    assert len(lengths) > 100
    assert {path: length for path, length in lengths.items() if length > 350} == {}
