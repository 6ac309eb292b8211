"""MongoDB from where the job runs: questions packed into a short task's environment, replies of its log.

The other side is the image's: `pipeline/query.py`, docs/how-to/verify-where-the-job-runs.md.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from deployer.config import Config
from deployer.errors import Failure, UsageError
from deployer.logs.patience import unsaid
from deployer.release.ports import Finding, QueryRefused, Question, Reply, TimeLimitReached
from deployer.release.short_task import Errand, Returned, ShortTasks

VARIABLE: Final = "QUESTIONS"
_SPARE: Final = 60.0
"""Seconds for what the image does around the questions."""
_MANUAL: Final = "docs/how-to/verify-where-the-job-runs.md"


class ShortTaskNetwork:
    """`ports.JobNetwork`, by short tasks. `note` hears of each, for they take their time to start. `gate`
    looks at the access list where a step is refused."""

    def __init__(
        self,
        config: Config,
        short: ShortTasks,
        note: Callable[[str], None] = unsaid,
        gate: Callable[[], Iterable[Finding]] = tuple,
    ) -> None:
        self._config, self._short, self._note, self._gate = config, short, note, gate

    def walk(self, revision: str | None = None) -> tuple[Finding, ...]:
        command = self._config.run.connectivity_command
        if not command:
            raise _unset("run", "connectivity-command")
        self._note("walking the way to MongoDB from a task in the job's own network")
        returned = self._short.run(Errand("connectivity", command), revision)
        walked = _last_object(returned.lines, "stages")
        if walked is None:
            raise returned.failure()
        steps = tuple(_findings(walked))
        return (*self._gate(), *steps) if any(step.state == "wrong" for step in steps) else steps

    def ask(self, questions: Sequence[Question], revision: str | None = None) -> tuple[Reply, ...]:
        command = self._config.verify.ask_command
        if not command:
            raise _unset("verify", "ask-command")
        within = min(self._config.run.max_runtime, _SPARE + sum(question.within for question in questions))
        return tuple(self._replies(list(questions), Errand("ask", command, within=within), revision))

    def _replies(self, questions: list[Question], errand: Errand, revision: str | None) -> Iterator[Reply]:
        """In one task, or in as many as the overrides' limit makes of it."""
        packed = _packed(self._config.verify.database, questions)
        if len(packed) <= self._short.room(replace(errand, environment={VARIABLE: ""})):
            self._note(f"asking MongoDB from a task in the job's own network: {len(questions)} questions")
            returned = self._short.run(replace(errand, environment={VARIABLE: packed}), revision)
            yield from _read(returned, len(questions))
        elif len(questions) == 1:
            yield Reply(
                error=QueryRefused("mongodb", "it is too long to be handed to a task (8,192 characters)")
            )
        else:
            half = len(questions) // 2
            yield from self._replies(questions[:half], errand, revision)
            yield from self._replies(questions[half:], errand, revision)


def _unset(table: str, key: str) -> UsageError:
    return UsageError(
        f"deploy.toml: [{table}] {key} is not set, so nothing can look from where the job runs",
        f"name the image's command for it; what it has to do: {_MANUAL}",
    )


def _findings(walked: Mapping[str, Any]) -> Iterator[Finding]:
    for stage in walked["stages"]:
        state = "unknown" if stage.get("ok", False) is None else "ok" if stage.get("ok") else "wrong"
        remedy = str(walked.get("hint") or "") if state == "wrong" else ""
        yield Finding(f"from the task: {stage.get('name')}", state, str(stage.get("detail", "")), remedy)


def _last_object(lines: Sequence[str], key: str) -> Mapping[str, Any] | None:
    """The last line that is a JSON object with a list under this key."""
    return next((found for found in map(_object, reversed(lines)) if isinstance(found.get(key), list)), None)


def _object(line: str) -> Mapping[str, Any]:
    """The line's JSON object; an empty one where it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _packed(database: str, questions: Sequence[Question]) -> str:
    from bson import json_util

    asked = {"database": database, "questions": [vars(question) for question in questions]}
    text = json_util.dumps(asked, json_options=json_util.RELAXED_JSON_OPTIONS)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _read(returned: Returned, number: int) -> list[Reply]:
    """Failure: the task failed, or lines of it are missing; nothing is guessed then."""
    if returned.exit_code != 0:
        raise returned.failure()
    told = {line["question"]: line for line in _whole(map(_object, returned.lines)) if "question" in line}
    missing = [n for n in range(number) if n not in told]
    if missing:
        raise Failure(
            "unknown",
            f"{len(missing)} of {number} answers are not in the log of the short task {returned.arn}",
            "try again; where its log driver is non-blocking, lines may be dropped",
        )
    return [_reply(told[n]) for n in range(number)]


def _whole(lines: Iterator[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """With the answers that came in parts put together; one whose parts are not all there is left out."""
    parts: dict[Any, dict[int, str]] = {}
    for line in lines:
        if "zlib" not in line:
            yield line
            continue
        held = parts.setdefault(line["question"], {})
        held[line["part"]] = line["zlib"]
        if len(held) == line["of"]:
            packed = "".join(text for _, text in sorted(held.items()))
            yield json.loads(zlib.decompress(base64.b64decode(packed)))


def _reply(line: Mapping[str, Any]) -> Reply:
    from bson import json_util

    seconds = float(line.get("seconds", 0))
    error = line.get("error")
    if error:
        kinds: Mapping[str, type[Failure]] = {"time-limit": TimeLimitReached}
        kind = kinds.get(str(error.get("kind")), QueryRefused)
        return Reply(error=kind("mongodb", str(error.get("message", ""))), seconds=seconds)
    aware = json_util.RELAXED_JSON_OPTIONS.with_options(tz_aware=True)
    return Reply(json_util.loads(json.dumps(line.get("answer")), json_options=aware), seconds=seconds)
