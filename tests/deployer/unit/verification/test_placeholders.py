"""Placeholders in queries: what each stands for, and dates as MongoDB has them."""

import datetime
from functools import partial
from typing import Any

import pytest

from deployer.config.placeholders import filled, storable
from deployer.verification.plan import Facts, MisconfiguredError

NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
FACTS = Facts("r1", NOON.timestamp(), {"stations": ["a", "b"], "totals": {"read": 3}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${RUN_ID}", "r1"),
        ("run ${RUN_ID} of ${REPORT.totals.read}", "run r1 of 3"),
        ("${REPORT.stations}", ["a", "b"]),
        ("${NOW}", NOON),
        ("${NOW-3d}", NOON - datetime.timedelta(days=3)),
        ("${NOW+90m}", NOON + datetime.timedelta(minutes=90)),
        ("plain $field", "plain $field"),
        (4, 4),
    ],
)
def test_placeholders(text: Any, value: Any) -> None:
    """Alone a placeholder becomes what it stands for; within a text it becomes text; the rest stays."""
    assert filled({"a": [{"$in": text}]}, partial(FACTS.value, "query")) == {"a": [{"$in": value}]}


def test_a_placeholder_without_a_value_is_told() -> None:
    """Where no run is known, `${RUN_ID}` has no value, and that is said with the setting's name."""
    with pytest.raises(MisconfiguredError) as caught:
        filled({"a": "${RUN_ID}"}, partial(Facts("", 0.0).value, "query"))
    assert caught.value.key == "query"


def test_dates_are_times_in_utc() -> None:
    """TOML's dates and local times, which MongoDB does not know, are taken as UTC."""
    day, local = datetime.date(2026, 1, 2), NOON.replace(tzinfo=None)
    assert storable([day, local, NOON]) == [NOON.replace(hour=0), NOON, NOON]
