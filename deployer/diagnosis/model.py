"""What goes into a diagnosis and what comes out of it."""

from dataclasses import dataclass

from deployer.model import Cause


class EvidenceError(ValueError):
    """A line of evidence cannot be read; the message says which line and what was expected."""


@dataclass(frozen=True)
class Evidence:
    """One thing that was seen of a failed run.

    `text` is what a program printed, `channel` where it was seen (see `deployer.diagnosis.signature`),
    `exit_code` the container's, `stop_code` the one ECS gives a task, `container` the one that spoke.
    """

    text: str
    channel: str
    exit_code: int | None = None
    stop_code: str | None = None
    id: str | None = None
    container: str | None = None


@dataclass(frozen=True)
class Diagnosis:
    """The likeliest cause, and the others that the evidence speaks for, likeliest first."""

    cause: Cause
    others: tuple[Cause, ...] = ()
    id: str | None = None

    def to_json(self) -> dict[str, object]:
        """One JSON object, as `deployer diagnose --output json` prints it."""
        return {"id": self.id, **self.cause.to_json(), "others": [cause.to_json() for cause in self.others]}
