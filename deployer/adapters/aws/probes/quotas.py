"""Does the account still have room for the task: Fargate's processors, the VPC's network interfaces?

Fargate counts processors, of all tasks that run at a time, and says in CloudWatch how many are in use
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html); a task takes one
network interface of the region's.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from deployer.adapters.aws.probes.finding import guarded, ok, unknown, wrong
from deployer.adapters.aws.probes.subject import definition
from deployer.adapters.aws.session import AwsSession, translated
from deployer.adapters.local.machine import SystemClock
from deployer.config.model import Config
from deployer.errors import Failure
from deployer.ports import Finding
from deployer.task.definition import size

_UNITS: Final = 1024
"""CPU units of one processor."""
_LATELY: Final = timedelta(minutes=15)


class _Quota(NamedTuple):
    what: str
    service: str
    code: str


_PROCESSORS: Final = _Quota("quota of Fargate processors", "fargate", "L-3032A538")
_INTERFACES: Final = _Quota("quota of network interfaces", "vpc", "L-DF5E4CA3")


def look(config: Config, session: AwsSession) -> Iterator[Finding]:
    if config.run.launch_type != "FARGATE":
        return
    units = size(str(definition(config).get("cpu", "")))
    needed = int(units) / _UNITS if units.isdigit() else 0.0
    processors = _compared(_PROCESSORS, needed, lambda: _processors(session), session)
    interfaces = _compared(_INTERFACES, 1, lambda: _interfaces(session), session)
    yield from guarded(_PROCESSORS.what, processors)
    yield from guarded(_INTERFACES.what, interfaces)


def _compared(
    quota: _Quota, needed: float, used: Callable[[], float], session: AwsSession
) -> Iterator[Finding]:
    """One finding. What is in use matters only where the quota itself is large enough."""
    with translated("Service Quotas"):
        answer = session.client("service-quotas").get_service_quota(
            ServiceCode=quota.service, QuotaCode=quota.code
        )
    limit = float(answer["Quota"]["Value"])
    raised = f"--desired-value {max(limit * 2, needed):.0f} --region {session.region}"
    increase = (
        "aws service-quotas request-service-quota-increase"
        f" --service-code {quota.service} --quota-code {quota.code} {raised}"
    )
    if needed > limit:
        yield wrong(quota.what, f"is {limit:g}, and the task takes {needed:g}", increase)
        return
    try:
        busy = used()
    except Failure as failure:
        yield unknown(
            quota.what, f"is {limit:g}; how much is in use is not seen: {failure.message}", failure.hint
        )
        return
    said = f"{busy:g} of {limit:g} in use, the task takes {needed:g}"
    yield wrong(quota.what, said, increase) if busy + needed > limit else ok(quota.what, said)


def _processors(session: AwsSession) -> float:
    """The most that was in use in the last minutes; Fargate says nothing where it was none."""
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    dimensions = {"Service": "Fargate", "Type": "Resource", "Resource": "vCPU", "Class": "Standard/OnDemand"}
    with translated("Fargate's use"):
        answer = session.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Usage",
            MetricName="ResourceCount",
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - _LATELY,
            EndTime=now,
            Period=300,
            Statistics=["Maximum"],
        )
    return max((float(point["Maximum"]) for point in answer["Datapoints"]), default=0.0)


def _interfaces(session: AwsSession) -> float:
    pages = session.client("ec2").get_paginator("describe_network_interfaces")
    with translated("EC2 network interfaces"):
        return float(
            sum(
                len(page["NetworkInterfaces"]) for page in pages.paginate(PaginationConfig={"PageSize": 1000})
            )
        )
