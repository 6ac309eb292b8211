"""`deployer init` in folders as people have them."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.init.command import FolderOptions, init_folder
from deployer.commands.init.folder import context_of
from deployer.config.defaults import likely_jobs
from deployer.errors import RefusedError, UsageError

PYTHON = {
    "Dockerfile": "FROM python:3.12\nCOPY pyproject.toml ./\nCOPY src ./src\n",
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "src/job.py": "",
    "compose.yaml": "services:\n  db:\n    image: mongo\n  job:\n    environment:\n"
    "      MONGO_URI: mongodb://db:27017/parcels\n",
}


def made(root: Path, files: Mapping[str, str]) -> Path:
    folder = root / "Parcel Import"
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def written(folder: Path, **options: Any) -> dict[str, Any]:
    """What `--yes` writes there."""
    init_folder(folder, FolderOptions(**options), "", None, lambda line: None)
    return tomllib.loads((folder / "deploy.toml").read_text())


def test_a_python_job(tmp_path: Path) -> None:
    """Name, tests and database come from the folder; what is the default is not written."""
    folder = made(tmp_path, PYTHON)
    assert written(folder) == {
        "project": {"name": "parcel-import"},
        "test": {"command": ["python3", "-m", "pytest", "-q"]},
        "verify": {"database": "parcels"},
    }
    lines = (folder / "deploy.toml").read_text().splitlines()
    assert len(lines) <= 25
    assert sum(line.startswith("# Open:") for line in lines) == 2
    assert lines[0].startswith("#:schema ")
    schema = json.loads((folder / lines[0].removeprefix("#:schema ")).read_text())
    assert schema["required"] == ["project"]


@pytest.mark.parametrize(
    ("dockerfile", "copied", "context"),
    [
        ("jobs/load/Dockerfile", "COPY load.py rates.csv ./", "jobs/load"),
        ("jobs/load/Dockerfile", 'COPY --chown=1:1 ["jobs/load/load.py", "/srv/"]', "."),
        ("jobs/load/docker/Dockerfile", "COPY load.py\\\n  rates.csv /srv/", "jobs/load"),
        ("jobs/load/docker/Containerfile", "RUN <<EOF\nCOPY nothing /\nEOF\nCOPY *.csv /srv/", "jobs/load"),
        ("jobs/load/Dockerfile", "COPY dist/app load.py /srv/\nADD https://x.example/jobs /y", "jobs/load"),
        ("jobs/load/Dockerfile", "COPY . /srv", "jobs/load"),
        ("Dockerfile", "COPY jobs /srv", "."),
    ],
)
def test_the_context_is_where_the_copied_files_lie(
    tmp_path: Path, dockerfile: str, copied: str, context: str
) -> None:
    """The Dockerfile's own folder or one above it, in whatever spelling it copies."""
    files = {dockerfile: f"FROM base\n{copied}\n", "jobs/load/load.py": "", "jobs/load/rates.csv": ""}
    assert context_of(made(tmp_path, files), dockerfile) == context


def test_a_named_collection_is_a_check_that_is_bound_to_the_run(tmp_path: Path) -> None:
    """With --collection the file proves a run as it stands."""
    table = written(made(tmp_path, PYTHON), collection="parcels", database="post")
    assert table["verify"]["database"] == "post"
    (check,) = table["verify"]["checks"]
    assert (check["collection"], check["query"]) == ("parcels", {"run_id": "${RUN_ID}"})


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"package.json": '{"scripts": {"test": "jest"}}'}, ["npm", "test"]),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, None),
        ({"package.json": "{broken"}, None),
        ({"go.mod": "module x", "load/load_test.go": ""}, ["go", "test", "./..."]),
        ({"go.mod": "module x"}, None),
        ({"Makefile": "build:\n\ntest: build\n"}, ["make", "test"]),
        ({"tests/test_load.py": ""}, ["python3", "-m", "pytest", "-q"]),
        ({"run.sh": ""}, None),
    ],
)
def test_the_tests_are_found(tmp_path: Path, files: Mapping[str, str], command: list[str] | None) -> None:
    """By the files of each language, without running anything."""
    table = written(made(tmp_path, {"Dockerfile": "FROM scratch\n", **files}))
    assert table.get("test", {}).get("command") == command


def test_a_job_in_a_monorepo(tmp_path: Path) -> None:
    """The context is the folder where the COPY sources lie; the tests are those of that folder."""
    files = {
        "jobs/load/Dockerfile": 'FROM golang\nCOPY --from=other /x /y\nCOPY ["main.go", "./"]\n',
        "jobs/load/main.go": "",
        "jobs/load/main_test.go": "",
        "jobs/load/go.mod": "module x",
        "package.json": '{"scripts": {"test": "jest"}}',
    }
    table = written(made(tmp_path, files))
    assert table["build"] == {"context": "jobs/load", "dockerfile": "jobs/load/Dockerfile"}
    assert table["test"]["command"] == ["go", "-C", "jobs/load", "test", "./..."]


def test_a_dockerfile_that_copies_from_the_top(tmp_path: Path) -> None:
    """Its context is the project's folder, and its path is written."""
    files = {"docker/job.Dockerfile": "FROM python\nCOPY shared \\\n  /app/\n", "shared/x.py": ""}
    assert written(made(tmp_path, files))["build"] == {"dockerfile": "docker/job.Dockerfile"}


