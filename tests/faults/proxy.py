"""A proxy on loopback between a release and its AWS that breaks calls, by lot or by order.

It stands before the AWS API and before the registry (the engine pushes to it), one port for both.
"""

import json
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal
from urllib.parse import parse_qs

Kind = Literal["throttled", "error 500", "error 503", "reset", "lost answer", "latency", "refused"]


@dataclass(frozen=True)
class Fault:
    """What becomes of one call.

    `throttled`, `error 500`, `error 503`, `refused`: an answer in the service's protocol, without effect.
    `reset`: the connection is reset before the service hears of it. `lost answer`: the same after the service
    has done it. `latency`: all is well, `seconds` later. `code` and `message` are a refusal's.
    """

    kind: Kind
    code: str = ""
    message: str = ""
    seconds: float = 0.0


Plan = Callable[[str, int], Fault | None]
"""Decides what becomes of the N-th call of an operation; None: it passes."""


def calm(operation: str, number: int) -> Fault | None:
    return None


class Lots:
    """Breaks `share` of the calls, whichever come, each kind as often as any other."""

    KINDS: Final[tuple[Kind, ...]] = (
        "throttled", "error 500", "error 503", "reset", "lost answer", "latency",
    )  # fmt: skip

    def __init__(self, seed: int, share: float) -> None:
        self._random, self._share = random.Random(seed), share

    def __call__(self, operation: str, number: int) -> Fault | None:
        if self._random.random() >= self._share:
            return None
        return Fault(self._random.choice(self.KINDS), seconds=self._random.uniform(0.1, 1.0))


@dataclass(frozen=True)
class Always:
    """Every call of `operation` meets `fault`, from the `first`-th on."""

    operation: str
    fault: Fault
    first: int = 1

    def __call__(self, operation: str, number: int) -> Fault | None:
        return self.fault if operation == self.operation and number >= self.first else None


class Proxy:
    """`plan` may be exchanged at any time; `calls` counts what came in, `injected` what was broken."""

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.address = ""
        self.begin(calm)

    def begin(self, plan: Plan) -> None:
        """Another plan, and empty counters."""
        self._plan, self._lock = plan, threading.Lock()
        self.calls: Counter[str] = Counter()
        self.injected: list[tuple[Kind, str]] = []

    def fate(self, operation: str) -> Fault | None:
        with self._lock:
            self.calls[operation] += 1
            fault = self._plan(operation, self.calls[operation])
            if fault:
                self.injected.append((fault.kind, operation))
        return fault


@contextmanager
def between(upstream: tuple[str, int]) -> Iterator[Proxy]:
    """A proxy before that address, gone at the end."""
    proxy = Proxy(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": proxy}))
    proxy.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_OF_ONE_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
_CHUNK: Final = 1 << 20


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def _serve(self) -> None:
        self._taken: bytes | None = None
        fault = self.proxy.fate(self._operation())
        if fault is None:
            self._pass_on()
        elif fault.kind == "latency":
            time.sleep(fault.seconds)
            self._pass_on()
        elif fault.kind == "reset":
            self._reset()
        elif fault.kind == "lost answer":
            self._ask()
            self._reset()
        else:
            self._refuse(fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing; the engine tries TLS first each time."""

    def _operation(self) -> str:
        """The API's own name (JSON or query protocol), or what is done to the registry."""
        if self._to_registry:
            place = re.search(r"/(manifests|uploads|blobs)/", self.path)
            return f"{self.command} {place[1] if place else 'version'}"
        if "X-Amz-Target" in self.headers:
            return str(self.headers["X-Amz-Target"]).rpartition(".")[2]
        self._taken = b"".join(self._body())
        return parse_qs(self._taken.decode()).get("Action", [self.path])[0]

    @property
    def _to_registry(self) -> bool:
        return self.path.startswith("/v2/")

    def _pass_on(self) -> None:
        answer, body = self._ask()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_CONNECTION:
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body)

    def _ask(self) -> tuple[HTTPResponse, bytes]:
        """The service's answer, read to its end."""
        connection = HTTPConnection(*self.proxy.upstream, timeout=120)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "keep-alive", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders()
            for piece in self._body():
                connection.send(piece)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _body(self) -> Iterator[bytes]:
        """The request's body as it stands on the wire, chunked or not."""
        if self._taken is not None:
            yield self._taken
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            size = -1
            while size != 0:
                line = self.rfile.readline()
                size = int(line, 16)
                yield line + self.rfile.read(size) + self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            piece = self.rfile.read(min(left, _CHUNK))
            left -= len(piece)
            yield piece

    def _refuse(self, fault: Fault) -> None:
        for _ in self._body():
            pass
        # A 503 comes from a load balancer, which speaks no service's protocol.
        form, body = "text/html", "<html>503 Service Unavailable</html>"
        status, code = self._status_and_code(fault)
        if code:
            form, body = self._told(code, fault.message or "injected by the test")
        self.send_response_only(status)
        self.send_header("Content-Type", form)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def _status_and_code(self, fault: Fault) -> tuple[int, str]:
        if fault.kind == "error 503":
            return 503, ""
        if fault.kind == "error 500":
            return 500, "UNKNOWN" if self._to_registry else "InternalError"
        if fault.kind == "throttled":
            return (429, "TOOMANYREQUESTS") if self._to_registry else (400, "ThrottlingException")
        return 403 if self._to_registry else 400, fault.code

    def _told(self, code: str, message: str) -> tuple[str, str]:
        """An error's media type and body in the protocol that was spoken."""
        if self._to_registry:
            return "application/json", json.dumps({"errors": [{"code": code, "message": message}]})
        if "X-Amz-Target" in self.headers:
            return "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message})
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        return "text/xml", f"<ErrorResponse>{inner}<RequestId>0</RequestId></ErrorResponse>"

    def _reset(self) -> None:
        """RST instead of FIN: what a client sees of a machine that has died."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
