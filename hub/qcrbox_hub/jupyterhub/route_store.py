"""The proxy's routing table, kept in a file: a proxy that is started again knows its routes before it listens.

JupyterHub looks for lost routes only every few minutes. What it adds or removes while the proxy is down is
mended by that look.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from configurable_http_proxy.store import MemoryStore

from qcrbox_hub.platform.data_folder import write_private

log = logging.getLogger("qcrbox.proxy")


class RouteStore(MemoryStore):
    """Routes in memory, written to `file` at each change."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def load(self) -> int:
        """Take over what the last proxy knew; returns the number of routes. A damaged file counts as none."""
        try:
            routes = json.loads(self._file.read_text())
            entries = [(str(path), dict(data)) for path, data in routes.items()]
        except (OSError, ValueError, TypeError, AttributeError):
            return 0
        for path, data in entries:
            if isinstance(data.get("target"), str):
                super().add(path, data)
        return len(self.routes)

    def add(self, path: str, data: dict[str, Any]) -> None:
        """Add a route and write the file."""
        super().add(path, data)
        self._write()

    def remove(self, path: str) -> Any:
        """Remove a route and write the file; returns the route."""
        removed = super().remove(path)
        self._write()
        return removed

    def _write(self) -> None:
        kept = {
            path: {key: value for key, value in data.items() if key != "last_activity"}
            for path, data in self.routes.items()
        }
        try:
            write_private(self._file, json.dumps(kept))
        except OSError as error:
            # A full disk must not stop the proxy: the routes are in memory.
            log.warning("the routing table could not be written: %s", error)
