"""`deployer logs`: which streams, how long, and what is said at the end."""

from contextlib import closing
from typing import Final

from deployer.commands.logs.output import Output, Screen
from deployer.commands.logs.request import TailRequest
from deployer.errors import EXIT_CODES, Failure, RefusedError
from deployer.logs.follow import GROWTH, QUICKEST, SLOWEST
from deployer.logs.live import LivePause
from deployer.logs.merge import Merge, Source
from deployer.logs.stream import StreamReader
from deployer.model import TaskResult
from deployer.ports import Clock, Logs, Tasks, TaskStatus
from deployer.retry import RetryPolicy

_STATUS_SECONDS: Final = 1.0
_LOOK_FOR_TASKS_SECONDS: Final = 10.0
_READS_A_SECOND: Final = 10
"""At most this many, however many streams: GetLogEvents has a quota for each account and region."""

_SHORTEST: Final = 0.01
"""Seconds of the shortest pause."""

_DAY: Final = 86400.0


def tail(request: TailRequest, tasks: Tasks, logs: Logs, clock: Clock, screen: Screen) -> int:
    """Shows the log; returns 0, or with `exit_code_from_task` the exit code of the (last) task.

    UsageError: bad pattern. RefusedError: there is no task. Failure: AWS refuses, or stays away.
    """
    output = Output(request, screen, request.pattern())
    tailer = _Tailer(request, tasks, logs, clock, output)
    tailer.choose()
    told: frozenset[str] | None = None
    with closing(tailer):
        while tailer.round(told):
            output.flush()
            told = tailer.wait(told)
    code = tailer.exit_code()
    output.over(code)
    output.flush()
    return code


class _Watched:
    """A task and its stream; `status` None: ECS does not know the task (any more)."""

    def __init__(self, task: str, source: Source, status: TaskStatus | None) -> None:
        self.task, self.source, self.status = task, source, status
        self.asked = float("-inf")
        self.silent_since: float | None = None

    @property
    def result(self) -> TaskResult | None:
        return self.status.result if self.status else None

    @property
    def over(self) -> bool:
        return self.status is None or self.result is not None


