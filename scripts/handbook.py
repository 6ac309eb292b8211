"""The page `docs/how-to/when-it-fails.md`, from the signatures: `python -m scripts.handbook > FILE`."""

import sys
from collections.abc import Iterator

from deployer.diagnosis.signature import LINE, Signature
from deployer.diagnosis.signatures import signatures
from deployer.errors import EXIT_CODES, FailureClass

_INTRODUCTION = f"""\
# When it fails

<!-- Generated from the signatures by `python -m scripts.handbook`; do not edit. -->

A release that stops says which class of cause it found, how sure it is, the lines that speak for it, and
the command that fixes it, with the values of the message filled in. Below {LINE:.0%} the class is
`unknown`, and no decision follows a guess. `deployer explain` tells it again days later. `deployer
diagnose FILE` does the same for evidence from elsewhere: JSON lines with `channel` and `text`, or any log
(`--channel task_log`, `docker_build`, `compose` ...; `-` reads standard input).

This page says for each cause what it means; the command itself comes with the diagnosis. Causes marked
*passes* are worth a retry.

| Class | Exit code | What it is | Where the release goes |
|---|---|---|---|"""

_CLASSES: dict[FailureClass, tuple[str, str]] = {
    "code": ("The program, or what its image holds, is wrong", "CODE"),
    "docker": (
        "The image could not be built, or its services not started, on this machine",
        "FIX_DOCKERFILE",
    ),
    "registry-auth": ("The registry does not know who asks", "ECR_LOGIN, or CHECK_CONFIG for a task"),
    "aws-config": ("AWS refuses or lacks what the release asks for", "CHECK_CONFIG"),
    "capacity": ("AWS had no room or slowed us down", "a retry with growing pauses"),
    "resources": ("The container ran out of memory, disk or handles", "CHECK_CONFIG"),
    "mongodb": ("MongoDB was not reached, or refused", "CHECK_ATLAS"),
    "data": ("The source is not what the program reads", "a pause, with the rejected rows' reasons"),
    "network": ("A machine or service is not reached from here", "a pause, or a retry"),
    "unknown": ("Nothing that was seen decides", "END_FAILED, with everything saved"),
}


def page() -> str:
    """The whole page, in Markdown."""
    sections = (line for name in _CLASSES for line in _section(name))
    return "\n".join([_INTRODUCTION, *_table(), *sections]) + "\n"


def _table() -> Iterator[str]:
    for name, (meaning, way) in _CLASSES.items():
        yield f"| [{name}](#{name}) | {EXIT_CODES[name]} | {meaning} | {way} |"


def _section(name: FailureClass) -> Iterator[str]:
    yield f"\n## {name}\n"
    yield f"{_CLASSES[name][0]}. Exit code {EXIT_CODES[name]}.\n"
    yield "| Cause | What it means | More |"
    yield "|---|---|---|"
    for subcause, alike in _by_subcause(name).items():
        meanings = " ".join(dict.fromkeys(signature.meaning for signature in alike))
        passes = " *passes*" if any(signature.transient for signature in alike) else ""
        yield f"| {subcause}{passes} | {_plain(meanings)} | [source]({alike[0].source}) |"


def _by_subcause(name: FailureClass) -> dict[str, list[Signature]]:
    found: dict[str, list[Signature]] = {}
    for signature in signatures():
        if signature.failure_class == name:
            found.setdefault(signature.subcause, []).append(signature)
    return found


def _plain(text: str) -> str:
    """Text that Markdown shows as it stands in a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    sys.stdout.write(page())
