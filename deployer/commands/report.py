"""`deployer report`: the runs and releases of one environment as a site that opens without a network."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from deployer.adapters.local.machine import SystemClock, write_private
from deployer.commands.project import Project
from deployer.commands.runs import observe
from deployer.commands.show import release_html
from deployer.commands.watch import why_late
from deployer.errors import DeployerError, UsageError
from deployer.records.runs import Run
from deployer.view.html.site import site

RUNS: Final = 200
RELEASES: Final = 50
_FRESH: Final = 5.0
"""Seconds for which a served page is current."""


def write_report(project: Project, env: str | None, folder: Path, *, live: bool = False) -> dict[str, Any]:
    """Writes the site into `folder`. UsageError: it cannot be written."""
    name = project.env(env)
    config = project.config(name, needed=("verify",))
    runs = observe(project, name, RUNS)
    releases = project.releases.summaries(name, RELEASES)
    now = SystemClock().now()
    late = why_late([run for run in runs if run.verdict != "running"], now, config.verify.deadline)
    pages = site(config.project.name, name, list(map(_data, runs)), releases, late=late, now=now, live=live)
    for release in releases:
        if release["end"] != "DAMAGED":
            text = release_html(project, release["id"], home="../index.html")
            pages[f"releases/{release['id']}.html"] = text
    try:
        for path, text in pages.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_private(folder / path, text)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", "name a folder that can be written") from error
    return {"written": str(folder / "index.html"), "runs": len(runs), "releases": len(releases)}


def _data(run: Run) -> dict[str, Any]:
    cause = asdict(run.cause) if run.cause else None
    return run.to_json() | {"id": run.id, "reason": run.reason, "cause": cause, "log": run.log}


def serve(project: Project, env: str | None, port: int, notify: Callable[[str], None]) -> None:
    """Serves the site on loopback until it is interrupted. UsageError: the port is taken."""
    with serving(project, env, port) as server:
        notify(f"http://127.0.0.1:{server.server_port}/ until Ctrl-C")
        server.serve_forever()


@contextmanager
def serving(project: Project, env: str | None, port: int) -> Iterator[ThreadingHTTPServer]:
    """A server of the site; a page that is older than five seconds is made anew."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make = functools.partial(write_report, project, env, folder, live=True)
        make()
        handler = functools.partial(_Handler, _Site(folder, make, SystemClock().now()))
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError as error:
            raise UsageError(f"port {port}: {error.strerror}", "name another, or leave --port out") from error
        with server:
            yield server


@dataclass
class _Site:
    """Files that are made anew once they are old."""

    folder: Path
    make: Callable[[], object]
    made: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> None:
        with self.lock:
            if SystemClock().now() - self.made > _FRESH:
                with suppress(DeployerError):  # what was seen last is still shown
                    self.make()
                self.made = SystemClock().now()


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, to this machine's browser only: a request under another host's name is refused."""

    def __init__(self, site: _Site, *args: Any) -> None:
        self._site = site
        super().__init__(*args, directory=str(site.folder))

    def do_GET(self) -> None:
        if self.headers.get("Host", "").partition(":")[0] not in ("127.0.0.1", "localhost"):
            self.send_error(403)
            return
        self._site.refresh()
        super().do_GET()

    def list_directory(self, path: Any) -> None:
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        """Requests are not worth a line."""
