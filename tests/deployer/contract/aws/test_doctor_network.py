"""The network of the account as the probes see it: subnets, their ways out, security groups."""

from typing import Any

from deployer.adapters.aws.probes import (
    security_groups,
    subnets,
)
from tests.deployer.contract.aws.accounts import Account, not_ok, only


def test_an_internet_gateway_needs_a_public_address(account: Account) -> None:
    """A task behind an internet gateway without a public address cannot pull its image."""
    config = account.config()
    private = config.model_copy(update={"run": config.run.model_copy(update={"assign_public_ip": False})})
    finding = only(subnets.check, account, private)
    assert finding.what == f"route of subnet {account.subnet}"
    assert "assign-public-ip = true" in finding.remedy


def test_subnets_of_two_vpcs_are_wrong(account: Account) -> None:
    """A task's network is one VPC's: the finding names both."""
    ec2 = account.session.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    second = ec2.create_subnet(VpcId=other, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    config = account.config()
    both = config.run.model_copy(update={"subnets": (account.subnet, second)})
    findings = not_ok(subnets.check, account, config.model_copy(update={"run": both}))
    (finding,) = [finding for finding in findings if finding.what == "subnets"]
    assert finding.state == "fail"
    assert account.vpc in finding.detail
    assert other in finding.detail


def test_no_way_out_names_the_missing_endpoints(account: Account) -> None:
    """A subnet without a default route needs a VPC endpoint for each service."""
    account.session.client("ec2").delete_route(RouteTableId=account.table, DestinationCidrBlock="0.0.0.0/0")
    finding = only(subnets.check, account, account.config())
    assert finding.state == "fail"
    assert "ecr.api" in finding.remedy
    assert finding.remedy.endswith("secretsmanager")


def test_a_security_group_of_another_vpc_is_wrong(account: Account) -> None:
    """A task's network interface takes security groups of its own VPC only."""
    other = account.session.client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = account.add_group(f"{account.name}-other", other)
    finding = only(security_groups.check, account, account.config(SANDBOX_SECURITY_GROUP=group))
    assert finding.state == "fail"
    assert other in finding.detail


def _revoke_all(account: Account) -> Any:
    ec2 = account.session.client("ec2")
    filters = [{"Name": "group-id", "Values": [account.group]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    names = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"]]
    ec2.revoke_security_group_egress(GroupId=account.group, SecurityGroupRuleIds=names)
    return ec2


def test_a_group_that_lets_nothing_out_is_wrong_for_each_port(account: Account) -> None:
    """Without egress AWS is out of reach; MongoDB's port is only inferred. Each has its own fix."""
    _revoke_all(account)
    findings = not_ok(security_groups.check, account, account.config())
    assert [finding.state for finding in findings] == ["fail", "unknown"]
    assert "--port 27017 --cidr 0.0.0.0/0" in findings[1].remedy


def test_egress_to_some_addresses_only_is_unknown(account: Account) -> None:
    """Whether MongoDB is behind the allowed addresses cannot be told from here."""
    some = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 27017, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    _revoke_all(account).authorize_security_group_egress(GroupId=account.group, IpPermissions=[some])
    assert {finding.state for finding in not_ok(security_groups.check, account, account.config())} == {
        "unknown"
    }


def test_egress_is_judged_for_the_port_of_the_address(account: Account) -> None:
    """A database behind another port needs that one let out, not 27017."""
    config = account.config(SANDBOX_MONGO_URI="mongodb://u:p@a.test:27099,b.test/?x=:1")
    some = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    _revoke_all(account).authorize_security_group_egress(GroupId=account.group, IpPermissions=[some])
    assert "--port 27099" in only(security_groups.check, account, config).remedy


def test_a_vpc_without_a_resolver_needs_a_way_to_one(account: Account) -> None:
    """With the VPC's own DNS off, names are asked elsewhere: unknown where that is let out, else wrong."""
    ec2 = account.session.client("ec2")
    ec2.modify_vpc_attribute(VpcId=account.vpc, EnableDnsSupport={"Value": False})
    finding = only(security_groups.check, account, account.config())
    assert (finding.state, finding.what) == ("unknown", f"DNS of {account.vpc}")
    assert "--enable-dns-support" in finding.remedy
    _revoke_all(account)
    assert "--protocol udp --port 53" in not_ok(security_groups.check, account, account.config())[-1].remedy
