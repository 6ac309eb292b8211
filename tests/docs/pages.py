"""What the pages of docs/ show: files, commands, outputs."""

import re
from pathlib import Path

from tests.images import ROOT

DOCS = ROOT / "docs"


def files(page: Path) -> dict[str, str]:
    """Each block of code whose paragraph begins with a file's name, by that name."""
    block = r"^`([\w./-]+)`(?:[^\n]*\n)(?:[^\n]+\n)*\n```\w+\n(.*?)^```"
    return dict(re.findall(block, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def outputs(page: Path, heading: str) -> list[list[str]]:
    """The lines of each block of output below that heading."""
    blocks = re.findall(r"^```text\n(.*?)^```", _section(page, heading), re.MULTILINE | re.DOTALL)
    return [block.splitlines() for block in blocks]


def masked(line: str) -> str:
    """Without what differs between any two releases: ids, numbers, durations, bars, columns."""
    line = re.sub(r"\d{8}-\d{6}-[0-9a-f]{4}", "ID", line)
    line = re.sub(r"(\d[\d.,]* ?(h|min|s)\b ?)+|\d[\d.,]*", "N ", line)
    return " ".join(re.sub("[━─]+", "", line).split())


def commands(page: Path, heading: str) -> list[str]:
    """The lines of the shell blocks below that heading."""
    blocks = re.findall(r"^```bash\n(.*?)^```", _section(page, heading), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def _section(page: Path, heading: str) -> str:
    return page.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
