"""The access list of Atlas, as a server on this machine tells it, and the ways out of the task's subnets."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.stub import Stubber

from deployer.adapters.aws.session import AwsSession, Credentials
from deployer.adapters.mongodb.atlas import check
from deployer.config.model import Aws
from deployer.ports import Finding
from tests.fakes.world import settings

PUBLIC, PRIVATE, PROJECT = "pub", "not-so-private", "5f0000000000000000000000"
REALM, NONCE = "MMS Public API", "n0nce"


class Atlas(ThreadingHTTPServer):
    """Answers the one request, to who knows the key by HTTP digest."""

    entries: Any = ()

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "ATLAS_PUBLIC_KEY": PUBLIC,
            "ATLAS_PRIVATE_KEY": PRIVATE,
            "ATLAS_PROJECT_ID": PROJECT,
            "ATLAS_BASE_URL": f"http://127.0.0.1:{self.server_port}",
        }


class Handler(BaseHTTPRequestHandler):
    server: Atlas

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        said = dict(re.findall(r'(\w+)="?([^",]+)', self.headers.get("Authorization", "")))
        if not said or said["response"] != self._digest(said):
            self.send_response(401)
            self.send_header("WWW-Authenticate", f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth"')
            self.end_headers()
            return
        right = self.path.startswith(f"/api/atlas/v2/groups/{PROJECT}/accessList") and "2023-01-01" in str(
            self.headers["Accept"]
        )
        self.send_response(200 if right else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"results": self.server.entries}).encode())

    def _digest(self, said: dict[str, str]) -> str:
        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        who, what = md5(f"{PUBLIC}:{REALM}:{PRIVATE}"), md5(f"GET:{self.path}")
        return md5(f"{who}:{NONCE}:{said['nc']}:{said['cnonce']}:auth:{what}")


@pytest.fixture
def atlas() -> Iterator[Atlas]:
    server = Atlas()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def looked(
    environ: dict[str, str], *, gateway: str | None = "nat-1", own_address: bool = False
) -> list[Finding]:
    """With subnet-1, whose default route goes to a NAT gateway at 203.0.113.7, or nowhere."""
    session = AwsSession(Aws(region="eu-west-3"), Credentials("testing", "testing"))
    route = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": gateway} if gateway else {}
    with Stubber(session.client("ec2")) as stub:
        stub.add_response("describe_subnets", {"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1"}]})
        stub.add_response("describe_route_tables", {"RouteTables": [{"Routes": [route]}]})
        nat = {"NatGatewayAddresses": [{"PublicIp": "203.0.113.7"}]}
        stub.add_response("describe_nat_gateways", {"NatGateways": [nat]}, {"NatGatewayIds": ["nat-1"]})
        return list(check(settings(run={"assign-public-ip": own_address}), session, environ))


@pytest.mark.parametrize(
    "entry",
    [
        {"cidrBlock": "203.0.113.7/32", "ipAddress": "203.0.113.7"},
        {"cidrBlock": "203.0.113.0/24"},
        {"cidrBlock": "0.0.0.0/0"},
        {"awsSecurityGroup": "sg-1"},
    ],
)
def test_a_list_that_lets_the_task_in(atlas: Atlas, entry: dict[str, str]) -> None:
    """By its NAT gateway's address, a range around it, everybody, or its security group."""
    atlas.entries = [{"cidrBlock": "198.51.100.1/32"}, entry]
    (finding,) = looked(atlas.environ)
    assert finding.state == "pass", finding


def test_an_address_that_is_not_listed_is_named_with_its_mend(atlas: Atlas) -> None:
    """The address by which the task goes out, and the command that lists it."""
    atlas.entries = [{"cidrBlock": "198.51.100.1/32"}]
    (finding,) = looked(atlas.environ)
    assert finding.state == "fail"
    assert "203.0.113.7" in finding.detail
    assert finding.remedy == f"atlas accessLists create 203.0.113.7 --type ipAddress --projectId {PROJECT}"


def test_a_task_whose_address_changes_cannot_be_compared(atlas: Atlas) -> None:
    """With a public address of its own, another at each start, the list is unknown to be right."""
    atlas.entries = [{"cidrBlock": "198.51.100.1/32"}]
    (finding,) = looked(atlas.environ, own_address=True)
    assert (finding.state, "NAT" in finding.remedy) == ("unknown", True)


def test_without_a_public_way_out_it_is_unknown(atlas: Atlas) -> None:
    """A task that reaches MongoDB privately has no address to compare."""
    (finding,) = looked(atlas.environ, gateway=None)
    assert finding.state == "unknown"


def test_a_key_that_atlas_refuses_is_unknown(atlas: Atlas) -> None:
    """Nothing is concluded, and the key is not shown."""
    (finding,) = looked({**atlas.environ, "ATLAS_PRIVATE_KEY": "another-one"})
    assert finding.state == "unknown"
    assert "another-one" not in str(finding)


def test_an_answer_that_is_none_is_unknown(atlas: Atlas) -> None:
    """Something else than Atlas at that address."""
    atlas.entries = "nothing"
    (finding,) = looked(atlas.environ)
    assert finding.state == "unknown"


def test_a_key_goes_nowhere_but_to_https(atlas: Atlas) -> None:
    """An address without TLS is not asked, unless it is this machine."""
    (finding,) = looked({**atlas.environ, "ATLAS_BASE_URL": "http://atlas.test"})
    assert (finding.state, "https" in finding.detail) == ("unknown", True)


def test_without_a_key_nothing_is_looked_at(atlas: Atlas) -> None:
    """The three variables make it look; one that is missing leaves it."""
    assert looked({**atlas.environ, "ATLAS_PROJECT_ID": ""}) == []
