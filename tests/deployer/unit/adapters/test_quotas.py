"""Quotas and what is in use of them, as AWS tells it; no emulator does."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from deployer.adapters.aws.probes import quotas
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from deployer.ports import Finding
from tests.deployer.contract.aws.worlds import configured


class Account:
    """An account whose answers are queued in the order in which they are asked for."""

    def __init__(self) -> None:
        self.session = AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))
        services = ("service-quotas", "cloudwatch", "ec2")
        self.stubs = {service: Stubber(self.session.client(service)) for service in services}

    def quota(self, service: str, code: str, value: float) -> None:
        asked = {"ServiceCode": service, "QuotaCode": code}
        self.stubs["service-quotas"].add_response("get_service_quota", {"Quota": {"Value": value}}, asked)

    def used(self, *most: float) -> None:
        points = [{"Maximum": value} for value in most]
        self.stubs["cloudwatch"].add_response("get_metric_statistics", {"Datapoints": points})

    def interfaces(self, number: int) -> None:
        entries = [{"NetworkInterfaceId": f"eni-{n}"} for n in range(number)]
        self.stubs["ec2"].add_response("describe_network_interfaces", {"NetworkInterfaces": entries})

    def look(self) -> list[Finding]:
        found = list(quotas.look(configured({}), self.session))
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()
        return found


@pytest.fixture
def account() -> Iterator[Account]:
    made = Account()
    for stub in made.stubs.values():
        stub.activate()
    yield made
    for stub in made.stubs.values():
        stub.deactivate()


def test_room_for_one_more_task(account: Account) -> None:
    """Quota, what is in use, and what the task takes, for processors and for network interfaces."""
    account.quota("fargate", "L-3032A538", 6)
    account.used(3.0, 4.5)
    account.quota("vpc", "L-DF5E4CA3", 5000)
    account.interfaces(3)
    processors, interfaces = account.look()
    assert (processors.state, processors.detail) == ("ok", "4.5 of 6 in use, the task takes 0.5")
    assert (interfaces.state, interfaces.detail) == ("ok", "3 of 5000 in use, the task takes 1")


def test_a_quota_that_is_used_up_is_wrong(account: Account) -> None:
    """One more task does not fit; the command asks for more."""
    account.quota("fargate", "L-3032A538", 6)
    account.used(6.0)
    account.quota("vpc", "L-DF5E4CA3", 5)
    account.interfaces(5)
    for finding, code in zip(account.look(), ("L-3032A538", "L-DF5E4CA3"), strict=True):
        assert finding.state == "wrong"
        assert "aws service-quotas request-service-quota-increase" in finding.remedy
        assert code in finding.remedy


def test_a_task_larger_than_the_quota_is_wrong_whatever_is_in_use(account: Account) -> None:
    """A new account may have fewer processors than the task takes; nothing else is asked then."""
    account.quota("fargate", "L-3032A538", 0.25)
    account.quota("vpc", "L-DF5E4CA3", 5000)
    account.interfaces(0)
    processors, _ = account.look()
    assert (processors.state, processors.detail) == ("wrong", "is 0.25, and the task takes 0.5")


def test_nothing_in_use_is_told_by_silence(account: Account) -> None:
    """Fargate publishes nothing where nothing runs."""
    account.quota("fargate", "L-3032A538", 6)
    account.used()
    account.quota("vpc", "L-DF5E4CA3", 5000)
    account.interfaces(0)
    assert account.look()[0].detail == "0 of 6 in use, the task takes 0.5"


def test_what_may_not_be_asked_is_unknown(account: Account) -> None:
    """No right to see a quota, or what is in use of it: unknown, with the action that it takes."""
    no = "User: u is not authorized to perform: {} because no identity-based policy allows it"
    account.stubs["service-quotas"].add_client_error(
        "get_service_quota", "AccessDeniedException", no.format("servicequotas:GetServiceQuota")
    )
    account.quota("vpc", "L-DF5E4CA3", 5000)
    account.stubs["ec2"].add_client_error(
        "describe_network_interfaces", "UnauthorizedOperation", no.format("ec2:DescribeNetworkInterfaces")
    )
    processors, interfaces = account.look()
    assert (processors.state, interfaces.state) == ("unknown", "unknown")
    assert "servicequotas:GetServiceQuota" in processors.remedy
    assert interfaces.detail.startswith("is 5000; how much is in use is not seen")
