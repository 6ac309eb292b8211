"""Answers that no repeating mends end the waiting at once, with their class's exit code."""

import pytest

from tests.faults.conftest import Stage
from tests.faults.proxy import Always, Fault, calm

DENIED = "User: arn:aws:iam::000000000000:user/test is not authorized to perform: ecs:RunTask"
REFUSALS = {
    "denied to run": Always("RunTask", Fault("refused", "AccessDeniedException", DENIED)),
    "no such cluster": Always("RunTask", Fault("refused", "ClusterNotFoundException", "Cluster not found.")),
    "a service's limit": Always("RunTask", Fault("refused", "LimitExceededException", "Limit exceeded")),
    "a quota": Always("RunTask", Fault("refused", "ServiceQuotaExceededException", "The quota is reached")),
    "expired before": Always(
        "DescribeTaskDefinition", Fault("refused", "ExpiredTokenException", "expired"), 2
    ),
    "expired in the middle": Always("DescribeTasks", Fault("refused", "ExpiredTokenException", "expired"), 2),
    "denied to read logs": Always("GetLogEvents", Fault("refused", "AccessDeniedException", "logs"), 2),
}
RECORDED = {"DescribeTasks": 1}
"""What the flight recorder asks for once more at the stop, to keep it."""


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_asked_for_once_and_the_mended_release_goes_on(stage: Stage, name: str) -> None:
    """One refused call, exit code 13 (aws-config); resumed after the mend it ends well, with one task."""
    plan = REFUSALS[name]
    stage.proxy.begin(plan)
    ran = stage.release()
    assert (ran.code, ran.ended["end"]) == (13, "PAUSED"), ran.said()
    assert stage.proxy.calls[plan.operation] == plan.first + RECORDED.get(plan.operation, 0), ran.said()
    assert not [event for event in ran.events if event["event"] == "retried"], ran.said()
    assert ran.paused["remedy"], ran.said()
    stage.proxy.begin(calm)
    resumed = stage.project.resume()
    assert (resumed.code, resumed.ended["end"]) == (0, "END_SUCCESS"), resumed.said()
    effects = stage.effects(ran.release)
    assert (effects["tasks"], effects["documents"], effects["reports"]) == (1, 50, 1)


def test_a_registry_that_refuses_ends_the_release_before_it_begins(stage: Stage) -> None:
    """Without the right to read the repository nothing is begun, and it is asked for once."""
    stage.proxy.begin(Always("BatchGetImage", Fault("refused", "AccessDeniedException", "ecr:BatchGetImage")))
    ran = stage.release()
    assert (ran.code, stage.proxy.calls["BatchGetImage"]) == (13, 1), ran.said()
    assert [event["event"] for event in ran.events] == ["ended"]
