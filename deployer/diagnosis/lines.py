"""One line of a log: what a collector put before it, its level, and whether it tells of trouble."""

import re
from dataclasses import dataclass

MAX_WIDTH = 6_000  # of a line that is kept; of a longer one the parts that tell of trouble
_PART = 400
_PARTS = 8
_STRONG = 24  # of the words of trouble, those that a very long line is searched for

TROUBLE = (
    "err", "exception", "fail", "denied", "refus", "timeout", "timed out", "time-out", "time out", "unable",
    "cannot", "can't", "could not", "couldn't", "not ", "no such", "invalid", "missing", "kill", "memory",
    "fatal", "panic", "traceback", "caused", "expired", "exceed", "throttl", "reset", "abort", "crash",
    "unknown", "unauthori", "forbidden", "interrupt", "unavailable", "broken", "disk", "space", "limit",
    "must ", "require", "already", "unexpected", "malformed", "corrupt", "reject", "conflict", "warn",
    "\"s\":\"f\"", "unhealthy", "blocked", "insufficient", "too ", "e11000", "empty", "nothing", "no ",
)  # fmt: skip
"""Words of which every message of a failure has one; searched in lower case."""

_CONTROL = re.compile(
    r"\x1b\[[0-9;?]{0,20}[A-Za-z]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f]"
)
_SERVICE = re.compile(r"(?P<service>[A-Za-z0-9][\w.-]{0,60}) {1,40}\| {0,2}")
_PREFIX = re.compile(
    r"#(?P<step>\d{1,4}) (?:\d{1,6}\.\d{1,4} ?)?"  # BuildKit: step and seconds
    r"|\d{1,6}\.\d{2,4} (?=\S)"  # BuildKit's summary: seconds only
    r"|\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d[\d:.,]{4,25}(?:Z|[+-]\d\d:?\d\d)?\]?[ \t]+"
    r"|\[?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\]?[ \t]+"
    r"|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?: [\w.-]{1,60} [\w./-]{1,60}(?:\[[\w.-]{1,40}\])?:)? "
    r"|\[?1\d{12}\]?[ \t]+"
)
_LEVEL = re.compile(
    r"(?:^|[\s\[(|\"':=<])(?:(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL"
    r"|SEVERE|PANIC)\b|level[=:] ?\"?(\w{3,8})|npm (WARN|warn|notice|ERR!|error)\b)"
    r"|^(?:\[|<\d>)?([Dd]ebug|[Ii]nfo|[Nn]otice|[Ww]arn|[Ww]arning|[Ee]rror|[Ff]atal"
    r"|[Pp]anic|E|W|N)(?:\]|: |\s{2,})"
    r"|\[(trace|debug|info|notice|warn|warning|error|fatal)\]|^(info|warning|error) (?=\S)"
)
_LEVELS = {
    name: level
    for level, names in (
        ("ERROR", "E ERR ERR! CRIT CRITICAL FATAL PANIC SEVERE"),
        ("WARN", "W WARNING"),
        ("INFO", "N NOTICE"),
        ("DEBUG", "TRACE"),
    )
    for name in names.split()
}
_LEVEL_WIDTH = 140
_NOTHING_WRONG = re.compile(
    r"\b(?:0|no|zero) (?:errors?|fail(?:ures?|ed)(?: \w{1,20})?|warnings?|exceptions?|timeouts?"
    r"|rejected|duplicates?|conflicts?|retries|missing|invalid)\b"
    r"|\b(?:errors|failures|warnings|timeouts|rejected|failed)(?:=|\": ?| )0\b(?! of)",
    re.IGNORECASE,
)
"""What a line says went well; its words are no signature's."""
_HEALTHY = re.compile(
    r"\s{0,8}(?:(?:Get|Hit|Ign):\d+ |invoke-rc\.d: |update-alternatives: "
    r"|Reading (?:package|state)|Building dependency"
    r"|Setting up \S+ \(|Unpacking |Selecting previously|Preparing to unpack|Fetched \d"
    r"|Processing triggers|\(Reading database|The following NEW packages|Need to get"
    r"|After this operation|debconf: delaying|\(\d+/\d+\) (?:Install|Upgrad)ing"
    r"|fetch https?://|OK: \d|Collecting \S|Downloading |Requirement already"
    r"|Installing collected|Successfully |Using cached|Building wheels?|Created wheel"
    r"|Stored in|Obtaining|Preparing metadata[^\n]{0,80}done"
    r"|Installing build dependencies[^\n]{0,40}done|\[notice\]|added \d+ packages"
    r"|up to date|audited \d+|found 0 vuln|\d+ packages are looking|run `npm (?:fund"
    r"|audit)|Step \d+/\d+ :|---> |Removing intermediate|Sending build context"
    r"|Sending tarball|The push refers to|[0-9a-f]{12}: (?:Pull|Push|Layer already|Waiting|Retrying"
    r"|Prepar|Mounted|Download|Verif|Already)|Digest: sha256|Status: |\S+: Pulling from"
    r"|Using default tag|naming to |writing image|exporting |transferring |CACHED|DONE \d"
    r"|\[(?:internal|auth)\] (?!load metadata)|\[[\w./ -]{0,40}\d+/\d+\] (?:RUN|COPY|FROM"
    r"|WORKDIR|ADD)\b|(?:Container|Network|Volume|Image) \S+ {1,4}(?:Creat|Start|Runn"
    r"|Health|Wait|Recreat|Stopp|Remov|Pull|Built|Exited$)\w*|Attaching to "
    r"|Creating (?:network|volume|\S+ {0,2}\.{3})|Starting \S+ \.{3}"
    r"|[a-z][\w.-]{0,60} exited with code 0\b|\S+\.py:\d+: \w{3,40}Warning: "
    r"|\(node:\d+\) (?:\[DEP\d+\] )?(?:Deprecation|Experimental)Warning)"
)


