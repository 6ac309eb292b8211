"""The engine's records of layers on their way, as one bar a layer."""

from collections.abc import Mapping
from typing import Any, Final

from deployer.ports import OnProgress

_DONE: Final = ("Pushed", "Layer already exists", "Mounted", "Pull complete", "Already exists")
_NO_LAYER: Final = "Pulling from"


class LayerProgress:
    """Takes records `{"id", "status", "progressDetail": {"current", "total"}}` (bytes) of a pull or a push
    and passes over all others. A layer whose size was never told ends as 1 of 1 layer."""

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
