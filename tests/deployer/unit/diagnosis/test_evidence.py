"""Evidence from JSON lines, and what is said of lines that are none."""

import pytest

from deployer.diagnosis.evidence import is_evidence, read_evidence
from deployer.diagnosis.model import Evidence, EvidenceError


def test_a_line_is_one_piece_of_evidence() -> None:
    """Known keys are read, others ignored, blank lines left out."""
    lines = [
        '{"id": "a", "channel": "task_log", "text": "t", "exit_code": 1, "more": []}',
        "",
        '{"channel": "compose", "text": "", "container": "etl"}',
    ]

    assert list(read_evidence(lines)) == [
        Evidence("t", "task_log", 1, None, "a"),
        Evidence("", "compose", container="etl"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ('{"channel": "here", "text": ""}', 'line 2: there is no channel "here"; one of task_log'),
        ("[]", "line 2: expected a JSON object, found list"),
        ('{"channel": "task_log"}', 'line 2: "text" is missing; expected a text'),
        ('{"channel": 3, "text": ""}', 'line 2: "channel" must be a text, found 3'),
        (
            '{"channel": "task_log", "text": "", "exit_code": "1"}',
            "line 2: \"exit_code\" must be a whole number, found '1'",
        ),
        (
            '{"channel": "task_log", "text": "", "exit_code": true}',
            'line 2: "exit_code" must be a whole number, found True',
        ),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    """A line that cannot be read is refused with its number and what was expected."""
    with pytest.raises(EvidenceError) as refused:
        list(read_evidence(["", line]))

    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("start", "evidence"),
    [
        (b'{"channel": "task_log", "text": "t"}\n', True),
        (b'\xef\xbb\xbf\n{"text": "t", "channel": "task_log"}', True),
        (b'{"channel": "task_log", "text": ', True),
        (b'{"level":"info","msg":"done"}\n', False),
        (b"2026-03-01 ERROR failed\n", False),
        (b"", False),
    ],
)
def test_a_file_of_evidence_is_told_from_a_log(start: bytes, evidence: bool) -> None:  # noqa: FBT001
    """By its first line: a JSON record with a channel is evidence, even one that is cut off; a log is not."""
    assert is_evidence(start) is evidence
