"""The page `docs/how-to/when-it-fails.md`, from the rules: `python -m deployer.diagnosis.handbook > FILE`."""

import sys
from collections.abc import Iterator

from deployer.diagnosis.rule import Rule
from deployer.diagnosis.rules import RULES
from deployer.errors import EXIT_CODES, FailureClass

_INTRODUCTION = """\
# When it fails

<!-- Generated from the rules by `python -m deployer.diagnosis.handbook`; do not edit. -->

A release that stops says which class of cause it found, the lines that speak for it, and the command that
mends it. `deployer explain` tells it again days later; `deployer diagnose FILE` classifies evidence from
elsewhere (`-` for stdin, JSON lines with `channel`, `text`, and where known `exit_code` and `stop_code`).
This page is the whole table of rules, by class.

| Class | Exit code | What it is | Where the release goes |
|---|---|---|---|"""

_CLASSES: dict[FailureClass, tuple[str, str]] = {
    "code": ("The program, or what its image holds, is wrong", "CODE"),
    "docker": ("The image could not be built on this machine", "FIX_DOCKERFILE"),
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
    return (
        "\n".join([_INTRODUCTION, *_table(), *(line for name in _CLASSES for line in _section(name))]) + "\n"
    )


def _table() -> Iterator[str]:
    for name, (meaning, way) in _CLASSES.items():
        yield f"| [{name}](#{name}) | {EXIT_CODES[name]} | {meaning} | {way} |"


def _section(name: FailureClass) -> Iterator[str]:
    yield f"\n## {name}\n"
    yield f"{_CLASSES[name][0]}. Exit code {EXIT_CODES[name]}."
    subcauses = dict.fromkeys(rule.subcause for rule in RULES if rule.failure_class == name)
    for subcause in subcauses:
        rules = [rule for rule in RULES if (rule.failure_class, rule.subcause) == (name, subcause)]
        yield f"\n### {subcause}\n"
        yield from dict.fromkeys(_remedy(rule) for rule in rules)
        yield "\nSeen for example as:\n"
        for rule in rules:
            yield _example(rule)
        yield from _links(rules)


def _remedy(rule: Rule) -> str:
    """The remedy, placeholders outside of code made safe for Markdown."""
    parts = rule.remedy.split("`")
    parts[::2] = [part.replace("<", "&lt;") for part in parts[::2]]
    return "`".join(parts) + (" A retry may be enough." if rule.transient else "")


def _example(rule: Rule) -> str:
    codes = [f"exit code {code}" for code in rule.exit_codes] + [
        f"stop code {code}" for code in rule.stop_codes
    ]
    text = "\n".join(f"    {line}" for line in rule.example.splitlines())
    return text + (f"\n\n(with {', '.join(codes)})\n" if codes else "\n")


def _links(rules: list[Rule]) -> Iterator[str]:
    for link in dict.fromkeys(rule.link for rule in rules if rule.link):
        yield f"More: <{link}>"


if __name__ == "__main__":
    sys.stdout.write(page())
