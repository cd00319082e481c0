"""Messages between the agent, its warden and the workers: JSON with a length before it.

Never pickle: a program could make the agent, which holds the credentials, execute anything.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_HEAD = struct.Struct("!I")
MAX_FRAME = 16 * 1024 * 1024


class TooLong(ValueError):
    """A frame above MAX_FRAME."""


def pack(message: dict[str, Any]) -> bytes:
    """The message as a frame; raises TooLong above MAX_FRAME bytes."""
    body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    if len(body) > MAX_FRAME:
        raise TooLong(f"a message of {len(body)} bytes")
    return _HEAD.pack(len(body)) + body


class Splitter:
    """Collects bytes and gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Add received bytes; returns the messages that are complete now. Raises TooLong above MAX_FRAME bytes."""
        self._buffer += data
        found: list[dict[str, Any]] = []
        while len(self._buffer) >= _HEAD.size:
            (length,) = _HEAD.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise TooLong(f"a message of {length} bytes")
            if len(self._buffer) < _HEAD.size + length:
                break
            body = bytes(self._buffer[_HEAD.size : _HEAD.size + length])
            del self._buffer[: _HEAD.size + length]
            message = json.loads(body)
            if isinstance(message, dict):
                found.append(message)
        return found


def receive(connection: socket.socket, splitter: Splitter) -> list[dict[str, Any]] | None:
    """Blocking: the next messages (at least one), or None at the end."""
    while True:
        data = connection.recv(65536)
        if not data:
            return None
        if found := splitter.feed(data):
            return found
