"""What following a log relies on, held by the fake, moto and MiniStack."""

from deployer.ports import LogEvent
from tests.deployer.contract.aws.worlds import NOW, World

_BEGIN = float(int(NOW)) - 600


def _lines(first: int, count: int) -> list[LogEvent]:
    return [LogEvent(_BEGIN + number, f"line {number}") for number in range(first, first + count)]


def test_a_stream_that_is_not_there_yet_is_said_to_be_so(world: World, name: str) -> None:
    """Before the container's first line there is no stream: an empty page, not an error."""
    page = world.logs.read(f"/{name}", "ecs/job/1", None)
    assert page.events == ()
    assert not page.exists


def test_events_come_oldest_first_and_once(world: World, name: str) -> None:
    """Reading on with the cursor gives each event once, in order, also those that came in between."""
    world.put_log(f"/{name}", "ecs/job/1", *_lines(0, 3))
    first = world.logs.read(f"/{name}", "ecs/job/1", None)
    world.put_log(f"/{name}", "ecs/job/1", *_lines(3, 2))
    second = world.logs.read(f"/{name}", "ecs/job/1", first.cursor)
    assert [*first.events, *second.events] == _lines(0, 5)


def test_at_the_end_the_cursor_comes_back_unchanged(world: World, name: str) -> None:
    """The end of a stream is known by its cursor."""
    world.put_log(f"/{name}", "ecs/job/1", *_lines(0, 3))
    first = world.logs.read(f"/{name}", "ecs/job/1", None)
    end = world.logs.read(f"/{name}", "ecs/job/1", first.cursor)
    assert end.events == ()
    assert end.exists
    assert end.cursor == first.cursor


def test_events_older_than_asked_for_are_left_out(world: World, name: str) -> None:
    """`--since` is answered by the service, from the first event of that time on."""
    world.put_log(f"/{name}", "ecs/job/1", *_lines(0, 5))
    page = world.logs.read(f"/{name}", "ecs/job/1", None, since=_BEGIN + 3)
    assert list(page.events) == _lines(3, 2)


def test_the_streams_of_a_job_are_listed_newest_first(world: World, name: str) -> None:
    """The newest run of a job is the first of its streams; other jobs of the group are not listed."""
    world.put_log(f"/{name}", "ecs/job/1", *_lines(0, 1))
    world.put_log(f"/{name}", "ecs/job/2", *_lines(100, 1))
    world.put_log(f"/{name}", "ecs/other/3", *_lines(200, 1))
    assert world.logs.streams(f"/{name}", "ecs/job/") == ("ecs/job/2", "ecs/job/1")
    assert world.logs.streams(f"/{name}", "ecs/job/", most=1) == ("ecs/job/2",)


def test_a_group_that_is_not_there_has_no_streams(world: World, name: str) -> None:
    """Before the first run there may be no group."""
    assert world.logs.streams(f"/{name}", "ecs/job/") == ()


def test_how_long_a_group_keeps_its_events(world: World, name: str) -> None:
    """Retention is known in seconds; a group that keeps for ever, or is not there, has none."""
    assert world.logs.retention(f"/{name}") is None
    world.put_log(f"/{name}", "ecs/job/1", *_lines(0, 1))
    world.put_log(f"/{name}-other", "ecs/job/1", *_lines(0, 1))
    assert world.logs.retention(f"/{name}") is None
    world.keep_logs(f"/{name}", 7)
    assert world.logs.retention(f"/{name}") == 7 * 86400
    assert world.logs.retention(f"/{name}-other") is None
