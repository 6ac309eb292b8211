"""A project's folder in memory."""

import hashlib
from dataclasses import dataclass, field

from deployer.errors import Failure
from deployer.model import Source
from deployer.ports import BuildInputs


@dataclass
class FakeWorkspace:
    """`files`: text by path. `narrowed`: those that make the image. `committed`: the files of the last
    commit, None outside a repository."""

    files: dict[str, str] = field(default_factory=lambda: {"Dockerfile": "FROM base", "job.py": "print()"})
    narrowed: tuple[str, ...] = ("Dockerfile", "job.py")
    settings: str = "linux/amd64"
    committed: dict[str, str] | None = None
    branch: str = "main"

    def commit(self) -> None:
        self.committed = dict(self.files)

    def changes(self) -> tuple[str, ...]:
        committed = self.committed if self.committed is not None else self.files
        return tuple(sorted(path for path, text in self.files.items() if committed.get(path) != text))

    def has(self, path: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self.files)

    def inputs(self) -> BuildInputs:
        files = {path: _hash("", {path: self.files[path]}) for path in self.narrowed if path in self.files}
        return BuildInputs(files, {"platform": self.settings})

    def source(self) -> Source:
        missing = [path for path in self.narrowed if path not in self.files]
        if missing:
            raise Failure(
                "code",
                f"deploy.toml [build]: {missing[0]}: no such file or folder",
                "restore it",
            )
        content_hash = self.inputs().content_hash
        if self.committed is None:
            return Source(content_hash, _hash("", self.files))
        return Source(
            content_hash,
            _hash("", self.files),
            commit=_hash("commit", self.committed)[:40],
            branch=self.branch,
            dirty=self.files != self.committed,
        )


def _hash(settings: str, files: dict[str, str]) -> str:
    return hashlib.sha256(repr((settings, sorted(files.items()))).encode()).hexdigest()
