"""What the programs on each channel can print, family by family: class, channel and message a line."""

from collections import defaultdict
from pathlib import Path

import pytest

from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import CHANNELS
from deployer.errors import EXIT_CODES

TABLE = Path(__file__).with_name("families.tsv")
Family = tuple[str, str]


def families() -> dict[Family, list[str]]:
    """The messages of the table by class and channel, escaped line breaks made real."""
    found: dict[Family, list[str]] = defaultdict(list)
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        failure_class, channel, message = line.split("\t")
        found[failure_class, channel].append(message.replace("\\n", "\n"))
    return found


FAMILIES = families()


@pytest.mark.parametrize("family", FAMILIES, ids="/".join)
def test_a_family_of_messages_gets_its_class(family: Family) -> None:
    """Every message of a family is of its class, with a line that speaks for it."""
    expected, channel = family
    causes = {message: classify(Evidence(message, channel)).cause for message in FAMILIES[family]}

    assert {m: c.subcause for m, c in causes.items() if c.failure_class != expected} == {}
    assert all(cause.evidence for cause in causes.values())


def test_the_table_covers_every_class_and_channel() -> None:
    """No class and no channel is without a family."""
    assert {failure_class for failure_class, _ in FAMILIES} == set(EXIT_CODES)
    assert {channel for _, channel in FAMILIES} == set(CHANNELS)
