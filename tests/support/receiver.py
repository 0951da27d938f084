"""A web server that takes messages, and can be told to fail."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One message: where it was sent to, and what it holds."""

    path: str
    title: str
    body: str
    kind: str
    plots: list[bytes]


@dataclass
class Receiver:
    """What was received so far. `status`: how requests are answered, once `answers` is set."""

    port: int = 0
    status: int = 200
    requests: int = 0
    answers: threading.Event = field(default_factory=threading.Event)
    messages: list[Received] = field(default_factory=list)

    def url(self, scheme: str = "json", path: str = "alerts") -> str:
        return f"{scheme}://localhost:{self.port}/{path}"

    @property
    def shown(self) -> str:
        return f"json://localhost:{self.port}"

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.messages]


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A server on this machine while the block runs."""
    receiver = Receiver()
    receiver.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests += 1
            receiver.answers.wait()
            if receiver.status == 200:
                kind = self.headers["Content-Type"]
                receiver.messages.append((_of_json if "json" in kind else _of_form)(self.path, kind, data))
            # A client that waits no longer has gone.
            with contextlib.suppress(OSError):
                self.send_response(receiver.status)
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _of_json(path: str, kind: str, data: bytes) -> Received:
    entries = json.loads(data)
    plots = [base64.b64decode(one["base64"]) for one in entries["attachments"]]
    return Received(path, entries["title"], entries["message"], entries["type"], plots)


def _of_form(path: str, kind: str, data: bytes) -> Received:
    parsed = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + data)
    assert parsed.is_multipart()
    parts = {part.get_param("name", header="content-disposition"): part for part in parsed.get_payload()}
    texts = {name: part.get_payload(decode=True) for name, part in parts.items()}
    plots = [texts[name] for name in texts if str(name).startswith("file")]
    title, body, type_ = (texts[name].decode() for name in ("title", "message", "type"))
    return Received(path, title, body, type_, plots)
