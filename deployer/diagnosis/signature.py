"""What a signature is: one failure, how it is recognized, what it means and how it is fixed."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from deployer.errors import FailureClass

TASK_LOG = "task_log"
STOPPED_REASON = "stopped_reason"
CONTAINER_REASON = "container_reason"
RUN_TASK_FAILURE = "run_task_failure"
CLIENT_ERROR = "client_error"
DOCKER_BUILD = "docker_build"
DOCKER_PUSH = "docker_push"
PYMONGO = "pymongo"
COMPOSE = "compose"

ECS = (STOPPED_REASON, CONTAINER_REASON, RUN_TASK_FAILURE)
TASK = (TASK_LOG, *ECS)
ENGINE = (DOCKER_BUILD, DOCKER_PUSH, COMPOSE)
OPERATOR = (CLIENT_ERROR, *ENGINE)
PROGRAM = (TASK_LOG, PYMONGO, COMPOSE)
CHANNELS = (*TASK, CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH, PYMONGO, COMPOSE)

DECISIVE = 0.96  # the words name the cause and nothing else
SPECIFIC = 0.88  # the words name the cause; rarely, they stand for another
FAMILY = 0.7  # the words name the party that failed, not why
GENERIC = 0.55  # something failed in the way this class usually does
LINE = 0.3
"""Below it the class is `unknown`, and no decision follows a cause."""

_ANCHOR = 3
_CLASSES = "bBAZwWdDsSntx"
_GROUP = re.compile(r"\?(?:P<\w+>|-i:|:)")  # how a group begins that is no look-around
_OPTIONAL = ("?", "??", "*", "{0")
_QUANTIFIER = re.compile(r"[?*+]|\{[\d,]+\}")
_SUFFIXES = ("", "Exception", "Error", "Fault")


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One failure, by its class and subcause.

    Recognized by `pattern` (searched line by line, case ignored; its named groups are values of the fix), by
    one of `texts` (fixed texts, case ignored, between ` | `), by one of `names` (identifiers that programs
    print, between blanks; `Name~` also stands for NameException, NameError and NameFault), or by the exit or
    stop code alone. `within` must match in the same event or be the channel's name, `without` must not.
    `fix` is a template: `{name}` is filled from the message, then from the configuration.
    """

    failure_class: FailureClass
    subcause: str
    meaning: str
    fix: str
    source: str
    example: str
    counter: str
    pattern: str = ""
    texts: str = ""
    names: str = ""
    within: str = ""
    without: str = ""
    channels: tuple[str, ...] = CHANNELS
    weight: float = SPECIFIC
    ecosystem: str = ""
    exit_codes: tuple[int, ...] = ()
    stop_codes: tuple[str, ...] = ()
    transient: bool = False
    frames: bool = False
    """Searched in the stack's frames when the message says nothing."""

    @property
    def key(self) -> tuple[str, str]:
        """Class and subcause."""
        return self.failure_class, self.subcause

    @property
    def by_code(self) -> bool:
        """Whether it speaks from the exit or stop code alone."""
        return bool(self.exit_codes or self.stop_codes)

    @cached_property
    def all_names(self) -> frozenset[str]:
        """Every identifier that it is recognized by."""
        return frozenset(
            name.removesuffix("~") + suffix
            for name in self.names.split()
            for suffix in (_SUFFIXES if name.endswith("~") else ("",))
        )

    @cached_property
    def all_texts(self) -> tuple[str, ...]:
        """Every fixed text that it is recognized by, in lower case."""
        return tuple(text.strip().lower() for text in self.texts.split(" | ") if text.strip())

    @cached_property
    def anchors(self) -> tuple[str, ...]:
        """Literals of which one stands in every text that the pattern matches; none where not known."""
        return tuple(_needed(self.pattern))


def alternatives(pattern: str) -> list[str]:
    """The pattern's alternatives: what stands between `|` outside of every group and class."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(pattern):
        sign = pattern[at]
        if sign == "\\":
            at += 1
        elif sign == "[":
            at = _class_end(pattern, at)
        elif sign in "()":
            depth += 1 if sign == "(" else -1
        elif sign == "|" and not depth:
            parts.append(pattern[start:at])
            start = at + 1
        at += 1
    return [*parts, pattern[start:]]


def _class_end(pattern: str, at: int) -> int:
    at += 2 if pattern[at + 1] == "^" else 1
    at += 1 if pattern[at] == "]" else 0
    while pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at


def _group_end(pattern: str, at: int) -> int:
    depth = 0
    while True:
        sign = pattern[at]
        if sign == "[":
            at = _class_end(pattern, at)
        depth += (sign == "(") - (sign == ")")
        if not depth:
            return at
        at += 2 if sign == "\\" else 1


def _needed(pattern: str) -> list[str]:
    """Literals, in lower case, of which every match has one: the best of each alternative."""
    found = [_needed_by_one(part) for part in alternatives(pattern)]
    return [literal for literals in found for literal in literals] if all(found) else []


def _needed_by_one(alternative: str) -> list[str]:
    """The longest run of literal characters, or those of a group that must be there, if they are longer."""
    found: list[list[str]] = [[""]]
    at = 0
    while at < len(alternative):
        sign, start, group = alternative[at], at, ""
        if sign == "(":
            at = _group_end(alternative, at)
            group = _GROUP.sub("", alternative[start + 1 : at])
        elif sign == "[":
            at = _class_end(alternative, at)
        elif sign == "\\":
            at += 1
        at += 1
        quantifier = _QUANTIFIER.match(alternative, at)
        literal = sign not in "([.^$" and not (sign == "\\" and alternative[start + 1] in _CLASSES)
        if literal and not quantifier:
            found[-1][0] += alternative[at - 1].lower()
            continue
        if group and not group.startswith("?") and not (quantifier and quantifier[0][:2] in _OPTIONAL):
            found.append(_needed(group))
        found.append([""])
        at = quantifier.end() if quantifier else at
    best = max(found, key=lambda literals: min(map(len, literals), default=0))
    return best if min(map(len, best), default=0) >= _ANCHOR else []


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first needed so that importing the table costs nothing."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
