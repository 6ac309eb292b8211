"""`deployer logs`: which streams to read, for how long, and how each task ended."""

from typing import Final

from deployer.commands.logs.output import Output, Screen
from deployer.commands.logs.request import TailRequest
from deployer.errors import EXIT_CODES, Failure, RefusedError
from deployer.logs.follow import GROWTH, QUICKEST, SLOWEST
from deployer.logs.merge import Merge, Source
from deployer.logs.stream import StreamReader
from deployer.model import TaskResult
from deployer.ports import Clock, Logs, Tasks, TaskStatus
from deployer.retry import RetryPolicy
from deployer.task.watch import Pace, TaskWatch

_PACE: Final = Pace(shortest=1.0, longest=1.5)
"""With the longest round of the merge, the end of a task is seen within two seconds."""
_LIST_SECONDS: Final = 10.0
"""Between two calls for the tasks of the family."""
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
    while tailer.round():
        output.flush()
        tailer.wait()
    code = tailer.exit_code()
    output.over(code)
    output.flush()
    return code


class _Watched:
    """A task and its stream."""

    def __init__(self, watch: TaskWatch, source: Source) -> None:
        self.watch, self.source = watch, source
        self.task = _id(watch.arn)
        self.silent_since: float | None = None

    @property
    def over(self) -> bool:
        """Also where ECS does not know the task: then its stream alone decides."""
        return self.watch.over or self.watch.status is None


class _Tailer:
    def __init__(self, request: TailRequest, tasks: Tasks, logs: Logs, clock: Clock, output: Output) -> None:
        self._request, self._tasks, self._logs, self._clock = request, tasks, logs, clock
        self._output = output
        self._retry = RetryPolicy(
            clock=clock, note=output.note, credentials=request.credentials_wait if request.follow else 0.0
        )
        self._merge = Merge(clock)
        self._pause, self._read_at = QUICKEST, 0.0
        self._watched: dict[str, _Watched] = {}
        self._seen: set[str] = set()
        self._listed = float("-inf")
        self._retention_checked = False
        self._last: TaskResult | None = None

    def choose(self) -> None:
        """Finds the requested tasks. RefusedError: there is none, and the command does not wait for one."""
        request = self._request
        if request.all_tasks:
            self._list_tasks()
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

    def _watch_newest(self) -> None:
        """The newest run, from ECS while it remembers (an hour after the stop), then from the streams."""
        found = self._retry(lambda: self._tasks.of_family(self._request.family))
        known = [task for task in found if not task.one_off]
        if known:
            self._watch(known[-1].arn, known[-1])
            return
        for name in self._streams()[:1]:
            self._watch(name, None)

    def _list_tasks(self) -> None:
        """The tasks that ECS knows, and older ones of which only the streams are left."""
        self._listed = self._clock.now()
        for status in self._retry(lambda: self._tasks.of_family(self._request.family)):
            self._watch(status.arn, status)
        for name in self._streams():
            self._watch(name, None)

    def _streams(self) -> tuple[str, ...]:
        request = self._request
        return self._retry(lambda: self._logs.streams(request.group, request.streams, request.since))

    def _status(self, task: str) -> TaskStatus | None:
        return self._retry(lambda: self._tasks.status(task))

    def _watch(self, task: str, status: TaskStatus | None) -> None:
        request, name = self._request, self._request.streams + _id(task)
        if name not in self._seen:
            self._seen.add(name)
            reader = StreamReader(self._logs, request.group, name, self._retry, since=request.since)
            now = self._clock.now()
            watch = TaskWatch(
                self._tasks, task, self._retry, since=now, status=status, forgive=0.0, pace=_PACE
            )
            self._watched[name] = _Watched(watch, self._merge.add(reader))

    def wait(self) -> None:
        """Until the next read is due, or a line that was held back."""
        due = min(self._read_at, self._merge.ripe_at) - self._clock.now()
        self._clock.sleep(max(due, _SHORTEST))

    def round(self) -> bool:
        """Reads every stream if a read is due, and shows what may be shown; whether to go on."""
        request, reads = self._request, self._clock.now() >= self._read_at
        if request.follow and reads:
            self._ask()
        several = request.all_tasks or len(request.tasks) > 1
        show, shown = self._output.event, 0
        for source, time, text in self._merge.due(final=not request.follow, read=reads):
            task = source.reader.task
            show(time, text, task, task[:8] if several else "")
            shown += 1
        if shown:
            self._pause = QUICKEST
        if reads:
            self._warn_of_retention()
            self._settle()
            pause = max(self._pause, len(self._watched) / _READS_A_SECOND)
            self._read_at = self._clock.now() + (0.0 if self._merge.behind else pause)
            self._pause = min(self._pause * GROWTH, SLOWEST)
        return bool(self._watched) or (request.follow and request.all_tasks)

    def _ask(self) -> None:
        """Before the read: what a task printed before it stopped is then read after it. ECS may not know a
        task yet that has just been started, so a named one is asked for again."""
        if self._request.all_tasks and self._clock.now() - self._listed >= _LIST_SECONDS:
            self._list_tasks()
        for watched in self._watched.values():
            if not watched.over:
                watched.watch.check()
            elif watched.watch.status is None and self._request.tasks:
                watched.watch.ask_if_due()

    def _settle(self) -> None:
        """Drops the streams of ended tasks that are drained."""
        now, request = self._clock.now(), self._request
        for name, watched in list(self._watched.items()):
            if not watched.source.drained or (request.follow and not watched.over):
                watched.silent_since = None
                continue
            watched.silent_since = max(watched.silent_since or now, watched.source.arrived)
            if not request.follow or now - watched.silent_since >= request.drain:
                self._merge.drop(watched.source)
                del self._watched[name]
                self._report_end(watched)

    def _report_end(self, watched: _Watched) -> None:
        reader, result = watched.source.reader, watched.watch.result
        if not reader.exists:
            self._refuse_unknown(watched)
            never_ran = result and result.exit_code is None
            why = "the task never ran" if never_ran else "the task printed nothing, or its lines are gone"
            self._output.note(f"no stream {reader.name} in {self._request.group}: {why}")
        if result:
            self._last = result
            self._output.ended(watched.task, result)
        elif self._request.exit_code_from_task:
            why = "it has not ended yet" if watched.watch.status else "ECS no longer knows how it ended"
            self._output.note(f"task {watched.task}: no exit code: {why}")

    def _refuse_unknown(self, watched: _Watched) -> None:
        """RefusedError: a named task of which there is no trace."""
        if self._request.tasks and watched.watch.status is None:
            raise RefusedError(
                f"no task {watched.task}: ECS knows none (it forgets one an hour after its end), and "
                f"{self._request.group} has no stream {watched.source.reader.name}",
                "`deployer logs --all-tasks --since 7d` shows what there is",
            )

    def _warn_of_retention(self) -> None:
        """Once, after the first read: whether older lines than the group keeps were asked for."""
        if self._retention_checked:
            return
        self._retention_checked = True
        group = self._request.group
        try:
            keeps = self._retry(lambda: self._logs.retention(group))
        except Failure:
            return  # reading lines does not need the right to describe groups
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
