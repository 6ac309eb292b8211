"""A proxy on loopback in front of MiniStack that behaves as AWS does, and checks every request it gets.

botocore leaves enums, patterns and lengths to the service; here each call is held against AWS's description.
The engine's pushes come this way as well.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.reality.behaviors import Behavior, Course, Refusal
from tests.reality.calls import Call, call_of

_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "date", "server", "expect")


@dataclass
class Reality:
    """`violations`: what AWS would have refused of the requests so far. `called`: the operations, such as
    `ecs:RunTask`. `acted`: in how many calls the behavior made a difference."""

    upstream: str
    behavior: Behavior
    url: str = ""
    course: Course = field(default_factory=Course)
    violations: list[str] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    acted: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    def answer(self, call: Call) -> Refusal | dict[str, Any] | None:
        """The answer in the service's place; None: the service answers."""
        with self.lock:
            self.course.calls.append(call.action)
            self.called.add(str(call))
            if call.action == "RunTask" and not self.course.begun:
                self.course.begun = time.monotonic()
            self.violations += call.violations()
            answer = self.behavior.before(self.course, call.action, call.body)
            self.acted += answer is not None
            return answer

    def sent(self, call: Call, content: bytes) -> bytes:
        if not call.checked or not content.startswith(b"{"):
            return content
        with self.lock:
            sent = self.behavior.sent(self.course, call.action, json.loads(content))
            self.acted += sent != json.loads(content)
        return json.dumps(sent).encode()

    def changed(self, call: Call, answer: bytes) -> bytes:
        with self.lock:
            changed = self.behavior.after(self.course, call.action, call.body, json.loads(answer))
            self.acted += changed != json.loads(answer)
        return json.dumps(changed).encode()


def _error(refusal: Refusal, call: Call) -> tuple[Mapping[str, str], bytes]:
    """In the protocol that was spoken."""
    if call.service == "ecr" and not call.checked:
        told = {"errors": [{"code": refusal.code, "message": refusal.message}]}
        return {"Content-Type": "application/json"}, json.dumps(told).encode()
    if call.service in ("sts", "iam", "ec2", "s3"):
        inner = f"<Code>{refusal.code}</Code><Message>{refusal.message}</Message>"
        form = f"<Response><Errors><Error>{inner}</Error></Errors><RequestID>0</RequestID></Response>"
        if call.service != "ec2":
            form = f"<ErrorResponse><Error>{inner}</Error><RequestId>0</RequestId></ErrorResponse>"
        return {"Content-Type": "text/xml"}, form.encode()
    told = {"__type": refusal.code, "message": refusal.message}
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": refusal.code}
    return headers, json.dumps(told).encode()


class _Handler(BaseHTTPRequestHandler):
    reality: Reality
    protocol_version = "HTTP/1.1"

    def forward(self) -> None:
        content = self._content()
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = call_of(self.command, self.path, headers, content)
        own = self.reality.answer(call)
        if isinstance(own, Refusal):
            self._send(own.status, *_error(own, call))
            return
        if own is not None:
            self._send(200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(own).encode())
            return
        connection = http.client.HTTPConnection(urlsplit(self.reality.upstream).netloc, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        connection.request(self.command, self.path, self.reality.sent(call, content), kept)
        answer = connection.getresponse()
        body, given = answer.read(), dict(answer.getheaders())
        connection.close()
        if answer.status == 200 and call.checked and body.startswith(b"{"):
            body = self.reality.changed(call, body)
        length = given.get("Content-Length", given.get("content-length", "0"))
        self._send(answer.status, given, body, length if self.command == "HEAD" else "")

    def _content(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        pieces: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes, length: str = "") -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = do_DELETE = forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def aws(upstream: str, behavior: Behavior) -> Iterator[Reality]:
    """AWS with this behavior, until the end of the block."""
    reality = Reality(upstream, behavior)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"reality": reality}))
    reality.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield reality
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
