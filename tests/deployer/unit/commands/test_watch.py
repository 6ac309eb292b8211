"""`deployer watch`: what is told of a course of nights, and that it arrives once."""

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from deployer.adapters.notify import Message, channels
from deployer.commands.watch import WatchState, deliver, judge
from deployer.config.model import Notify
from deployer.errors import Failure
from deployer.model import Cause
from deployer.records.runs import Run
from tests.fakes.webhook import Taken, listening

DAY = 86400.0


def run(number: int, verdict: str = "ok", evidence: str = "") -> Run:
    cause = Cause("code", "exception", "it failed", (evidence,), "fix it") if evidence else None
    return Run(f"task/{number}", started_at=number * DAY, verdict=verdict, cause=cause, documents=7)  # type: ignore[arg-type]


def course(*nights: Run, late: Sequence[str] = (), remind_after: float = 10 * DAY) -> list[str]:
    """The events of one watch a night."""
    state, told = WatchState(), list[str]()
    for number, _ in enumerate(nights, start=1):
        why = late[number - 1] if late else ""
        state, messages = judge(state, nights[:number], why, number * DAY, remind_after)
        told.append("+".join(message.event for message in messages))
    return told


def test_an_episode_is_told_once_and_when_it_is_over() -> None:
    """The same trouble with other numbers stays quiet, another one is told, recovery is told once."""
    keys = "KeyError: 'weight' in row 12", "KeyError: 'weight' in row 977", "OSError: disk full"
    failed = [run(number, "failed", text) for number, text in enumerate(keys, start=2)]
    assert course(run(1), *failed, run(5), run(6)) == ["", "failed", "", "failed", "recovered", ""]


def test_recovery_says_after_how_many() -> None:
    """Three bad nights, then a good one."""
    state, told = WatchState(), list[Message]()
    nights = [*(run(number, "failed", "KeyError") for number in (1, 2, 3)), run(4)]
    for number in range(1, 5):
        state, messages = judge(state, nights[:number], "", number * DAY, 10 * DAY)
        told += messages
    assert told[-1].title == "Recovered after 3 failed runs"
    assert state.episode is None


def test_it_reminds_of_what_lasts() -> None:
    """One reminder each time the interval has passed."""
    nights = [run(number, "failed", "KeyError") for number in range(1, 5)]
    assert course(*nights, remind_after=2 * DAY) == ["failed", "", "reminder", ""]


def test_failed_and_late_are_one_incident() -> None:
    """A run that is missing is told, but not on top of a failure; a good run ends both."""
    late = ["", "no run since", "no run since", ""]
    assert course(run(1), run(1), run(1), run(4), late=late) == ["", "late", "", "recovered"]
    assert course(run(1, "failed", "x"), run(1, "failed", "x"), late=["", "no run since"]) == ["failed", ""]


def test_the_first_watch_does_not_tell_history() -> None:
    """Of the runs before it only the newest is judged."""
    nights = [run(1, "failed", "KeyError"), run(2)]
    state, messages = judge(WatchState(new=True), nights, "", 3 * DAY, DAY)
    assert (messages, len(state.judged)) == ([], 2)


def test_a_slow_night_that_fails_after_the_next_one_was_good_is_told_and_over() -> None:
    """It is no open trouble: a newer run is good already."""
    slow, quick = run(1, "failed", "KeyError"), run(2)
    state, _ = judge(WatchState(), [quick], "", 2 * DAY, DAY)
    state, messages = judge(state, [slow, quick], "", 2.5 * DAY, DAY)
    assert ([message.event for message in messages], state.episode) == (["failed"], None)


def test_nothing_is_told_twice() -> None:
    """The same runs again say nothing, as after a restart."""
    state, first = judge(WatchState(), [run(1, "failed", "x")], "", DAY, 10 * DAY)
    _, second = judge(state, [run(1, "failed", "x")], "", DAY + 60, 10 * DAY)
    assert (len(first), second) == (1, [])


@pytest.fixture
def server() -> Iterator[tuple[str, Taken]]:
    """An address that takes everything, and what it took."""
    with listening() as found:
        yield found


MESSAGE = Message("failed", "failed-1", "parcels (production): failed <b>", "x" * 5000 + "the end", "fix it")


@pytest.mark.parametrize("how", ["slack", "teams", "json"])
def test_each_kind_of_webhook(server: tuple[str, Taken], how: str) -> None:
    """Small enough for each, the end of the log kept, markup escaped for Slack; JSON can be signed."""
    address, taken = server
    settings = Notify.model_validate({"webhook": address, "webhook-format": how, "signing-key": "k"})
    assert deliver([("webhook", vars(MESSAGE))], dict(channels(settings, _no_aws)), print) == []
    ((content, headers),) = taken
    signature = hmac.new(b"k", content, hashlib.sha256).hexdigest()
    assert headers["X-Deployer-Signature"] == f"sha256={signature}"
    body = json.loads(content)
    if how == "slack":
        assert "&lt;b&gt;" in body["text"]
        assert len(body["text"]) < 3000
        assert body["text"].endswith("Fix: fix it")
    elif how == "teams":
        assert body["attachments"][0]["content"]["body"][0]["text"] == MESSAGE.title
    else:
        assert (body["event"], body["key"]) == ("failed", "failed-1")


def _no_aws() -> Any:
    raise LookupError("no AWS here")


def test_a_command_gets_the_message(tmp_path: Path) -> None:
    """As JSON on standard input."""
    path = tmp_path / "told.json"
    program = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    settings = Notify.model_validate({"command": [sys.executable, "-c", program, str(path)]})
    assert deliver([("command", vars(MESSAGE))], dict(channels(settings, _no_aws)), print) == []
    assert json.loads(path.read_text())["title"] == MESSAGE.title


def test_a_broken_channel_is_said_and_tried_again_later() -> None:
    """The message stays; the next one goes out all the same."""
    said, sent = list[str](), list[str]()

    def broken(message: Message) -> None:
        raise Failure("code", "no such program", "install it")

    known = {"command": broken, "webhook": lambda message: sent.append(message.key)}
    waiting = [("command", vars(MESSAGE)), ("webhook", vars(MESSAGE)), ("gone", vars(MESSAGE))]
    assert deliver(waiting, known, said.append) == waiting[:1]
    assert (sent, len(said)) == (["failed-1"], 1)
    assert "no such program" in said[0]
