"""`deployer watch`: judges the runs since the last time and tells people what has changed, once."""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from deployer.adapters.local.machine import SystemClock
from deployer.adapters.notify import Channel, Message, channels
from deployer.commands.bootstrap import SharedState, session, shared_state
from deployer.commands.drift import drift_of
from deployer.commands.newest_run import overdue
from deployer.commands.project import Project
from deployer.commands.runs import observe
from deployer.commands.schedule import reason_late
from deployer.config.model import Deadline
from deployer.errors import EXIT_CODES, Failure, RefusedError, TransientFailure
from deployer.records.runs import Run

_LOOKS_BACK: Final = 50
_REMEMBERED: Final = 500
_LINES: Final = 10
_CHANGING: Final = re.compile(r"\b[0-9a-f]{8,}\b|\d+")
"""Numbers and ids in a message: with others it is still the same trouble."""


@dataclass(frozen=True)
class Episode:
    """A stretch of failed or missing runs: told when it begins, once a day, and when it is over."""

    signature: str
    since: float
    told_at: float
    runs: int = 1
    exit_code: int = EXIT_CODES["unknown"]


@dataclass(frozen=True)
class WatchState:
    """What is known of the runs so far. `undelivered`: messages that no channel took yet, oldest first."""

    judged: tuple[str, ...] = ()
    episode: Episode | None = None
    undelivered: tuple[tuple[str, dict[str, Any]], ...] = ()
    new: bool = field(default=False, compare=False)


def judge(
    state: WatchState, runs: Sequence[Run], late: str, now: float, remind_after: float
) -> tuple[WatchState, list[Message]]:
    """The next state, and what is to be told. `runs`: that have ended, oldest first. `late`: why a run is
    missing, "" if none is. The first time only the newest run is judged."""
    fresh = [run for run in runs if run.id not in state.judged]
    messages: list[Message] = []
    episode = state.episode
    for run in fresh[-1:] if state.new else fresh:
        if run.verdict == "ok":
            if episode:
                messages.append(_recovered(run, episode))
            episode = None
        elif run.verdict == "failed" or run.cause is not None:
            was = episode
            episode, told = _failed(run, episode, now)
            messages += told
            if any(_later(good, run) for good in runs if good.verdict == "ok" and good.id in state.judged):
                episode = was
    if late and episode is None:
        episode = Episode("late", now, now, 0, EXIT_CODES["data"])
        messages.append(Message("late", f"late-{int(now)}", "No run when one was due", late))
    elif not late and episode and episode.signature == "late":
        messages.append(Message("recovered", f"recovered-{int(now)}", "The job runs again"))
        episode = None
    if episode and now - episode.told_at >= remind_after:
        hours = round((now - episode.since) / 3600)
        title = f"Still failing after {hours} h ({episode.runs} runs)"
        messages.append(Message("reminder", f"reminder-{int(now)}", title, f"Cause: {episode.signature}"))
        episode = replace(episode, told_at=now)
    judged = (*state.judged, *(run.id for run in fresh))[-_REMEMBERED:]
    return WatchState(judged, episode, state.undelivered), messages


def _later(good: Run, run: Run) -> bool:
    """Whether a good run has begun after this one, so that its trouble is over."""
    return good.started_at is not None and run.started_at is not None and good.started_at > run.started_at


def _failed(run: Run, episode: Episode | None, now: float) -> tuple[Episode, list[Message]]:
    signature, code = _signature(run), run.cause.exit_code if run.cause else EXIT_CODES["unknown"]
    if episode and episode.signature in (signature, "late"):
        known = replace(episode, signature=signature, runs=episode.runs + 1, exit_code=code)
        return known, [] if episode.signature == signature else [_told(run)]
    since, count = (episode.since, episode.runs + 1) if episode else (now, 1)
    return Episode(signature, since, now, count, code), [_told(run)]


def _signature(run: Run) -> str:
    if run.cause is None:
        return run.verdict
    evidence = run.cause.evidence[0] if run.cause.evidence else run.cause.message
    return f"{run.cause.failure_class}/{run.cause.subcause}: {_CHANGING.sub('N', evidence)[:200]}"


def _told(run: Run) -> Message:
    cause = run.cause
    names = " / ".join(filter(None, (cause.failure_class, cause.subcause))) if cause else run.verdict
    lines = [cause.message if cause else run.reason, *(cause.evidence if cause else ()), *run.log[-_LINES:]]
    text = "\n".join(dict.fromkeys(filter(None, lines)))
    title = f"Run {run.verdict}: {names}"
    return Message("failed", f"failed-{run.id}", title, text, cause.remedy if cause else "", run.to_json())


def _recovered(run: Run, episode: Episode) -> Message:
    after = f"after {episode.runs} failed runs" if episode.runs > 1 else "after a failed run"
    loaded = "" if run.documents is None else f"{run.documents:,} documents"
    return Message("recovered", f"recovered-{run.id}", f"Recovered {after}", loaded, run=run.to_json())


