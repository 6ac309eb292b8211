"""Many streams as one, by time."""

import random

from hypothesis import given
from hypothesis import strategies as st

from deployer.logs.merge import Merge
from deployer.logs.stream import StreamReader
from deployer.ports import LogEvent
from deployer.retry import RetryPolicy
from tests.fakes.clock import FakeClock
from tests.fakes.logs import FakeLogs

GROUP = "/ecs/job"


def _merge(logs: FakeLogs, clock: FakeClock, names: list[str]) -> Merge:
    merge = Merge(clock)
    for name in names:
        merge.add(StreamReader(logs, GROUP, name, RetryPolicy(clock=clock)))
    return merge


def _round(merge: Merge, *, final: bool = False) -> list[LogEvent]:
    return [LogEvent(time, text) for _, time, text in merge.due(final=final)]


@given(st.lists(st.lists(st.integers(0, 50), max_size=40), min_size=1, max_size=5), st.integers(1, 7))
def test_old_events_come_sorted_complete_and_once(times: list[list[int]], page: int) -> None:
    """However the events lie over streams and pages, they come by time, each once."""
    logs, clock = FakeLogs(page=page), FakeClock()
    written = []
    for number, stream in enumerate(times):
        events = [LogEvent(float(time), f"{number}.{k}") for k, time in enumerate(sorted(stream))]
        logs.put(GROUP, str(number), *events)
        written += events
    shown = _round(_merge(logs, clock, [str(number) for number in range(len(times))]))
    assert [event.time for event in shown] == sorted(event.time for event in written)
    assert sorted(event.text for event in shown) == sorted(event.text for event in written)


def test_a_fresh_event_waits_for_an_earlier_one_of_another_stream() -> None:
    """An event of now is held for a second; one that comes meanwhile and is older is shown before it."""
    logs, clock = FakeLogs(), FakeClock()
    merge = _merge(logs, clock, ["a", "b"])
    logs.put(GROUP, "a", LogEvent(clock.now(), "second"))
    assert _round(merge) == []
    logs.put(GROUP, "b", LogEvent(clock.now() - 0.5, "first"))
    clock.sleep(1)
    assert [event.text for event in _round(merge) + _round(merge)] == ["first", "second"]


def test_a_single_stream_is_not_held() -> None:
    """With one stream there is nothing to wait for."""
    logs, clock = FakeLogs(), FakeClock()
    logs.put(GROUP, "a", LogEvent(clock.now(), "now"))
    assert [event.text for event in _round(_merge(logs, clock, ["a"]))] == ["now"]


def test_an_event_that_comes_too_late_is_shown_all_the_same() -> None:
    """An event older than what was shown already is shown when it comes, never dropped."""
    logs, clock = FakeLogs(), FakeClock()
    merge = _merge(logs, clock, ["a", "b"])
    logs.put(GROUP, "a", LogEvent(100.0, "shown"))
    assert [event.text for event in _round(merge)] == ["shown"]
    logs.put(GROUP, "b", LogEvent(50.0, "late"))
    assert [event.text for event in _round(merge)] == ["late"]


def test_a_clock_that_is_ahead_does_not_hold_lines_for_ever() -> None:
    """A container whose clock runs ahead is held for the same second as any other."""
    logs, clock = FakeLogs(), FakeClock()
    merge = _merge(logs, clock, ["a", "b"])
    logs.put(GROUP, "a", LogEvent(clock.now() + 3600, "from the future"))
    assert _round(merge) == []
    clock.sleep(1)
    assert [event.text for event in _round(merge)] == ["from the future"]


def test_memory_is_one_page_of_each_stream() -> None:
    """However long the streams are, only a page of each is held."""
    logs, clock = FakeLogs(page=10), FakeClock()
    for name in "abc":
        times = sorted(random.Random(name).uniform(0, 100) for _ in range(1000))
        logs.put(GROUP, name, *(LogEvent(time, name) for time in times))
    merge = _merge(logs, clock, list("abc"))
    held = [sum(source.waiting for source in merge.sources) for _ in merge.due(final=True)]
    assert len(held) == 3000
    assert max(held) <= 30
