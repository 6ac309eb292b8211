"""What a job printed: its answers to one-off questions, and lines to be diagnosed."""

import base64
import io
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.adapters.one_off_task import findings_of, replies_of
from deployer.commands.diagnose import diagnoses
from deployer.errors import Failure, UsageError
from deployer.model import ContainerResult, TaskResult
from deployer.ports import Question, TaskStatus
from deployer.task.one_off import OneOffResult
from tests.fuzz.conftest import FUZZ, TEXTS, VALUES, changed, torn

KINDS = ("counts", "find_one", "aggregate", "explain", "indexes", "options")
ANSWERS: list[Any] = [{"rows": 3}, {"_id": "r1"}, [{"n": 1}], ["IXSCAN"], [{"key": [["_id", 1]]}], None]
LINES: list[Any] = [
    {"question": number, "answer": answer, "seconds": 0.1} for number, answer in enumerate(ANSWERS)
]
PACKED = base64.b64encode(zlib.compress(json.dumps(LINES[5]).encode())).decode()
PARTS: list[Any] = [
    {"question": 5, "part": 0, "of": 2, "zlib": PACKED[:8]},
    {"question": 5, "part": 1, "of": 2, "zlib": PACKED[8:]},
]
STAGES = {
    "stages": [{"name": "dns", "ok": True, "detail": "3 hosts"}, {"name": "tls", "ok": False}],
    "hint": "x",
}
QUESTIONS = [Question(kind) for kind in KINDS]  # type: ignore[arg-type]


def printed(lines: Any) -> OneOffResult:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    job = TaskResult("EssentialContainerExited", "", (ContainerResult("orders", 0),), "orders")
    return OneOffResult("arn:task/c/1", job, tuple(texts), TaskStatus("arn:task/c/1", "STOPPED"), {})


@FUZZ
@given(changed([*LINES, *PARTS]))
def test_any_answer(lines: Any) -> None:
    """Answers of the questions' shapes, or one failure."""
    if isinstance(lines, list):
        try:
            replies = replies_of(printed(lines), QUESTIONS)
        except Failure:
            return
        assert len(replies) == len(QUESTIONS)
        for reply, answer in zip(replies, ANSWERS, strict=True):
            if reply.error is None and reply.answer is not None and answer is not None:
                assert isinstance(reply.answer, type(answer))


def test_an_answer_is_bounded() -> None:
    """A few kilobytes that unpack to hundreds of megabytes are refused before they do."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"0" * 2**20) for _ in range(256)) + packer.flush()
    line = {"question": 0, "part": 0, "of": 1, "zlib": base64.b64encode(packed).decode()}
    with pytest.raises(Failure, match="too large"):
        replies_of(printed([line]), [Question("counts")])


@FUZZ
@given(st.one_of(changed(STAGES), VALUES))
def test_any_report_of_the_connection(line: Any) -> None:
    """Its steps as findings; None where it is none."""
    found = findings_of(printed([line]))
    assert found is None or all(isinstance(finding.detail, str) for finding in found)


EVIDENCE = {
    "channel": "task_log",
    "text": "ModuleNotFoundError: No module named 'x'",
    "exit_code": 1,
    "id": "a",
}


@FUZZ
@given(
    st.one_of(
        changed(EVIDENCE).map(lambda value: json.dumps(value).encode()),
        torn(json.dumps(EVIDENCE).encode()),
        st.binary(max_size=300),
        st.lists(TEXTS, max_size=6).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
    ),
    st.sampled_from([None, "task_log", "docker_build", "compose"]),
)
def test_any_line_to_diagnose(content: bytes, channel: str | None) -> None:
    """A cause, `unknown` perhaps, or what is wrong with the file."""
    try:
        for found in diagnoses("-", io.BytesIO(content), channel):
            assert 0 <= found["confidence"] <= 1
            json.dumps(found)
    except UsageError as error:
        assert error.hint
