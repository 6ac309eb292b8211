"""Do the security groups exist in the subnets' VPC, and do they allow the task's connections?

DNS by the VPC's resolver is not filtered by security groups; port 53 matters where the VPC has none
(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from deployer.adapters.aws.probes.probe import failed, passed, unknown
from deployer.adapters.aws.probes.subnets import subnets
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding, FindingState
from deployer.task.definition import network_mode, on_fargate

_MONGODB: Final = 27017
_ANYWHERE: Final = "0.0.0.0/0"


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    if network_mode(config) != "awsvpc" or not config.run.security_groups:
        return
    found = _groups(config, session)
    vpcs = {subnet["VpcId"] for subnet in subnets(config, session).values()}
    for name in config.run.security_groups:
        yield _group(name, found.get(name), vpcs, session.region)
    if found:
        for port, party in ((443, "AWS"), (_mongodb_port(config.verify.uri), "MongoDB")):
            egress = _egress(_Egress(port, party), found, session.region)
            sure = party == "AWS" and on_fargate(config)
            yield egress if sure or egress.state is FindingState.PASS else _inferred(egress)
        for vpc in sorted(vpcs):
            yield _names(vpc, found, session)


def _names(vpc: str, groups: Mapping[str, Mapping[str, Any]], session: AwsSession) -> Finding:
    """Without a resolver in the VPC, names are resolved by one elsewhere, if egress to it is allowed."""
    with translated(f"DNS of {vpc}"):
        answer = session.client("ec2").describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
    if answer["EnableDnsSupport"]["Value"]:
        return passed(f"DNS of {vpc}", "the VPC's resolver, which no security group filters")
    out = _egress(_Egress(53, "DNS", "udp"), groups, session.region)
    if out.state is not FindingState.PASS:
        return out
    enable = f"aws ec2 modify-vpc-attribute --vpc-id {vpc} --enable-dns-support --region {session.region}"
    return unknown(f"DNS of {vpc}", "the VPC has no resolver; egress to another one is allowed", enable)


class _Egress(NamedTuple):
    port: int
    party: str
    protocol: str = "tcp"


def _mongodb_port(uri: str) -> int:
    """The port of the address's first host; `mongodb+srv` names none."""
    named = re.match(r"mongodb://(?:[^/]*@)?[^/,?]+:(\d+)(?=[/,?]|$)", uri)
    return int(named[1]) if named else _MONGODB


def _groups(config: Config, session: AwsSession) -> Mapping[str, Mapping[str, Any]]:
    """Those of `[run] security-groups` that exist, by id (MiniStack answers this filter with all groups)."""
    wanted = config.run.security_groups
    filters = [{"Name": "group-id", "Values": list(wanted)}]
    with translated("EC2 security groups"):
        answer = session.client("ec2").describe_security_groups(Filters=filters)
    return {group["GroupId"]: group for group in answer["SecurityGroups"] if group["GroupId"] in wanted}


def _group(name: str, group: Mapping[str, Any] | None, vpcs: set[str], region: str) -> Finding:
    what = f"security group {name}"
    choose = (
        f"choose one of: aws ec2 describe-security-groups --region {region} --query SecurityGroups[].GroupId"
    )
    if group is None:
        return failed(what, f"does not exist in {region}", choose)
    if vpcs and group["VpcId"] not in vpcs:
        return failed(what, f"is in {group['VpcId']}, the subnets are in {', '.join(sorted(vpcs))}", choose)
    return passed(what, group["VpcId"])


def _egress(way: _Egress, groups: Mapping[str, Mapping[str, Any]], region: str) -> Finding:
    """Rules of all groups add up: one that allows it is enough."""
    what = f"egress to port {way.port} ({way.party})"
    targets = [
        target
        for group in groups.values()
        for rule in group["IpPermissionsEgress"]
        if _covers(rule, way)
        for target in _targets(rule)
    ]
    if _ANYWHERE in targets:
        return passed(what)
    if targets:
        return unknown(what, f"is allowed to {', '.join(sorted(set(targets)))} only")
    allow = f"aws ec2 authorize-security-group-egress --group-id {next(iter(groups))} --region {region}"
    return failed(
        what, "is not allowed", f"{allow} --protocol {way.protocol} --port {way.port} --cidr 0.0.0.0/0"
    )


def _inferred(finding: Finding) -> Finding:
    """The port is the one of the operator's own address: the job may use another."""
    return Finding(finding.what, FindingState.UNKNOWN, finding.detail, finding.remedy)


def _covers(rule: Mapping[str, Any], way: _Egress) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return bool(rule["IpProtocol"] == way.protocol and rule["FromPort"] <= way.port <= rule["ToPort"])


def _targets(rule: Mapping[str, Any]) -> Iterator[str]:
    for ranges, key in (
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("PrefixListIds", "PrefixListId"),
        ("UserIdGroupPairs", "GroupId"),
    ):
        for entry in rule.get(ranges, ()):
            yield str(entry[key])
