"""Questions into a task's environment, replies out of its log: whole or not at all."""

import base64
import datetime
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from bson import json_util

from deployer.adapters.one_off_task import OneOffNetwork
from deployer.errors import Failure, UsageError
from deployer.ports import Finding, FindingState, QueryRefused, Question, TaskRequest, TimeLimitReached
from deployer.task.one_off import OVERRIDES, OneOffRunner
from tests.fakes.tasks import Outcome
from tests.fakes.world import World, settings

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
QUESTIONS = (Question("counts"), Question("find_one", "runs", {"at": {"$gte": NOON}}, within=5.0))
Program = Callable[[TaskRequest], tuple[str, ...]]


@pytest.fixture
def world() -> World:
    world = World()
    world.tasks.register({"family": "job", "containerDefinitions": []}, {})
    return world


def network(world: World, **run: Any) -> OneOffNetwork:
    commands = {"query": ["ask"], "connectivity": ["connectivity"]}
    config = settings(**{"run": run, "job-commands": commands})
    return OneOffNetwork(config, OneOffRunner(config, world.tasks, world.logs, world.clock, world.ids))


def says(world: World, program: Program, exit_code: int = 0, times: int = 1) -> None:
    world.tasks.script.extend([Outcome(exit_code=exit_code, lines=("hello",), says=program)] * times)


def unpacked(request: TaskRequest) -> dict[str, Any]:
    text = zlib.decompress(base64.b64decode(request.environment["QUESTIONS"])).decode()
    asked: dict[str, Any] = json_util.loads(text, json_options=json_util.JSONOptions(tz_aware=True))
    return asked


def echo(request: TaskRequest) -> tuple[str, ...]:
    """Answers each question with its body, as a document."""
    return tuple(
        json_util.dumps({"question": number, "seconds": 0.5, "answer": {"asked": question["body"]}})
        for number, question in enumerate(unpacked(request)["questions"])
    )


def test_questions_arrive_as_they_were_asked_and_replies_come_back(world: World) -> None:
    """Times, queries and limits survive both ways; a line that is no answer is passed over."""
    says(world, echo)
    first, second = network(world).ask(QUESTIONS)
    assert (first.answer, first.error, first.seconds) == ({"asked": None}, None, 0.5)
    assert second.answer == {"asked": {"at": {"$gte": NOON}}}
    (task,) = world.tasks.tasks.values()
    assert task.request.command == ("ask",)
    asked = unpacked(task.request)
    assert asked["database"] == "db"
    assert asked["questions"][1] == {
        "kind": "find_one", "collection": "runs", "body": {"at": {"$gte": NOON}}, "within": 5.0,
    }  # fmt: skip


def test_a_refusal_is_a_reply(world: World) -> None:
    """What the database does not do comes back as the error that it would have been here."""

    def refuse(request: TaskRequest) -> tuple[str, ...]:
        errors = [{"kind": "refused", "message": "no such stage"}, {"kind": "time-limit", "message": "slow"}]
        return tuple(json.dumps({"question": n, "seconds": 1, "error": e}) for n, e in enumerate(errors))

    says(world, refuse)
    first, second = network(world).ask(QUESTIONS)
    assert isinstance(first.error, QueryRefused)
    assert first.error.message == "no such stage"
    assert isinstance(second.error, TimeLimitReached)


LONG = {str(number): number for number in range(100)}


def in_parts(request: TaskRequest) -> list[str]:
    """The second answer in three parts, as a long one is printed."""
    whole = json.dumps({"question": 1, "seconds": 0, "answer": LONG})
    packed = base64.b64encode(zlib.compress(whole.encode())).decode()
    size = len(packed) // 3 + 1
    pieces = [packed[start : start + size] for start in range(0, len(packed), size)]
    parts = [{"question": 1, "part": n, "of": 3, "zlib": piece} for n, piece in enumerate(pieces, start=1)]
    return [json.dumps({"question": 0, "seconds": 0, "answer": {}}), *map(json.dumps, parts)]


def test_a_long_reply_is_put_together(world: World) -> None:
    """Its parts are one answer."""
    says(world, lambda request: tuple(in_parts(request)))
    assert network(world).ask(QUESTIONS)[1].answer == LONG


@pytest.mark.parametrize("dropped", [0, 2])
def test_a_line_that_got_lost_is_no_answer(world: World, dropped: int) -> None:
    """Where an answer, or a part of one, is missing, nothing is concluded from the others."""

    def lossy(request: TaskRequest) -> tuple[str, ...]:
        lines = in_parts(request)
        return tuple(line for number, line in enumerate(lines) if number != dropped)

    says(world, lossy)
    with pytest.raises(Failure, match="1 of 2 answers"):
        network(world).ask(QUESTIONS)