def test_a_containerfile_and_a_task_definition(tmp_path: Path) -> None:
    """Both are found by what they are; other JSON is not taken for a definition."""
    definition = {"family": "f", "containerDefinitions": [{"name": "job"}]}
    files = {"Containerfile": "FROM x\n", "ecs/job.json": json.dumps(definition), "data.json": "[1]"}
    table = written(made(tmp_path, files))
    assert table["build"] == {"dockerfile": "Containerfile"}
    assert table["task"] == {"definition": "ecs/job.json"}


def test_a_definition_that_is_damaged_is_not_passed_over(tmp_path: Path) -> None:
    """None is made up beside it: the place of the mistake is told, and nothing is written."""
    text = '{"family": "f",\n "containerDefinitions": [{"name": "job"},] // the job\n}'
    folder = made(tmp_path, {"Dockerfile": "FROM x\n", "ecs/job.json": text})
    with pytest.raises(
        UsageError, match=r"ecs/job\.json looks like a task definition and is no JSON: line 2"
    ):
        written(folder)
    assert not (folder / "deploy.toml").exists()


def test_which_container_is_the_job_is_told_or_asked(tmp_path: Path) -> None:
    """A collector is none, essential or not; of several that may be it one is chosen and written."""
    collector = {"name": "collect", "image": "public.ecr.aws/x/aws-otel-collector:v1", "essential": True}
    helpers = [{"name": name, "image": f"acme/{name}", "essential": False} for name in ("load", "clean")]
    files = {
        "Dockerfile": "FROM x\n",
        "job.json": json.dumps({"containerDefinitions": [collector, *helpers]}),
    }
    folder, told = made(tmp_path, files), list[str]()
    init_folder(folder, FolderOptions(), "", None, told.append)
    assert "the job          container load or clean: say which in [task] container" in told
    (folder / "deploy.toml").unlink()

    def ask(question: str, default: str) -> str:
        return "clean" if question == "Which container is the job (load, clean)?" else default

    init_folder(folder, FolderOptions(), "", ask, told.append)
    table = tomllib.loads((folder / "deploy.toml").read_text())
    assert table["task"] == {"definition": "job.json", "container": "clean"}


def test_the_longest_file_has_at_most_25_lines(tmp_path: Path) -> None:
    """With tests, a context of its own and a definition; the example of a check works as it stands."""
    definition = json.dumps({"containerDefinitions": [{"name": "job"}]})
    files = {"jobs/load/Dockerfile": "FROM x\n", "jobs/load/test_it.py": "", "ecs/job.json": definition}
    folder = made(tmp_path, files)
    written(folder)
    text = (folder / "deploy.toml").read_text()
    assert len(text.splitlines()) <= 25
    (example,) = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# checks")]
    (check,) = tomllib.loads(example)["checks"]
    assert (check["kind"], check["query"]) == ("count", {"run_id": "${RUN_ID}"})


def test_several_dockerfiles(tmp_path: Path) -> None:
    """Without an answer none is chosen for a person; an option or an answer chooses."""
    files = {"a/Dockerfile": "FROM x\n", "b/Dockerfile": "FROM x\n", "node_modules/m/Dockerfile": ""}
    folder = made(tmp_path, files)
    with pytest.raises(UsageError, match="several Dockerfiles: a/Dockerfile, b/Dockerfile"):
        written(folder)
    with pytest.raises(UsageError, match="no such file"):
        written(folder, dockerfile="c/Dockerfile")
    answers = {"Which Dockerfile": "b/Dockerfile", "Write": "no"}
    asked: list[str] = []

    def ask(question: str, default: str) -> str:
        asked.append(question)
        return next((answer for start, answer in answers.items() if question.startswith(start)), default)

    with pytest.raises(RefusedError, match="nothing was written"):
        init_folder(folder, FolderOptions(), "", ask, lambda line: None)
    assert not (folder / "deploy.toml").exists()
    assert asked[-1] == "Write deploy.toml?"
    assert written(folder, dockerfile="a/Dockerfile")["build"] == {
        "context": "a",
        "dockerfile": "a/Dockerfile",
    }


def test_a_folder_without_a_dockerfile(tmp_path: Path) -> None:
    """It is said, and nothing is written."""
    folder = made(tmp_path, {"main.py": ""})
    with pytest.raises(UsageError, match="no Dockerfile or Containerfile"):
        written(folder)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A deploy.toml that is there stays as it is."""
    folder = made(tmp_path, {**PYTHON, "deploy.toml": "mine"})
    with pytest.raises(RefusedError, match="is there already"):
        written(folder)


def test_the_job_is_not_the_log_router() -> None:
    """Of a definition with FireLens the container to release is the one that does not route the log."""
    router = {"name": "router", "image": "fluent-bit", "firelensConfiguration": {"type": "fluentbit"}}
    helper = {"name": "helper", "image": "x", "essential": False}
    job = {"name": "load", "image": "y", "logConfiguration": {"logDriver": "awsfirelens"}}
    assert likely_jobs([router, helper, job]) == [job]
    assert likely_jobs([router, helper]) == [helper]
    assert likely_jobs([router]) == [router]
