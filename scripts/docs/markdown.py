"""What the pages share: a heading that says where they come from, and tables."""

from collections.abc import Iterable, Sequence
from typing import Final

NOTE: Final = "<!-- Written by `python -m scripts.docs` from {source}; change it there. -->"


def head(title: str, source: str) -> str:
    return f"# {title}\n\n{NOTE.format(source=source)}\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, every line ending in a newline; the text of a cell is one line."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(_cell(text) for text in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def code(text: object) -> str:
    return f"`{text}`"


def prose(docstring: str | None) -> str:
    """A docstring as paragraphs, its own line breaks undone."""
    paragraphs = (docstring or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
