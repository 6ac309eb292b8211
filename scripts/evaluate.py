"""How often the diagnosis is right: `python -m scripts.evaluate FILE`.

FILE holds JSON lines of evidence with the right answer beside it: `"class"`, in `"also"` the classes that
are as good, in `"fix"` (optional) values that the fix must name. Each is judged as it stands and embedded
in a healthy log of its channel. Prints what was wrong, the accuracy of each class, the precision at 0.8 and
above; exits 1 where fewer than 95 % of the excerpts are right.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deployer.diagnosis.classify import classify
from deployer.diagnosis.evidence import read_evidence
from deployer.diagnosis.model import Diagnosis, Evidence, EvidenceError

WANTED = 0.95
SURE = 0.8
HEALTHY = Path(__file__).parents[1] / "tests" / "deployer" / "unit" / "diagnosis" / "healthy"
BEFORE, AFTER = 9, 2
_LOGS = {"pymongo": "task_log"}
"""The channel whose healthy log stands around a message, where it is another than its own."""


@dataclass(frozen=True)
class Judged:
    """One labelled piece of evidence and what the diagnosis said of it."""

    expected: tuple[str, ...]
    diagnosis: Diagnosis
    values: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether the answer is one of those expected."""
        return self.diagnosis.cause.failure_class in self.expected

    @property
    def sure(self) -> bool:
        """Whether it was given with a confidence that decisions follow without a doubt."""
        return self.diagnosis.cause.confidence >= SURE

    @property
    def names_its_values(self) -> bool:
        """Whether the fix has every value that it must."""
        return all(value in self.diagnosis.cause.remedy for value in self.values)


def judge(lines: Iterable[str], *, embedded: bool = False) -> list[Judged]:
    """Every labelled line with its diagnosis; raises EvidenceError where a line cannot be read."""
    kept = [line for line in lines if line.strip()]
    labels = [json.loads(line) for line in kept]
    pieces = [in_a_log(piece) if embedded else piece for piece in read_evidence(kept)]
    return [
        Judged((label["class"], *(label.get("also") or ())), classify(piece), tuple(label.get("fix") or ()))
        for label, piece in zip(labels, pieces, strict=True)
    ]


def in_a_log(piece: Evidence) -> Evidence:
    """The same message where it really stands: nine healthy lines before it and two after."""
    logs = sorted(HEALTHY.glob(f"{_LOGS.get(piece.channel, piece.channel)}-*.log"))
    if not logs:
        return piece
    healthy = logs[0].read_text(encoding="utf-8").splitlines()
    lines = (*healthy[:BEFORE], piece.text, *healthy[-AFTER:])
    return replace(piece, text="\n".join(lines))


def report(judged: Sequence[Judged]) -> str:
    """The wrong answers; a line a class: right, seen, per cent; precision of the sure ones; fixes."""
    seen = Counter(one.expected[0] for one in judged)
    right = Counter(one.expected[0] for one in judged if one.right)
    sure, valued = [one for one in judged if one.sure], [one for one in judged if one.values]
    lines = [_mistake(one) for one in judged if not one.right]
    lines += [_share(name, right[name], seen[name]) for name in sorted(seen)]
    lines.append(_share("all", right.total(), seen.total()))
    lines.append(_share(f"at {SURE} and above", sum(one.right for one in sure), len(sure)))
    if valued:
        lines.append(_share("fix with values", sum(one.names_its_values for one in valued), len(valued)))
    return "\n".join(lines)


def _mistake(one: Judged) -> str:
    cause = one.diagnosis.cause
    wanted = " or ".join(one.expected)
    return f"{one.diagnosis.id}: expected {wanted}, got {cause.failure_class}/{cause.subcause}"


def _share(name: str, right: int, seen: int) -> str:
    return f"{name:18} {right:4}/{seen:<4} {right / max(1, seen):6.1%}"


def main(arguments: Sequence[str]) -> int:
    """Prints the report on the file named; 0 when enough is right, 1 when not, 2 for unreadable input."""
    if len(arguments) != 1:
        print("usage: python -m scripts.evaluate FILE", file=sys.stderr)
        return 2
    try:
        lines = Path(arguments[0]).read_text(encoding="utf-8").splitlines()
        excerpts, logs = judge(lines), judge(lines, embedded=True)
    except (OSError, ValueError, KeyError, EvidenceError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    print(f"as excerpts\n{report(excerpts)}\n\nin a healthy log\n{report(logs)}")
    return 0 if excerpts and sum(one.right for one in excerpts) >= WANTED * len(excerpts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
