"""`deployer logs`: which streams are shown, for how long, and what is said."""

import json
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from deployer.commands.logs.output import Screen
from deployer.commands.logs.request import TailRequest
from deployer.commands.logs.tail import tail
from deployer.errors import ExpiredCredentials, Failure, RefusedError, TransientFailure, UsageError
from deployer.ports import LogEvent, TaskRequest
from tests.fakes.clock import FakeClock
from tests.fakes.logs import FakeLogs
from tests.fakes.tasks import STILLBORN, FakeTasks, Outcome

REQUEST = TailRequest(group="/ecs/job", stream_prefix="ecs", container="job", family="job", drain=5)


@dataclass
class Scene:
    """An ECS and its logs, and what was printed."""

    tasks: FakeTasks = field(default_factory=FakeTasks)
    clock: FakeClock = field(default_factory=FakeClock)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def logs(self) -> FakeLogs:
        return self.tasks.logs

    def start(self, outcome: Outcome, *, done: bool = False) -> str:
        """A task of the job; `done`: it has ended before anyone looks."""
        self.tasks.script = deque([outcome])
        arn = self.tasks.register({"family": "job", "containerDefinitions": [{"name": "job"}]}, {})
        answer = self.tasks.run(TaskRequest(arn, f"t{len(self.tasks.tasks)}", "mark", "job", {}, {}))
        assert answer.task
        for _ in range(outcome.polls if done else 0):
            self.tasks.status(answer.task.arn)
        return answer.task.arn

    def tail(self, request: TailRequest) -> int:
        return tail(request, self.tasks, self.logs, self.clock, Screen(self.lines.append, self.notes.append))


FOLLOW = replace(REQUEST, follow=True)


def test_the_newest_task_is_shown() -> None:
    """Without options it is the newest task's log, whole, with its exit code."""
    scene = Scene()
    scene.start(Outcome(lines=("old",)), done=True)
    scene.start(Outcome(exit_code=3, lines=("one", "two")), done=True)
    assert scene.tail(REQUEST) == 0
    assert scene.lines == ["one", "two"]
    assert "exit code 3" in scene.notes[-1]


def test_a_forgotten_task_is_found_by_its_stream() -> None:
    """Days later ECS knows nothing any more, and the newest stream is shown."""
    scene = Scene()
    scene.tasks.forget(scene.start(Outcome(lines=("from yesterday",)), done=True))
    assert scene.tail(REQUEST) == 0
    assert scene.lines == ["from yesterday"]


def test_no_task_at_all_is_refused_with_a_hint() -> None:
    """A project that never ran has no log; that is said, not shown as an empty one."""
    with pytest.raises(RefusedError) as caught:
        Scene().tail(REQUEST)
    assert "deployer release" in caught.value.hint


def test_following_begins_before_the_first_line_and_ends_with_the_task() -> None:
    """It attaches to a task that has not printed yet, and leaves when it has ended and is drained."""
    scene = Scene()
    scene.start(Outcome(polls=20, lines=("a", "b", "c"), late=("d",), exit_code=1))
    assert scene.tail(replace(FOLLOW, exit_code_from_task=True)) == 1
    assert scene.lines == ["a", "b", "c", "d"]
    assert "exit code 1" in scene.notes[-1]


def test_a_task_that_never_started_has_no_lines_and_says_so() -> None:
    """No stream is no empty log: the note says that there was none, and why the task stopped."""
    scene = Scene()
    scene.start(STILLBORN)
    assert scene.tail(replace(FOLLOW, exit_code_from_task=True)) == 19
    assert scene.lines == []
    assert "no stream ecs/job/" in scene.notes[0]
    assert "ResourceInitializationError" in scene.notes[1]


def test_all_tasks_are_merged_by_time() -> None:
    """With several tasks each line says whose it is, and they come by time."""
    scene = Scene()
    for text in ("first", "second"):
        scene.start(Outcome(lines=(text,)), done=True)
    assert scene.tail(replace(REQUEST, all_tasks=True)) == 0
    assert [line.split("] ")[1] for line in scene.lines] == ["first", "second"]


def test_since_leaves_out_what_is_older() -> None:
    """`--since` shows the lines from that time on."""
    scene = Scene()
    scene.start(Outcome(lines=("old", "new")), done=True)
    assert scene.tail(replace(REQUEST, since=scene.tasks.time)) == 0
    assert scene.lines == ["new"]


def test_grep_shows_matching_lines_only() -> None:
    """`--grep` takes a regular expression; a broken one is a usage error."""
    scene = Scene()
    scene.start(Outcome(lines=("loaded 12", "skipped", "loaded 3")), done=True)
    scene.tail(replace(REQUEST, grep=r"loaded \d+"))
    assert scene.lines == ["loaded 12", "loaded 3"]
    with pytest.raises(UsageError, match="--grep"):
        scene.tail(replace(REQUEST, grep="("))


