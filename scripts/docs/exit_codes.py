"""docs/reference/exit-codes.md: every exit code, its meaning, and where the flow goes with it."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from deployer.errors import EXIT_CODES, INTERRUPTED, FailureClass, JournalDamaged, RefusedError, UsageError
from deployer.flow.decisions import error_type
from deployer.flow.release import FLOW
from deployer.model import Cause, Release
from scripts.docs.markdown import code, head, table

_INTRODUCTION: Final = """\
Every command ends with one of these. A release that pauses ends with the code of its cause; resume it.
"""
_OWN: Final = """\
## Codes of single commands

| command | code |
| --- | --- |
| `deployer plan` | 0; with `--detailed-exitcode` 2 if a release would change something |
| `deployer verify` | 17: a check failed; 16: MongoDB cannot be reached |
| `deployer doctor` | the code of the first check that failed; 0 if none did |
| `deployer logs` | 0; with `--exit-code-from-task` the task's own |
"""
_CLASSES: Final = "## Where a failed task leads\n\nThe class of the cause decides which node comes next.\n"

MEANINGS: Final[Mapping[str, str]] = {
    "code": "The local tests, the compose test or the job's own code failed.",
    "docker": "The Docker engine does not answer, or the image cannot be built or started.",
    "registry-auth": "The registry refuses the login, the push or the pull.",
    "aws-config": "Something in the AWS account is missing, wrong or not allowed.",
    "capacity": "AWS has no room for the task now, or slows its callers down.",
    "resources": "Memory, disk or another limit ran out, in the task or on this machine.",
    "mongodb": "MongoDB cannot be reached or refuses.",
    "data": "A check of the data failed, or the source contains nothing usable.",
    "network": "A connection failed.",
    "unknown": "The cause is not known; all evidence is kept.",
}


def page() -> str:
    codes = table(("code", "class", "meaning"), rows())
    ways = table(("class", "next node", "what it is"), _ways())
    return "\n".join([head("Exit codes", "deployer/errors.py"), _INTRODUCTION, codes, _OWN, _CLASSES, ways])


def rows() -> Iterator[tuple[str, str, str]]:
    yield "0", "", "Success: the data is proven, or the command did what it was asked for."
    yield str(UsageError.exit_code), "", "The command line or `deploy.toml` cannot be used as given."
    yield (
        str(RefusedError.exit_code),
        "",
        "Refused: somebody else is releasing, or there is nothing to act on.",
    )
    yield (
        str(JournalDamaged.exit_code),
        "",
        "A journal cannot be trusted; nothing is guessed from it.",
    )
    for name, number in EXIT_CODES.items():
        yield str(number), code(name), MEANINGS[name]
    yield str(INTERRUPTED), "", "Interrupted by Ctrl-C or SIGTERM; the release can be resumed."


def _ways() -> Iterator[tuple[str, str, str]]:
    for name in EXIT_CODES:
        cause = Cause(cast(FailureClass, name), "", "")
        node = FLOW.follow("ERROR_TYPE", error_type(Release("", "", 0.0, cause=cause))).target
        yield code(name), code(node), FLOW.nodes[node].label
