"""Every rule is held to the example that it carries."""

import pytest

from deployer.diagnosis.classify import classify
from deployer.diagnosis.rule import CHANNELS, Rule, compiled
from deployer.diagnosis.rules import RULES
from deployer.errors import EXIT_CODES


def named(rule: Rule) -> str:
    return f"{rule.failure_class}/{rule.subcause}"


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_wins_its_own_example(rule: Rule) -> None:
    """The example of a rule is diagnosed as that rule says, before all other rules."""
    cause = classify(rule.example_evidence()).cause

    assert (cause.failure_class, cause.subcause) == (rule.failure_class, rule.subcause)
    assert cause.remedy == rule.remedy
    assert cause.evidence


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_is_well_formed(rule: Rule) -> None:
    """A rule has known channels, something to recognise, patterns that match not all, and a remedy."""
    assert set(rule.channels) <= set(CHANNELS)
    assert rule.matches or rule.exit_codes or rule.stop_codes
    assert not any(
        compiled(pattern).search("") for pattern in (rule.matches, rule.context, rule.unless) if pattern
    )
    assert 0 < rule.confidence < 1
    assert rule.remedy.endswith((".", "`"))
    assert rule.link is None or rule.link.startswith("https://")


def test_every_class_has_a_rule() -> None:
    """No class of ERROR_TYPE is without a rule that can reach it."""
    assert {rule.failure_class for rule in RULES} == set(EXIT_CODES)
