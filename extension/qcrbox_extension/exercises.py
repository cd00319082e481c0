"""Exercises: fetched into the person's files, and each saved notebook of one sent to the registry as a draft."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from qcrbox.client.exercise_mark import exercise_of
from qcrbox.contract.errors import Conflict, QcError, Unreachable
from tornado import web

from qcrbox_extension.exercise_folder import Handed, hand_out, reset_data
from qcrbox_extension.handlers import Handler
from qcrbox_extension.upstream import Upstream, refusal

LARGEST_DRAFT_BYTES = 10 * 1024 * 1024
SEND_EVERY_S = 10.0


class ExerciseClient:
    """The registry's exercises in the person's name."""

    def __init__(self, upstream: Upstream, client: httpx.AsyncClient) -> None:
        self._upstream, self._client = upstream, client

    async def call(
        self, method: str, path: str, content: bytes | None = None, query: str = ""
    ) -> httpx.Response:
        """The answer. Raises QcError with the registry's words, Unreachable."""
        headers = self._upstream.authorization() | {"Content-Type": "application/x-ipynb+json"}
        try:
            answer = await self._client.request(
                method, self._upstream.address(path, query), headers=headers, content=content, timeout=60.0
            )
        except httpx.HTTPError as error:
            raise Unreachable("The registry does not answer.", part="registry") from error
        if answer.is_error:
            raise refusal(answer.status_code, answer.content)
        return answer

    async def open(self, exercise_id: str) -> Handed:
        """Open an exercise and fetch the contents of its newest version, with the feedback. Raises QcError.

        Once it is closed or its course archived, that is the version that the student has: feedback mostly comes then.
        """
        own = await self._opened(exercise_id)
        manifest, exercise = own["manifest"], own["exercise"]
        version = exercise["own_version"] or exercise["version"]

        async def content(filename: str) -> bytes:
            quoted = httpx.URL("http://x/").copy_with(path=f"/{filename}").raw_path.decode()[1:]
            path = f"exercises/{exercise_id}/files/{quoted}"
            return (await self.call("GET", path, query=f"version={version}")).content

        notebook = manifest["notebook"]
        return Handed(
            exercise_id,
            exercise["course"],
            exercise["title"],
            version,
            (notebook["filename"], await content(notebook["filename"])) if notebook else None,
            {file["filename"]: await content(file["filename"]) for file in manifest["files"]},
            own.get("feedback"),
        )

    async def _opened(self, exercise_id: str) -> dict[str, Any]:
        """The student's own state after opening, or as it is where nothing can be opened any more. Raises QcError."""
        try:
            answer = await self.call("POST", f"exercises/{exercise_id}/open")
        except Conflict:
            answer = await self.call("GET", f"exercises/{exercise_id}/own")
            own: dict[str, Any] = answer.json()["payload"]
            if not own["manifest"] or not own["exercise"]["opened_at"]:
                raise
            return own
        opened: dict[str, Any] = answer.json()["payload"]
        return opened

    async def make(self, course_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make an exercise of a course; what the registry answers. Raises QcError."""
        answer = await self.call("POST", f"courses/{course_id}/exercises", json.dumps(body).encode())
        made: dict[str, Any] = answer.json()["payload"]
        return made

    async def send_draft(self, exercise_id: str, content: bytes) -> None:
        """Keep a notebook at the registry; a large one without its outputs, and with the reason. Raises QcError."""
        kept, problem = fitting(content)
        query = str(httpx.QueryParams({"problem": problem})) if problem else ""
        await self.call("PUT", f"exercises/{exercise_id}/draft", kept, query)


def fitting(content: bytes) -> tuple[bytes, str]:
    """(the notebook within the limit, why it is not as it was)."""
    if len(content) <= LARGEST_DRAFT_BYTES:
        return content, ""
    size = f"The notebook is {len(content) / 1024**2:.0f} MiB; the limit is {LARGEST_DRAFT_BYTES // 1024**2} MiB."
    try:
        notebook = json.loads(content)
        for cell in notebook["cells"]:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                cell["outputs"] = []
        slim = json.dumps(notebook).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return b"", f"{size} It could not be read."
    if len(slim) > LARGEST_DRAFT_BYTES:
        return b"", f"{size} It is too large without its outputs, too."
    return slim, f"{size} Its outputs were left out."


class ExerciseHandler(Handler):
    """`POST qcrbox/exercises/ID/fetch`: write it into the files; `…/reset`: its data as they were handed out."""

    def initialize(self, exercises: ExerciseClient, root: str) -> None:
        """Called by tornado with the registry's exercises and the root of the person's files."""
        self.exercises, self.root = exercises, Path(root)

    @web.authenticated
    async def post(self, exercise_id: str, act: str) -> None:
        """Answer what was written and where, as JSON."""
        try:
            handed = await self.exercises.open(exercise_id)
            write = reset_data if act == "reset" else hand_out
            report = await asyncio.to_thread(write, self.root, handed)
        except OSError as error:
            self.refuse(QcError("The exercise could not be written into your files.", why=str(error)))
        except QcError as error:
            self.refuse(error)
        else:
            self.finish(json.dumps(report.as_dict()))


class DraftSender:
    """Sends saved notebooks: the newest of each exercise, at most every ten seconds."""

    def __init__(
        self, exercises: ExerciseClient, log: Any, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._exercises, self._log, self._clock = exercises, log, clock
        self._waiting: dict[str, Path] = {}
        self._sent_at: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def saved(self, os_path: str, model: dict[str, Any], **_: Any) -> None:
        """The post-save hook of the contents manager. Never keeps a file from being saved."""
        if model.get("type") != "notebook":
            return
        path = Path(os_path)
        exercise_id = exercise_of(path)
        if exercise_id is None:
            return
        self._waiting[exercise_id] = path
        running = self._tasks.get(exercise_id)
        if running is None or running.done():
            self._tasks[exercise_id] = asyncio.ensure_future(self._send(exercise_id))

    async def _send(self, exercise_id: str) -> None:
        while exercise_id in self._waiting:
            since = self._clock() - self._sent_at.get(exercise_id, -SEND_EVERY_S)
            if since < SEND_EVERY_S:
                await asyncio.sleep(SEND_EVERY_S - since)
            path = self._waiting.pop(exercise_id)
            self._sent_at[exercise_id] = self._clock()
            try:
                content = await asyncio.to_thread(path.read_bytes)
                await self._exercises.send_draft(exercise_id, content)
            except (QcError, OSError) as error:
                # Closed exercises, a registry that restarts: the next save tries again.
                self._log.info("QCrBox: draft of exercise %s not kept: %s", exercise_id, error)

    async def settle(self) -> None:
        """Wait until what was saved is sent."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
