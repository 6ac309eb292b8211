"""A proxy on loopback in front of MiniStack that behaves as AWS does, and checks every request it gets.

botocore leaves enums, patterns and lengths to the service; here each call is held against AWS's description.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from deployer.adapters.aws.api_model import violations
from tests.reality.behaviors import Behavior, Course, Refusal

SERVICES = {
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "AmazonEC2ContainerRegistry_V20150921": "ecr",
    "Logs_20140328": "logs",
    "secretsmanager": "secretsmanager",
    "AmazonSSM": "ssm",
}
"""By the prefix of the header that names the action."""
_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding", "date", "server")


@dataclass
class Reality:
    """`violations`: what AWS would have refused of the requests so far."""

    upstream: str
    behavior: Behavior
    url: str = ""
    course: Course = field(default_factory=Course)
    violations: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, target: str, content: bytes) -> tuple[int, bytes] | None:
        """The answer in the service's place; None: the service answers."""
        prefix, _, action = target.rpartition(".")
        with self.lock:
            self.course.calls.append(action)
            if action == "RunTask" and not self.course.begun:
                self.course.begun = time.monotonic()
            body = json.loads(content or b"{}")
            if prefix in SERVICES:
                found = violations(SERVICES[prefix], action, body)
                self.violations += [f"{action}: {violation}" for violation in found]
            answer = self.behavior.before(self.course, action, body)
        if isinstance(answer, Refusal):
            return answer.status, json.dumps(answer.body).encode()
        return None if answer is None else (200, json.dumps(answer).encode())

    def changed(self, target: str, content: bytes, answer: bytes) -> bytes:
        with self.lock:
            action = target.rpartition(".")[2]
            changed = self.behavior.after(
                self.course, action, json.loads(content or b"{}"), json.loads(answer)
            )
        return json.dumps(changed).encode()


@contextmanager
def aws(upstream: str, behavior: Behavior) -> Iterator[Reality]:
    """AWS with this behavior, until the end of the block."""
    reality = Reality(upstream, behavior)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            target = self.headers.get("x-amz-target", "")
            own = reality.answer(target, content) if target else None
            if own:
                self._send(own[0], {"Content-Type": "application/x-amz-json-1.1"}, own[1])
                return
            connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=60)
            connection.request(self.command, self.path, content, dict(self.headers))
            answer = connection.getresponse()
            body, headers = answer.read(), dict(answer.getheaders())
            connection.close()
            if target and answer.status == 200:
                body = reality.changed(target, content, body)
            self._send(answer.status, headers, body)

        def _send(self, status: int, headers: dict[str, Any], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.forward)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    reality.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield reality
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
