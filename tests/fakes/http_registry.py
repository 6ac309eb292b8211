"""A registry that speaks the distribution protocol on loopback, for a real engine to push to.

https://distribution.github.io/distribution/spec/api/
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USER, PASSWORD = "AWS", "let-me-in"


@dataclass(frozen=True)
class Refusal:
    """What a step of every push is answered with: a status, and the body of a registry error (or none).
    `step`: POST begins the upload of a layer (an engine tries that anew for a minute where it may help),
    PUT ends it with the manifest."""

    step: str
    status: int
    code: str = ""
    message: str = ""


@dataclass
class HttpRegistry:
    """`manifests`: bytes by `name:reference`. `blobs`: bytes by digest. It wants USER and PASSWORD."""

    address: str = ""
    refusal: Refusal | None = None
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def serve() -> Iterator[HttpRegistry]:
    registry = HttpRegistry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": registry}))
    registry.address = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: HttpRegistry

    def do_GET(self) -> None:
        if not self._authorised():
            return
        blob = re.fullmatch(r"/v2/.+/blobs/(sha256:\w+)", self.path)
        manifest = re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", self.path)
        if self.path == "/v2/":
            self._answer(200)
        elif blob and blob[1] in self.registry.blobs:
            self._answer(200, self.registry.blobs[blob[1]])
        elif manifest and f"{manifest[1]}:{manifest[2]}" in self.registry.manifests:
            self._answer(200, self.registry.manifests[f"{manifest[1]}:{manifest[2]}"])
        else:
            self._answer(404, _error("BLOB_UNKNOWN", "not here"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._read()
        if not self._authorised() or self._refused():
            return
        upload = f"{self.path}{len(self.registry.uploads)}"
        self.registry.uploads[upload] = b""
        self._answer(202, headers={"Location": upload, "Docker-Upload-UUID": "x", "Range": "0-0"})

    def do_PATCH(self) -> None:
        data = self._read()
        self.registry.uploads[self.path] += data
        size = len(self.registry.uploads[self.path])
        self._answer(
            202, headers={"Location": self.path, "Docker-Upload-UUID": "x", "Range": f"0-{size - 1}"}
        )

    def do_PUT(self) -> None:
        data = self._read()
        if manifest := re.fullmatch(r"/v2/(.+)/manifests/([^/]+)", self.path):
            if self._refused():
                return
            for reference in (manifest[2], digest(data)):
                self.registry.manifests[f"{manifest[1]}:{reference}"] = data
            self._answer(201, headers={"Docker-Content-Digest": digest(data)})
            return
        upload, _, query = self.path.partition("?")
        blob = self.registry.uploads[upload] + data
        assert query == f"digest={digest(blob).replace(':', '%3A')}"
        self.registry.blobs[digest(blob)] = blob
        self._answer(201, headers={"Docker-Content-Digest": digest(blob)})

    def log_message(self, *_: Any) -> None:
        """Says nothing."""

    def _authorised(self) -> bool:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == wanted:
            return True
        challenge = {"WWW-Authenticate": 'Basic realm="test"'}
        self._answer(401, _error("UNAUTHORIZED", "authentication required"), challenge)
        return False

    def _refused(self) -> bool:
        refusal = self.registry.refusal
        if refusal is None or refusal.step != self.command:
            return False
        self._answer(refusal.status, _error(refusal.code, refusal.message) if refusal.code else b"")
        return True

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if body.startswith(b"{"):
            media_type = json.loads(body).get("mediaType", "application/json")
            self.send_header("Content-Type", media_type)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _error(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()
