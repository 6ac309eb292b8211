"""A release explained, as text or as Markdown for a ticket."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from deployer.view.cells import format_time, format_value
from deployer.view.text import escaped, fenced, harmless

Data = Mapping[str, Any]

_MOST_RULED_OUT: Final = 40

_RUN_VERDICTS: Final = {
    "ok": "It ended well, and its report accounts for its documents.",
    "failed": "It failed.",
    "unproven": "It ended with exit code 0, but nothing shows what it loaded.",
    "running": "It is still running.",
    "unknown": "How it ended is no longer known; only its log is left.",
}


def format_story(story: Data, *, markdown: bool) -> Iterator[str]:
    """Line by line: the verdict, the causes with their fixes, what was tried, what was ruled out."""
    what = f"Run of task {story['task']} in" if "verdict" in story else f"Release {story['id']} to"
    title = _line(f"{what} {story['env']}", markdown=markdown)
    yield _heading(title, 1, markdown=markdown)
    yield _line(_verdict(story), markdown=markdown)
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
    if "verdict" in story:
        return _RUN_VERDICTS[story["verdict"]]
    resume = f"deployer resume {story['id']}"
    if story["end"] is None:
        return f"It is under way, or was interrupted, at {story['at']}; go on with: {resume}"
    if story["end"] == "PAUSED":
        return f"It paused at {story['at']} with exit code {story['exit_code']}; fix it, then: {resume}"
    if story["exit_code"] == 0:
        return "It succeeded: its data is proven."
    return f"It failed with exit code {story['exit_code']}."


def _cause(cause: Data, *, markdown: bool) -> Iterator[str]:
    name = " / ".join(filter(None, (format_value(cause["class"]), format_value(cause["subcause"]))))
    yield f"**{escaped(name)}**" if markdown else name
    if cause["message"]:
        yield _line(cause["message"], markdown=markdown)
    if cause["evidence"]:
        yield from _block(cause["evidence"], markdown=markdown)
    if cause["remedy"]:
        yield f"Fix: {_line(cause['remedy'], markdown=markdown)}"


def _tried(item: Data) -> str:
    what = f"skipped, {item['what']}" if item["skipped"] else format_value(item["what"])
    return f"{format_time(item['time'])} {item['node']}" + (f": {what}" if what else "")


def _heading(text: str, level: int, *, markdown: bool) -> str:
    return f"{'#' * level} {text}" if markdown else text.upper() if level == 2 else text


def _line(text: str, *, markdown: bool) -> str:
    return escaped(text) if markdown else harmless(text)


def _items(lines: Iterable[str], *, markdown: bool) -> Iterator[str]:
    yield from (f"{'- ' if markdown else '  '}{_line(line, markdown=markdown)}" for line in lines)


def _block(lines: Sequence[str], *, markdown: bool) -> Iterator[str]:
    parts = [part for line in lines for part in line.splitlines()]
    yield from fenced(parts) if markdown else (f"  > {harmless(part)}" for part in parts)
