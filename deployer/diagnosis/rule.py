"""What a rule is. The rules themselves are data, by topic, in `deployer.diagnosis.rules`."""

import re
from dataclasses import dataclass
from functools import lru_cache

from deployer.diagnosis.model import Evidence
from deployer.errors import FailureClass

TASK_LOG = "task_log"
STOPPED_REASON = "stopped_reason"
CONTAINER_REASON = "container_reason"
RUN_TASK_FAILURE = "run_task_failure"
CLIENT_ERROR = "client_error"
DOCKER_BUILD = "docker_build"
DOCKER_PUSH = "docker_push"
PYMONGO = "pymongo"

ECS = (STOPPED_REASON, CONTAINER_REASON, RUN_TASK_FAILURE)
TASK = (TASK_LOG, *ECS)
OPERATOR = (CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH)
PROGRAM = (TASK_LOG, PYMONGO, CLIENT_ERROR)
CHANNELS = (*TASK, *OPERATOR, PYMONGO)

DECISIVE = 0.95  # the words name the cause and nothing else
SPECIFIC = 0.85  # the words name the cause, others may stand beside it
FAMILY = 0.7  # the words name the party that failed, not why
GENERIC = 0.5  # something failed in the way this class usually does
HINT = 0.3  # better than nothing
FRAMES = 0.38  # a stack frame only: more than that there is a stack, less than any message


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One cause and how to know it.

    `matches` is searched line by line (case ignored); `context` must occur anywhere in the text or be the
    channel's name, `unless` nowhere. With `exit_codes` or `stop_codes` the evidence must carry one of them;
    a rule with `matches=""` speaks from these alone. With `reads_frames` the weight of a line does not count:
    frames are what it is about. `example` is a text that the rule must win, seen in
    `channels[0]`.
    """

    failure_class: FailureClass
    subcause: str
    matches: str
    remedy: str
    example: str
    channels: tuple[str, ...] = CHANNELS
    confidence: float = SPECIFIC
    context: str = ""
    unless: str = ""
    exit_codes: tuple[int, ...] = ()
    stop_codes: tuple[str, ...] = ()
    link: str | None = None
    transient: bool = False
    reads_frames: bool = False

    def example_evidence(self) -> Evidence:
        """The evidence that a test holds this rule to."""
        return Evidence(
            text=self.example,
            channel=self.channels[0],
            exit_code=next(iter(self.exit_codes), None),
            stop_code=next(iter(self.stop_codes), None),
        )

    def admits(self, evidence: Evidence) -> bool:
        """Whether this rule may speak on evidence of that channel and with those codes."""
        return (
            (evidence.channel in self.channels or evidence.channel not in CHANNELS)
            and (not self.exit_codes or evidence.exit_code in self.exit_codes)
            and (not self.stop_codes or evidence.stop_code in self.stop_codes)
        )


@lru_cache(maxsize=2048)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, compiled when it is first needed so that importing the rules costs nothing."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)
