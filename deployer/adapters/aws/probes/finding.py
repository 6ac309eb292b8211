"""How a probe reports what it found."""

from collections.abc import Callable, Iterator

from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.errors import DeployerError
from deployer.ports import Finding, FindingState

Probe = Callable[[Config, AwsSession], Iterator[Finding]]


def passed(what: str, detail: str = "") -> Finding:
    return Finding(what, FindingState.PASS, detail)


def failed(what: str, detail: str, remedy: str) -> Finding:
    """AWS would surely refuse the release."""
    return Finding(what, FindingState.FAIL, detail, remedy)


def unknown(what: str, detail: str, remedy: str = "") -> Finding:
    """It cannot be read, or AWS may still allow it."""
    return Finding(what, FindingState.UNKNOWN, detail, remedy)


def report_errors(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of a probe; an `unknown` one where it cannot go on."""
    try:
        yield from findings
    except DeployerError as error:
        yield unknown(what, error.message, error.hint)
