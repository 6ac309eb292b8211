"""An AWS account that is as it is told to be."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deployer.ports import Finding, FindingState
from tests.fakes.faults import Faults


@dataclass
class FakeAccount:
    """`looks` is what `findings` shows, `first` what the quick looks before a build do; mending it is
    replacing an entry."""

    arn: str = "arn:aws:iam::123456789012:user/someone"
    looks: dict[str, Finding] = field(
        default_factory=lambda: {"cluster": Finding("cluster", FindingState.PASS)}
    )
    first: dict[str, Finding] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)

    def identity(self) -> str:
        self.faults.before("identity")
        return self.arn

    def preflight(self) -> Iterator[Finding]:
        self.faults.before("first_findings")
        yield from self.first.values()

    def diagnose(self, digest: str | None = None) -> Iterator[Finding]:
        self.faults.before("findings")
        yield from self.looks.values()
