"""`deployer diagnose` reads evidence or any log, as a release does, and prints no password."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from deployer.commands.diagnose import diagnoses
from deployer.errors import UsageError

REFUSED = "pymongo.errors.OperationFailure: bad auth : Authentication failed., code 8000"


def answers(content: bytes, folder: Path, channel: str | None = None) -> list[dict[str, Any]]:
    """What is said of a file with this content."""
    file = folder / "seen.log"
    file.write_bytes(content)
    return list(diagnoses(str(file), BytesIO(), channel))


def test_evidence_is_answered_line_by_line(tmp_path: Path) -> None:
    """One answer a line, in order, with what was given beside the text."""
    lines = [
        {"id": "a", "channel": "task_log", "text": REFUSED, "container": "loader"},
        {"id": "b", "channel": "stopped_reason", "text": "Your Spot Task was interrupted.", "exit_code": 137},
    ]
    first, second = answers("\n".join(map(json.dumps, lines)).encode(), tmp_path)

    assert (first["id"], first["class"], first["container"]) == ("a", "mongodb", "loader")
    assert (second["id"], second["class"], second["transient"]) == ("b", "capacity", True)


@pytest.mark.parametrize("channel", [None, "task_log"])
def test_any_log_is_one_answer(channel: str | None, tmp_path: Path) -> None:
    """A file that is no evidence is a log, whatever bytes are in it; it is a task's unless told otherwise."""
    log = b"2026-03-01T05:00:00Z INFO caf\xe9\n{not json\n" + REFUSED.encode() + b"\n"
    (found,) = answers(log, tmp_path, channel)

    assert (found["class"], found["subcause"]) == ("mongodb", "credentials")
    assert found["evidence"] == [REFUSED]


def test_the_channel_decides_for_a_log_too(tmp_path: Path) -> None:
    """The same words of the same file are Docker's on the machine that builds and the task's in its log."""
    log = b"write /x: no space left on device\n"

    assert [answers(log, tmp_path, channel)[0]["class"] for channel in ("docker_build", "task_log")] == [
        "docker",
        "resources",
    ]


def test_a_json_log_with_a_channel_given_is_a_log(tmp_path: Path) -> None:
    """Records that happen to have the keys of evidence are read as what the option says."""
    record = {"channel": "orders", "text": "x", "level": "error", "message": "MemoryError"}
    (found,) = answers(json.dumps(record).encode(), tmp_path, "task_log")

    assert found["class"] == "resources"


def test_passwords_are_hidden(tmp_path: Path) -> None:
    """In the evidence and in the fix, as in everything that a release keeps."""
    text = "pymongo.errors.ServerSelectionTimeoutError: mongodb://app:hunter2hunter2@db-7:27017: timed out"
    (found,) = answers(text.encode(), tmp_path)

    assert found["class"] == "mongodb"
    assert "hunter2" not in json.dumps(found)


@pytest.mark.parametrize(
    ("content", "channel", "said"),
    [
        (b"x", "somewhere", '--channel: there is no channel "somewhere"; one of task_log'),
        (b'{"channel": "here", "text": "x"}', None, 'line 1: there is no channel "here"'),
        (b'{"channel": "task_log", "text": "x"}\n{"channel": ', None, "line 2: not JSON"),
        (b'{"channel": "task_log", "text": ', None, "line 1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    content: bytes, channel: str | None, said: str, tmp_path: Path
) -> None:
    """Exit code 2, the line's number, and the channels that there are."""
    with pytest.raises(UsageError) as refused:
        answers(content, tmp_path, channel)

    assert said in refused.value.message
    assert refused.value.exit_code == 2
    assert refused.value.hint


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With its name, and what to do."""
    with pytest.raises(UsageError, match="No such file"):
        list(diagnoses(str(tmp_path / "gone"), BytesIO()))


def test_standard_input_is_read_for_a_dash() -> None:
    """A log is read as it comes, evidence too."""
    (of_a_log,) = diagnoses("-", BytesIO(b"MemoryError\n"))
    (of_evidence,) = diagnoses("-", BytesIO(b'{"channel": "task_log", "text": "MemoryError"}'))

    assert of_a_log["class"] == of_evidence["class"] == "resources"


def test_the_fix_has_the_message_s_values_then_the_configuration_s_then_placeholders() -> None:
    """What neither says stays a name to fill in."""
    log = b"An error occurred (ClusterNotFoundException) when calling the RunTask operation: not found"
    (bare,) = diagnoses("-", BytesIO(log))
    (filled,) = diagnoses("-", BytesIO(log), configured={"region": "eu-west-3", "cluster": "loads"})

    assert "--region <region>" in bare["remedy"]
    assert "--cluster-name loads --region eu-west-3" in filled["remedy"]
