"""Input and output files over the registry's file routes, with the calculation's own token.

While the registry is down every request is repeated until it is back: a result is never given up for that.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from qcrbox.contract.errors import QcError, Unreachable
from qcrbox.contract.messages import Command, FileRef

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

CHUNK = 256 * 1024
FIRST_PAUSE_S, LAST_PAUSE_S = 0.2, 5.0
_REPEATABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
DAMAGED_TRIES = 3


class FileRoutes:
    """The file routes of one calculation."""

    def __init__(self, client: FileClient, command: Command) -> None:
        self._client, self._base = client, command.files_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {command.file_token}"}

    async def fetch(self, ref: FileRef, target: Path) -> None:
        """Write the bytes of an input to `target`; their hash must be the promised one."""
        for attempt in range(DAMAGED_TRIES):
            digest = await self._repeated(lambda: self._download(ref, target), f"fetch {ref.filename}")
            if digest == ref.sha256:
                return
            log.warning("input %s arrived damaged (try %d)", ref.data_file_id, attempt + 1)
        raise Unreachable(
            f"The input '{ref.filename}' arrived damaged {DAMAGED_TRIES} times.",
            why=f"Its hash is {digest[:12]}…, not {ref.sha256[:12]}….",
            next="Upload the file again.",
        )

    async def _download(self, ref: FileRef, target: Path) -> str:
        url = f"{self._base}/inputs/{ref.data_file_id}"
        digest = hashlib.sha256()
        async with self._client.http.stream("GET", url, headers=self._headers) as answer:
            await _raise_refusal(answer)
            with target.open("wb") as file:
                async for chunk in answer.aiter_bytes(CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
        return digest.hexdigest()

    async def fetch_checkpoint(self, target: Path) -> bool:
        """Write what an earlier attempt stored to `target`; False when there is nothing."""
        return await self._repeated(lambda: self._download_checkpoint(target), "fetch the checkpoint")

    async def _download_checkpoint(self, target: Path) -> bool:
        url = f"{self._base}/checkpoint"
        async with self._client.http.stream("GET", url, headers=self._headers) as answer:
            if answer.status_code == 404:
                return False
            await _raise_refusal(answer)
            partial = target.with_name(target.name + ".part")
            with partial.open("wb") as file:
                async for chunk in answer.aiter_bytes(CHUNK):
                    file.write(chunk)
            partial.replace(target)
        return True

    async def store(self, path: Path, name: str, filename: str) -> tuple[str, str, int]:
        """Upload one output; (upload_id, sha256, size)."""
        # Opened once: a checkpoint may be replaced by a newer one between its hash and its upload.
        with path.open("rb") as file:
            digest, size = await asyncio.to_thread(_hash, file)
            params = {"name": name, "filename": filename, "sha256": digest}
            answer = await self._repeated(lambda: self._upload(file, size, params), f"store {filename}")
        return str(answer["upload_id"]), digest, size

    async def _upload(self, file: BinaryIO, size: int, params: dict[str, str]) -> dict:
        response = await self._client.http.put(
            f"{self._base}/outputs",
            params=params,
            headers=self._headers | {"Content-Length": str(size), "Content-Type": "application/octet-stream"},
            content=_chunks(file),
        )
        await _raise_refusal(response)
        body = response.json()
        return body.get("payload", body)

    async def _repeated(self, act: Callable, what: str):
        # Start-up time: see `http`.
        import httpx

        pause = FIRST_PAUSE_S
        while True:
            try:
                return await act()
            except (httpx.TransportError, _Later) as error:
                log.info("%s: the registry does not answer (%s); again in %.1f s", what, error, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE_S)


class _Later(Exception):
    """An answer that says: try again."""


async def _raise_refusal(answer: httpx.Response) -> None:
    if answer.status_code < 400:
        return
    if answer.status_code in _REPEATABLE:
        raise _Later(f"HTTP {answer.status_code}")
    await answer.aread()
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if isinstance(body, dict) and body.get("error"):
        raise QcError.from_envelope(body, answer.status_code)
    raise Unreachable(f"The registry refused a file of this calculation (HTTP {answer.status_code}).")


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _hash(file: BinaryIO) -> tuple[str, int]:
    digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
    return digest.hexdigest(), file.tell()


class FileClient:
    """One HTTP client for the life of the agent, made (and httpx imported) when a first file is moved.

    Connections are kept. Proxies of the environment are not for us. `socket`: in a container without a network,
    the Unix socket that leads to the registry.
    """

    def __init__(self, socket: str = "") -> None:
        self._socket = socket
        self._http: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        """The HTTP client, created at first use: importing httpx would delay the agent's start."""
        if self._http is None:
            # Start-up time: as the docstring says.
            import httpx

            transport = httpx.AsyncHTTPTransport(uds=self._socket) if self._socket else None
            timeout = httpx.Timeout(60.0, connect=5.0)
            self._http = httpx.AsyncClient(timeout=timeout, trust_env=False, transport=transport)
        return self._http

    async def close(self) -> None:
        """Close the connections to the registry."""
        if self._http is not None:
            await self._http.aclose()
