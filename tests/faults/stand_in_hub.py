"""A hub that knows three people, so that the registry sees more than one person. Nothing else of a hub."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PEOPLE = ("ada", "bob", "cyd")
SCOPES = ["access:services!service=qcrbox", "custom:qcrbox:use"]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.headers.get("Authorization", "").removeprefix("token ").removeprefix("token-of-")
        known = name in PEOPLE
        body = {
            "kind": "user",
            "name": name,
            "groups": [],
            "scopes": SCOPES,
            "created": "2026-01-01T00:00:00Z",
        }
        content = json.dumps(body if known else {}).encode()
        self.send_response(200 if known else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Silent."""


class StandInHub:
    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.api_url = f"http://127.0.0.1:{self._server.server_address[1]}/hub/api"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
