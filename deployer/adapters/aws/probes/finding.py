"""How a probe says what it found."""

from collections.abc import Callable, Iterator

from deployer.adapters.aws.session import AwsSession
from deployer.config.model import Config
from deployer.errors import DeployerError
from deployer.ports import Finding

Probe = Callable[[Config, AwsSession], Iterator[Finding]]


def ok(what: str, detail: str = "") -> Finding:
    return Finding(what, "ok", detail)


def wrong(what: str, detail: str, remedy: str) -> Finding:
    return Finding(what, "wrong", detail, remedy)


def unknown(what: str, detail: str, remedy: str = "") -> Finding:
    return Finding(what, "unknown", detail, remedy)


def guarded(what: str, look: Iterator[Finding]) -> Iterator[Finding]:
    """The findings of `look`; where it may not go on looking, one that says so."""
    try:
        yield from look
    except DeployerError as error:
        yield unknown(what, error.message, error.hint)
