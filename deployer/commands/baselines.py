"""The counts that later counts are compared with: those of the last verified release, or newer ones.

.deployer/baselines/<env>.json      {"at": seconds since the epoch, "counts": {collection: documents}}
<project>/<env>/baseline.json       the same in the shared state, where deploy.toml names a bucket
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from deployer.commands.bootstrap import SharedState
from deployer.errors import Failure
from deployer.records.releases import Releases, state_of

_KEY: Final = "baseline.json"


@dataclass(frozen=True)
class Baseline:
    """Documents per collection, and when that was, in seconds since the epoch."""

    at: float
    counts: Mapping[str, int]


def last_verified(releases: Releases, env: str) -> tuple[str, Baseline] | None:
    """The ID of the newest release that has proven its data, and what it found."""
    for release, records in releases.readable(env):
        if records[-1].get("end") == "END_SUCCESS":
            verification = state_of(records).verification
            return release, Baseline(records[-1]["time"], verification.counts if verification else {})
    return None


class Baselines:
    """The baseline that a person took of one environment, kept here and in the shared state."""

    def __init__(
        self, folder: Path, env: str, shared: SharedState | None, notify: Callable[[str], None]
    ) -> None:
        self._path = folder / f"{env}.json"
        self._shared, self._notify = shared, notify

    def taken(self) -> Baseline | None:
        """The newest, local or shared; None: there is none."""
        found = [baseline for baseline in (self._here(), self._there()) if baseline]
        return max(found, key=lambda baseline: baseline.at, default=None)

    def take(self, baseline: Baseline) -> None:
        content = json.dumps(asdict(baseline), indent=1).encode()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self._path)
        if self._shared:
            try:
                self._shared.store.write(self._shared.prefix + _KEY, content)
            except Failure as failure:
                self._notify(f"the baseline is kept on this machine only: {failure.message}")

    def _here(self) -> Baseline | None:
        return _read(self._path.read_bytes()) if self._path.is_file() else None

    def _there(self) -> Baseline | None:
        if self._shared is None:
            return None
        try:
            stored = self._shared.store.read(self._shared.prefix + _KEY)
        except Failure as failure:
            self._notify(f"the shared baseline is unavailable: {failure.message}")
            return None
        return _read(stored.content) if stored else None


def _read(content: bytes) -> Baseline | None:
    """None: the file is damaged, and the last verified release counts."""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        held = json.loads(content)
        counts = {str(name): int(number) for name, number in held["counts"].items()}
        return Baseline(float(held["at"]), counts)
    return None
