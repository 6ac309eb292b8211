"""In GitHub Actions: a summary of the job, one annotation with the cause, and outputs, when a release ends.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from deployer.events import Emit, Ended, Event, Failed
from deployer.view.text import duration, escaped, fenced, harmless, listed

_MOST: Final = 60_000
"""Bytes of a summary; GitHub takes 1 MiB for a step."""


def with_github(emit: Emit, environ: Mapping[str, str], stderr: TextIO) -> Emit:
    """The same listener, and the summary after its last event; just `emit` outside of GitHub Actions."""
    summary = environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        return emit
    failures: list[Failed] = []

    def listen(event: Event) -> None:
        emit(event)
        if isinstance(event, Failed):
            failures.append(event)
        elif isinstance(event, Ended):
            failure = failures[-1] if failures else None
            _append(Path(summary), "\n".join(_summary(event, failure))[:_MOST] + "\n")
            if environ.get("GITHUB_OUTPUT"):
                _append(Path(environ["GITHUB_OUTPUT"]), _outputs(event))
            if failure and event.exit_code:
                print(_annotation(failure), file=stderr, flush=True)

    return listen


def _summary(event: Ended, failure: Failed | None) -> Iterator[str]:
    mark = "✅" if event.exit_code == 0 else "❌"
    yield f"### {mark} Release {escaped(event.release)}: {escaped(event.end)}\n"
    yield f"- exit code {event.exit_code} after {duration(event.seconds)}"
    if event.counts:
        yield f"- documents: {escaped(listed(event.counts.items()))}"
    if failure and event.exit_code:
        where = f"**{escaped(_cause(failure))}** at {escaped(failure.node)}"
        yield f"- cause: {where}: {escaped(failure.message)}"
        if failure.remedy:
            yield f"- fix: {escaped(failure.remedy)}"
        if failure.evidence:
            yield ""
            yield from fenced(failure.evidence)
    if event.next_command:
        yield "\nNext:\n"
        yield from fenced([event.next_command])


def _outputs(event: Ended) -> str:
    values = {"release": event.release, "end": event.end, "exit_code": event.exit_code}
    return "".join(f"{name}={harmless(str(value))}\n" for name, value in values.items())


def _annotation(failure: Failed) -> str:
    title = _data(harmless(f"deployer: {_cause(failure)}")).replace(":", "%3A").replace(",", "%2C")
    fix = f" Fix: {harmless(failure.remedy)}" if failure.remedy else ""
    return f"::error title={title}::{_data(harmless(failure.message) + fix)}"


def _cause(failure: Failed) -> str:
    return " / ".join(filter(None, (failure.failure_class, failure.subcause)))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _append(path: Path, text: str) -> None:
    """A summary that cannot be written makes no release worse."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return
