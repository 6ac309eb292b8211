"""Whether a write arrives at the secondaries, how soon, and how far they lag behind."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.uri_parser import parse_uri

from pipeline.config import MongoSettings
from pipeline.errors import MongoError
from pipeline.gateways.mongo import connect, translated
from pipeline.gateways.run_store import utc_now

PROBES = "replication_probes"
SEEN_MS, LAG_S = 1000.0, 10.0
"""Within these a secondary is well."""
_PATIENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the set: `seen_ms` until it has what was written, `lag_s` behind the primary's last write.

    `error` says why one of them is not known.
    """

    host: str
    state: str
    seen_ms: float | None = None
    lag_s: float | None = None
    error: str = ""

    @property
    def met(self) -> bool:
        if self.state == "primary":
            return True
        known = self.seen_ms is not None and self.lag_s is not None
        return known and (self.seen_ms or 0) <= SEEN_MS and (self.lag_s or 0) <= LAG_S


@dataclass(frozen=True, slots=True)
class Replication:
    set_name: str
    members: list[Member]
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem and all(member.met for member in self.members)


def replication(settings: MongoSettings, sleep: Callable[[float], None] = time.sleep) -> Replication:
    """Write a document, look for it on each secondary, and remove it. Raises MongoError."""
    with translated(), connect(settings) as client:
        hello = client.admin.command("hello")
        if "setName" not in hello:
            return Replication("", [], "it is a single server and no replica set: nothing is replicated")
        arbiters = set(hello.get("arbiters", ()))
        others = [host for host in hello.get("hosts", ()) if host != hello.get("primary")]
        members = [Member(str(hello.get("primary")), "primary")]
        members += [_secondary(client, settings, host, sleep) for host in others if host not in arbiters]
    problem = "" if others else "the set has one member: nothing is replicated"
    return Replication(str(hello["setName"]), members, problem)


def _secondary(
    client: MongoClient[dict[str, Any]], settings: MongoSettings, host: str, sleep: Callable[[float], None]
) -> Member:
    probes = client[settings.database].get_collection(PROBES, write_concern=WriteConcern(1))
    id_ = uuid.uuid4().hex
    try:
        with translated(), _direct(settings, host) as there:
            found = there[settings.database][PROBES]
            found.find_one({"_id": id_})  # connected before time is taken
            begun = time.perf_counter()
            probes.insert_one({"_id": id_, "at": utc_now()})
            while found.find_one({"_id": id_}) is None:
                if time.perf_counter() - begun > _PATIENCE_S:
                    return Member(host, "secondary", error=f"not seen within {_PATIENCE_S:.0f} s")
                sleep(0.002)
            seen = (time.perf_counter() - begun) * 1000
            return Member(host, "secondary", round(seen, 1), _lag(client, there))
    except MongoError as error:
        return Member(host, "secondary", error=error.message)
    finally:
        with translated():
            probes.delete_one({"_id": id_})


def _lag(client: MongoClient[dict[str, Any]], there: MongoClient[dict[str, Any]]) -> float:
    """Seconds between the last write of the primary and the last one that this member has."""
    behind = there.admin.command("hello")["lastWrite"]["lastWriteDate"]
    ahead = client.admin.command("hello")["lastWrite"]["lastWriteDate"]
    return float(max((ahead - behind).total_seconds(), 0.0))


def _direct(settings: MongoSettings, host: str) -> MongoClient[dict[str, Any]]:
    """One member alone, with the login and TLS of the address."""
    parsed = parse_uri(settings.uri)
    options = {name: value for name, value in parsed["options"].items() if name.lower() != "replicaset"}
    login = {"username": parsed["username"], "password": parsed["password"]} if parsed["username"] else {}
    return MongoClient(
        host, directConnection=True, readPreference="secondaryPreferred",
        serverSelectionTimeoutMS=5000, **{**options, **login},
    )  # fmt: skip


def as_document(found: Replication) -> dict[str, Any]:
    """What `--output json` prints."""
    members = [{**asdict(member), "met": member.met} for member in found.members]
    return {
        "event": "replication", "ok": found.ok, "set": found.set_name, "problem": found.problem,
        "limits": {"seen_ms": SEEN_MS, "lag_s": LAG_S}, "members": members,
    }  # fmt: skip


def lines(found: Replication) -> list[str]:
    """A table for people."""
    told = [f"{'member':32} {'state':10} {'write seen':>12} {'lag':>9}"]
    for member in found.members:
        seen = "-" if member.seen_ms is None else f"{member.seen_ms:.1f} ms"
        lag = "-" if member.lag_s is None else f"{member.lag_s:.1f} s"
        told.append(f"{member.host:32} {member.state:10} {seen:>12} {lag:>9}  {member.error}".rstrip())
    return [*told, *([found.problem] if found.problem else []), "good" if found.ok else "not good"]