def _drifted(project: Project, env: str, runs: Sequence[Run]) -> list[Message]:
    """Of the newest run, which is good and new: what differs from those before it."""
    run = runs[0]
    try:
        checks = drift_of(project, env, run, runs)
    except Failure as failure:
        project.notify(f"drift cannot be told: {failure.message}")
        return []
    if not checks:
        return []
    lines = [f"{check.name}: {check.found}, expected {check.expected}" for check in checks]
    fix = "check the source data; if it is right: deployer verify --accept-drift"
    title = "Its data differs from the last good runs"
    return [Message("drifted", f"drifted-{run.id}", title, "\n".join(lines), fix, run.to_json())]


def watch(project: Project, env: str | None) -> dict[str, Any]:
    """One look. RefusedError: another watcher is at work. What cannot be sent is kept for the next time."""
    name = project.env(env)
    config = project.config(name, needed=("aws", "verify", "state", "notify"))
    shared = shared_state(config)
    files = _StateFile(project.folder / "watch" / f"{name}.json", shared)
    with files:
        runs = observe(project, name, _LOOKS_BACK)
        seen = [run for run in runs if run.verdict != "running"]
        state, version = files.read()
        now = SystemClock().now()
        late = why_late(seen, now, config.verify.deadline)
        if late:
            late = f"{late}; {reason_late(project, name, runs, now)}"
        judged = state.judged
        state, messages = judge(state, seen[::-1], late, now, config.notify.remind_after)
        if seen and seen[0].verdict == "ok" and seen[0].id not in judged:
            messages += _drifted(project, name, seen)
        about = f"{config.project.name} ({name})"
        titled = [replace(message, title=f"{about}: {message.title}") for message in messages]
        known = list(channels(config.notify, lambda: session(config)))
        waiting = [*state.undelivered, *((channel, asdict(m)) for channel, _ in known for m in titled)]
        version = files.write(replace(state, undelivered=tuple(waiting)), version)
        left = deliver(waiting, dict(known), project.notify)
        files.write(replace(state, undelivered=tuple(left)), version)
    return {
        "env": name,
        "messages": [asdict(message) for message in titled],
        "undelivered": len(left),
        "failing": state.episode.signature if state.episode else None,
        "exit_code": state.episode.exit_code if state.episode else 0,
    }


def why_late(runs: Sequence[Run], now: float, deadline: Deadline) -> str:
    """Why a good run is missing, whatever the reason; "" if none is, or no deadline is set."""
    good = [run.started_at for run in runs if run.verdict == "ok" and run.started_at is not None]
    if good:
        return overdue(max(good), now, deadline)
    return "no good run of the job is known" if deadline.max_age or deadline.by else ""


def deliver(
    waiting: Sequence[tuple[str, dict[str, Any]]], known: dict[str, Channel], notify: Callable[[str], None]
) -> list[tuple[str, dict[str, Any]]]:
    """Sends in order; returns what could not be sent. A channel that is no longer configured is dropped."""
    left: list[tuple[str, dict[str, Any]]] = []
    for channel, content in waiting:
        if channel not in known:
            continue
        attempts = Retrying(
            retry=retry_if_exception_type(TransientFailure),
            stop=stop_after_attempt(3),
            wait=wait_exponential(multiplier=1, max=5),
            reraise=True,
        )
        try:
            attempts(known[channel], Message(**content))
        except Failure as failure:
            notify(f"[notify] {channel}: {failure.message}; tried again by the next `deployer watch`")
            left.append((channel, content))
    return left


class _StateFile:
    """The state of one environment, here or in the shared state; only one watcher at a time acts on it."""

    def __init__(self, path: Path, shared: SharedState | None) -> None:
        self._path, self._shared = path, shared
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(path.with_suffix(".lock"))

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise RefusedError("another `deployer watch` is at work", "wait until it has ended") from None

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def read(self) -> tuple[WatchState, str | None]:
        """The state, and its version in the shared state; None: it is not there yet."""
        if self._shared:
            stored = self._shared.store.read(f"{self._shared.prefix}watch.json")
            return _load(stored.content if stored else None), stored.version if stored else None
        return _load(self._path.read_bytes() if self._path.is_file() else None), None

    def write(self, state: WatchState, version: str | None) -> str | None:
        """RefusedError: another watcher has written meanwhile; what it tells is not told twice."""
        kept = {"judged": state.judged, "undelivered": state.undelivered}
        content = json.dumps(kept | {"episode": asdict(state.episode) if state.episode else None}).encode()
        if self._shared is None:
            new = self._path.with_suffix(".new")
            new.write_bytes(content)
            new.replace(self._path)
            return None
        store, key = self._shared.store, f"{self._shared.prefix}watch.json"
        written = store.replace(key, content, version) if version else store.create(key, content)
        if written is None:
            raise RefusedError("another `deployer watch` has just judged these runs", "nothing is left to do")
        return written


def _load(content: bytes | None) -> WatchState:
    """A state that is missing or damaged begins anew."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        held = json.loads(content or b"")
        episode = Episode(**held["episode"]) if held["episode"] else None
        undelivered = tuple((str(channel), dict(message)) for channel, message in held["undelivered"])
        return WatchState(tuple(map(str, held["judged"])), episode, undelivered)
    return WatchState(new=True)
