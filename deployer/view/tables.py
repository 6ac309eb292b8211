"""What commands return, for people or for programs: `render` is the one place that chooses.

Data is JSON-able; what is missing in it is left out of the picture, never guessed. Shapes:

- `show`: one release; `status`: `{"env", "lock", "latest": show, "running": [ids]}`;
- `history`: `{"releases": [{"id", "env", "end", "exit_code", "started_at", "seconds", "documents"}]}`;
- `runs`: `{"runs": [{"task", "release", "started_by", "started_at", "stopped_at", "exit_code", "verdict"}]}`;
- `verify`: `{"env", "release", "ok", "problem", "checks": [...], "counts"}`;
- `plan`: `{"env", "changes": bool, "steps": [{"node", "action": "do|skip|unknown", "reason"}]}`;
- `schedule`: `{"env", "schedules": [{"kind", "name", "task_definition", "expression", "enabled", "role",
  "ends_at", "problem", "followed"}]}`;
- `rollback`: the same, and `{"release", "newest"}`: what it goes back to, and from what;
- `doctor`: `{"env", "findings": [{"what", "state": "ok|wrong|unknown", "detail", "remedy"}]}`;
- `sandbox`: `{"up": bool, "parts": [{"name", "state", "port", "pid", "hint"}]}`;
- `diagnosis`: `{"id", "class", "subcause", "confidence", "evidence": [...], "remedy", "link"}`.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any, Final, TextIO

from rich.console import Console, RenderableType
from rich.text import Text

from deployer.view.cells import facts, format_time, format_value, table, unbroken
from deployer.view.release_detail import diagnosis, show, verification
from deployer.view.text import Lines, duration, sparkline

Data = Mapping[str, Any]
_UNBROKEN: Final = 10_000
"""Columns where there is no terminal: nothing is wrapped for `grep`."""


def render(kind: str, data: Data, *, output: str, stream: TextIO, color: bool) -> None:
    """Writes `data` to `stream`: with `output` "json" as one line of JSON, else as text.

    KeyError: there is no such kind.
    """
    lines = Lines(stream)
    if output == "json":
        lines.write(json.dumps(data, default=str))
        return
    canvas = StringIO()
    width = shutil.get_terminal_size().columns if stream.isatty() else _UNBROKEN
    console = Console(
        file=canvas,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
    )
    for piece in _KINDS[kind](data):
        console.print(piece, crop=False, soft_wrap=isinstance(piece, Text))
    for line in canvas.getvalue().splitlines():
        lines.write(line.rstrip())


def _history(data: Data) -> Iterator[RenderableType]:
    releases = data.get("releases", ())
    if not releases:
        yield "no releases found"
        return
    rows = [
        (
            row.get("id"),
            row.get("env"),
            row.get("end") or "under way",
            row.get("exit_code"),
            format_time(row.get("started_at")),
            duration(row["seconds"]) if row.get("seconds") is not None else "",
            "" if _documents(row) is None else f"{_documents(row):,}",
        )
        for row in releases
    ]
    yield table(("release", "env", "end", "exit", "started (UTC)", "took", "documents"), rows)
    counts = [_documents(row) for row in releases]
    if any(counts):
        yield facts([("documents", sparkline(counts))])


def _runs(data: Data) -> Iterator[RenderableType]:
    """The newest first; the sparklines run from old to new."""
    found = data.get("runs", ())
    if not found:
        yield "no runs found"
        return
    rows = [
        (
            format_time(run.get("started_at")),
            run.get("verdict"),
            run.get("exit_code"),
            _took(run),
            "" if run.get("documents") is None else f"{run['documents']:,}",
            " / ".join(str(run[key]) for key in ("class", "subcause") if run.get(key)),
            run.get("release") or run.get("started_by"),
            str(run.get("task") or "").rsplit("/", 1)[-1],
        )
        for run in found
    ]
    columns = ("started (UTC)", "verdict", "exit", "took", "documents", "cause", "started by", "task")
    yield table(columns, rows)
    oldest_first = list(reversed(found))
    counts = [run.get("documents") for run in oldest_first]
    times = [_seconds(run) for run in oldest_first]
    yield facts(
        [
            ("documents", sparkline(counts) if any(counts) else ""),
            ("duration", sparkline(times) if any(times) else ""),
        ]
    )


def _watch(data: Data) -> Iterator[RenderableType]:
    for message in data.get("messages", ()):
        yield facts([(str(message.get("event")), message.get("title")), ("fix", message.get("fix"))])
    waiting = data.get("undelivered") or ""
    yield facts([("state", data.get("failing") or "ok"), ("not delivered yet", waiting)])


def _seconds(run: Data) -> float | None:
    begun, ended = run.get("started_at"), run.get("stopped_at")
    return ended - begun if begun is not None and ended is not None else None


def _took(run: Data) -> str:
    seconds = _seconds(run)
    return "" if seconds is None else duration(seconds)


def _documents(row: Data) -> int | None:
    """Documents in the largest collection; None where they were not counted."""
    documents = row.get("documents")
    return max(documents.values()) if isinstance(documents, Mapping) and documents else documents or None


def _status(data: Data) -> Iterator[RenderableType]:
    lock = data.get("lock")
    holder = f"{lock.get('release')} by {lock.get('user')}@{lock.get('host')}" if lock else "free"
    holder += f", at {lock['node']}" if lock and lock.get("node") else ""
    running = ", ".join(map(str, data.get("running", ()))) or "nothing"
    yield facts(
        [
            ("environment", data.get("env")),
            ("lock", holder),
            ("since", format_time((lock or {}).get("since"))),
            ("under way", running),
        ]
    )
    if data.get("latest"):
        yield ""
        yield from show(data["latest"])


def _plan(data: Data) -> Iterator[RenderableType]:
    rows = [(s.get("action"), s.get("node"), s.get("reason")) for s in data.get("steps", ())]
    yield table(("", "step", "why"), rows)
    for difference in data.get("differences", ()):
        yield from _difference(format_value(difference))
    for warning in data.get("warnings", ()):
        yield Text(f"warning: {format_value(warning)}", "yellow")
    yield "changes to make" if data.get("changes") else "no changes"


def _rollback(data: Data) -> Iterator[RenderableType]:
    yield facts(
        [
            ("environment", data.get("env")),
            ("goes back to", data.get("release")),
            ("from", data.get("newest")),
        ]
    )
    yield from _plan(data)


def _prune(data: Data) -> Iterator[RenderableType]:
    kinds = {"local": "local image", "images": "image", "task_definitions": "task definition"}
    for key, kind in kinds.items():
        yield from (unbroken((f"- {kind} {format_value(name)}", "red")) for name in data.get(key) or ())
    yield facts([("kept", data.get("kept_because"))])


def _difference(text: str) -> Iterator[RenderableType]:
    """`path: theirs -> ours` as a diff."""
    path, colon, change = text.partition(": ")
    theirs, arrow, ours = change.partition(" -> ")
    if not (colon and arrow):
        yield unbroken((f"~ {text}", "yellow"))
        return
    yield Text(f"  {path}")
    yield unbroken((f"- {theirs}", "red"))
    yield unbroken((f"+ {ours}", "green"))


def _doctor(data: Data) -> Iterator[RenderableType]:
    findings = data.get("findings", ())
    yield table(
        ("", "what", "found"),
        [(f.get("state"), f.get("what"), f.get("detail")) for f in findings],
    )
    fixes = [(f.get("what"), f["remedy"]) for f in findings if f.get("remedy")]
    if fixes:
        yield ""
        yield "fix:"
        yield facts(fixes, whole=[name for name, _ in fixes])


def _schedule(data: Data) -> Iterator[RenderableType]:
    found = data.get("schedules", ())
    if not found:
        yield "nothing starts the job on its own"
        return
    rows = [
        [f"{t['kind']} {t['name']}", t["expression"], str(t["task_definition"]).rpartition("/")[2],
         t["problem"] or ("moved by releases" if t["followed"] else "not moved by releases")]
        for t in found
    ]  # fmt: skip
    yield table(("what", "when", "starts", "state"), rows)


def _sandbox(data: Data) -> Iterator[RenderableType]:
    rows = [
        (
            p.get("state"),
            p.get("name"),
            p.get("port"),
            p.get("pid"),
            p.get("hint"),
        )
        for p in data.get("parts", ())
    ]
    yield table(("", "part", "port", "pid", ""), rows)


def _verify(data: Data) -> Iterator[RenderableType]:
    started = format_time(data["run_at"]) if data.get("run_at") else ""
    yield facts(
        [
            ("environment", data.get("env")),
            ("run", data.get("run")),
            ("started", started),
            ("release", data.get("release")),
        ]
    )
    yield from verification(data)
    if data.get("cause"):
        yield from diagnosis(data["cause"])


_KINDS: Final[dict[str, Callable[[Data], Iterator[RenderableType]]]] = {
    "show": show,
    "history": _history,
    "runs": _runs,
    "schedule": _schedule,
    "watch": _watch,
    "status": _status,
    "verify": _verify,
    "plan": _plan,
    "rollback": _rollback,
    "prune": _prune,
    "doctor": _doctor,
    "sandbox": _sandbox,
    "diagnosis": diagnosis,
}
