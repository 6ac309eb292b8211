"""Live Tail: what the fake, moto and MiniStack hold alike, and how a session ends, in AWS's own encoding."""

import pytest

from deployer.adapters.aws.live_tail import LiveTailSession
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from deployer.errors import ExpiredCredentials, Failure, TransientFailure
from deployer.ports import LogEvent
from tests.deployer.contract.aws.worlds import NOW, World
from tests.fakes.live_server import ARN, GROUP, LiveServer, Session, event, exception, serving, update

PREFIX = "ecs/job/"


def test_a_session_tells_of_the_streams_that_get_events(world: World, name: str) -> None:
    """Only of those that were asked for."""
    group = f"/{name}"
    world.put_log(group, "ecs/job/1", LogEvent(NOW, "before"))
    session = world.logs.live(group, [PREFIX])
    told: frozenset[str] = frozenset()
    for _ in range(100):
        world.put_log(group, "ecs/other/1", LogEvent(NOW, "another job"))
        world.put_log(group, "ecs/job/1", LogEvent(NOW, "a line"))
        told = session.news(0.1)
        if told:
            break
    session.close()
    assert told == {"ecs/job/1"}


def _session(server: LiveServer, read_timeout: float = 5) -> LiveTailSession:
    settings = Aws(region="eu-west-3", **{"endpoint-url": server.address})
    aws = AwsSession(settings, Credentials("testing", "testing"), read_timeout=read_timeout)
    return LiveTailSession(aws, GROUP, [PREFIX])


def test_the_group_is_named_by_its_arn() -> None:
    """AWS takes no name, and no ARN that ends with an asterisk; the streams are told by their prefix."""
    with serving(Session([update("ecs/job/1")])) as server:
        assert _session(server).news(10) == {"ecs/job/1"}
        asked = {"logGroupIdentifiers": [ARN], "logStreamNamePrefixes": [PREFIX]}
        assert server.asked == [asked]


def test_news_of_several_updates_come_together() -> None:
    """Nobody is told twice of the same, and an update without events is no news."""
    with serving(Session([update(), update("ecs/job/1"), update("ecs/job/2", "ecs/job/1")])) as server:
        session = _session(server)
        told = {stream for _ in range(3) for stream in _news(session)}
        assert told == {"ecs/job/1", "ecs/job/2"}


def _news(session: LiveTailSession) -> frozenset[str]:
    try:
        return session.news(1)
    except TransientFailure:
        return frozenset()


def test_a_sampled_update_names_some_streams() -> None:
    """Of more than 500 events a second AWS shows a sample: its streams are told of."""
    with serving(Session([update("ecs/job/1", sampled=True)], then="held")) as server:
        assert _session(server).news(10) == {"ecs/job/1"}


def test_without_events_there_is_no_news() -> None:
    """The time passes, and that is no failure."""
    with serving(Session([update(), update()], then="held")) as server:
        assert _session(server).news(0.3) == frozenset()


CUT = update("ecs/job/1")[:-20]
DAMAGED = update("ecs/job/1")[:-1] + b"\0"


@pytest.mark.parametrize(
    ("session", "said"),
    [
        (Session([exception("SessionTimeoutException")]), "SessionTimeoutException"),
        (Session([exception("SessionStreamingException")]), "SessionStreamingException"),
        (Session([event("sessionSomethingNew", {})]), "ended"),
        (Session([CUT]), "ended"),
        (Session([update()], then="cut"), "session broke"),
        (Session([DAMAGED]), "Checksum"),
        (Session(refusal=(400, "ThrottlingException")), "ThrottlingException"),
        (Session(refusal=(400, "LimitExceededException")), "LimitExceededException"),
        (Session(refusal=(400, "ResourceNotFoundException")), "ResourceNotFoundException"),
        (Session(refusal=(503, "ServiceUnavailableException")), "ServiceUnavailableException"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_session_that_ends_may_be_followed_by_another(session: Session, said: str) -> None:
    """Its three hours are over, it broke, or it is not granted just now: a passing failure."""
    with serving(session) as server, pytest.raises(TransientFailure, match=said):
        _session(server).news(10)


def test_a_silent_connection_is_given_up() -> None:
    """AWS sends an update every second: one that sends nothing is dead."""
    with serving(Session(then="held")) as server, pytest.raises(TransientFailure, match="session broke"):
        _session(server, read_timeout=0.3).news(10)


def test_a_server_that_is_gone_is_a_passing_failure() -> None:
    """No connection: the network, or an endpoint that this region does not have."""
    with serving() as server:
        gone = LiveServer(server.sessions, address=server.address)
    with pytest.raises(TransientFailure):
        _session(gone).news(10)


def test_a_group_that_is_not_there_yet_is_a_passing_failure() -> None:
    """The first run makes it."""
    with serving(group="/ecs/job-of-others") as server:
        with pytest.raises(TransientFailure, match="no such group yet"):
            _session(server).news(10)
        assert server.asked == []


@pytest.mark.parametrize(
    ("code", "hint"),
    [("AccessDeniedException", "allow StartLiveTail"), ("InvalidOperationException", "class Standard")],
)
def test_a_refusal_is_for_good(code: str, hint: str) -> None:
    """No permission, or a log class without Live Tail: it says so, and what to allow."""
    with serving(Session(refusal=(400, code))) as server, pytest.raises(Failure, match=code) as caught:
        _session(server).news(10)
    assert not isinstance(caught.value, TransientFailure)
    assert hint in caught.value.hint


def test_expired_credentials_are_said_to_be_so() -> None:
    """Somebody may log in again."""
    with (
        serving(Session(refusal=(400, "ExpiredTokenException"))) as server,
        pytest.raises(ExpiredCredentials),
    ):
        _session(server).news(10)


def test_a_closed_session_is_left_at_its_next_update() -> None:
    """The server sees the end of it: no minute more is charged."""
    with serving(Session([update("ecs/job/1")], then="held"), Session([update("ecs/job/2")])) as server:
        first = _session(server)
        assert first.news(10) == {"ecs/job/1"}
        first.close()
        assert _session(server).news(10) == {"ecs/job/2"}
