"""A log is cut into events: what belongs to one failure, and nothing of what stands beside it."""

import json

import pytest

from deployer.diagnosis.events import HEAD, TAIL, Event, cut
from deployer.diagnosis.lines import MAX_WIDTH


def events(text: str) -> list[Event]:
    """The events of a text."""
    return list(cut(enumerate(text.split("\n"), start=1)))


PYTHON = """Traceback (most recent call last):
  File "/app/store.py", line 9, in read
    return rows[key]
           ~~~~^^^^^
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 4, in main
    run()
OSError: [Errno 28] No space left on device"""
NODE = """MongoNetworkError: connect ECONNREFUSED 192.0.2.7:27017
    at connectionFailureError (/app/node_modules/mongodb/lib/cmap/connect.js:383:20)
    at async main (/app/index.js:3:1) {
  [cause]: Error: connect ECONNREFUSED
}"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: load
\tat com.acme.Loader.main(Loader.java:7)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
\t... 12 more"""
GO = """panic: load: unexpected EOF

goroutine 1 [running]:
main.main()
\t/src/main.go:12 +0x1d"""
DOTNET = """Unhandled exception. System.FormatException: Input string was not in a correct format.
   at System.Number.ThrowFormatException(String value)
   at Loader.Main(String[] args) in /src/Loader.cs:line 7"""
RUBY = """/app/load.rb:3:in `read': no such file (Errno::ENOENT)
\tfrom /app/load.rb:7:in `<main>'"""


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        (PYTHON, "python", "OSError: [Errno 28] No space left on device"),
        (NODE, "node", "  [cause]: Error: connect ECONNREFUSED"),
        (JAVA, "java", "Caused by: java.net.ConnectException: Connection refused"),
        (GO, "go", "panic: load: unexpected EOF"),
        (DOTNET, "dotnet", DOTNET.split("\n")[0]),
        (RUBY, "ruby", "/app/load.rb:3:in `read': no such file (Errno::ENOENT)"),
    ],
)
def test_a_traceback_is_one_event(text: str, language: str, said: str) -> None:
    """Of six languages: its messages with the whole chain of causes, its frames apart, its language known."""
    log = f"2026-03-01T05:00:00Z INFO connected\n{text}\n2026-03-01T05:00:09Z INFO bye"
    before, event, after = events(log)

    assert (event.kind, event.ecosystem) == ("traceback", language)
    assert said in event.text.split("\n")
    assert event.frames
    assert before.quiet
    assert after.quiet


def test_an_exception_that_was_handled_counts_less_than_the_one_that_ended_it() -> None:
    """What stands before "During handling" was caught; what stands after it ended the program."""
    (event,) = events(PYTHON)
    weights = {part.text: part.weight for part in event.parts}

    assert weights["KeyError: 'a'"] < weights["OSError: [Errno 28] No space left on device"] == 1.0


def test_a_stack_that_a_logger_folded_into_one_line_is_unfolded() -> None:
    """Its frames are no message, whether the logger wrote JSON or escaped the line breaks."""
    record = json.dumps({"level": "error", "msg": "failed", "exc_info": PYTHON})
    folded = "ERROR failed " + PYTHON.replace("\n", "\\n")

    for text in (record, folded):
        (event,) = events(text)
        assert event.level == "ERROR"
        assert "OSError: [Errno 28] No space left on device" in event.text
        assert "/app/main.py" not in event.text


@pytest.mark.parametrize("depth", [1, 20, 5_000, 200_000])
def test_json_of_any_depth_is_read_within_bounds(depth: int) -> None:
    """A message deep inside is found; a record that is deeper than any record is left as a line."""
    text = '{"error":' * depth + '{"message":"No space left"}' + "}" * depth
    (event,) = events(text)

    assert ("No space left" in event.text) or depth > 20


def test_lines_that_tell_of_one_failure_stay_together_and_healthy_ones_apart() -> None:
    """Unleveled lines after the first that tells of trouble are its event; a layer pulled is none of it."""
    text = (
        "#5 [2/3] RUN pip install tools\n#5 1.429 Collecting tools\n"
        "#5 2.0 ERROR: Could not find a version\n#5 2.1 ERROR: No matching distribution found\n"
        "#6 [3/3] COPY src /app\n#6 DONE 0.1s"
    )
    found = events(text)

    assert [(event.step, event.healthy) for event in found if not event.healthy] == [("5", False)]
    assert len(next(event for event in found if not event.healthy).parts) == 2


def test_the_services_of_compose_are_told_apart() -> None:
    """A line of another service belongs to another event; each event knows its service."""
    found = events("etl-1  | ERROR failed\nmongo-1  | ERROR other\netl-1  | again, failed")

    assert [event.service for event in found] == ["etl-1", "mongo-1", "etl-1"]


def test_an_event_is_bounded() -> None:
    """Of a very long one the beginning and the end are kept, of a very long line what tells of trouble."""
    (event,) = events("ERROR failed\n" + "\n".join(f"line {number}" for number in range(5_000)))
    (wide,) = events("ERROR " + "x" * 500_000 + " MemoryError " + "y" * 500_000)

    assert len(event.parts) == HEAD + TAIL
    assert "MemoryError" in wide.text
    assert len(wide.text) <= MAX_WIDTH


def test_of_a_very_large_record_the_words_of_trouble_are_found_wherever_they_stand() -> None:
    """More items than are visited: what one in the middle says is read all the same."""
    items = [{"at": at, "error": "MemoryError" if at == 20_000 else "none"} for at in range(40_000)]
    (event,) = events(json.dumps({"level": "error", "message": "stopped", "items": items}))

    assert "MemoryError" in event.text
