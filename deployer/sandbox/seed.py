"""The bucket's content: made to be what a folder holds."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from deployer.redaction import without_secrets
from deployer.sandbox.errors import SandboxError


def source(
    data: Path | None,
    command: Sequence[str],
    root: Path,
    today: date,
    report: Callable[[str], None],
    allowed: Sequence[str] = (),
) -> Path | None:
    """The folder to seed from: the given one; or one that `command` (its last argument is the folder) has
    made, once a day, since data of last week would not pass for fresh. None: the bucket starts empty.
    `allowed`: variables with credentials that `command` may have."""
    if data is None:
        return _made(command, root, today, report, allowed) if command else None
    if not data.is_dir():
        raise SandboxError(
            f"the data folder {data} does not exist or is no folder",
            "name a folder with the raw files",
            failure_class="data",
        )
    return data


def fingerprint(folder: Path) -> str:
    """Changes when a file is added, removed, resized or written again."""
    lines = []
    for key, path in sorted(files(folder).items()):
        about = path.stat()
        lines.append(f"{key} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join([str(folder.resolve()), *lines]).encode()).hexdigest()


def files(folder: Path) -> dict[str, Path]:
    """Object key -> file, hidden ones left out."""
    found = {}
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            found[relative.as_posix()] = path
    return found


def synchronize(s3: Any, bucket: str, folder: Path) -> tuple[int, int]:
    """Make the bucket hold the folder's files and no others; returns how many were (written, deleted).

    An object is left alone when its ETag is the file's MD5 (true of every object put in one part).
    """
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    held = {item["Key"]: item["ETag"].strip('"') for page in pages for item in page.get("Contents", [])}
    wanted = files(folder)
    changed = [key for key, path in wanted.items() if held.get(key) != _md5(path)]
    for key in changed:
        with wanted[key].open("rb") as body:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
    gone = held.keys() - wanted.keys()
    for key in gone:
        s3.delete_object(Bucket=bucket, Key=key)
    return len(changed), len(gone)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _made(
    command: Sequence[str],
    root: Path,
    today: date,
    report: Callable[[str], None],
    allowed: Sequence[str],
) -> Path:
    folder = root / "sample" / today.isoformat()
    if not folder.is_dir():
        report(f"making the bucket's data: {' '.join(command)}")
        draft = root / "sample.new"
        for outdated in (draft, folder.parent):
            shutil.rmtree(outdated, ignore_errors=True)
        _run([*command, str(draft)], root.parent.parent, allowed)
        folder.parent.mkdir()
        draft.rename(folder)
    return folder


def _run(command: list[str], project: Path, allowed: Sequence[str]) -> None:
    """In the project's folder; it must leave the folder that its last argument names."""
    fix = "fix [sandbox] seed-command, or name a data folder with --data"
    try:
        environment = without_secrets(os.environ, allowed)
        subprocess.run(command, cwd=project, capture_output=True, text=True, check=True, env=environment)
    except OSError as error:
        raise SandboxError(f"{command[0]}: {error.strerror}", fix, failure_class="data") from error
    except subprocess.CalledProcessError as error:
        raise SandboxError(
            f"`{' '.join(command)}` ended with exit code {error.returncode}: {error.stderr.strip()[-500:]}",
            fix,
            failure_class="data",
        ) from error
    if not Path(command[-1]).is_dir():
        raise SandboxError(f"`{' '.join(command)}` made no folder", fix, failure_class="data")
