"""CloudWatch Logs over HTTP, as far as Live Tail needs it: each session does what it is told beforehand.

Frames: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html#streaming-event-stream
"""

import json
import struct
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

GROUP = "/ecs/job"
ARN = f"arn:aws:logs:eu-west-3:123456789012:log-group:{GROUP}"


def frame(headers: Mapping[str, str], payload: Mapping[str, Any]) -> bytes:
    """One message of the encoding `application/vnd.amazon.eventstream`: lengths, headers, JSON, checksums."""
    names = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack("!II", 16 + len(names) + len(body), len(names))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + names + body
    return message + struct.pack("!I", zlib.crc32(message))


def event(kind: str, payload: Mapping[str, Any]) -> bytes:
    return frame(
        {":message-type": "event", ":event-type": kind, ":content-type": "application/json"}, payload
    )


def update(*streams: str, sampled: bool = False) -> bytes:
    """A second's events, one of each stream."""
    results = [
        {"logStreamName": stream, "logGroupIdentifier": ARN, "message": "a line", "timestamp": 1}
        for stream in streams
    ]
    return event("sessionUpdate", {"sessionMetadata": {"sampled": sampled}, "sessionResults": results})


def exception(kind: str) -> bytes:
    """What AWS ends a session with."""
    headers = {
        ":message-type": "exception",
        ":exception-type": kind,
        ":content-type": "application/json",
    }
    return frame(headers, {"message": "the session is over"})


START = event("initial-response", {}) + event("sessionStart", {"sessionId": "s", "requestId": "r"})


@dataclass(frozen=True)
class Session:
    """`refusal`: (status, error code) instead of a stream. `then`: it stays open after its frames, ends, or
    the connection is cut."""

    frames: Sequence[bytes] = ()
    refusal: tuple[int, str] | None = None
    then: Literal["held", "ended", "cut"] = "ended"


@dataclass
class LiveServer:
    """Answers StartLiveTail with the next of `sessions`; `asked` are the parameters of each."""

    sessions: deque[Session]
    group: str = GROUP
    address: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(*sessions: Session, group: str = GROUP) -> Iterator[LiveServer]:
    """On loopback, with a log group of this name."""
    live = LiveServer(deque(sessions), group)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["X-Amz-Target"].endswith("DescribeLogGroups"):
                self._answer(200, {"logGroups": [{"logGroupName": live.group, "arn": f"{ARN}:*"}]})
                return
            live.asked.append(asked)
            session = live.sessions.popleft()
            if session.refusal:
                status, code = session.refusal
                self._answer(status, {"__type": code, "message": f"{code} it is"})
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.amazon.eventstream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for chunk in (START, *session.frames):
                self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            if session.then == "held":
                live.over.wait(30)
            if session.then != "cut":
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        def _answer(self, status: int, content: Mapping[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    live.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield live
    finally:
        live.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
