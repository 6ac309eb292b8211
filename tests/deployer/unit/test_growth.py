"""What `make bench-scale` concludes from two sizes."""

import pytest

from bench.scale.growth import Growth


@pytest.mark.parametrize(("costs", "exponent"), [((3, 3), 0), ((2, 20), 1), ((2, 200), 2), ((0, 5), 0)])
def test_the_exponent_is_that_of_the_size(costs: tuple[float, float], exponent: float) -> None:
    """Ten times the size: as much, ten times, a hundred times the cost; of nothing there is no exponent."""
    growth = Growth("x", (10, costs[0]), (100, costs[1]), "s", 50)
    assert growth.exponent == pytest.approx(exponent)


@pytest.mark.parametrize(
    ("most", "against", "met"), [(60, None, True), (40, None, False), (1.1, 50, True), (1.1, 40, False)]
)
def test_met_is_the_larger_cost_or_its_ratio(most: float, against: float | None, *, met: bool) -> None:
    """Against a bare rival it is the ratio at the larger size, else the cost itself."""
    growth = Growth("x", (10, 1.0), (100, 50.0), "s", most, against)
    assert growth.met is met
    assert growth.line().startswith("met " if met else "MISS")
