"""Does Atlas's access list allow the task? Needs an API key in the environment.

    ATLAS_PUBLIC_KEY, ATLAS_PRIVATE_KEY, ATLAS_PROJECT_ID; the role Project Read Only is enough
    ATLAS_BASE_URL      another address than Atlas's own

https://www.mongodb.com/docs/atlas/security/ip-access-list/; the API takes the key by HTTP digest.
"""

import ipaddress
import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deployer.adapters.aws.probes.probe import failed, passed, report_errors, unknown
from deployer.adapters.aws.probes.subnets import public_addresses
from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.ports import Finding

WHAT: Final = "Atlas access list"
_BASE: Final = "https://cloud.mongodb.com"
_ACCEPT: Final = "application/vnd.atlas.2023-01-01+json"
_TIMEOUT: Final = 10.0
_NAT: Final = "run the task in a private subnet behind a NAT gateway, and allow the address of the gateway"


@dataclass(frozen=True)
class AtlasKey:
    """An API key of one Atlas project."""

    public: str
    private: str
    project: str
    base: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "AtlasKey | None":
        names = ("ATLAS_PUBLIC_KEY", "ATLAS_PRIVATE_KEY", "ATLAS_PROJECT_ID")
        public, private, project = (environ.get(name, "") for name in names)
        base = environ.get("ATLAS_BASE_URL", _BASE)
        return cls(public, private, project, base) if public and private and project else None


def check(config: Config, session: AwsSession, environ: Mapping[str, str]) -> Iterator[Finding]:
    """One finding; none without a key; unknown if Atlas does not answer."""
    key = AtlasKey.of(environ)
    if key is None:
        return
    try:
        entries = _entries(key)
    except (OSError, ValueError) as error:
        yield unknown(
            WHAT,
            f"Atlas does not answer: {error}",
            "check ATLAS_PUBLIC_KEY, ATLAS_PRIVATE_KEY and ATLAS_PROJECT_ID",
        )
        return
    yield from report_errors(WHAT, _judged(entries, key, config, session))


def _judged(
    entries: list[Mapping[str, Any]], key: AtlasKey, config: Config, session: AwsSession
) -> Iterator[Finding]:
    groups = {str(entry["awsSecurityGroup"]) for entry in entries if entry.get("awsSecurityGroup")}
    listed = groups & set(config.run.security_groups)
    networks = [_network(entry) for entry in entries if entry.get("cidrBlock") or entry.get("ipAddress")]
    if listed:
        yield passed(WHAT, f"allows the task's security group {', '.join(sorted(listed))}")
    elif any(network.prefixlen == 0 for network in networks):
        yield passed(WHAT, "allows every address")
    elif config.run.assign_public_ip:
        detail = f"has {len(networks)} entries, and the task gets a new public address at each start"
        yield unknown(WHAT, detail, _NAT)
    else:
        yield _compared(networks, public_addresses(config, session), key)


def _compared(networks: list[Any], addresses: list[str], key: AtlasKey) -> Finding:
    if not addresses:
        return unknown(WHAT, "the task has no public address to compare with; it may reach MongoDB privately")
    missing = [a for a in addresses if not any(ipaddress.ip_address(a) in network for network in networks)]
    if not missing:
        return passed(WHAT, f"allows {', '.join(addresses)}")
    fix = f"atlas accessLists create {missing[0]} --type ipAddress --projectId {key.project}"
    return failed(WHAT, f"does not allow {', '.join(missing)}, the outgoing address of the task", fix)


def _network(entry: Mapping[str, Any]) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(entry.get("cidrBlock") or entry["ipAddress"], strict=False)


def _entries(key: AtlasKey) -> list[Mapping[str, Any]]:
    """OSError: Atlas cannot be reached or refuses; ValueError: its answer is invalid."""
    url = f"{key.base}/api/atlas/v2/groups/{key.project}/accessList?itemsPerPage=500"
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError(f"{key.base} is not an https address")
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, key.base, key.public, key.private)
    opener = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
    request = urllib.request.Request(url, headers={"Accept": _ACCEPT})  # noqa: S310  see above
    with opener.open(request, timeout=_TIMEOUT) as answer:
        held = json.load(answer)
    entries = held.get("results") if isinstance(held, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the answer has no list of entries")
    return entries
