"""The command ends its process at once, and yet nothing that it had to say is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

COMMAND = """\
import atexit, sys
from deployer.cli import main
atexit.register(print, "an interpreter that lingers")
print({before!r}, end="")
sys.argv[1:] = {arguments!r}
main()
"""


def leave(
    *arguments: str, before: str = "", stdout: int | IO[bytes] = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    code = COMMAND.format(before=before, arguments=list(arguments))
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, "-c", code], stdout=stdout, stderr=subprocess.PIPE, env=environ, check=False
    )


def test_all_output_arrives() -> None:
    """What waits in the buffers is written before the process ends, which waits for nobody's farewell."""
    done = leave("flow", "--output", "json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["start"] == "START"


def test_the_exit_code_arrives() -> None:
    """A refused command has its documented code and its message."""
    done = leave("resume", "20260101-000000-abcd")
    assert done.returncode == 3
    assert b"20260101-000000-abcd" in done.stderr


def test_output_that_cannot_be_written_is_told() -> None:
    """A full disk behind the output is no success."""
    with Path("/dev/full").open("wb") as full:
        done = leave("resume", "20260101-000000-abcd", before="said", stdout=full)
    assert done.returncode == 120
    assert b"No space left" in done.stderr


def test_a_reader_who_has_gone_is_no_trouble() -> None:
    """`deployer ... | head` ends without a word about the pipe."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = leave("resume", "20260101-000000-abcd", before="said", stdout=pipe)
    assert done.returncode == 3
    assert b"Exception" not in done.stderr