def test_json_is_one_object_a_line_with_the_end_last() -> None:
    """Everything that is printed is JSON, the last object says the exit code."""
    scene = Scene()
    scene.start(Outcome(exit_code=2, lines=("one",)), done=True)
    code = scene.tail(replace(REQUEST, output="json", exit_code_from_task=True))
    printed = [json.loads(line) for line in scene.lines]
    assert [entry["event"] for entry in printed] == ["log", "task-ended", "ended"]
    assert printed[0]["text"] == "one"
    assert printed[1]["exit_code"] == 2
    assert printed[2] == {"event": "ended", "exit_code": code, "lines": 1}
    assert scene.notes == []


def test_an_expired_token_is_waited_for_and_no_line_is_lost() -> None:
    """While following, credentials may run out: it says so, waits for new ones and goes on."""
    scene = Scene()
    scene.start(Outcome(polls=10, lines=("a", "b", "c")))
    scene.logs.faults.fail_next("read", ExpiredCredentials("aws-config", "ExpiredToken", "log in"))
    scene.logs.faults.fail_next("read", TransientFailure("capacity", "Throttled"))
    scene.tail(FOLLOW)
    assert scene.lines == ["a", "b", "c"]
    assert "ExpiredToken; log in" in scene.notes[0]


def test_without_following_an_expired_token_is_an_error() -> None:
    """A cron job is not kept waiting for somebody to log in."""
    scene = Scene()
    scene.start(Outcome(), done=True)
    scene.logs.faults.fail_next("read", ExpiredCredentials("aws-config", "ExpiredToken", "log in"))
    with pytest.raises(Failure):
        scene.tail(REQUEST)


def test_a_missing_permission_is_said_and_not_waited_for() -> None:
    """Who may not read the lines is told so at once, also while following: exit code 13."""
    scene = Scene()
    scene.start(Outcome())
    scene.logs.faults.fail_next("read", Failure("aws-config", "AccessDenied", "allow logs:GetLogEvents"))
    with pytest.raises(Failure, match="AccessDenied") as caught:
        scene.tail(FOLLOW)
    assert caught.value.exit_code == 13
    assert scene.clock.sleeps == []


def test_a_retention_that_may_have_eaten_lines_is_said() -> None:
    """Where the group keeps lines for a time, and the oldest shown is near it, a note says so."""
    scene = Scene()
    scene.start(Outcome(lines=("old",)), done=True)
    scene.logs.keeps["/ecs/job"] = 7 * 86400.0
    scene.clock.time = scene.tasks.time + 6.5 * 86400
    scene.tail(REQUEST)
    assert any("keeps lines for 7 days" in note for note in scene.notes)


def test_a_reader_of_lines_only_is_served() -> None:
    """Not being allowed to see the group's retention does not keep its lines away."""
    scene = Scene()
    scene.start(Outcome(lines=("a",)), done=True)
    scene.logs.faults.fail_next("retention", Failure("aws-config", "AccessDenied"))
    assert scene.tail(REQUEST) == 0
    assert scene.lines == ["a"]


def test_following_all_tasks_finds_new_ones() -> None:
    """`--all-tasks --follow` shows a task that starts later, once, and goes on until it is interrupted."""
    scene = Scene()
    scene.start(Outcome(lines=("first",)), done=True)

    class Later(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.sleeps) == 20:
                scene.start(Outcome(lines=("second",)))
            if len(self.sleeps) == 80:
                raise KeyboardInterrupt

    scene.clock = Later()
    with pytest.raises(KeyboardInterrupt):
        scene.tail(replace(FOLLOW, all_tasks=True))
    assert [line.split("] ")[1] for line in scene.lines] == ["first", "second"]


def test_one_stream_of_many_that_ends_does_not_end_the_others() -> None:
    """Two tasks followed by name: it leaves when both have ended."""
    scene = Scene()
    arns = tuple(scene.start(Outcome(polls=polls, lines=("x",) * polls)) for polls in (3, 9))
    scene.tail(replace(FOLLOW, tasks=arns))
    assert len(scene.lines) == 12
    assert sum("exit code 0" in note for note in scene.notes) == 2


@pytest.mark.parametrize("follow", [False, True])
def test_a_task_without_any_trace_is_refused(*, follow: bool) -> None:
    """A mistyped ID, or a task of long ago: it says there is none, and does not end well without lines."""
    scene = Scene()
    scene.start(Outcome(), done=True)
    with pytest.raises(RefusedError, match="no task nosuch"):
        scene.tail(replace(REQUEST, tasks=("nosuch",), follow=follow))
    assert scene.lines == []


