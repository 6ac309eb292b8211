"""The MongoDB server: version, write concern, storage."""

from collections.abc import Callable, Iterator
from typing import Final

from deployer.adapters.mongodb.database import MongoDatabase
from deployer.errors import Failure
from deployer.ports import Finding, FindingState

OLDEST: Final = 5
"""Checks use `$setWindowFields`, new in MongoDB 5.0."""
SCARCE: Final = 0.1
"""The share of the storage that should be free. Atlas warns when a disk is 90 % full."""
_GB: Final = 1024**3


class MongoServer:
    """`ports.DatabaseServer`. What the user may not read is unknown."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    def findings(self) -> Iterator[Finding]:
        checks: tuple[tuple[str, Callable[[str], Finding]], ...] = (
            ("MongoDB version", self._version),
            ("MongoDB write concern", self._write_concern),
            ("MongoDB storage", self._storage),
        )
        for what, check in checks:
            try:
                yield check(what)
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
            return _durability(what, asked["w"], "by the address")
        answer = self._database.command("getDefaultRWConcern", "admin")
        default = answer.get("defaultWriteConcern", {})
        return _durability(what, default.get("w", 1), "by the server's default")

    def _storage(self, what: str) -> Finding:
        stats = self._database.command("dbStats")
        total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
        if not total or used is None:
            size = (stats.get("storageSize", 0) + stats.get("indexSize", 0)) / _GB
            return Finding(
                what, FindingState.UNKNOWN, f"{size:.2f} GB are used; the server hides the free space"
            )
        left = (total - used) / total
        detail = f"{(total - used) / _GB:.1f} of {total / _GB:.1f} GB are left ({left:.0%})"
        if left < SCARCE:
            return Finding(what, FindingState.FAIL, detail, "enlarge the storage, or delete data")
        return Finding(what, FindingState.PASS, detail)


def _durability(what: str, w: object, source: str) -> Finding:
    detail = f"w: {w} {source}"
    if w == 0:
        return Finding(
            what, FindingState.FAIL, f"{detail}: failed writes go unnoticed", "remove w=0 from the address"
        )
    if w == 1:
        detail += ": an acknowledged write can be lost in a failover, unless the job itself uses majority"
    return Finding(what, FindingState.PASS, detail)
