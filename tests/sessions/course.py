"""A registry with several people: a hub that knows them, and each of them in front of sessions."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.sessions.conftest import WINDOW, Sessions

USE = ["access:services!service=qcrbox", "custom:qcrbox:use"]


class Hub:
    """Says who a token is. `people` is name -> (groups, further scopes) and may be changed at any moment."""

    def __init__(self) -> None:
        self.people: dict[str, tuple[list[str], list[str]]] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.api_url = f"http://127.0.0.1:{self._server.server_address[1]}/hub/api"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.headers.get("Authorization", "").removeprefix("token ").removeprefix("token-of-")
        known = self.people.get(name)
        body: dict[str, Any] = {}
        if known is not None:
            groups, scopes = known
            made = "2026-01-01T00:00:00Z"
            body = {
                "kind": "user",
                "name": name,
                "groups": groups,
                "scopes": [*USE, *scopes],
                "created": made,
            }
        content = json.dumps(body).encode()
        request.send_response(200 if known else 403)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Course:
    """A registry with a launcher on a hub of its own. It can stand where a `RunningRegistry` does."""

    def __init__(self, data: Path) -> None:
        self.data, self.hub = data, Hub()
        command = [sys.executable, "-m", "qcrbox_registry", "--data", str(data), "--launcher"]
        command += ["--auth", "hub", "--hub-api-url", self.hub.api_url, "--applications", str(WINDOW)]
        errors = data.parent / "stderr"
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors.open("w"), text=True, env=dict(os.environ)
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found, errors.read_text()[-3000:]
        self.url = found.group(0)

    def person(self, name: str, *scopes: str, groups: tuple[str, ...] = ("course",)) -> Person:
        self.hub.people[name] = (list(groups), list(scopes))
        return Person(self, name)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.hub.close()


class Person(Sessions):
    """Somebody with a token of the hub."""

    def __init__(self, course: Course, name: str) -> None:
        super().__init__(course)
        self.name = name
        self.http.headers["Authorization"] = self.authorization["Authorization"]

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer token-of-{self.name}"}

    async def socket(self, session_id: str, query: str = "", **options: Any) -> Any:
        return await super().socket(session_id, query, **{"additional_headers": self.authorization} | options)
