"""Folders that a release can be made from: a copy of this one's ETL, and a job of one file.

Beside this file: jobs of other people, for `test_foreign_projects.py`.
"""

import json
import os
import shlex
import shutil
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.command import Deployer, Ran
from tests.e2e.outside import Outside
from tests.images import ROOT, base_images

JOB = Path(__file__).parents[1] / "job"
ETL_FILES = (
    "deploy.toml",
    "task-definition.json",
    "Dockerfile",
    ".dockerignore",
    "docker-compose.yml",
    "compose",
    "pipeline",
    "requirements/pipeline.txt",
    ".deployer/images.env",
)


@dataclass(frozen=True)
class Project:
    """`name` is its own: of its images, its task definitions and its compose projects."""

    folder: Path
    name: str
    repository: str
    deployer: Deployer

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces the one place where `old` stands."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def renew(self) -> None:
        """Gives the job a content that no image has been built of."""
        with (self.folder / "job.py").open("a") as file:
            file.write(f"# {self.name}\n")

    def release(self, *arguments: str) -> Ran:
        return self.deployer.release(*arguments)

    def resume(self) -> Ran:
        return self.deployer.resume()


def etl(folder: Path, name: str) -> Project:
    """A copy of what a release of the ETL needs, under names of its own, with local tests that are quick."""
    for file in ETL_FILES:
        source, target = ROOT / file, folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    home = folder / "home"
    home.mkdir()
    project = Project(folder, name, name, Deployer(folder, {"HOME": str(home)}))
    project.edit("deploy.toml", 'name = "forecast-etl"\n\n[test]', f'name = "{name}"\n\n[test]')
    project.edit("deploy.toml", 'repository = "forecast-etl"', f'repository = "{name}"')
    project.edit("deploy.toml", '"-m", "pytest", "-q", "tests/pipeline/unit"', '"checks.py"')
    (folder / "checks.py").write_text("assert 1 + 1 == 2\n")
    return project


def job(folder: Path, name: str, repository: str, facts: Mapping[str, str], secret: str) -> Project:
    """The job of one file, released to the sandbox as if it were an AWS account."""
    shutil.copytree(JOB, folder)
    environ = {
        **facts,
        **images(),
        "HOME": str(folder),
        "NAME": name,
        "REPOSITORY": repository,
        "ENDPOINT": facts["SANDBOX_ENDPOINT"],
        "SECRET_ARN": secret,
    }
    return Project(folder, name, repository, Deployer(folder, environ))


def jobs_repository(name: str, outside: Outside) -> str:
    """One repository for all jobs, so that the base is pushed once; the role may read their secrets."""
    repository = f"{name}-jobs"
    outside.aws("ecr").create_repository(repositoryName=repository)
    secrets = f"arn:aws:secretsmanager:*:{outside.facts['SANDBOX_ACCOUNT']}:secret:job-*"
    statement = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secrets}
    outside.aws("iam").put_role_policy(
        RoleName=outside.facts["SANDBOX_EXECUTION_ROLE"].rpartition("/")[2],
        PolicyName="secrets-of-jobs",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    return repository


def new_job(folder: Path, repository: str, outside: Outside) -> Project:
    """A job of its own name below `folder`, with the sandbox's address in a secret of that name."""
    name = f"job-{uuid.uuid4().hex[:8]}"
    secret = outside.aws("secretsmanager").create_secret(
        Name=name, SecretString=outside.facts["SANDBOX_MONGO_URI"]
    )
    return job(folder / name, name, repository, outside.facts, secret["ARN"])


def images() -> dict[str, str]:
    """The base images that this machine can have, as scripts/ensure-base has chosen them."""
    return base_images() | {key: os.environ[key] for key in ("DOCKER_HOST",) if key in os.environ}


def exported(shell: str) -> dict[str, str]:
    """The variables of `export NAME=VALUE` lines."""
    assignments = (shlex.split(line)[1] for line in shell.splitlines())
    return dict(text.split("=", 1) for text in assignments)
