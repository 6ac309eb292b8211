"""Reads what the engine streams: a build's lines, steps and error; the layers of a pull or a push."""

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from deployer.ports import OnLine, OnProgress

_KEPT: Final = 50
_STEP: Final = re.compile(r"Step (\d+)/(\d+) : (.*)")


_DONE: Final = ("Pushed", "Layer already exists", "Mounted", "Pull complete", "Already exists")
_NO_LAYER: Final = "Pulling from"


class LayerProgress:
    """Takes records `{"id", "status", "progressDetail": {"current", "total"}}` (bytes) of a pull or a push
    and ignores all others. A layer of unknown size ends as 1 of 1 layer."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self._sizes: dict[str, int] = {}

    def record(self, record: Mapping[str, Any]) -> None:
        layer, status = record.get("id"), str(record.get("status", ""))
        if layer is None or status.startswith(_NO_LAYER):
            return
        detail = record.get("progressDetail") or {}
        if detail.get("total"):
            self._sizes[layer] = detail["total"]
        size = self._sizes.get(layer)
        if status.startswith(_DONE):
            done, total, unit = (size, size, "B") if size else (1, 1, "layer")
            self._on_progress(layer, status, done, total, unit)
        else:
            sent = detail.get("current", 0)  # of the archive, which is somewhat more than its content
            self._on_progress(layer, status, min(sent, size or sent), size, "B")


class BuildOutput:
    """What the classic builder streams (records `{"stream"}`, `{"status"}`, `{"errorDetail"}`).
    `error` is empty as long as nothing went wrong; `lines`: the last ones."""

    def __init__(self, on_line: OnLine, on_progress: OnProgress) -> None:
        self._on_line = on_line
        self._on_progress = on_progress
        self._pulled = LayerProgress(on_progress)
        self._steps = 0
        self.error = ""
        self.lines: deque[str] = deque(maxlen=_KEPT)

    def line(self, text: str) -> None:
        if text.strip():
            self.lines.append(text)
            self._on_line(text)

    def record(self, record: Mapping[str, Any]) -> None:
        for text in str(record.get("stream", "")).splitlines():
            if step := _STEP.match(text):
                self._steps = int(step[2])
                self._on_progress("build", step[3], int(step[1]) - 1, self._steps, "step")
            self.line(text)
        self._pulled.record(record)
        if "errorDetail" in record:
            self.error = record["errorDetail"].get("message") or record.get("error") or "failed"

    def done(self) -> None:
        if self._steps:
            self._on_progress("build", "built", self._steps, self._steps, "step")


_VERTEX: Final = re.compile(r"#(\d+) \[([^\]]{0,300})\] (.*)")
_PLACE: Final = re.compile(r"(\d{1,9})/(\d{1,9})")
_VERTEX_DONE: Final = re.compile(r"#(\d+) (?:DONE|CACHED)\b")
_FAILED: Final = re.compile(
    r"(?:#\d+ )?(?:ERROR: |(?=failed to solve))(?:failed to (?:build|solve)[^:]*: )*(.*)"
)


class BuildKitOutput(BuildOutput):
    """What `docker buildx build --progress=plain` prints: `#7 [build 2/5] RUN ...`, `#7 DONE 1.2s`, and
    `ERROR: failed to solve: ...` at the end. Each stage of the Dockerfile has a bar of its own."""

    def __init__(self, on_line: OnLine, on_progress: OnProgress) -> None:
        super().__init__(on_line, on_progress)
        self._vertices: dict[str, tuple[str, str, int, int]] = {}

    def line(self, text: str) -> None:
        super().line(text)
        vertex = _VERTEX.match(text)
        *stages, last = vertex[2].split() or [""] if vertex else [""]
        if vertex and (place := _PLACE.fullmatch(last)):
            stage, label, step, steps = " ".join(stages) or "build", vertex[3], int(place[1]), int(place[2])
            self._vertices[vertex[1]] = (stage, label, step, steps)
            self._on_progress(stage, label, step - 1, steps, "step")
        elif (finished := _VERTEX_DONE.match(text)) and finished[1] in self._vertices:
            stage, label, step, steps = self._vertices[finished[1]]
            self._on_progress(stage, label, step, steps, "step")
        elif failed := _FAILED.match(text):
            self.error = failed[1]
