"""A way to AWS that can be watched and broken: forwards each call, on loopback."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_OF_THE_CONNECTION = ("connection", "content-length", "keep-alive", "transfer-encoding")


def pass_on(action: str) -> None:
    """The answer reaches the caller."""


@dataclass
class Proxy:
    """`calls`: how often each action was asked for. `answered` is told of an action once it has taken effect
    and before its answer is passed on. `refuse`: the error that every call gets instead."""

    target: str
    url: str = ""
    calls: Counter[str] = field(default_factory=Counter)
    answered: Callable[[str], None] = pass_on
    refuse: tuple[str, str] | None = None


def _refusal(code: str, message: str, *, in_xml: bool) -> bytes:
    """An error as AWS spells it: JSON where the action came in a header, else XML."""
    if in_xml:
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    return json.dumps({"__type": code, "message": message}).encode()


@contextmanager
def proxy(target: str) -> Iterator[Proxy]:
    """Stands in front of `target` until the end of the block."""
    state = Proxy(target)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            action = self.headers.get("x-amz-target", "").rpartition(".")[2]
            state.calls[action] += 1
            if state.refuse:
                self._answer(400, {}, _refusal(*state.refuse, in_xml=not action))
                return
            connection = http.client.HTTPConnection(urlsplit(target).netloc, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            state.answered(action)
            self._answer(answer.status, dict(answer.getheaders()), content)

        def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.forward)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A caller that was killed hears no answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
