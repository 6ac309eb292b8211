"""What lies in a project's folder: Dockerfiles, compose files, task definition, tests. Only files are read;
no program of the project is run."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from deployer.adapters.local.dockerfile import parse
from deployer.errors import UsageError

_DEEPEST: Final = 3
"""Folders below the project's own in which a Dockerfile is looked for."""
_SKIPPED: Final = frozenset({"node_modules", "vendor", "venv", "dist", "build", "target", "__pycache__"})
_LARGEST: Final = 1_000_000
"""Bytes of a file that is read."""

_DOCKERFILE: Final = re.compile(
    r"(Dockerfile|Containerfile)(\.[\w-]+)?|[\w-]+\.(Dockerfile|Containerfile)", re.IGNORECASE
)
_DEFAULT_DOCKERFILES: Final = ("Dockerfile", "Containerfile")
_COMPOSE: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_ADDRESS: Final = re.compile(r"mongodb(?:\+srv)?://[^\s\"'/]{1,300}/([A-Za-z0-9_-]{1,60})")
_DATABASE: Final = re.compile(
    r"\b(?:MONGO_DB_NAME|MONGO_DATABASE|MONGODB_DATABASE|MONGO_DB|MONGODB_DB|DB_NAME)\b"
    r"[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?([A-Za-z0-9_-]{1,60})"
)
_LANGUAGES: Final = (
    ("Python", ("pyproject.toml", "requirements.txt", "setup.py", "Pipfile")),
    ("Node.js", ("package.json",)),
    ("Go", ("go.mod",)),
    ("Rust", ("Cargo.toml",)),
    ("Java", ("pom.xml", "build.gradle", "build.gradle.kts")),
)
_NO_TEST: Final = "no test specified"
"""What `npm init` writes as the test."""


@dataclass(frozen=True)
class Folder:
    """What was found; paths are relative to the project's folder, with `/`."""

    name: str
    dockerfiles: tuple[str, ...]
    compose: str | None
    definitions: tuple[str, ...]
    database: str | None

    @property
    def default_dockerfile(self) -> str | None:
        """The only one, or the one that Docker takes by itself."""
        named = [name for name in _DEFAULT_DOCKERFILES if name in self.dockerfiles]
        return named[0] if named else self.dockerfiles[0] if len(self.dockerfiles) == 1 else None


def explore(root: Path) -> Folder:
    dockerfiles = tuple(sorted(_dockerfiles(root), key=lambda path: (path.count("/"), path)))
    compose = next((name for name in _COMPOSE if (root / name).is_file()), None)
    definitions = tuple(_definitions(root))
    texts = [*dockerfiles, *([compose] if compose else []), *definitions, ".env.example", ".env.sample"]
    return Folder(project_name(root.name), dockerfiles, compose, definitions, _database(root, texts))


def project_name(text: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")[:31].strip("-") or "job"


def _dockerfiles(root: Path) -> Iterator[str]:
    for folder, below, names in os.walk(root):
        here = PurePosixPath(Path(folder).relative_to(root).as_posix())
        deep = len(here.parts) >= _DEEPEST
        below[:] = [] if deep else [n for n in below if not n.startswith(".") and n not in _SKIPPED]
        for name in names:
            if _DOCKERFILE.fullmatch(name) and not name.endswith(".dockerignore"):
                yield (here / name).as_posix()


def _definitions(root: Path) -> Iterator[str]:
    """JSON files with `containerDefinitions`, in the folder itself or where people keep them."""
    for folder in (root, *(root / name for name in ("ecs", "deploy", "infra", "aws", ".aws"))):
        for path in sorted(folder.glob("*.json")):
            if '"containerDefinitions"' in _text(path) and isinstance(definition(root, path), dict):
                yield path.relative_to(root).as_posix()


def definition(root: Path, path: Path) -> Any:
    """A task definition's JSON. UsageError: it is damaged, so that none is made up beside it."""
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise UsageError(
            f"{path.relative_to(root)} looks like a task definition and is no JSON: {where}",
            "correct it (JSON has no comments and no comma at the end of a list), or move it away",
        ) from error


def _database(root: Path, names: list[str]) -> str | None:
    """The database that an address or a variable in these files names."""
    for pattern in (_DATABASE, _ADDRESS):
        for name in names:
            if found := pattern.search(_text(root / name)):
                return found[1]
    return None


def context_of(root: Path, dockerfile: str) -> str:
    """The build context: of the folders above this Dockerfile the nearest with most of its COPY sources."""
    parsed = parse(_text(root / dockerfile), {})
    sources = [path.strip("/") for stage in parsed.stages for _, path in stage.sources]
    sources = [path for path in sources if "$" not in path and ".." not in path and path not in ("", ".")]
    folders = [folder.as_posix() for folder in PurePosixPath(dockerfile).parents]
    return max(folders, key=lambda at: sum(any(True for _ in (root / at).glob(path)) for path in sources))


def language_of(folder: Path) -> str | None:
    return next((name for name, files in _LANGUAGES if any((folder / f).is_file() for f in files)), None)


def test_command(root: Path, context: str) -> tuple[str, ...]:
    """The command of the tests, run in the project's folder; empty: none were found."""
    folder, inside = root / context, context != "."
    if _has_pytest(folder):
        return ("python3", "-m", "pytest", "-q", *((context,) if inside else ()))
    script = str(_object(_object(_json(folder / "package.json")).get("scripts")).get("test", ""))
    if script and _NO_TEST not in script:
        return ("npm", *(("--prefix", context) if inside else ()), "test")
    if (folder / "go.mod").is_file() and any(folder.rglob("*_test.go")):
        return ("go", *(("-C", context) if inside else ()), "test", "./...")
    if re.search(r"^test[ \t]*:", _text(folder / "Makefile"), re.MULTILINE):
        return ("make", *(("-C", context) if inside else ()), "test")
    return ()


def _has_pytest(folder: Path) -> bool:
    if "[tool.pytest" in _text(folder / "pyproject.toml") or (folder / "pytest.ini").is_file():
        return True
    tests = (path for below in ("", "tests", "test") for path in (folder / below).glob("test_*.py"))
    return any(True for _ in tests) or (folder / "conftest.py").is_file()


def _text(path: Path) -> str:
    """A file's text; nothing of one that is missing, large or unreadable."""
    try:
        if path.is_file() and path.stat().st_size <= _LARGEST:
            return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        pass
    return ""


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path) or "null")
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
