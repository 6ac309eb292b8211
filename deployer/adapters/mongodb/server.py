"""The MongoDB server beyond the login: how old, how durable, how full."""

from collections.abc import Callable, Iterator
from typing import Final

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.errors import Failure
from deployer.ports import Finding, FindingState

OLDEST: Final = 5
"""Checks use `$setWindowFields`, which MongoDB 5.0 brought."""
SCARCE: Final = 0.1
"""The share of the storage that should be left. Atlas warns of a disk that is 90 % full."""
_GB: Final = 1024**3


class MongoServer:
    """`ports.DatabaseServer`. What the user of the address may not read is unknown, never fine."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    def findings(self) -> Iterator[Finding]:
        looks: tuple[tuple[str, Callable[[str], Finding]], ...] = (
            ("MongoDB version", self._version),
            ("MongoDB write concern", self._write_concern),
            ("MongoDB storage", self._storage),
        )
        for what, look in looks:
            try:
                yield look(what)
            except Failure as failure:
                yield Finding(what, FindingState.UNKNOWN, failure.message)

    def _version(self, what: str) -> Finding:
        version = str(self._database.command("buildInfo", "admin")["version"])
        if int(version.partition(".")[0]) < OLDEST:
            return Finding(
                what, FindingState.FAIL, version, f"upgrade to MongoDB {OLDEST}.0 or later: checks need it"
            )
        return Finding(what, FindingState.PASS, version)

    def _write_concern(self, what: str) -> Finding:
        asked = self._database.write_concern()
        if "w" in asked:
            return _durable(what, asked["w"], "by the address")
        answer = self._database.command("getDefaultRWConcern", "admin")
        default = answer.get("defaultWriteConcern", {})
        return _durable(what, default.get("w", 1), "by the server's default")

    def _storage(self, what: str) -> Finding:
        stats = self._database.command("dbStats")
        total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
        if not total or used is None:
            size = (stats.get("storageSize", 0) + stats.get("indexSize", 0)) / _GB
            return Finding(
                what, FindingState.UNKNOWN, f"{size:.2f} GB are used; the server does not say what is left"
            )
        left = (total - used) / total
        said = f"{(total - used) / _GB:.1f} of {total / _GB:.1f} GB are left ({left:.0%})"
        if left < SCARCE:
            return Finding(
                what, FindingState.FAIL, said, "enlarge the storage, or delete what is not needed any more"
            )
        return Finding(what, FindingState.PASS, said)


def _durable(what: str, w: object, whose: str) -> Finding:
    said = f"w: {w} {whose}"
    if w == 0:
        return Finding(
            what,
            FindingState.FAIL,
            f"{said}: a write that fails is not noticed",
            "take w=0 out of the address",
        )
    if w == 1:
        said += ": an acknowledged write can be lost in a failover, unless the job itself asks for majority"
    return Finding(what, FindingState.PASS, said)
