"""What the whole table makes of evidence: channels, wrappers, noise, codes, several pieces."""

import json

import pytest

from deployer.diagnosis.classify import classify, classify_all
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    CONTAINER_REASON,
    DOCKER_BUILD,
    LINE,
    STOPPED_REASON,
    TASK_LOG,
)


def class_of(text: str, channel: str, exit_code: int | None = None, stop_code: str | None = None) -> str:
    return classify(Evidence(text, channel, exit_code, stop_code)).cause.failure_class


UNREACHED = 'Could not connect to the endpoint URL: "https://ecs.eu-west-3.amazonaws.com/"'


@pytest.mark.parametrize(
    ("text", "channel", "expected"),
    [
        (UNREACHED, TASK_LOG, "aws-config"),
        (UNREACHED, CLIENT_ERROR, "network"),
        (UNREACHED.replace("eu-west-3", "eu-west-3b"), CLIENT_ERROR, "aws-config"),
        ("toomanyrequests: You have reached your pull rate limit", DOCKER_BUILD, "docker"),
        ("toomanyrequests: You have reached your pull rate limit", STOPPED_REASON, "capacity"),
        ("write /x: no space left on device", DOCKER_BUILD, "docker"),
        ("write /x: no space left on device", TASK_LOG, "resources"),
        ("exit code: 137", DOCKER_BUILD, "docker"),
        ("exit code: 137", TASK_LOG, "resources"),
    ],
)
def test_the_channel_decides(text: str, channel: str, expected: str) -> None:
    """The same words are another cause inside the task than on the operator's machine."""
    assert class_of(text, channel) == expected


def test_the_cause_inside_the_wrapper_is_named() -> None:
    """A server selection time-out is told apart by what it wraps."""
    wrapped = {
        "[Errno -2] Name or service not known": "host-unresolved",
        "[Errno 111] Connection refused": "connection-refused",
        "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed": "tls",
        "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error": "atlas-ip-not-allowed",
        "timed out": "server-selection-timeout",
    }
    for inside, subcause in wrapped.items():
        text = f"pymongo.errors.ServerSelectionTimeoutError: db-9.internal:27017: {inside}, Timeout: 30s"
        assert classify(Evidence(text, TASK_LOG)).cause.subcause == subcause


def test_an_aws_error_in_a_chained_traceback_is_not_code() -> None:
    """The root of a chain speaks before the program's own exception that it led to."""
    text = (
        "Traceback (most recent call last):\n"
        '  File "/app/store.py", line 9, in read\n    body = s3.get_object(Bucket=b, Key=k)\n'
        "botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 4, in main\n    run()\n'
        "app.LoadFailed: UnboundLocalError: local variable 'body' referenced before assignment"
    )
    diagnosis = classify(Evidence(text, TASK_LOG, exit_code=1))

    assert diagnosis.cause.subcause == "s3-access-denied"
    assert [cause.failure_class for cause in diagnosis.others][:1] == ["aws-config"]
    assert "code" in {cause.failure_class for cause in diagnosis.others}


@pytest.mark.parametrize(
    "text",
    [
        'Exception in thread "main" java.lang.IllegalStateException: load\n'
        "Caused by: com.mongodb.MongoTimeoutException: Timed out",
        "Error: load failed\n    at main (/app/index.js:3:1) {\n"
        "  [cause]: MongoNetworkError: connect ECONNREFUSED 10.1.2.3:27017\n}",
        "panic: load: server selection error: server selection timeout, current topology: {}\n\n"
        "goroutine 1 [running]:",
    ],
)
def test_causes_inside_other_runtimes_are_found(text: str) -> None:
    """A cause that a JVM, Node or Go program wraps is found as in Python."""
    assert class_of(text, TASK_LOG) == "mongodb"


def test_json_log_lines_are_read() -> None:
    """The exception inside a JSON log record is classified, and shown as a line of its own."""
    record = {
        "level": "error",
        "message": "job failed",
        "exc_info": "Traceback\nModuleNotFoundError: No module named 'x'",
    }

    cause = classify(Evidence(json.dumps(record), TASK_LOG)).cause

    assert cause.failure_class == "code"
    assert cause.evidence == ("ModuleNotFoundError: No module named 'x'",)


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [(137, "resources"), (139, "code"), (127, "code"), (126, "code"), (143, "unknown"), (1, "unknown")],
)
def test_exit_codes_speak_when_nothing_else_does(exit_code: int, expected: str) -> None:
    """Without a log, the exit code of the container has its meaning."""
    assert class_of("Essential container in task exited", CONTAINER_REASON, exit_code) == expected


@pytest.mark.parametrize(
    ("stop_code", "expected"), [("SpotInterruption", "capacity"), ("UserInitiated", "unknown")]
)
def test_stop_codes_speak_before_the_exit_code_they_cause(stop_code: str, expected: str) -> None:
    """A task that was taken away or stopped by hand was not out of memory, though it ends with 137."""
    assert class_of("Essential container in task exited", STOPPED_REASON, 137, stop_code) == expected


@pytest.mark.parametrize(
    ("text", "exit_code", "expected"),
    [
        ("error: nothing loaded: no reading in s3://raw/2024", 3, "nothing-loaded"),
        ("error: 2 objects are quarantined", 3, "nothing-loaded"),
        ("error: MongoDB: db-9:27017: timed out", 4, "server-selection-timeout"),
        ("error: the source folder data/downloaded does not exist", 5, "source-missing"),
    ],
)
def test_what_a_job_prints_before_it_ends_says_more_than_its_exit_code(
    text: str, exit_code: int, expected: str
) -> None:
    """A last line that names the cause wins over an exit code of the program's own choice."""
    assert classify(Evidence(text, TASK_LOG, exit_code)).cause.subcause == expected


