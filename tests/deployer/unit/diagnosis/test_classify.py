"""What the whole table makes of evidence: channels, wrappers, noise, codes, several pieces."""

import json

import pytest

from deployer.diagnosis.classify import classify, classify_all
from deployer.diagnosis.model import Diagnosis, Evidence
from deployer.diagnosis.rule import CLIENT_ERROR, CONTAINER_REASON, DOCKER_BUILD, STOPPED_REASON, TASK_LOG


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
        ('done\n{"read": 9, "inserted": 2, "rejected": 7}', 3, "pipeline-report"),
        ("error: MongoDB: db-9:27017: timed out", 4, "server-selection-timeout"),
        ("error: no MongoDB is configured: neither MONGO_URI nor MONGO_HOST is set", 2, "uri"),
        ("error: the source folder data/downloaded does not exist", 5, "source-missing"),
    ],
)
def test_the_words_of_our_own_pipeline_are_known(text: str, exit_code: int, expected: str) -> None:
    """What `forecast-etl` prints when it fails finds its cause."""
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
    assert "essential-container-exited" in {cause.subcause for cause in diagnosis.others}
    assert list(diagnosis.others) == sorted(diagnosis.others, key=lambda cause: -cause.confidence)


def test_pieces_that_agree_keep_the_lines_of_each() -> None:
    """The same cause seen twice is one cause with both lines."""
    pieces = [Evidence(text, TASK_LOG) for text in ("OSError: [Errno 28] a", "OSError: [Errno 28] b")]

    assert len(classify_all(pieces).cause.evidence) == 2


def test_nothing_known_is_unknown() -> None:
    """A text that no rule knows is called unknown, with no confidence."""
    for diagnosis in (classify(Evidence("all went well", TASK_LOG, id="x")), classify_all([])):
        assert diagnosis.cause.failure_class == "unknown"
        assert diagnosis.cause.confidence == 0


def test_a_diagnosis_is_json() -> None:
    """The JSON form has the documented keys and plain values."""
    data = classify(Evidence("MemoryError", TASK_LOG, id="r1")).to_json()

    assert list(data) == [
        "id", "class", "subcause", "confidence", "evidence", "remedy", "link", "transient", "others",
    ]  # fmt: skip
    assert json.loads(json.dumps(data))["class"] == "resources"


def test_a_long_line_is_shown_around_its_match() -> None:
    """Evidence from a very long line is the part that speaks."""
    cause = classify(Evidence("x" * 1000 + " MemoryError " + "y" * 500, TASK_LOG)).cause

    assert "MemoryError" in cause.evidence[0]
    assert len(cause.evidence[0]) <= 400


def test_an_unknown_channel_is_read_by_every_rule() -> None:
    """Evidence from a channel that no rule names is not lost."""
    diagnosis: Diagnosis = classify(Evidence("Cannot connect to the Docker daemon", "somewhere"))

    assert diagnosis.cause.failure_class == "docker"
