"""`deployer diagnose`: evidence from a file, or any log as it is, diagnosed as a release does it."""

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from deployer.diagnosis.classify import classify, classify_log
from deployer.diagnosis.evidence import checked_channel, is_evidence, read_evidence
from deployer.diagnosis.model import Evidence, EvidenceError
from deployer.diagnosis.signature import TASK_LOG
from deployer.errors import UsageError
from deployer.redaction import Redactor

_BLOCK = 4_000_000
_HINT = (
    'evidence is one JSON object a line, {"channel", "text", "exit_code", "stop_code", "container", "id"}; '
    "any other file is read as a log: `--channel` says where it was seen"
)


def diagnoses(
    file: str, stdin: BinaryIO, channel: str | None = None, configured: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """One answer a line of evidence, in order; one for a log.

    With `channel` the file is a log that was seen there, whatever it looks like. `configured`: values for
    the fixes that the text does not say. UsageError: no such file, no such channel, or a line that is not
    evidence.
    """
    redactor = Redactor()
    try:
        where = checked_channel(channel, "--channel") if channel is not None else None
        with nullcontext(stdin) if file == "-" else Path(file).open("rb") as source:
            start = source.read(_BLOCK)
            if where is None and is_evidence(start):
                for evidence in read_evidence(_lines(start, source)):
                    yield redactor.clean(classify(evidence, configured)).to_json()
            else:
                blocks = chain((start,), iter(lambda: source.read(_BLOCK), b""))
                seen = Evidence("", where or TASK_LOG)
                yield redactor.clean(classify_log(blocks, seen, configured)).to_json()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", "name a file, or - for standard input") from error
    except EvidenceError as error:
        raise UsageError(f"{file}: {error}" if channel is None else str(error), _HINT) from error


def _lines(start: bytes, source: BinaryIO) -> Iterator[str]:
    """The lines of what was read and of the rest; bytes that are not UTF-8 become replacement characters."""
    *whole, rest = start.split(b"\n")
    yield from (line.decode("utf-8", "replace") for line in whole)
    yield from (line.decode("utf-8", "replace") for line in chain((rest + source.readline(),), source))
