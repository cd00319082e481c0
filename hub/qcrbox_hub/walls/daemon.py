"""This machine's Docker daemon, asked without Docker's own library, whose import takes as long as half a start."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

_LIMIT_S = 10.0
_REMOVED = (200, 204, 404)
NETWORK_WAIT_S = 20.0
PLATFORM_LABEL = "org.qcrbox.person.platform"  # on people's containers and services: whose platform's


@dataclass(frozen=True)
class Daemon:
    """A daemon that listens at a Unix socket. Raises OSError where it does not answer."""

    socket: Path

    @staticmethod
    def found() -> Daemon | None:
        """The daemon of this environment; None when that is another machine's."""
        host = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
        return Daemon(Path(host.path)) if host.scheme == "unix" else None

    def image(self, name: str) -> dict[str, Any] | None:
        """What the daemon knows of an image; None when it has none of this name."""
        status, answer = self._ask("GET", f"/images/{quote(name, safe='')}/json")
        return answer if status == 200 else None

    def remove_people(self, platform: str) -> int:
        """Remove containers, services and networks of people of a platform that has ended; returns how many there were."""
        chosen = quote(json.dumps({"label": [f"{PLATFORM_LABEL}={platform}"]}))
        removed = 0
        kinds = (("services", "ID", ""), ("containers", "Id", "&all=1"), ("networks", "Id", ""))
        for kind, identifier, more in kinds:
            status, entries = self._ask(
                "GET", f"/{kind}{'/json' if kind == 'containers' else ''}?filters={chosen}{more}"
            )
            for entry in entries if status == 200 else ():
                force = "?force=1&v=1" if kind == "containers" else ""
                self._remove(
                    f"/{kind}/{entry[identifier]}{force}", NETWORK_WAIT_S if kind == "networks" else 0
                )
                removed += 1
        return removed

    def _remove(self, url: str, wait_s: float) -> None:
        """Try for as long as the daemon refuses, at most this long: the last container of a service of a swarm ends
        after the service, and has its network until then."""
        deadline = time.monotonic() + wait_s
        while self._ask("DELETE", url)[0] not in _REMOVED and time.monotonic() < deadline:
            time.sleep(0.25)

    def _ask(self, method: str, url: str) -> tuple[int, Any]:
        connection = _UnixConnection(str(self.socket))
        try:
            connection.request(method, url)
            answer = connection.getresponse()
            body = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"it does not speak HTTP: {error}") from error
        finally:
            connection.close()
        try:
            return answer.status, json.loads(body) if body else None
        except ValueError:
            return answer.status, None


def remove_people(platform: str) -> int:
    """As `Daemon.remove_people`, 0 where there is no daemon."""
    daemon = Daemon.found()
    if daemon is None or not daemon.socket.exists():
        return 0
    with contextlib.suppress(OSError):
        return daemon.remove_people(platform)
    return 0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_LIMIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_LIMIT_S)
        self.sock.connect(self._path)
