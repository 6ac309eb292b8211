"""A release's report: one HTML file that opens without a network, light or dark, to read and to attach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from deployer.flow.chart import Flowchart
from deployer.view.cells import format_time, format_value
from deployer.view.picture import light
from deployer.view.release_detail import image_of, source_of
from deployer.view.text import duration, harmless_lines, listed

Data = Mapping[str, Any]

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1f2937;--soft:#6b7280;--paper:#fff;--edge:#d1d5db;--pane:#f3f4f6;
--good:#15803d;--bad:#b91c1c;--warn:#b45309;--fill:#0284c7}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa4b2;--paper:#0d1117;--edge:#30363d;
--pane:#161b22;--good:#3fb950;--bad:#f85149;--warn:#fbbf24;--fill:#38bdf8}}
body{max-width:1180px;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper);
font:15px/1.5 -apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.1rem;margin:2rem 0 .6rem}
.verdict{font-weight:600}
.good{color:var(--good)}
.bad{color:var(--bad)}
.warn{color:var(--warn)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--edge);
overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500}
td:first-child{white-space:nowrap;overflow-wrap:normal}
td:nth-child(2){min-width:13rem}
td:nth-child(4){min-width:9rem}
td.figure{text-align:right;white-space:nowrap}
td.scale{width:60%;vertical-align:middle}
.bar{height:.7rem;min-width:2px;border-radius:3px;background:var(--fill)}
pre{background:var(--pane);border:1px solid var(--edge);border-radius:6px;padding:.7rem;margin:.5rem 0;
overflow:auto;max-height:30rem;font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
svg.flow{width:100%;height:auto}
"""


def page(data: Data, flow: Flowchart, log: Sequence[str] = ()) -> str:
    """The HTML of a release as `show` gives it; `log` are the last lines of its task."""
    path = [node for node in data.get("path") or () if node in flow.nodes]
    title = f"Release {format_value(data.get('id'))}"
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        _verdict(data),
        *_section("Cause", _cause(data.get("diagnosis") or {})),
        *_section("Facts", _facts(data)),
        *_section("Path", [light(path, _stopped_at(data, flow))]),
        *_section("Time", _times(data.get("timings") or (), flow)),
        *_section("Data", _checks(data.get("verification") or {})),
        *_section("Tasks", _tasks(data.get("tasks") or ())),
        *_section("Log", [f"<pre>{escape(chr(10).join(map(format_value, log)))}</pre>"] if log else []),
        "</body></html>",
    ]
    return harmless_lines("\n".join(parts)) + "\n"


def _section(title: str, content: Iterable[str]) -> Iterator[str]:
    """A titled part; nothing where there is no content."""
    pieces = list(content)
    if pieces:
        yield f"<h2>{title}</h2>"
        yield from pieces


def _verdict(data: Data) -> str:
    end, code = data.get("end"), data.get("exit_code")
    look = "good" if code == 0 else "warn" if end in (None, "PAUSED", "DETACHED", "INTERRUPTED") else "bad"
    took = f" after {duration(data['seconds'])}" if data.get("seconds") is not None else ""
    text = f"{end or 'under way'}{took}" + (f", exit code {code}" if code is not None else "")
    return f'<p class="verdict {look}">{escape(text)}</p>'


def _stopped_at(data: Data, flow: Flowchart) -> str:
    """The node that the picture marks as the place where it did not go on."""
    at = str(data.get("at") or data.get("end") or "")
    return at if data.get("exit_code") and at in flow.nodes else ""


def _facts(data: Data) -> Iterator[str]:
    started = data.get("started_at")
    yield _pairs(
        [
            ("Environment", format_value(data.get("env"))),
            ("Started", f"{format_time(started)} UTC" if started is not None else ""),
            ("Source", source_of(data.get("source") or {})),
            ("Image", image_of(data.get("image") or {})),
            ("Task definition", format_value(data.get("task_definition"))),
            ("Skipped", ", ".join(map(format_value, data.get("skipped") or ()))),
        ]
    )


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs if value)
    return f"<dl>{rows}</dl>"


def _cause(cause: Data) -> Iterator[str]:
    if cause:
        names = (format_value(cause.get("failure_class")), format_value(cause.get("subcause")))
        yield _pairs(
            [("Class", " / ".join(filter(None, names))), ("Message", format_value(cause.get("message")))]
        )
        evidence = "\n".join(map(format_value, cause.get("evidence") or ()))
        if evidence:
            yield f"<pre>{escape(evidence)}</pre>"
        yield _pairs([("Fix", format_value(cause.get("remedy")))])


def _times(timings: Sequence[Data], flow: Flowchart) -> Iterator[str]:
    """A bar for each step that took a while, on one scale."""
    long = [timing for timing in timings if timing.get("seconds", 0) >= 0.05]
    longest = max((timing["seconds"] for timing in long), default=0)
    rows = []
    for timing in long:
        node = str(timing.get("node"))
        label = flow.nodes[node].label if node in flow.nodes else node
        share = 100 * timing["seconds"] / longest
        rows.append(
            f'<tr><td>{escape(label)}</td><td class="figure">{duration(timing["seconds"])}</td>'
            f'<td class="scale"><div class="bar" style="width:{share:.1f}%"></div></td></tr>'
        )
    if rows:
        yield f"<table>{''.join(rows)}</table>"


def _checks(verification: Data) -> Iterator[str]:
    if not verification:
        return
    rows = [
        [
            _mark(check.get("ok")),
            *(escape(format_value(check.get(key))) for key in ("name", "expected", "found")),
            escape(", ".join(map(format_value, check.get("offending") or ()))),
        ]
        for check in verification.get("checks") or ()
    ]
    if rows:
        named = any(row[-1] for row in rows)
        columns = ("", "Check", "Expected", "Found", *(("Offending",) if named else ()))
        yield _table(columns, [row[: len(columns)] for row in rows])
    counts = listed((verification.get("counts") or {}).items())
    yield _pairs([("Documents", counts), ("Problem", format_value(verification.get("problem")))])


def _mark(passed: object) -> str:
    return '<span class="good">passed</span>' if passed else '<span class="bad">failed</span>'


def _tasks(tasks: Sequence[Data]) -> Iterator[str]:
    keys = ("attempt", "arn", "exit_code", "stop_code", "stopped_reason")
    if tasks:
        rows = [[escape(format_value(task.get(key))) for key in keys] for task in tasks]
        yield _table(("Attempt", "Task", "Exit code", "Stop code", "Reason"), rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
