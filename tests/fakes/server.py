"""A database server that is as it is told to be."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deployer.ports import Finding, FindingState


@dataclass
class FakeServer:
    """`looks` is what `findings` shows, `way` what the walk shows before."""

    looks: list[Finding] = field(
        default_factory=lambda: [Finding("MongoDB version", FindingState.PASS, "8.0.4")]
    )

    way: list[Finding] = field(default_factory=lambda: [Finding("MongoDB: TCP", FindingState.PASS)])

    def check(self) -> Iterator[Finding]:
        yield from self.way
        yield from self.findings()

    def findings(self) -> Iterator[Finding]:
        yield from self.looks
