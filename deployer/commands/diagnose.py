"""`deployer diagnose`: evidence from a file, diagnoses as data."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO

from deployer.diagnosis.classify import classify, read_evidence
from deployer.diagnosis.model import EvidenceError
from deployer.errors import UsageError


def diagnoses(file: str, stdin: TextIO) -> Iterator[dict[str, Any]]:
    """One answer a line of evidence, in order. UsageError: no such file, or a line that is not evidence."""
    try:
        with nullcontext(stdin) if file == "-" else Path(file).open(encoding="utf-8") as lines:
            for evidence in read_evidence(lines):
                yield classify(evidence).to_json()
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror}", "name a file of JSON lines, or - for standard input"
        ) from error
    except EvidenceError as error:
        raise UsageError(
            f"{file}: {error}", 'a line is {"id", "channel", "text", "exit_code", "stop_code"}'
        ) from error
