"""A log line for people."""

import pytest

from deployer.view.log_lines import Style, line, stamp

TIME = 1_790_000_000.123


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a plain line", "a plain line"),
        (
            '{"timestamp":"2026-11-24","level":"info","message":"loaded","rows":12,"source":"a b"}',
            "INFO loaded rows=12 source=a b",
        ),
        ('{"levelname":"ERROR","msg":"no","exc":{"type":"OSError"}}', 'ERROR no exc={"type":"OSError"}'),
        ('{"rows":1,"ok":true}', "rows=1 ok=true"),
        ('{"message":null}', ""),
        ("{not json}", "{not json}"),
        ('{"a":', '{"a":'),
        ("[1, 2]", "[1, 2]"),
        ("été ☀", "été ☀"),
        ("", ""),
        ("{}", "{}"),
        ('{"time":12.5}', "time=12.5"),
        ('{"message":"two\\nlines"}', "two\nlines"),
        ('{"a":' + "[" * 100_000, '{"a":' + "[" * 100_000),
    ],
)
def test_json_becomes_text_with_its_fields(text: str, shown: str) -> None:
    """A structured line reads as level, message and fields; any other line stays as it is."""
    assert line(TIME, text, Style()) == shown


def test_a_time_stamp_is_utc_with_milliseconds() -> None:
    """Time stamps are asked for, and say their zone."""
    assert stamp(TIME) == "2026-09-21T14:13:20.123Z"
    assert line(TIME, "x", Style(timestamps=True)) == "2026-09-21T14:13:20.123Z x"


def test_a_label_tells_streams_apart() -> None:
    """Where several tasks are shown each line says whose it is."""
    assert line(TIME, "x", Style(), "ab12cd34") == "[ab12cd34] x"


def test_levels_are_colored_on_a_terminal_only() -> None:
    """Errors are red where color is wanted, and plain where it is not."""
    text = "2026-01-01 ERROR broken"
    assert line(TIME, text, Style(color=True)) == "\x1b[31m2026-01-01 ERROR broken\x1b[0m"
    assert line(TIME, text, Style()) == text
    assert line(TIME, "no TERRORS here", Style(color=True)) == "no TERRORS here"


def test_a_log_line_cannot_steer_the_terminal() -> None:
    """Escape sequences are left out, control characters are shown as what they are; tabs become spaces."""
    assert line(TIME, "\x9b2J\x85x", Style()) == r"\x85x"
    text = "\x1b[2J\x1b]0;title\x07red \x1b[31malert\x1b[0m\x08 a\tb"
    assert line(TIME, text, Style()) == r"red alert\x08 a    b"
    assert "\x1b" not in line(TIME, '{"message":"\\u001b[2Jx"}', Style())


def test_half_a_character_can_be_printed() -> None:
    """JSON that was cut within an emoji decodes to what no terminal takes; it is shown as its code."""
    assert line(TIME, '{"message":"\\ud83d cut"}', Style()) == r"\ud83d cut"


def test_every_state_of_a_progress_bar_is_a_line() -> None:
    """What it would overwrite stays readable; the line's own carriage return is left out."""
    assert line(TIME, "10 %\r100 %\r", Style()) == "10 %\n100 %"
