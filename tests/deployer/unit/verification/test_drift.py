"""Drift: what is unusual beside the last good runs, and what is not."""

import pytest

from deployer.verification.drift import Unusual, unusual

STEADY = [101.0, 99.0, 100.0, 102.0, 98.0, 100.0]


def names(now: dict[str, float], *earlier: tuple[dict[str, float], tuple[str, ...]]) -> list[str]:
    return [one.name for one in unusual(now, earlier, 6.0)]


def nights(values: list[float], name: str = "documents") -> list[tuple[dict[str, float], tuple[str, ...]]]:
    return [({name: value}, ()) for value in values]


@pytest.mark.parametrize(("value", "odd"), [(100, False), (115, False), (55, True), (0, True), (160, True)])
def test_a_value_far_from_the_median_is_unusual(value: float, *, odd: bool) -> None:
    """In either direction; a twentieth more or less never is."""
    assert (names({"documents": value}, *nights(STEADY)) == ["documents"]) == odd


def test_it_is_told_with_what_was_usual() -> None:
    """The bounds, and the values before, oldest first."""
    (one,) = unusual({"documents": 10.0}, nights(STEADY), 6.0)
    assert one == Unusual("documents", 10.0, tuple(STEADY), 70.0, 130.0)


def test_one_odd_night_before_hides_nothing() -> None:
    """Median and MAD are robust: one night that loaded nothing makes half a night no more usual."""
    assert names({"documents": 50.0}, *nights([*STEADY, 0.0])) == ["documents"]
    assert names({"documents": 100.0}, *nights([*STEADY, 0.0])) == []


def test_below_five_runs_nothing_is_unusual() -> None:
    """Nobody knows yet what is usual."""
    assert names({"documents": 0.0}, *nights(STEADY[:4])) == []


def test_a_group_that_is_gone_has_no_documents() -> None:
    """A new one is no drift; a range or a share that is not known is not judged."""
    gone = {"documents of depot north": 50.0, "lowest weight": 3.0, "share without weight": 0.0}
    assert names({"documents of depot south": 50.0}, *[(gone, ())] * 5) == ["documents of depot north"]


def test_shares_and_ranges_drift_too() -> None:
    """Half of the weights missing; a weight ten times the highest. A hundredth is nothing."""
    usual = {"share without weight": 0.0, "highest weight": 40.0}
    now = {"share without weight": 0.5, "highest weight": 400.0}
    assert names(now, *[(usual, ())] * 5) == ["share without weight", "highest weight"]
    assert names({"share without weight": 0.02, "highest weight": 45.0}, *[(usual, ())] * 5) == []


def test_what_a_person_has_accepted_is_usual_from_then_on() -> None:
    """What was before no longer counts; it is judged again once there are five of the new kind."""
    accepted = [({"documents": 50.0}, ("documents",)), *nights([50.0] * 3)]
    assert names({"documents": 100.0}, *nights(STEADY), *accepted) == []
    assert names({"documents": 100.0}, *nights(STEADY), *accepted, *nights([50.0])) == ["documents"]