def test_a_task_that_fails_is_classified(world: World) -> None:
    """Exit 4 with what MongoDB said is a failure of MongoDB, not an empty answer."""
    says(world, lambda request: ("pymongo.errors.OperationFailure: Authentication failed.",), exit_code=4)
    with pytest.raises(Failure, match="Authentication failed") as caught:
        network(world).ask(QUESTIONS)
    assert caught.value.failure_class == "mongodb"


def test_the_fix_of_a_task_that_fails_names_what_is_configured(world: World) -> None:
    """Out of memory: the command of the fix holds the family and the region, not their placeholders."""
    says(world, lambda request: (), exit_code=137)
    with pytest.raises(Failure) as caught:
        network(world).ask(QUESTIONS)
    assert "--task-definition job " in caught.value.hint
    assert "<" not in caught.value.hint


def test_many_questions_take_several_tasks(world: World) -> None:
    """No task is given more than ECS takes for overrides; the replies are in the order of the questions."""
    noise = [base64.b64encode(bytes(i * j * 7 % 251 for j in range(600))).decode() for i in range(40)]
    says(world, echo, times=99)
    replies = network(world, environment={"REGION": "eu"}).ask([Question("find_one", "c", t) for t in noise])
    assert [reply.answer["asked"] for reply in replies] == noise
    assert len(world.tasks.tasks) > 1
    for task in world.tasks.tasks.values():
        pairs = [{"name": name, "value": value} for name, value in task.request.environment.items()]
        override = {"name": "job", "environment": pairs, "command": list(task.request.command)}
        assert len(json.dumps({"containerOverrides": [override]})) <= OVERRIDES


def test_a_question_that_fits_into_no_task_is_refused(world: World) -> None:
    """It is a reply like another; no task is started for it."""
    from secrets import token_hex

    (reply,) = network(world).ask([Question("find_one", "c", token_hex(20_000))])
    assert isinstance(reply.error, QueryRefused)
    assert world.tasks.tasks == {}


def test_the_way_is_a_finding_a_step(world: World) -> None:
    """Each step as the image printed it, and the hint at the one that failed."""
    walked = {
        "ok": False,
        "failed": "tcp",
        "hint": "check the access list",
        "stages": [
            {"name": "dns", "ok": True, "detail": "db.test"},
            {"name": "tcp", "ok": False, "detail": "timed out"},
        ],
    }
    says(world, lambda request: ("walking", json.dumps(walked)), exit_code=4)
    dns, tcp = network(world).check()
    assert (dns.what, dns.state, dns.remedy) == ("from the task: dns", "pass", "")
    assert (tcp.what, tcp.state, tcp.detail, tcp.remedy) == (
        "from the task: tcp", "fail", "timed out", "check the access list",
    )  # fmt: skip


@pytest.mark.parametrize("free", [True, False])
def test_the_access_list_is_looked_at_where_a_step_is_refused(world: World, *, free: bool) -> None:
    """It stands before the steps, so that its mend is the one named; on a free way nobody asks for it."""
    listed = Finding(
        "Atlas access list", FindingState.FAIL, "does not let in 203.0.113.7", "atlas accessLists create"
    )
    config = settings(**{"job-commands": {"connectivity": ["connectivity"]}})
    tasks = OneOffRunner(config, world.tasks, world.logs, world.clock, world.ids)
    walked = json.dumps({"stages": [{"name": "tcp", "ok": free, "detail": ""}]})
    says(world, lambda request: (walked,))
    found = [finding.what for finding in OneOffNetwork(config, tasks, gate=lambda: [listed]).check()]
    assert found == (["from the task: tcp"] if free else ["Atlas access list", "from the task: tcp"])


def test_a_walk_that_prints_no_steps_is_a_failure(world: World) -> None:
    """An image without the command proves nothing about the way."""
    says(world, lambda request: ("Error: No such command 'connectivity'.",), exit_code=2)
    with pytest.raises(Failure, match="exit code 2"):
        network(world).check()


def test_without_the_commands_it_says_which_is_missing(world: World) -> None:
    """The key of deploy.toml is named; nothing is started."""
    config = settings()
    bare = OneOffNetwork(config, OneOffRunner(config, world.tasks, world.logs, world.clock, world.ids))
    with pytest.raises(UsageError, match="connectivity is not set"):
        bare.check()
    with pytest.raises(UsageError, match="query is not set"):
        bare.ask(QUESTIONS)
    assert world.tasks.tasks == {}