def test_several_pieces_give_one_ranked_answer() -> None:
    """The stop reason says nothing, the log says all, and both are told."""
    diagnosis = classify_all(
        [
            Evidence(
                "Essential container in task exited", STOPPED_REASON, stop_code="EssentialContainerExited"
            ),
            Evidence("", CONTAINER_REASON, exit_code=4),
            Evidence(
                "OperationFailure: bad auth : Authentication failed., code 8000",
                TASK_LOG,
                exit_code=4,
                id="r1",
            ),
        ]
    )

    assert (diagnosis.cause.failure_class, diagnosis.cause.subcause, diagnosis.id) == (
        "mongodb",
        "credentials",
        "r1",
    )
    assert list(diagnosis.others) == sorted(diagnosis.others, key=lambda cause: -cause.confidence)


def test_pieces_that_agree_keep_the_lines_of_each() -> None:
    """The same cause seen twice is one cause with both lines."""
    pieces = [Evidence(text, TASK_LOG) for text in ("OSError: [Errno 28] a", "OSError: [Errno 28] b")]

    assert len(classify_all(pieces).cause.evidence) == 2


def test_nothing_known_is_unknown() -> None:
    """A text that no signature knows is called unknown, with no confidence."""
    for diagnosis in (classify(Evidence("all went well", TASK_LOG, id="x")), classify_all([])):
        assert diagnosis.cause.failure_class == "unknown"
        assert diagnosis.cause.confidence == 0


def test_a_diagnosis_is_json() -> None:
    """The JSON form has the documented keys and plain values."""
    data = classify(Evidence("MemoryError", TASK_LOG, id="r1")).to_json()

    assert list(data) == [
        "id", "class", "subcause", "confidence", "evidence", "remedy", "link", "transient", "container",
        "others",
    ]  # fmt: skip
    assert json.loads(json.dumps(data))["class"] == "resources"


def test_a_long_line_is_shown_around_its_match() -> None:
    """Evidence from a very long line is the part that speaks."""
    cause = classify(Evidence("x" * 1000 + " MemoryError " + "y" * 500, TASK_LOG)).cause

    assert "MemoryError" in cause.evidence[0]
    assert len(cause.evidence[0]) <= 400


def test_the_container_that_spoke_is_named() -> None:
    """By the evidence itself, or by the service's name that Compose puts before each line."""
    said = classify(Evidence("MemoryError", TASK_LOG, container="loader")).cause
    prefixed = classify(Evidence("etl-1  | MemoryError", COMPOSE)).cause

    assert (said.container, prefixed.container) == ("loader", "etl-1")


def test_a_warning_that_was_survived_is_not_the_cause() -> None:
    """What the program lived on after counts less than what ended it, though its words are surer."""
    text = (
        "2026-03-01T05:00:00Z WARN An error occurred (ThrottlingException) when calling the ListObjects "
        "operation: Rate exceeded, retrying (1/3)\n"
        "2026-03-01T05:00:01Z INFO 300 objects listed\n"
        "Traceback (most recent call last):\n"
        '  File "/app/main.py", line 3, in main\n    total = a + b\n'
        "TypeError: unsupported operand type(s) for +: 'int' and 'str'"
    )
    cause = classify(Evidence(text, TASK_LOG)).cause

    assert (cause.failure_class, cause.subcause) == ("code", "exception")
    assert "/app/main.py" in cause.remedy


def test_words_of_a_healthy_line_are_no_context() -> None:
    """A full disk is the task's, whatever the line before says of MongoDB, with a level or without one."""
    for before in ("2026-03-01T05:00:00Z INFO connected to MongoDB", "connected to mongodb://db-7:27017"):
        text = f"{before}\nOSError: [Errno 28] No space left on device"
        cause = classify(Evidence(text, TASK_LOG)).cause
        assert (cause.failure_class, cause.subcause) == ("resources", "disk-full")


def test_below_the_line_the_class_is_unknown_and_the_guess_is_told() -> None:
    """An exit code of the program's own choice decides nothing; what it looks most like is said."""
    diagnosis = classify(Evidence("done", TASK_LOG, exit_code=2))

    assert diagnosis.cause.failure_class == "unknown"
    assert 0 < diagnosis.cause.confidence < LINE
    assert "looks most like code/program-failed" in diagnosis.cause.remedy
    assert diagnosis.others[0].failure_class == "code"


@pytest.mark.parametrize(
    "line",
    [
        "connected to mongodb://db-7:27017/?retryWrites=true&timeoutMS=30000",
        "wrote 51 documents, 0 duplicates, 0 failed validations",
        "WARN slow query on collection tides, index is missing",
        "processed 407 files of MongoDB, failed 0",
        "expected 51 rows of the collection, got 51 rows",
    ],
)
def test_a_line_without_a_failure_is_no_context_of_the_next(line: str) -> None:
    """What went well, an option called timeout, a warning that passed: none is of one event with it."""
    cause = classify(Evidence(f"{line}\nOSError: [Errno 28] No space left on device", TASK_LOG)).cause

    assert (cause.failure_class, cause.subcause) == ("resources", "disk-full")
    assert cause.confidence >= 0.8


def test_a_warning_that_passed_speaks_by_what_is_sure_only() -> None:
    """No generic words of it: the log goes on, so it was nothing; a rate limit is told all the same."""
    passed = "2026-03-01T05:00:00Z WARN {}\n2026-03-01T05:00:01Z INFO done"

    assert classify(Evidence(passed.format("could not find tides.yaml"), TASK_LOG)).cause.confidence == 0
    assert (
        classify(Evidence(passed.format("ThrottlingException: Rate exceeded"), TASK_LOG)).cause.confidence > 0
    )
