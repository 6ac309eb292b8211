"""Healthy logs are silent, and failures are found in the midst of them."""

from pathlib import Path

import pytest

from deployer.diagnosis.classify import classify
from deployer.diagnosis.model import Evidence
from deployer.diagnosis.signature import CHANNELS, LINE
from scripts.evaluate import in_a_log

HERE = Path(__file__).parent
LOGS = sorted((HERE / "healthy").glob("*.log"))
FAMILIES = [line.split("\t") for line in (HERE / "families.tsv").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("log", LOGS, ids=lambda path: path.stem)
def test_a_healthy_log_is_silent(log: Path) -> None:
    """No signature speaks, though it names MongoDB, proxies, retries, 407 rows and OOMKilled."""
    found = classify(Evidence(log.read_text(encoding="utf-8"), log.stem.partition("-")[0]))

    assert (found.cause.failure_class, found.others) == ("unknown", ())
    assert found.cause.confidence == 0


def test_every_channel_of_logs_has_a_healthy_one() -> None:
    """ECS's own words are there only when something is wrong; everything else is seen healthy too."""
    ecs = {"stopped_reason", "container_reason", "run_task_failure"}

    assert {log.stem.partition("-")[0] for log in LOGS} == set(CHANNELS) - ecs


def test_messages_are_found_in_a_healthy_log() -> None:
    """Nine healthy lines before and two after change no answer, and none that is sure is wrong."""
    wrong, sure = [], []
    for failure_class, channel, message in FAMILIES:
        cause = classify(in_a_log(Evidence(message.replace("\\n", "\n"), channel))).cause
        if cause.failure_class != failure_class:
            wrong.append((message, cause.failure_class, cause.subcause))
            sure += [message] if cause.confidence >= 0.8 else []

    assert len(wrong) <= len(FAMILIES) * 0.01, wrong
    assert sure == []
    assert LINE < 0.8