_FAILED = re.compile(
    (
        r"\b(?:err(?:or)?s?|\w{1,60}(?:Error|Exception|Failed)|fail\w{0,5}|can ?not|can't"
        r"|could ?n[o']t|unable|corrupt\w{0,4}|invalid|illegal|not (?:exist|authorized|found"
        r"|valid|supported|recogni[sz]ed|allowed|possible)|returned [45]\d\d|no \w{1,30} found"
        r"|exhausted|g[ai]v\w{1,3} up|(?:timed? ?|time-)out(?! ?[=:])|abort\w{0,4}|fatal|crash\w{0,4}"
        r"|panic\w{0,4}|lost|unexpected|missing|bad|broken|damaged|impossible|unsuccessful"
        r"|mismatch\w{0,3}|wrong|incorrect|conflict\w{0,3}|inconsistent|out of range"
        r"|reject\w{0,4}|refused|denied|exceed\w{0,4}|must be|unacknowledged|not empty"
        r"|too (?:many|few|long|open))\b"
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """`text` as signatures see it, without what a collector put before; `shown` as printed."""

    number: int
    text: str
    shown: str
    level: str = ""
    service: str = ""
    step: str = ""
    healthy: bool = False

    @property
    def indent(self) -> int:
        """How deep the text stands; an empty line is as deep as any."""
        return len(self.text) - len(self.text.lstrip()) if self.text.strip() else 99


def line_of(number: int, raw: str) -> Line:
    """A line taken apart; control characters left out, a very long one narrowed to what tells of trouble."""
    shown = _CONTROL.sub("", raw.expandtabs(4).rstrip()) if not raw.isprintable() else raw.rstrip()
    if len(shown) > MAX_WIDTH:
        shown = narrowed(shown)
    text, service, step = _without_prefixes(shown)
    text = _NOTHING_WRONG.sub("", text)
    return Line(number, text, shown.strip(), level_of(text, shown), service, step, bool(_HEALTHY.match(text)))


def _without_prefixes(text: str) -> tuple[str, str, str]:
    service = step = ""
    if named := _SERVICE.match(text):
        service, text = named["service"], text[named.end() :]
    for _ in range(4):
        found = _PREFIX.match(text)
        if not found:
            break
        step = found["step"] or step
        text = text[found.end() :]
    if not service and (named := _SERVICE.match(text)):
        service, text = named["service"], text[named.end() :]
    return text, service, step


def level_of(*texts: str) -> str:
    """DEBUG, INFO, WARN or ERROR where the beginning of one of the texts says so, else nothing."""
    for text in texts:
        if found := _LEVEL.search(text[:_LEVEL_WIDTH]):
            return level_named(next(filter(None, found.groups())))
    return ""


def level_named(name: str) -> str:
    """One of four levels for the many names of them; nothing for a word that is none."""
    name = _LEVELS.get(name.upper(), name.upper())
    return name if name in ("DEBUG", "INFO", "WARN", "ERROR") else ""


def tells_of_failure(text: str) -> bool:
    """Whether a line says that something went wrong."""
    return bool(_FAILED.search(text))


def narrowed(text: str) -> str:
    """Of a very long line: its beginning, its end, and what stands around the words of trouble."""
    lowered = text.lower()
    places = sorted(place for word in TROUBLE[:_STRONG] for place in _places(lowered, word))
    parts, end = [text[: 2 * _PART]], 2 * _PART
    for place in places:
        if place > end and len(parts) < _PARTS:
            parts.append(text[max(end, place - _PART // 4) : place + _PART])
            end = place + _PART
    if end < len(text):
        parts.append(text[max(end, len(text) - 2 * _PART) :])
    return " … ".join(parts)


def _places(text: str, word: str) -> list[int]:
    found: list[int] = []
    place = text.find(word)
    while place >= 0 and len(found) < 3:
        found.append(place)
        place = text.find(word, place + _PART)
    return found
