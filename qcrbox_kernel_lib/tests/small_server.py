"""A small HTTP server on loopback that answers as a registry does, or as oddly as a test wants it."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Raw:
    """An answer as it is. `cut`: so many bytes of the body are sent although all are announced."""

    body: bytes | str = b""
    status: int = 200
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(frozen=True)
class Stream:
    """Server-sent events: pieces of text, sent as they come; the connection ends after the last."""

    pieces: Iterable[str]


class Drop:
    """The connection ends without an answer."""


def refusal(status: int, kind: str, what: str, **more: Any) -> Raw:
    """The error envelope of the registry."""
    error = {"code": status, "kind": kind, "what": what, "message": what, **more}
    return Raw(json.dumps({"status": "error", "error": error}), status)


Answer = (
    Any  # a payload, Raw, Stream, Drop, a function of the request, or a list of these, one after the other
)


class SmallServer:
    """`server["GET /api/x"] = payload`; `.requests` is what came. What is not there is answered by 404."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self.requests: list[Request] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self) -> None:
                outer._serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

            def log_message(self, *_: Any) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __setitem__(self, route: str, answer: Answer) -> None:
        self._answers[route] = answer

    def sent(self, route: str) -> list[Request]:
        """The requests to "METHOD /path"."""
        return [each for each in self.requests if f"{each.method} {each.path}" == route]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _serve(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
        self.requests.append(request)
        answer = self._answers.get(f"{request.method} {request.path}", _NOT_THERE)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Callable):
            answer = answer() if isinstance(answer, type) else answer(request)
        with contextlib.suppress(ConnectionError):
            _write(handler, answer)


_NOT_THERE = refusal(404, "not_found", "There is nothing at this address.")


def _write(handler: http.server.BaseHTTPRequestHandler, answer: Answer) -> None:
    if isinstance(answer, Drop):
        handler.close_connection = True
        handler.connection.close()
        return
    if isinstance(answer, Stream):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        for piece in answer.pieces:
            handler.wfile.write(piece.encode())
            handler.wfile.flush()
        return
    if not isinstance(answer, Raw):
        answer = Raw(json.dumps({"status": "success", "payload": answer}))
    content = answer.body.encode() if isinstance(answer.body, str) else answer.body
    handler.send_response(answer.status)
    handler.send_header("Content-Type", answer.kind)
    handler.send_header("Content-Length", str(len(content)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content if answer.cut is None else content[: answer.cut])


@contextlib.contextmanager
def small_server() -> Iterator[SmallServer]:
    server = SmallServer()
    try:
        yield server
    finally:
        server.close()
