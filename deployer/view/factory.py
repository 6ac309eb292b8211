"""Chooses the view of a release: the one of --output, else what the terminal can do."""

from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Protocol, Self, TextIO

from deployer.events import Event
from deployer.flow.release import FLOW

Output = Literal["live", "plain", "json"]


class View(Protocol):
    """A listener to a run's events; open while the run lasts."""

    def __call__(self, event: Event) -> None: ...

    def settle(self) -> None:
        """Leaves the terminal to a question or a shell until the next event."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_view(output: Output | None, *, stdout: TextIO, stderr: TextIO, env: Mapping[str, str]) -> View:
    """The view for `output`; None takes what suits. Live is for terminals: elsewhere it is plain."""
    if output == "json":
        from deployer.view.json import JsonView

        return JsonView(stdout)
    if output != "plain" and can_draw(stdout, env) and (output == "live" or wants_drawing(env)):
        from deployer.view.live.display import open_live

        return open_live(FLOW, stdout, env)
    from deployer.view.plain import PlainView

    return PlainView(FLOW, stdout, stderr)


def can_draw(stdout: TextIO, env: Mapping[str, str]) -> bool:
    """Whether `stdout` is a terminal that moves its cursor and has the characters that are drawn."""
    encoding = (stdout.encoding or "").lower().replace("-", "")
    return stdout.isatty() and env.get("TERM", "dumb") not in ("dumb", "unknown", "") and encoding == "utf8"


def wants_drawing(env: Mapping[str, str]) -> bool:
    """Whether nothing in the environment speaks against animation: CI, NO_COLOR."""
    return env.get("CI", "").lower() in ("", "0", "false") and not env.get("NO_COLOR")
