"""A child process that reads CIFs, one request at a time. What a hostile file does to it ends with the process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from typing import Any

from qcrbox import lifeline
from qcrbox.contract.errors import CifError
from qcrbox.waiting import within

# Of an answer: the whole index of a large CIF is one line.
_LONGEST_LINE = 64 * 1024 * 1024


class CifReader:
    """`python -m qcrbox_registry.services.cif_process`: started with the first request, again after a failure."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._process: asyncio.subprocess.Process | None = None
        self._used_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    @property
    def idle_s(self) -> float:
        """Seconds since the last request."""
        return time.monotonic() - self._used_at

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request. Raises CifError when there is none; then the process is ended."""
        process = await self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()
            line = await within(process.stdout.readline(), self._longest_s)
            if not line:
                raise CifError("The file could not be read.", why="Reading it took too much memory.")
            answer: dict[str, Any] = json.loads(line)
            return answer
        except TimeoutError:
            await self.end()
            raise CifError(
                "The file could not be read.", why=f"It took over {self._longest_s:g} s."
            ) from None
        except ValueError:  # an answer longer than the limit of the stream, or one that is no JSON
            await self.end()
            raise CifError("The file could not be read.", why="The answer about it was too long.") from None
        except (OSError, CifError):
            await self.end()
            raise
        except asyncio.CancelledError:
            await self.end()  # its answer would be read as that of the next request
            raise
        finally:
            self._used_at = time.monotonic()

    async def end(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "qcrbox_registry.services.cif_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
                preexec_fn=lifeline.die_with_parent,
            )
        return self._process
