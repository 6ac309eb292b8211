"""One release as text: how it ended and why, what it made, what was proven, and the time of each step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType

from deployer.view.cells import facts, format_time, format_value, table
from deployer.view.text import duration, harmless, listed

Data = Mapping[str, Any]

_CELL = 90
"""Characters of a check's text in a table."""


def show(data: Data) -> Iterator[RenderableType]:
    """Everything about one release."""
    yield facts(
        [
            ("release", data.get("id")),
            ("environment", data.get("env")),
            ("goes back to", data.get("rollback_to")),
            ("end", format_value(data.get("end")) or f"under way at {format_value(data.get('at'))}"),
            ("exit code", data.get("exit_code")),
            (
                "started",
                f"{format_time(data['started_at'])} UTC" if data.get("started_at") is not None else "",
            ),
            ("source", source_of(data.get("source") or {})),
            ("image", image_of(data.get("image") or {})),
            ("", data.get("built")),
            ("task definition", _definition(data)),
            ("accepted", ", ".join(map(format_value, data.get("accepted") or ()))),
            ("skipped", ", ".join(data.get("skipped") or ())),
            ("path", " -> ".join(data.get("path") or ())),
        ]
    )
    yield from _tasks(data.get("tasks") or ())
    if data.get("verification"):
        yield ""
        yield from verification(data["verification"])
    if data.get("diagnosis"):
        yield ""
        yield from diagnosis(data["diagnosis"])
    yield from _timings(data.get("timings") or ())


def _definition(data: Data) -> str:
    arn = format_value(data.get("task_definition"))
    return f"{arn} (deregistered: unproven)" if data.get("task_definition_status") == "withdrawn" else arn


def source_of(source: Data) -> str:
    """Commit, branch, whether it is clean, content hash."""
    if not source:
        return ""
    commit = str(source.get("commit") or "")[:12] or "no commit"
    branch = f" on {source['branch']}" if source.get("branch") else ""
    state = "with changes" if source.get("dirty") else "clean"
    content = str(source.get("content_hash") or "")[:12]
    return harmless(f"{commit}{branch}, {state}" + (f", content {content}" if content else ""))


def image_of(image: Data) -> str:
    """`registry/repository:tag@digest`, as far as they are known."""
    name = "/".join(str(image[key]) for key in ("registry", "repository") if image.get(key))
    tag, digest = (image.get(key) for key in ("tag", "digest"))
    return harmless(name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""))


def _tasks(tasks: Sequence[Data]) -> Iterator[RenderableType]:
    if tasks:
        columns = ("attempt", "task", "exit", "stop code", "reason")
        keys = ("attempt", "arn", "exit_code", "stop_code", "stopped_reason")
        yield ""
        yield table(columns, [[task.get(key) for key in keys] for task in tasks])


def verification(data: Data) -> Iterator[RenderableType]:
    """Each check with what it expected and found, then the verdict."""
    checks = data.get("checks") or ()
    if checks:
        yield table(("", "check", "expected", "found", "took"), [_check(check) for check in checks])
    for check in checks:
        if check.get("offending"):
            yield facts(
                [(f"  {format_value(check.get('name'))}", ", ".join(map(format_value, check["offending"])))]
            )
    verdict = "ok" if data.get("ok") else "failed"
    yield facts(
        [
            ("data", verdict),
            ("read from", "a one-off task in the job's network" if data.get("via") == "task" else ""),
            ("problem", data.get("problem")),
            ("documents", listed((data.get("counts") or {}).items())),
        ]
    )


def _check(check: Data) -> list[str]:
    seconds = check.get("seconds")
    return [
        "ok" if check.get("ok") else "failed",
        *(_shortened(format_value(check.get(key))) for key in ("name", "expected", "found")),
        duration(seconds) if seconds is not None else "",
    ]


def _shortened(text: str) -> str:
    """A long expectation is whole in the JSON form; a table of it helps nobody."""
    return text if len(text) <= _CELL else f"{text[: _CELL - 1]}…"


def diagnosis(data: Data) -> Iterator[RenderableType]:
    """The cause and how sure it is, the lines that support it, the fix, and what else it may be."""
    names = [str(data[key]) for key in ("failure_class", "class", "subcause") if data.get(key)]
    evidence = data.get("evidence") or ()
    yield facts(
        [
            ("evidence of", data.get("id")),
            ("cause", " / ".join(names)),
            ("confidence", _confidence(data)),
            ("container", data.get("container")),
            ("message", data.get("message")),
            *(("evidence" if not index else " ", line) for index, line in enumerate(evidence)),
            ("fix", data.get("remedy")),
            ("see", data.get("link")),
            ("or else", _runner_up(data)),
        ]
    )


def _confidence(data: Data) -> str:
    if data.get("confidence") is None:
        return ""
    passes = "passes by itself" if data.get("transient") else "does not pass by itself"
    return f"{data['confidence']:.0%}, {passes}"


def _runner_up(data: Data) -> str:
    """The next best cause, which `explain` and `diagnose` know."""
    other = next(iter(data.get("others") or ()), None)
    if not isinstance(other, Mapping):
        return ""
    return f"{other.get('class')} / {other.get('subcause')} ({other.get('confidence', 0):.0%})"


def _timings(timings: Sequence[Data]) -> Iterator[RenderableType]:
    rows = [
        (timing.get("node"), duration(timing["seconds"]))
        for timing in timings
        if timing.get("seconds", 0) >= 0.05
    ]
    if rows:
        yield ""
        yield table(("step", "took"), rows)
