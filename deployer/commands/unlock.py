"""`deployer unlock`: frees an environment from a holder that will not do so itself."""

import socket
from collections.abc import Callable

from deployer.commands.bootstrap import shared_state
from deployer.commands.project import Project
from deployer.errors import RefusedError
from deployer.lock import holder_of
from deployer.lock.owner import user_name

Confirm = Callable[[str], bool]
"""Asks a person whether to break the lock of this holder."""


def unlock(project: Project, env: str | None, confirm: Confirm | None) -> str:
    """Breaks the lock that machines share; returns whose it was. `confirm` None: without a question.

    RefusedError: nothing is held; what is held is a living process of this machine; or a person said no.
    """
    name = project.env(env)
    state = shared_state(project.config(name, needed=("aws", "state")))
    hold = state.lock().current() if state else None
    if state is None or hold is None or hold.holder is None:
        raise _nothing_shared(project, name)
    what = f"{hold.holder}, last heard of {max(0, round(hold.age))} s ago"
    if confirm and not confirm(what):
        raise RefusedError("nothing was broken", "it ends by itself when it is no longer renewed")
    if not state.lock().force_release(hold.holder, f"{user_name()}@{socket.gethostname()}"):
        raise RefusedError(f"{hold.holder} no longer holds the lock", "check again: `deployer status`")
    return what


def _nothing_shared(project: Project, env: str) -> RefusedError:
    """The lock of a folder is its process's own: it cannot be broken, and ends with it."""
    here = holder_of(project.folder / "locks", env)
    if here is None:
        return RefusedError(f"{env} is not locked", "start a release: `deployer release`")
    return RefusedError(
        f"{env} is held by a process of this machine that is alive: {here}",
        f"end it, its release can be resumed: `kill {here.pid}`",
    )
