"""How a text is read before any rule looks at it."""

import json

from deployer.diagnosis.reading import MAX_CHARACTERS, MAX_LINES, read


def test_prefixes_are_taken_off_and_shown() -> None:
    """Compose names, timestamps and BuildKit counters do not hide what a line says, and are still shown."""
    lines = read(
        "etl-1  | 2025-01-02T03:04:05Z ValueError: no\n#12 3.456 E: Unable to locate package x"
    ).lines

    assert [line.text for line in lines] == ["ValueError: no", "E: Unable to locate package x"]
    assert lines[0].shown.startswith("etl-1")


def test_frames_count_less_than_messages() -> None:
    """In a traceback the exception weighs more than frames and the source lines under them."""
    lines = read(
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    raise KeyError(k)\nKeyError: 1'
    ).lines

    assert [line.weight < 1 for line in lines] == [False, True, True, False]


def test_a_frame_without_source_does_not_swallow_the_exception() -> None:
    """Compiled modules print frames without a source line; the exception after them keeps its weight."""
    lines = read('  File "zipfile", line 1, in open\nzipfile.BadZipFile: File is not a zip file').lines

    assert lines[1].weight == 1


def test_json_records_are_unfolded() -> None:
    """A JSON log record gives its level and message, and its stack line by line."""
    record = {"level": "error", "message": "load failed", "exc_info": "Traceback:\n  frame\nTypeError: x"}

    texts = [line.text for line in read(json.dumps(record)).lines]

    assert texts == ["load failed", "Traceback:", "  frame", "TypeError: x"]


def test_warnings_and_retries_count_less() -> None:
    """What was only a warning, or was tried again, weighs less than an error."""
    error, warning, retried = read("ERROR no route\nWARNING no route\nERROR no route, retrying in 2 s").lines

    assert error.weight == 1
    assert warning.weight < 1
    assert retried.weight < 1


def test_of_a_long_log_the_trouble_and_the_end_are_read() -> None:
    """A long log is cut to the lines that tell of trouble and to its end, in bounded size."""
    log = (
        ["starting"]
        + ["loaded one more row " + "x" * 900] * 50_000
        + ["OSError: disk"]
        + ["row"] * 5_000
        + ["bye"]
    )

    reading = read("\n".join(log))

    assert len(reading.lines) <= MAX_LINES
    assert len(reading.text) <= MAX_CHARACTERS + MAX_LINES
    assert {"OSError: disk", "bye"} <= {line.text for line in reading.lines}


def test_levels_are_found_where_they_stand() -> None:
    """The level of a line is its first, whatever layout it has; a later word is none."""
    lines = read("time=1 level=warning no route\n12:01 [main] INFO  no route\nERROR no INFO header").lines

    assert [line.weight < 1 for line in lines] == [True, True, False]


def test_lines_of_punctuation_are_read() -> None:
    """A minified or binary line is read like any other: no pattern goes over it in ever more ways."""
    assert len(read("a." * 100_000).text) < 200_000
