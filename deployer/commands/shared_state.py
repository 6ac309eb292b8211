"""What one release shares with other machines while it runs: where it is, and its records."""

from pathlib import Path

from deployer.commands.bootstrap import SharedState
from deployer.events import Emit, Ended, Entered, Event, Noted
from deployer.lock import Lock
from deployer.records.upload import Mirror, unsent


class Sharing:
    """Stands before a release's listeners: each node entered is told to the lease, and before the last event
    the mirror has caught up, or it is said what it could not send."""

    def __init__(self, emit: Emit, lease: Lock, mirror: Mirror | None) -> None:
        self._emit, self._lease, self._mirror = emit, lease, mirror
        self._node = ""
        if mirror:
            mirror.start()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Entered):
            self._node = event.node
            self._lease.report_node(event.node)
        elif isinstance(event, Ended):
            self.finish()
        self._emit(event)

    def finish(self) -> None:
        """Twice is safe, and says nothing more."""
        mirror, self._mirror = self._mirror, None
        left = mirror.finish() if mirror else ""
        if left:
            self._emit(Noted(self._node, left))


def mirror_of(state: SharedState, folder: Path, lease: Lock) -> Mirror:
    """Of the release in `folder`, and of those beside it that were not wholly sent."""
    rest = [other for other in unsent(folder.parent, state.prefix) if other != folder]
    before = [Mirror(state.store, state.prefix, other, lease.check) for other in rest]
    return Mirror(state.store, state.prefix, folder, lease.check, before)
