"""MongoDB from the job's network: questions in the environment of a one-off task, replies from its log.

The image has the other side: docs/how-to/verify-where-the-job-runs.md.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from deployer.config.model import Config
from deployer.errors import Failure, UsageError
from deployer.ports import (
    Finding,
    FindingState,
    NotPermitted,
    QueryRefused,
    Question,
    Reply,
    TimeLimitReached,
)
from deployer.task.one_off import OneOffResult, OneOffRunner, OneOffTask

VARIABLE: Final = "QUESTIONS"
_SPARE: Final = 60.0
"""Seconds for the start and the end of the program."""
_MANUAL: Final = "docs/how-to/verify-where-the-job-runs.md"


class OneOffNetwork:
    """`ports.JobNetwork`, by one-off tasks. `note` gets a message for each, because they are slow to start.
    `gate` checks the access list if a step fails."""

    def __init__(
        self,
        config: Config,
        runner: OneOffRunner,
        note: Callable[[str], None] = lambda text: None,
        gate: Callable[[], Iterable[Finding]] = tuple,
    ) -> None:
        self._config, self._runner, self._note, self._gate = config, runner, note, gate

    def check(self, revision: str | None = None) -> tuple[Finding, ...]:
        command = self._config.job_commands.connectivity
        if not command:
            raise _unset("connectivity")
        self._note("checking MongoDB connectivity from a one-off task in the job's network")
        returned = self._runner.run(OneOffTask("connectivity", command), revision)
        steps = findings_of(returned)
        if steps is None:
            raise returned.failure()
        return (*self._gate(), *steps) if any(step.state is FindingState.FAIL for step in steps) else steps

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        command = self._config.job_commands.query
        if not command:
            raise _unset("query")
        within = min(self._config.run.max_runtime, _SPARE + sum(question.within for question in questions))
        return tuple(self._replies(list(questions), OneOffTask("ask", command, within=within), revision))

    def _replies(self, questions: list[Question], task: OneOffTask, revision: str | None) -> Iterator[Reply]:
        """In one task, or in as many as the size limit of overrides requires."""
        packed = _packed(self._config.verify.database, questions)
        if len(packed) <= self._runner.room(replace(task, environment={VARIABLE: ""})):
            self._note(
                f"querying MongoDB from a one-off task in the job's network: {len(questions)} questions"
            )
            returned = self._runner.run(replace(task, environment={VARIABLE: packed}), revision)
            yield from replies_of(returned, questions)
        elif len(questions) == 1:
            yield Reply(
                error=QueryRefused(
                    "mongodb", "the query is too long for the overrides of a task (8,192 bytes)"
                )
            )
        else:
            half = len(questions) // 2
            yield from self._replies(questions[:half], task, revision)
            yield from self._replies(questions[half:], task, revision)


def _unset(key: str) -> UsageError:
    return UsageError(
        f"deploy.toml: [job-commands] {key} is not set, so nothing can be checked from the job's network",
        f"set it to a command of the image; what the command must do: {_MANUAL}",
    )


_STATES: Final = {True: FindingState.PASS, False: FindingState.FAIL, None: FindingState.UNKNOWN}


def findings_of(returned: OneOffResult) -> tuple[Finding, ...] | None:
    """The steps that the program has printed; None: it has printed none."""
    checked = _last_object(returned.lines, "stages")
    stages = checked["stages"] if checked else ()
    if checked is None or not all(isinstance(stage, dict) for stage in stages):
        return None
    states = [
        _STATES[ok] if ok is None or isinstance(ok, bool) else FindingState.FAIL
        for ok in (stage.get("ok", False) for stage in stages)
    ]
    hint = str(checked.get("hint") or "")
    return tuple(
        Finding(
            f"from the task: {stage.get('name')}",
            state,
            str(stage.get("detail", "")),
            hint if state is FindingState.FAIL else "",
        )
        for stage, state in zip(stages, states, strict=True)
    )


def _last_object(lines: Sequence[str], key: str) -> Mapping[str, Any] | None:
    """The last line that is a JSON object with a list under this key."""
    return next((found for found in map(_object, reversed(lines)) if isinstance(found.get(key), list)), None)


def _object(line: str) -> Mapping[str, Any]:
    """The line's JSON object; an empty one if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _packed(database: str, questions: Sequence[Question]) -> str:
    from bson import json_util

    asked = {"database": database, "questions": [vars(question) for question in questions]}
    text = json_util.dumps(asked, json_options=json_util.RELAXED_JSON_OPTIONS)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


_LARGEST: Final = 16 * 2**20
"""Bytes of an answer, unpacked: more than MongoDB puts into one document."""
_SHAPES: Final[Mapping[str, tuple[type, ...]]] = {
    "counts": (dict,),
    "find_one": (dict, type(None)),
    "options": (dict, type(None)),
    "aggregate": (list,),
    "explain": (list,),
    "indexes": (list,),
}


def replies_of(returned: OneOffResult, questions: Sequence[Question]) -> list[Reply]:
    """Failure: the task failed, lines of its log are missing, or an answer is none to its question."""
    if returned.exit_code != 0:
        raise returned.failure()
    where, number = f"the one-off task {returned.arn}", len(questions)
    try:
        lines = (line for line in _whole(map(_object, returned.lines)) if isinstance(line, dict))
        told = {line["question"]: line for line in lines if "question" in line}
        missing = [n for n in range(number) if n not in told]
        if not missing:
            return [_reply(told[n], question) for n, question in enumerate(questions)]
    except Exception as error:
        raise Failure(
            "unknown",
            f"an answer of {where} cannot be read: {type(error).__name__}: {error}"[:500],
            f"what the command must print: {_MANUAL}",
        ) from error
    raise Failure(
        "unknown",
        f"{len(missing)} of {number} answers are missing in the log of {where}",
        "try again; a non-blocking log driver may drop lines",
    )


def _whole(lines: Iterator[Mapping[str, Any]]) -> Iterator[Any]:
    """Joins answers that came in parts; an incomplete one is left out."""
    parts: dict[Any, dict[int, str]] = {}
    for line in lines:
        if "zlib" not in line:
            yield line
            continue
        held = parts.setdefault(line["question"], {})
        held[line["part"]] = line["zlib"]
        if len(held) == line["of"]:
            yield json.loads(_unpacked("".join(text for _, text in sorted(held.items()))))


def _unpacked(packed: str) -> bytes:
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(base64.b64decode(packed), _LARGEST)
    if unpacker.unconsumed_tail:
        raise ValueError(f"it is too large: more than {_LARGEST // 2**20} MB")
    return content


def _reply(line: Mapping[str, Any], question: Question) -> Reply:
    from bson import json_util

    seconds = float(line.get("seconds", 0))
    if error := line.get("error"):
        message = str(error.get("message", ""))
        kind: type[Failure] = TimeLimitReached if error.get("kind") == "time-limit" else QueryRefused
        if "not authorized" in message:
            kind = NotPermitted
        return Reply(error=kind("mongodb", message), seconds=seconds)
    aware = json_util.RELAXED_JSON_OPTIONS.with_options(tz_aware=True)
    answer = json_util.loads(json.dumps(line.get("answer")), json_options=aware)
    if not isinstance(answer, _SHAPES[question.kind]):
        raise TypeError(f"{question.kind} is answered by {type(answer).__name__}")
    return Reply(answer, seconds=seconds)
