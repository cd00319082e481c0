"""A stand-in for the hub, so that a bench can have several persons and groups."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

STAND_IN = Path(__file__).resolve().parents[2] / "registry" / "tests" / "api" / "stand_in_hub.py"
SERVICE_TOKEN = "service-token-of-the-bench"


class Hub:
    """Answers who a token is. `token("ada", "crystals")` is the token of ada, who is in the group crystals."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("stand_in_hub", STAND_IN)
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self._hub = module.StandInHub(SERVICE_TOKEN)
        # The protocol by name: without it asyncio leaves Nagle's algorithm on, 40 ms an answer.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(self._hub.app, log_config=None, access_log=False))
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server.serve(sockets=[self._listener])), daemon=True
        )

    def start(self) -> Hub:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def token(self, name: str, *groups: str) -> str:
        return str(self._hub.add(name, groups=groups))

    def flags(self, data: Path) -> list[str]:
        """What a registry must be started with to ask this hub."""
        secret = data / "hub-token"
        secret.write_text(SERVICE_TOKEN)
        port = self._listener.getsockname()[1]
        address = f"http://127.0.0.1:{port}/hub/api"
        return ["--auth", "hub", "--hub-api-url", address, "--hub-token-file", str(secret)]

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
