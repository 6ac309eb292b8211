"""Are the subnets there, in one VPC, with free addresses and a way out?

A Fargate task pulls its image, its secrets and ships its log through its own network interface: by an
internet gateway (then it needs a public address), a NAT, or VPC endpoints
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.adapters.aws.probes.finding import failed, passed, unknown
from deployer.adapters.aws.probes.subject import secrets
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding

_ENDPOINTS: Final = ("ecr.api", "ecr.dkr", "logs", "s3")
"""What every task needs; secrets come by an endpoint of their own."""


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    found = subnets(config, session)
    for name in config.run.subnets:
        if name in found:
            yield from _subnet(found[name], config, session)
        else:
            mend = f"aws ec2 describe-subnets --region {session.region} --query Subnets[].SubnetId"
            yield failed(f"subnet {name}", f"is not there in {session.region}", f"choose among: {mend}")
    vpcs = sorted({subnet["VpcId"] for subnet in found.values()})
    if len(vpcs) > 1:
        yield failed(
            "subnets", f"are in different VPCs: {', '.join(vpcs)}", "name subnets of one in [run] subnets"
        )


def subnets(config: Config, session: AwsSession) -> Mapping[str, Mapping[str, Any]]:
    """Those of `[run] subnets` that exist, by id."""
    filters = [{"Name": "subnet-id", "Values": list(config.run.subnets)}]
    with translated("EC2 subnets"):
        answer = session.client("ec2").describe_subnets(Filters=filters)
    return {subnet["SubnetId"]: subnet for subnet in answer["Subnets"]}


def public_addresses(config: Config, session: AwsSession) -> list[str]:
    """The addresses of the NAT gateways by which a task in these subnets goes out; none without one."""
    routes = [_default_route(subnet, session) for subnet in subnets(config, session).values()]
    gateways = sorted({str(route["NatGatewayId"]) for route in routes if route and route.get("NatGatewayId")})
    if not gateways:
        return []
    with translated("EC2 NAT gateways"):
        answer = session.client("ec2").describe_nat_gateways(NatGatewayIds=gateways)
    return [
        str(address["PublicIp"])
        for gateway in answer["NatGateways"]
        for address in gateway.get("NatGatewayAddresses", ())
        if address.get("PublicIp")
    ]


def _subnet(subnet: Mapping[str, Any], config: Config, session: AwsSession) -> Iterator[Finding]:
    what, free = f"subnet {subnet['SubnetId']}", subnet["AvailableIpAddressCount"]
    if free:
        yield passed(what, f"{subnet['VpcId']}, {free} free addresses")
    else:
        yield failed(what, "has no free address", "name a larger subnet in [run] subnets")
    yield _way_out(f"route of {what}", _default_route(subnet, session), subnet, config, session)


def _default_route(subnet: Mapping[str, Any], session: AwsSession) -> Mapping[str, Any] | None:
    """Where 0.0.0.0/0 goes, by the subnet's own route table, else by the main one of its VPC."""
    own = [{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
    main = [
        {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    with translated("EC2 route tables"):
        client = session.client("ec2")
        tables = (
            client.describe_route_tables(Filters=own)["RouteTables"]
            or client.describe_route_tables(Filters=main)["RouteTables"]
        )
    routes = tables[0]["Routes"] if tables else ()
    return next((route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"), None)


def _way_out(
    what: str,
    route: Mapping[str, Any] | None,
    subnet: Mapping[str, Any],
    config: Config,
    session: AwsSession,
) -> Finding:
    if route is None:
        return _endpoints(what, subnet["VpcId"], _needed(config), session)
    target = next((str(value) for key, value in route.items() if key.endswith(("Id", "Arn"))), "unknown")
    if route.get("State") == "blackhole":
        return failed(what, f"0.0.0.0/0 goes to {target}, which is gone", "mend the subnet's route table")
    if not target.startswith("igw-"):
        return passed(what, f"0.0.0.0/0 goes to {target}")
    if config.run.assign_public_ip:
        return passed(what, f"0.0.0.0/0 goes to {target}, and the task gets a public address")
    return failed(
        what,
        f"0.0.0.0/0 goes to {target}, an internet gateway, and the task gets no public address",
        "set assign-public-ip = true under [run], or name a subnet behind a NAT",
    )


def _needed(config: Config) -> tuple[str, ...]:
    vaults = {
        "secretsmanager" if ":secretsmanager:" in source else "ssm" for source in secrets(config).values()
    }
    return (*_ENDPOINTS, *sorted(vaults))


def _endpoints(what: str, vpc: str, needed: Sequence[str], session: AwsSession) -> Finding:
    """Without a default route every service needs its endpoint, and MongoDB a private way of its own."""
    with translated("EC2 VPC endpoints"):
        answer = session.client("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    there = {
        endpoint["ServiceName"].removeprefix(f"com.amazonaws.{session.region}.")
        for endpoint in answer["VpcEndpoints"]
    }
    missing = [name for name in needed if name not in there]
    if missing:
        mend = f"route 0.0.0.0/0 to a NAT, or add VPC endpoints for {', '.join(missing)}"
        return failed(what, f"no way out of {vpc}, and no endpoint for {', '.join(missing)}", mend)
    return unknown(what, f"{vpc} has the endpoints but no way to the internet; is MongoDB reached privately?")
