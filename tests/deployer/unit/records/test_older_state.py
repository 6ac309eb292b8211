"""The recorded state: what older versions wrote can still be read."""

from deployer.model import Cause, Release, dump, load


def test_a_cause_keeps_its_confidence_and_older_ones_are_read_as_certain() -> None:
    """A guess is recorded as one; a journal from before causes had a confidence can still be read."""
    guess = Cause("mongodb", "dns", "no such host", confidence=0.6, link="https://example.test")
    release = Release("r1", "test", 0.0, cause=guess)
    assert load(dump(release)) == release
    state = dump(release)
    del state["cause"]["confidence"], state["cause"]["link"]
    older = load(state).cause
    assert older is not None
    assert (older.subcause, older.confidence, older.link) == ("dns", 1.0, None)
