"""What of a subnet no emulator can be brought into: it always has free addresses."""

from botocore.stub import Stubber

from deployer.adapters.aws.probes import subnets
from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.config.model import Aws
from tests.deployer.contract.aws.worlds import configured

FULL = "subnet-0fu11"


def test_a_subnet_without_a_free_address_is_wrong() -> None:
    """A task needs an address of its own; waiting does not make one."""
    session = AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))
    route = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}
    with Stubber(session.client("ec2")) as ec2:
        subnet = {"SubnetId": FULL, "VpcId": "vpc-1", "AvailableIpAddressCount": 0}
        ec2.add_response("describe_subnets", {"Subnets": [subnet]})
        ec2.add_response("describe_route_tables", {"RouteTables": [{"Routes": [route]}]})
        none, address, way_out = subnets.check(configured({"SANDBOX_SUBNET": FULL}), session)
    assert (none.state, none.detail) == ("fail", "have no free address")
    assert "[run] subnets" in none.remedy
    assert address.state == "unknown"
    assert way_out.state == "pass"
