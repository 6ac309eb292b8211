"""A release's page: how it went, why it stopped, where its time went, what was proven."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from deployer.flow.chart import Flowchart
from deployer.view.html import page
from deployer.view.picture import light
from deployer.view.release_detail import image_of, source_of

Data = Mapping[str, Any]

_WORTH_A_BAR: Final = 0.05
"""Seconds; a shorter step took no time."""
_STILL_OPEN: Final = (None, "PAUSED", "DETACHED", "INTERRUPTED")


def release_page(data: Data, flow: Flowchart, log: Sequence[str] = (), *, home: str = "") -> str:
    """The HTML of a release as `show` gives it; `log` are the last lines of its task, `home` is the address
    of the report that it belongs to."""
    path = [node for node in data.get("path") or () if node in flow.nodes]
    end, code = data.get("end"), data.get("exit_code")
    look = "good" if code == 0 else "warn" if end in _STILL_OPEN else "bad"
    return page(
        "release.html",
        data=data,
        home=home,
        look=look,
        source=source_of(data.get("source") or {}),
        image=image_of(data.get("image") or {}),
        picture=Markup(light(path, _stopped_at(data, flow))),  # noqa: S704 (our own file, node ids of the flow)
        times=_times(data.get("timings") or (), flow),
        verification=data.get("verification") or {},
        log=log,
    )


def _stopped_at(data: Data, flow: Flowchart) -> str:
    """The node that the picture marks as the place where it did not go on."""
    at = str(data.get("at") or data.get("end") or "")
    return at if data.get("exit_code") and at in flow.nodes else ""


def _times(timings: Sequence[Data], flow: Flowchart) -> list[tuple[str, float, float]]:
    """Label, seconds, and percent of the longest, of each step that took a while."""
    long = [timing for timing in timings if timing.get("seconds", 0) >= _WORTH_A_BAR]
    longest = max((timing["seconds"] for timing in long), default=0)
    return [
        (
            flow.nodes[node].label if (node := str(timing.get("node"))) in flow.nodes else node,
            timing["seconds"],
            round(100 * timing["seconds"] / longest, 1),
        )
        for timing in long
    ]