def test_a_task_that_ecs_does_not_know_yet_is_followed() -> None:
    """Right after RunTask, DescribeTasks may not find the task: it asks again, and follows to the end."""
    scene = Scene()
    arn = scene.start(Outcome(lines=("a", "b"), polls=20, exit_code=4))
    task = scene.tasks.tasks.pop(arn)

    class Late(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.time - begun > 2:
                scene.tasks.tasks[arn] = task

    scene.clock = Late()
    begun = scene.clock.time
    assert scene.tail(replace(FOLLOW, tasks=(arn,), exit_code_from_task=True)) == 4
    assert scene.lines == ["a", "b"]


def test_a_running_task_has_no_exit_code_yet() -> None:
    """Without following, its own exit code cannot be given; it says why."""
    scene = Scene()
    scene.start(Outcome(polls=99))
    assert scene.tail(replace(REQUEST, exit_code_from_task=True)) == 19
    assert "not ended yet" in scene.notes[-1]


def test_every_late_line_begins_the_silence_anew() -> None:
    """After the stop it waits for five silent seconds: lines that come each three seconds are all shown."""
    scene = Scene()
    arn = scene.start(Outcome(lines=("a",)), done=True)
    stream = scene.tasks.stream(scene.tasks.tasks[arn])

    class Late(FakeClock):
        written = 0

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.written < 4 and self.time - begun >= 3 * (self.written + 1):
                self.written += 1
                scene.logs.put("/ecs/job", stream, LogEvent(scene.tasks.time, f"late {self.written}"))

    scene.clock = Late()
    begun = scene.clock.time
    scene.tail(FOLLOW)
    assert scene.lines == ["a", "late 1", "late 2", "late 3", "late 4"]
    assert scene.clock.time - begun < 20


def test_a_stream_deleted_while_it_is_read_is_said() -> None:
    """Somebody deletes the stream: what was shown stays, and a note says that lines may be missing."""
    scene = Scene()
    arn = scene.start(Outcome(lines=("a",)), done=True)
    stream = scene.tasks.stream(scene.tasks.tasks[arn])
    scene.logs.put("/ecs/job", stream, LogEvent(scene.tasks.time, "b"))

    class Deleting(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.sleeps) == 1:
                scene.logs.delete("/ecs/job", stream)

    scene.clock = Deleting()
    scene.tail(FOLLOW)
    assert scene.lines == ["a", "b"]
    assert any("no stream" in note for note in scene.notes)


def test_what_is_said_stands_behind_the_lines_it_is_about() -> None:
    """Lines may be kept back until there is a pause; the exit code still comes after them."""
    scene = Scene()
    scene.start(Outcome(lines=("a", "b")), done=True)
    kept: list[str] = []
    file: list[str] = []

    def flush() -> None:
        file.extend(kept)
        kept.clear()

    tail(REQUEST, scene.tasks, scene.logs, scene.clock, Screen(kept.append, file.append, flush))
    assert file[:2] == ["a", "b"]
    assert "exit code 0" in file[2]


def test_a_line_that_was_held_back_does_not_wait_for_the_next_read() -> None:
    """With 40 tasks each is read every four seconds; a fresh line is held for one, and then shown."""
    scene = Scene()
    arns = [scene.start(Outcome(polls=10**9, lines=())) for _ in range(40)]
    stream = scene.tasks.stream(scene.tasks.tasks[arns[0]])
    shown: list[float] = []

    class Writing(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.sleeps) == 20:
                scene.logs.put("/ecs/job", stream, LogEvent(self.time, "a line"))
            if shown:
                raise KeyboardInterrupt

    clock = Writing()
    screen = Screen(lambda line: shown.append(clock.time), scene.notes.append)
    with pytest.raises(KeyboardInterrupt):
        tail(replace(FOLLOW, tasks=tuple(arns)), scene.tasks, scene.logs, clock, screen)
    read, held = 4.0, 1.0
    written = clock.sleeps[:20]
    assert shown[0] - (1_800_000_000 + sum(written)) <= read + held + 0.02


@pytest.mark.parametrize("lines", [1, 200])
def test_ecs_is_asked_however_fast_the_lines_come(lines: int) -> None:
    """Each read finds more lines, without a pause: the end of the task is seen within two seconds, and no
    line is missing."""
    scene = Scene()
    arn = scene.start(Outcome(polls=12, lines=()))
    asked: list[float] = []
    status, read, stream = scene.tasks.status, scene.logs.read, f"ecs/job/{arn.rsplit('/')[-1]}"
    printed: list[str] = []

    def asks(task: str) -> Any:
        asked.append(scene.clock.now())
        return status(task)

    def reads(*place: Any) -> Any:
        scene.clock.sleep(0.05)
        if scene.tasks.tasks[arn].looks < 12:
            new = [f"line {len(printed) + n}" for n in range(lines)]
            printed.extend(new)
            scene.logs.put("/ecs/job", stream, *(LogEvent(scene.clock.now(), text) for text in new))
        return read(*place)

    scene.tasks.status, scene.logs.read = asks, reads  # type: ignore[method-assign]
    scene.tail(FOLLOW)
    assert scene.lines == printed and len(printed) > 10 * lines
    assert max(later - before for before, later in pairwise(asked)) <= 2