class _Tailer:
    def __init__(self, request: TailRequest, tasks: Tasks, logs: Logs, clock: Clock, output: Output) -> None:
        self._request, self._tasks, self._logs, self._clock = request, tasks, logs, clock
        self._output = output
        self._patience = RetryPolicy(clock, output.note, request.credentials_wait if request.follow else 0.0)
        self._merge = Merge(clock)
        self._pause, self._complete_at = QUICKEST, 0.0
        self._live: LivePause | None = None
        self._watched: dict[str, _Watched] = {}
        self._seen: set[str] = set()
        self._looked = float("-inf")
        self._rounds = 0
        self._last: TaskResult | None = None

    def choose(self) -> None:
        """Finds the tasks that are asked for. RefusedError: there is none, and none is waited for."""
        request = self._request
        if request.all_tasks:
            self._look_for_tasks()
        elif request.tasks:
            for task in request.tasks:
                self._watch(task, self._status(task))
        else:
            self._watch_newest()
        if not self._watched and not (request.all_tasks and request.follow):
            raise RefusedError(
                f"no task of {request.family}: ECS knows none, and no stream of {request.group} begins with "
                f"{request.streams}",
                "run the job first: `deployer release`",
            )
        if request.follow and request.live:
            prefixes = (request.streams,) if request.all_tasks else tuple(self._watched)
            self._live = LivePause(self._logs, request.group, prefixes, self._clock, self._output.note)

    def _watch_newest(self) -> None:
        """The newest run, by ECS while it remembers (an hour after the stop), then by the streams."""
        found = self._patience(lambda: self._tasks.of_family(self._request.family))
        known = [task for task in found if not task.only_looks]
        if known:
            self._watch(known[-1].arn, known[-1])
            return
        for name in self._streams()[:1]:
            self._watch(name, None)

    def _look_for_tasks(self) -> None:
        """The tasks that ECS knows, and older ones that only their streams still tell of."""
        self._looked = self._clock.now()
        for status in self._patience(lambda: self._tasks.of_family(self._request.family)):
            self._watch(status.arn, status)
        for name in self._streams():
            self._watch(name, None)

    def _streams(self) -> tuple[str, ...]:
        request = self._request
        return self._patience(lambda: self._logs.streams(request.group, request.streams, request.since))

    def _status(self, task: str) -> TaskStatus | None:
        return self._patience(lambda: self._tasks.status(task))

    def _watch(self, task: str, status: TaskStatus | None) -> None:
        request, name = self._request, self._request.streams + _id(task)
        if name not in self._seen:
            self._seen.add(name)
            reader = StreamReader(self._logs, request.group, name, self._patience, since=request.since)
            self._watched[name] = _Watched(task, self._merge.add(reader), status)

    def close(self) -> None:
        if self._live:
            self._live.close()

    def wait(self, told: frozenset[str] | None) -> frozenset[str] | None:
        """Until the next look is due: at these streams, at all (None), at none, to show what was held back.
        `told` are those just looked at, which has its price too."""
        if told is not None:
            self._clock.sleep(self._merge.reads / _READS_A_SECOND)
        news: frozenset[str] = frozenset()
        left = max(min(self._complete_at, self._merge.ripe_at) - self._clock.now(), _SHORTEST)
        if self._live:
            news = self._live.wait(left)
        else:
            self._clock.sleep(left)
        return None if self._clock.now() >= self._complete_at else news

    def round(self, only: frozenset[str] | None) -> bool:
        """One look, at all streams or at some; whether another is wanted."""
        request = self._request
        if request.follow and only is None:
            self._ask()
        several = request.all_tasks or len(request.tasks) > 1
        show, shown = self._output.event, 0
        for source, time, text in self._merge.due(final=not request.follow, only=only):
            task = source.reader.task
            show(time, text, task, task[:8] if several else "")
            shown += 1
        if shown:
            self._pause = QUICKEST
        if only is None:
            self._warn_of_retention()
            self._settle()
            pause = max(self._pause, len(self._watched) / _READS_A_SECOND)
            self._complete_at = self._clock.now() + pause
            self._pause = min(self._pause * GROWTH, SLOWEST)
        return bool(self._watched) or (request.follow and request.all_tasks)

    def _ask(self) -> None:
        """Before the read: what a task printed before it stopped is then read after it. ECS may not know a
        task yet that has just been started: one that was named is asked for again."""
        now = self._clock.now()
        if self._request.all_tasks and now - self._looked >= _LOOK_FOR_TASKS_SECONDS:
            self._look_for_tasks()
        for watched in self._watched.values():
            asks = not watched.over or (watched.status is None and self._request.tasks)
            if asks and now - watched.asked >= _STATUS_SECONDS:
                watched.asked = now
                watched.status = self._status(watched.task)

    def _settle(self) -> None:
        """Lets go of the streams that have nothing more to say."""
        now, request = self._clock.now(), self._request
        for name, watched in list(self._watched.items()):
            if not watched.source.drained or (request.follow and not watched.over):
                watched.silent_since = None
                continue
            watched.silent_since = max(watched.silent_since or now, watched.source.arrived)
            if not request.follow or now - watched.silent_since >= request.drain:
                self._merge.drop(watched.source)
                del self._watched[name]
                self._say_end(watched)

    def _say_end(self, watched: _Watched) -> None:
        reader, never_ran = watched.source.reader, watched.result and watched.result.exit_code is None
        if not reader.exists:
            self._refuse_unknown(watched)
            why = "the task never ran" if never_ran else "the task printed nothing, or its lines are gone"
            self._output.note(f"no stream {reader.name} in {self._request.group}: {why}")
        if watched.result:
            self._last = watched.result
            self._output.ended(_id(watched.task), watched.result)
        elif self._request.exit_code_from_task:
            why = "it has not ended yet" if watched.status else "ECS no longer knows how it ended"
            self._output.note(f"task {_id(watched.task)}: no exit code: {why}")

    def _refuse_unknown(self, watched: _Watched) -> None:
        """RefusedError: a task that was named, of which there is no trace."""
        if self._request.tasks and watched.status is None:
            raise RefusedError(
                f"no task {_id(watched.task)}: ECS knows none (it forgets one an hour after its end), and "
                f"{self._request.group} has no stream {watched.source.reader.name} (any more)",
                "`deployer logs --all-tasks --since 7d` shows what there is",
            )

    def _warn_of_retention(self) -> None:
        """Once, after the first read: whether what is asked for is older than what the group keeps."""
        self._rounds += 1
        if self._rounds > 1:
            return
        group = self._request.group
        try:
            keeps = self._patience(lambda: self._logs.retention(group))
        except Failure:
            return  # who may read lines need not be allowed to describe groups
        if keeps is None:
            return
        limit, oldest = self._clock.now() - keeps, self._output.oldest
        if 0 < self._request.since < limit or (oldest is not None and oldest < limit + _DAY):
            self._output.note(f"{group} keeps lines for {keeps / _DAY:.0f} days: older ones may be gone")

    def exit_code(self) -> int:
        if not self._request.exit_code_from_task:
            return 0
        code = self._last.exit_code if self._last else None
        return EXIT_CODES["unknown"] if code is None else code


def _id(name: str) -> str:
    """A task's ID, from its ARN or its stream's name."""
    return name.rsplit("/", 1)[-1]
