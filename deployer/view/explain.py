"""The story of a release in words, plain or as Markdown for a ticket."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.view.cells import moment, said
from deployer.view.text import harmless

Data = Mapping[str, Any]

_MOST_RULED_OUT: Final = 40


def told(story: Data, *, markdown: bool) -> Iterator[str]:
    """Line by line: the verdict, the causes and their fix, what was tried, what was ruled out."""
    yield _heading(f"Release {story['id']} to {story['env']}", 1, markdown=markdown)
    yield _verdict(story)
    for number, cause in enumerate(story["causes"]):
        yield ""
        yield _heading("Why" if number == 0 else "It may also be", 2, markdown=markdown)
        yield from _cause(cause, markdown=markdown)
    yield ""
    yield _heading("What was tried (UTC)", 2, markdown=markdown)
    yield from _items(map(_tried, story["tried"]), markdown=markdown)
    if story["causes"] and story["last_lines"]:
        yield ""
        yield _heading("The task's last lines", 2, markdown=markdown)
        yield from _block(story["last_lines"], markdown=markdown)
    if story["causes"] and story["ruled_out"]:
        yield ""
        yield _heading("Ruled out", 2, markdown=markdown)
        yield from _items(story["ruled_out"][:_MOST_RULED_OUT], markdown=markdown)


def _verdict(story: Data) -> str:
    if story["end"] is None:
        how = f"`deployer resume {story['id']}` goes on"
        return f"It is under way, or was interrupted, at {story['at']}; {how}."
    if story["end"] == "PAUSED":
        how = f"`deployer resume {story['id']}` goes on once it is fixed"
        return f"It paused at {story['at']} with exit code {story['exit_code']}; {how}."
    if story["exit_code"] == 0:
        return "It succeeded: its data is proven."
    return f"It failed with exit code {story['exit_code']}."


def _cause(cause: Data, *, markdown: bool) -> Iterator[str]:
    name = " / ".join(filter(None, (said(cause["class"]), said(cause["subcause"]))))
    yield f"**{name}**" if markdown else name
    if cause["message"]:
        yield harmless(cause["message"])
    if cause["evidence"]:
        yield from _block(cause["evidence"], markdown=markdown)
    if cause["remedy"]:
        yield f"Fix: {harmless(cause['remedy'])}"


def _tried(item: Data) -> str:
    what = f"skipped, {item['what']}" if item["skipped"] else said(item["what"])
    return f"{moment(item['time'])} {item['node']}" + (f": {what}" if what else "")


def _heading(text: str, level: int, *, markdown: bool) -> str:
    return f"{'#' * level} {text}" if markdown else text.upper() if level == 2 else text


def _items(lines: Any, *, markdown: bool) -> Iterator[str]:
    yield from (f"{'- ' if markdown else '  '}{harmless(line)}" for line in lines)


def _block(lines: Sequence[str], *, markdown: bool) -> Iterator[str]:
    fence = ["```"] if markdown else []
    yield from fence
    yield from (
        f"{'' if markdown else '  > '}{harmless(part)}" for line in lines for part in line.splitlines()
    )
    yield from fence
