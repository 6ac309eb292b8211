"""An address on loopback that takes everything that is posted to it."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Taken = list[tuple[bytes, dict[str, str]]]


@contextmanager
def listening() -> Iterator[tuple[str, Taken]]:
    """The address, and what it took: bodies with their headers."""
    taken: Taken = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            taken.append((self.rfile.read(length), dict(self.headers)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Nothing is printed."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}/hook", taken
        finally:
            web.shutdown()
            thread.join()
