"""Do the subnets exist in one VPC, with free addresses and a route out?

A Fargate task pulls its image and secrets and sends its log through its own network interface: by an internet
gateway (then it needs a public address), a NAT, or VPC endpoints
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.adapters.aws.probes.probe import failed, passed, secrets, unknown
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding
from deployer.task.definition import network_mode, on_fargate

_ENDPOINTS: Final = ("ecr.api", "ecr.dkr", "logs", "s3")
"""What every task needs; secrets need an endpoint of their own."""


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    if network_mode(config) != "awsvpc" or not config.run.subnets:
        return
    found = subnets(config, session)
    if found and not any(subnet["AvailableIpAddressCount"] for subnet in found.values()):
        yield failed("subnets", "have no free address", "add a larger subnet to [run] subnets")
    for name in config.run.subnets:
        if name in found:
            yield from _subnet(found[name], config, session)
        else:
            listing = f"aws ec2 describe-subnets --region {session.region} --query Subnets[].SubnetId"
            yield failed(f"subnet {name}", f"does not exist in {session.region}", f"choose one of: {listing}")
    vpcs = sorted({subnet["VpcId"] for subnet in found.values()})
    if len(vpcs) > 1:
        yield failed(
            "subnets", f"are in different VPCs: {', '.join(vpcs)}", "set subnets of one VPC in [run] subnets"
        )


def subnets(config: Config, session: AwsSession) -> Mapping[str, Mapping[str, Any]]:
    """Those of `[run] subnets` that exist, by id."""
    filters = [{"Name": "subnet-id", "Values": list(config.run.subnets)}]
    with translated("EC2 subnets"):
        answer = session.client("ec2").describe_subnets(Filters=filters)
    return {subnet["SubnetId"]: subnet for subnet in answer["Subnets"]}


def public_addresses(config: Config, session: AwsSession) -> list[str]:
    """The addresses of the NAT gateways by which a task in these subnets goes out; none without one."""
    routes = [_default(_routes(subnet, session)) for subnet in subnets(config, session).values()]
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
        yield unknown(what, "has no free address", "set a larger subnet in [run] subnets")
    yield _route_out(f"route of {what}", subnet, config, session)


def _routes(subnet: Mapping[str, Any], session: AwsSession) -> Sequence[Mapping[str, Any]]:
    """Of the subnet's own route table, else of the main one of its VPC."""
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
    return tables[0]["Routes"] if tables else ()


def _default(routes: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return next((route for route in routes if route.get("DestinationCidrBlock") == "0.0.0.0/0"), None)


def _target(route: Mapping[str, Any]) -> str:
    return next((str(value) for key, value in route.items() if key.endswith(("Id", "Arn"))), "unknown")


def _route_out(what: str, subnet: Mapping[str, Any], config: Config, session: AwsSession) -> Finding:
    routes = _routes(subnet, session)
    route = _default(routes)
    if route is None:
        elsewhere = [_target(other) for other in routes if _target(other) not in ("local", "unknown")]
        return _endpoints(what, subnet["VpcId"], elsewhere, config, session)
    target = _target(route)
    if route.get("State") == "blackhole":
        return failed(what, f"0.0.0.0/0 goes to {target}, which is deleted", "fix the subnet's route table")
    if not target.startswith("igw-"):
        return passed(what, f"0.0.0.0/0 goes to {target}")
    if config.run.assign_public_ip:
        return passed(what, f"0.0.0.0/0 goes to {target}, and the task gets a public address")
    said = f"0.0.0.0/0 goes to {target}, an internet gateway, and the task gets no public address"
    fix = "set assign-public-ip = true under [run], or set a subnet behind a NAT"
    if not on_fargate(config) or not _missing(subnet["VpcId"], config, session):
        return unknown(what, said, fix)
    return failed(what, said, fix)


def _missing(vpc: str, config: Config, session: AwsSession) -> list[str]:
    """The services that the task needs and that have no endpoint in the VPC."""
    vaults = {
        "secretsmanager" if ":secretsmanager:" in source else "ssm" for source in secrets(config).values()
    }
    with translated("EC2 VPC endpoints"):
        answer = session.client("ec2").describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    there = {
        endpoint["ServiceName"].removeprefix(f"com.amazonaws.{session.region}.")
        for endpoint in answer["VpcEndpoints"]
    }
    return [name for name in (*_ENDPOINTS, *sorted(vaults)) if name not in there]


def _endpoints(what: str, vpc: str, elsewhere: Sequence[str], config: Config, session: AwsSession) -> Finding:
    """Without a default route every service needs its endpoint, and MongoDB a private route."""
    missing = _missing(vpc, config, session)
    if not missing:
        return unknown(
            what, f"{vpc} has the endpoints but no route to the internet; is MongoDB reached privately?"
        )
    said = f"no route out of {vpc}, and no endpoint for {', '.join(missing)}"
    fix = f"route 0.0.0.0/0 to a NAT, or add VPC endpoints for {', '.join(missing)}"
    if elsewhere or not on_fargate(config):
        through = f"; other routes go to {', '.join(sorted(set(elsewhere)))}" if elsewhere else ""
        return unknown(what, said + through, fix)
    return failed(what, said, fix)
