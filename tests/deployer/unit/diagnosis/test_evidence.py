"""Evidence from JSON lines, and what is said of lines that are none."""

import pytest

from deployer.diagnosis.classify import read_evidence
from deployer.diagnosis.model import Evidence, EvidenceError


def test_a_line_is_one_piece_of_evidence() -> None:
    """Known keys are read, others ignored, blank lines left out."""
    lines = [
        '{"id": "a", "channel": "task_log", "text": "t", "exit_code": 1, "more": []}',
        "",
        '{"channel": "x", "text": ""}',
    ]

    assert list(read_evidence(lines)) == [Evidence("t", "task_log", 1, None, "a"), Evidence("", "x")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: expected a JSON object, found list"),
        ('{"channel": "task_log"}', 'line 2: "text" is missing; expected a text'),
        ('{"channel": 3, "text": ""}', 'line 2: "channel" must be a text, found 3'),
        (
            '{"channel": "x", "text": "", "exit_code": "1"}',
            "line 2: \"exit_code\" must be a whole number, found '1'",
        ),
        (
            '{"channel": "x", "text": "", "exit_code": true}',
            'line 2: "exit_code" must be a whole number, found True',
        ),
    ],
)
def test_a_bad_line_is_named(line: str, said: str) -> None:
    """A line that cannot be read is refused with its number and what was expected."""
    with pytest.raises(EvidenceError) as refused:
        list(read_evidence(["", line]))

    assert str(refused.value).startswith(said)
