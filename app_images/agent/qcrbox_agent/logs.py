"""The output of a program on its way to the registry: split into streams, counted, cut in the middle, coalesced."""

from __future__ import annotations

import asyncio
import codecs
import re
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from qcrbox.contract.messages import Log

HALF_BYTES = 5_000_000  # of each stream the first and the last half are kept: 10 MB
CHUNK_CHARACTERS = 64_000
INTERVAL_S = 0.1  # at most ten messages a second and stream
TAIL_LINES = 20

Name = Literal["stdout", "stderr"]
Post = Callable[[Log], object]


class LogStream:
    """One stream of one attempt. Offsets count the UTF-8 bytes of the text that was sent."""

    def __init__(self, name: Name, calculation_id: str, attempt: int, post: Post) -> None:
        self.name, self._id, self._attempt, self._post = name, calculation_id, attempt, post
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: list[str] = []
        self._head_left = HALF_BYTES
        self._rest: deque[str] = deque()  # after the first half, at most another half
        self._rest_bytes = 0
        self._cut_bytes = 0
        self._offset = 0
        self._last = ""  # the end of what came, for `tail`
        self._line = ""
        self.on_line: Callable[[str], None] | None = None

    @property
    def has_waiting(self) -> bool:
        """Whether text waits to be sent."""
        return bool(self._waiting)

    def feed(self, data: bytes, final: bool = False) -> None:
        """Add output of the program; `final` also decodes an incomplete last character."""
        text = self._decoder.decode(data, final)
        if not text:
            if final:
                self._tell_lines("", final)
            return
        self._last = (self._last + text)[-20_000:]
        self._tell_lines(text, final)
        size = len(text.encode())
        if self._head_left > 0:
            self._head_left -= size
            self._waiting.append(text)
            return
        self._rest.append(text)
        self._rest_bytes += size
        while self._rest_bytes > HALF_BYTES and len(self._rest) > 1:
            dropped = len(self._rest.popleft().encode())
            self._rest_bytes -= dropped
            self._cut_bytes += dropped

    def _tell_lines(self, text: str, final: bool) -> None:
        if self.on_line is None:
            return
        *lines, self._line = re.split(r"\r\n|\n|\r", (self._line + text)[-100_000:])
        if final and self._line:
            lines.append(self._line)
        for line in lines:
            self.on_line(line)

    def flush(self) -> None:
        """Send what waits."""
        text = "".join(self._waiting)
        self._waiting.clear()
        for start in range(0, len(text), CHUNK_CHARACTERS):
            self._send(text[start : start + CHUNK_CHARACTERS])

    def close(self) -> None:
        """Send everything: what waits, a mark where the middle was cut, and the end."""
        self.feed(b"", final=True)
        if self._cut_bytes:
            self._waiting.append(f"\n[… {self._cut_bytes} bytes of output cut out here …]\n")
        self._waiting += self._rest
        self._rest.clear()
        self.flush()

    def _send(self, text: str) -> None:
        self._post(
            Log(
                calculation_id=self._id,
                attempt=self._attempt,
                stream=self.name,
                offset=self._offset,
                text=text,
                at=time.time(),
            )
        )
        self._offset += len(text.encode())

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last `lines` lines of the output."""
        return "\n".join(self._last.splitlines()[-lines:])


class Logs:
    """Both streams of one attempt, flushed together."""

    def __init__(self, calculation_id: str, attempt: int, post: Post) -> None:
        self.stdout = LogStream("stdout", calculation_id, attempt, post)
        self.stderr = LogStream("stderr", calculation_id, attempt, post)
        self._timer: asyncio.TimerHandle | None = None
        self._flushed_at = 0.0

    def feed(self, name: Name, data: bytes) -> None:
        """Add output of the program; it is sent to the registry at the next interval."""
        (self.stdout if name == "stdout" else self.stderr).feed(data)
        loop = asyncio.get_running_loop()
        if self._timer is None:
            wait = max(self._flushed_at + INTERVAL_S - loop.time(), 0.02)
            self._timer = loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._flushed_at = asyncio.get_running_loop().time()
        for stream in (self.stdout, self.stderr):
            if stream.has_waiting:
                stream.flush()

    def close(self) -> None:
        """Send what still waits. Call it after the program has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.stdout.close()
        self.stderr.close()

    def tail(self) -> str:
        """The last lines of stderr, else of stdout: what a message about a failure quotes."""
        return self.stderr.tail() or self.stdout.tail()
