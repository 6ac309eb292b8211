"""Words, figures, and foreign text made harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.view.text import amount, duration, escaped, fenced, harmless, listed, sparkline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m text", "red text"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("10%\r20%\r30%", "30%"),
        ("dots...\r\n", "dots..."),
        ("bell\x07 back\x08 nul\x00", "bell\\x07 back\\x08 nul\\x00"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("two\u2028lines", "two\\u2028lines"),
        ("\tindented", "    indented"),
        ("été ☀️ 東京", "été ☀️ 東京"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ("unfinished \x1b[", "unfinished "),
        ("zero\u200bwidth \u2060joiner", "zero\\u200bwidth \\u2060joiner"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("soft\u00adhyphen \u3164", "soft\\xadhyphen \\u3164"),
        ("c1 \x85", "c1 \\x85"),
        ("", ""),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    """Escape sequences go, overdrawn states go, other control characters become visible, the rest stays."""
    assert harmless(text) == shown


@given(st.text())
def test_harmless_leaves_nothing_that_acts(text: str) -> None:
    """Whatever a program prints, what is shown is one line that any terminal and encoding takes."""
    shown = harmless(text)
    assert not [char for char in shown if ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u202e"]
    shown.encode("utf-8")


def test_markdown_takes_foreign_text_as_text() -> None:
    """No line ends its block, and no text of a sentence becomes a link, HTML or emphasis."""
    assert list(fenced(["a ``` b", "\x1b[1mc"])) == ["````", "a ``` b", "c", "````"]
    assert escaped("[x](http://y) <b> *z*") == r"\[x\]\(http\://y\) \<b\> \*z\*"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (65, "1 min 05 s"),
        (7380, "2 h 03 min"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    """Durations have two units at most and never read 60 s."""
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("done", "total", "unit", "words"),
    [
        (12.3e6, 45.1e6, "B", "12.3/45.1 MB"),
        (0, 900, "bytes", "0/900 B"),
        (3, 12, "steps", "3/12 steps"),
        (40, None, "events", "40 events"),
        (2.5, 10, "s", "2.5/10 s"),
    ],
)
def test_amount(done: float, total: float | None, unit: str, words: str) -> None:
    """Bytes are scaled by the larger figure, other units are left as they are."""
    assert amount(done, total, unit) == words


def test_listed() -> None:
    """Counts are read with thousands separated."""
    assert listed({"measurements": 4950, "stations": 6}.items()) == "measurements 4,950, stations 6"


@pytest.mark.parametrize(
    ("values", "line"), [([0, 50, 100], "▁▅█"), ([None, 7], "·█"), ([0, 0], "▁▁"), ([], ""), ([None], "·")]
)
def test_sparkline(values: list[float | None], line: str) -> None:
    """Blocks are scaled from zero, so that a small change does not look like a large one."""
    assert sparkline(values) == line
