"""A small VNC viewer (RFC 6143): enough to see a session's picture, to type and click, and to measure.

`transport` is anything with `async send(bytes)` and `async receive() -> bytes` (b"" at the end).
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import Any, Protocol

import numpy as np

RAW, COPY_RECT, DESKTOP_SIZE = 0, 1, -223


class Transport(Protocol):
    async def send(self, data: bytes) -> None: ...
    async def receive(self) -> bytes: ...


class WebSocketTransport:
    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket

    async def send(self, data: bytes) -> None:
        await self._websocket.send(data)

    async def receive(self) -> bytes:
        from websockets.exceptions import ConnectionClosed

        try:
            return await self._websocket.recv()
        except ConnectionClosed:
            return b""


class StreamTransport:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def receive(self) -> bytes:
        return await self._reader.read(1 << 18)


class Viewer:
    """One connection. `picture` is (height, width, 3) bytes, what was last told."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._rest = bytearray()
        self.picture = np.zeros((0, 0, 3), np.uint8)
        self.name = ""
        self.clipboard = ""

    async def _read(self, count: int) -> bytes:
        while len(self._rest) < count:
            data = await self._transport.receive()
            if not data:
                raise ConnectionError("the other side ended")
            self._rest += data
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    async def start(self, *, shared: bool = True) -> Viewer:
        """Handshake, 32-bit pixels, raw encoding."""
        assert (await self._read(12)).startswith(b"RFB 003.")
        await self._transport.send(b"RFB 003.008\n")
        kinds = await self._read((await self._read(1))[0])
        assert 1 in kinds, f"no security type None: {list(kinds)}"
        await self._transport.send(b"\x01")
        assert await self._read(4) == bytes(4)
        await self._transport.send(bytes([shared]))
        width, height = struct.unpack(">HH", await self._read(4))
        await self._read(16)
        self.name = (await self._read(struct.unpack(">I", await self._read(4))[0])).decode()
        self.picture = np.zeros((height, width, 3), np.uint8)
        pixels = struct.pack(">BBBBHHHBBB", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
        await self._transport.send(b"\x00\x00\x00\x00" + pixels + bytes(3))
        await self._transport.send(struct.pack(">BxHii", 2, 2, RAW, DESKTOP_SIZE))
        return self

    async def ask(self, *, incremental: bool = False) -> None:
        height, width = self.picture.shape[:2]
        await self._transport.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, width, height))

    async def update(self) -> int:
        """Take messages until one picture update is complete; the number of changed pixels it told."""
        while True:
            kind = (await self._read(1))[0]
            if kind == 0:
                return await self._rectangles()
            if kind == 3:
                await self._read(3)
                length = struct.unpack(">i", await self._read(4))[0]
                self.clipboard = (await self._read(abs(length))).decode("latin-1")
            elif kind == 1:
                count = struct.unpack(">xHH", await self._read(5))[1]
                await self._read(6 * count)
            elif kind != 2:
                raise ConnectionError(f"unknown message {kind}")

    async def _rectangles(self) -> int:
        changed = 0
        count = struct.unpack(">xH", await self._read(3))[0]
        for _ in range(count):
            x, y, w, h, encoding = struct.unpack(">HHHHi", await self._read(12))
            if encoding == DESKTOP_SIZE:
                self.picture = np.zeros((h, w, 3), np.uint8)
                continue
            assert encoding == RAW
            raw = np.frombuffer(await self._read(4 * w * h), np.uint8).reshape(h, w, 4)
            self.picture[y : y + h, x : x + w] = raw[:, :, 2::-1]
            changed += w * h
        return changed

    async def whole(self) -> np.ndarray:
        await self.ask()
        await self.update()
        return self.picture

    async def pointer(self, x: int, y: int, buttons: int = 0) -> None:
        await self._transport.send(struct.pack(">BBHH", 5, buttons, x, y))

    async def click(self, x: int, y: int, button: int = 1) -> None:
        await self.pointer(x, y)
        await self.pointer(x, y, 1 << (button - 1))
        await self.pointer(x, y)

    async def key(self, keysym: int) -> None:
        for down in (1, 0):
            await self._transport.send(struct.pack(">BBxxI", 4, down, keysym))

    async def chord(self, *keysyms: int) -> None:
        for keysym in keysyms:
            await self._transport.send(struct.pack(">BBxxI", 4, 1, keysym))
        for keysym in reversed(keysyms):
            await self._transport.send(struct.pack(">BBxxI", 4, 0, keysym))

    async def type(self, text: str) -> None:
        for character in text:
            await self.key(0xFF0D if character == "\n" else ord(character))

    async def cut_text(self, text: str) -> None:
        data = text.encode("latin-1")
        await self._transport.send(struct.pack(">BxxxI", 6, len(data)) + data)

    def save(self, path: Path) -> None:
        from PIL import Image

        Image.fromarray(self.picture).save(path)

    def is_blank(self) -> bool:
        """Of one colour all over, but for what a bare display shows."""
        return bool(self.picture.reshape(-1, 3).std(axis=0).max() < 2.0)
