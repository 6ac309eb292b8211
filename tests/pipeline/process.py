"""The command line of the pipeline as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo.errors import PyMongoError

from pipeline.config import MongoSettings


@dataclass(frozen=True)
class Ended:
    """What a command left: exit code, its last line as JSON where it is, and both outputs."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        last: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return last


def environment(mongo: MongoSettings | None, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MONGO", "S3_", "AWS", "RUN_"))
    }
    where = {"MONGO_URI": mongo.uri, "MONGO_DB_NAME": mongo.database} if mongo else {}
    return {**kept, **where, **more}


def start(arguments: list[Any], mongo: MongoSettings | None, **more: str) -> subprocess.Popen[str]:
    """`python -m ARGUMENTS`, not waited for."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", *map(str, arguments)],
        env=environment(mongo, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=170)
    return Ended(process.returncode, out, err)


def etl(mongo: MongoSettings | None, *arguments: Any, **more: str) -> Ended:
    """Run `python -m pipeline ARGUMENTS` to its end."""
    return end(start(["pipeline", *arguments], mongo, **more))


def load(mongo: MongoSettings, folder: Path, *arguments: Any, **more: str) -> Ended:
    return etl(mongo, "run", "--source", folder, *arguments, **more)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds; a MongoDB that does not answer just now is asked again."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(PyMongoError):
            if condition():
                return
        time.sleep(0.01)
    raise AssertionError("it did not happen within a minute")
