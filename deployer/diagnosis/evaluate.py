"""How often the rules give the right class: `python -m deployer.diagnosis.evaluate FILE`.

FILE holds JSON lines of evidence with the right answer beside it: `"class"`, and in `"also"` the classes that
are as good. Prints what was wrong, then the accuracy of each class; exits 1 below 95 %.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deployer.diagnosis.classify import classify, read_evidence
from deployer.diagnosis.model import Diagnosis, EvidenceError

WANTED = 0.95


@dataclass(frozen=True)
class Judged:
    """One labelled piece of evidence and what the rules said of it."""

    expected: tuple[str, ...]
    diagnosis: Diagnosis

    @property
    def right(self) -> bool:
        """Whether the answer is one of those expected."""
        return self.diagnosis.cause.failure_class in self.expected


def judge(lines: Iterable[str]) -> list[Judged]:
    """Every labelled line with its diagnosis; raises EvidenceError where a line cannot be read."""
    kept = [line for line in lines if line.strip()]
    labels = [json.loads(line) for line in kept]
    return [
        Judged((label["class"], *label.get("also", ())), classify(evidence))
        for label, evidence in zip(labels, read_evidence(kept), strict=True)
    ]


def report(judged: list[Judged]) -> str:
    """The wrong answers, and a line a class: right, seen, per cent."""
    lines = [_mistake(one) for one in judged if not one.right]
    seen = Counter(one.expected[0] for one in judged)
    right = Counter(one.expected[0] for one in judged if one.right)
    lines += [_share(name, right[name], seen[name]) for name in sorted(seen)]
    lines.append(_share("all", right.total(), seen.total()))
    return "\n".join(lines)


def _mistake(one: Judged) -> str:
    cause = one.diagnosis.cause
    wanted = " or ".join(one.expected)
    return f"{one.diagnosis.id}: expected {wanted}, got {cause.failure_class}/{cause.subcause}"


def _share(name: str, right: int, seen: int) -> str:
    return f"{name:14} {right:4}/{seen:<4} {right / max(1, seen):6.1%}"


def main(arguments: list[str]) -> int:
    """Prints the report on the file named; 0 when enough is right, 1 when not, 2 for unreadable input."""
    if len(arguments) != 1:
        print("usage: python -m deployer.diagnosis.evaluate FILE", file=sys.stderr)
        return 2
    try:
        judged = judge(Path(arguments[0]).read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError, KeyError, EvidenceError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    print(report(judged))
    return 0 if judged and sum(one.right for one in judged) >= WANTED * len(judged) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
