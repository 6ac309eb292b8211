"""What belongs to a traceback: the frames of six languages, and the words between the links of its chain."""

import re

PYTHON_FRAME = re.compile(r'\s*(?:\| )?File "[^"\n]{0,300}", line \d+')
_STARTS = re.compile(
    r"\s*(?:[+|] {0,4})?(?:Traceback \(most recent call last\)|Exception in thread |panic: |goroutine \d+ \["
    r"|\S{1,200}\.rb:\d+:in |Unhandled [Ee]xception|Uncaught |fatal error: |thread '[^'\n]{1,60}' panicked)"
)
_FRAMES = (
    (
        "python",
        re.compile(r'\s*(?:\| )?(?:File "[^"\n]{0,300}", line \d+|[~^]{2,}\s*$|\[Previous line repeated)'),
    ),
    (
        "dotnet",
        re.compile(
            r"\s+at [\w.<>`\[\], +|&*]{1,300}\([^)\n]{0,300}\)(?: in [^\n]{1,300}:line \d+)?\s*$"
            r"|\s*--- End of (?:stack|inner)"
        ),
    ),
    ("java", re.compile(r"\s+at [\w$.<>/@-]{1,300}\([^()\n]{0,120}\)|\s*\.{3} \d+ (?:more|common frames)")),
    (
        "node",
        re.compile(
            r"\s+at (?:async |new )?(?:[^\n()]{1,200} \()?(?:[^\s():]{1,300}:\d+:\d+|node:"
            r"|<anonymous>|native|internal/|ignore-listed)|[\w.$]{0,80}@\S{1,200}\.js:\d+:\d+\s*$"
        ),
    ),
    (
        "go",
        re.compile(
            r"\s*/\S{1,300}\.go:\d+(?: \+0x[0-9a-f]+)?\s*$|goroutine \d+ \[|created by \S+"
            r"|[\w./*()-]{3,200}\((?:0x[0-9a-f]+|\.{3}|\{)[^\n]{0,200}\)\s*$"
        ),
    ),
    ("ruby", re.compile(r"\s*(?:\d+: )?from \S{1,300}:\d+:in ")),
)
_IN_FRAMES = (
    ("java", re.compile(r"\.(?:java|kt|scala):\d+\)|^\s*Caused by: (?:[a-z]\w*\.)+[A-Z]", re.M)),
    ("dotnet", re.compile(r":line \d+\s*$|^\s+at (?:System|Microsoft)\.", re.M)),
    ("node", re.compile(r"\.(?:[cm]?js|ts):\d+|node:internal|node_modules|Node\.js v\d")),
)
_BETWEEN = (
    "During handling of the above exception",
    "The above exception was the direct cause",
)
HANDLED = _BETWEEN[0]
"""What stands before it was caught; what stands after it is what ended the program."""


def starts(text: str) -> bool:
    """Whether a traceback begins at this line."""
    return bool(_STARTS.match(text))


def frame(text: str) -> str:
    """The language whose frame this line is, or nothing."""
    if text[:1].isupper() and not text.startswith("File"):
        return ""
    return next((name for name, pattern in _FRAMES if pattern.match(text)), "")


def between(text: str) -> bool:
    """Whether the line stands between two exceptions of a chain and says nothing itself."""
    return any(words in text for words in _BETWEEN)


def ecosystem(found: str, text: str) -> str:
    """The language of a whole event: of its frames, the surer of two that look alike."""
    if found in ("java", "dotnet", "node"):
        return next((name for name, pattern in _IN_FRAMES if pattern.search(text)), found)
    return found
