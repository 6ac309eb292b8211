"""What the pages of docs/ show: files, commands, outputs."""

import re
from pathlib import Path

from tests.images import ROOT

DOCS = ROOT / "docs"


def files(page: Path) -> dict[str, str]:
    """Each block of code whose paragraph begins with a file's name, by that name."""
    block = r"^`([\w./-]+)`(?:[^\n]*\n)(?:[^\n]+\n)*\n```\w+\n(.*?)^```"
    return dict(re.findall(block, page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def commands(page: Path, heading: str) -> list[str]:
    """The lines of the shell blocks below that heading."""
    section = page.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]
