"""Interactive sessions: programs with a window in a JupyterLab tab, ended with or without keeping their files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.calculation import StillRunning
from qcrbox.api.names import has_name, require_name
from qcrbox.client.environment import is_notebook
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.states import FINAL
from qcrbox.display.project_tree import time_text
from qcrbox.markup import Table, escape, publish

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.results import Result


_WAY = "Its window opens in JupyterLab: QCrBox panel, Sessions."


class Session:
    """An open program. Closing its tab does not end it; `.finish()` keeps its files, `.discard()` deletes them."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.id = str(record["session_id"])

    @property
    def calculation(self) -> Calculation:
        """The calculation of the session."""
        return self.box.calculations[self.id]

    @property
    def state(self) -> str:
        """starting, open, program_ended, finalising or closed."""
        return str(self.refresh().record.get("state") or "starting")

    def refresh(self) -> Session:
        """Read the record again."""
        payload = self.box.client.get(f"/api/interactive-sessions/{self.id}")["interactive_sessions"]
        self.record = {**self.record, **payload[0]}
        return self

    def show(self) -> Session | None:
        """Show the button that opens the window in a Lab tab, anywhere in a cell. Returns the session in a script."""
        if not is_notebook():
            return self
        publish(self._repr_mimebundle_())
        return None

    @property
    def name(self) -> str:
        """Slug of the application."""
        return str(self.record.get("application_slug") or self.record.get("command_name") or "session")

    @property
    def owner(self) -> str:
        """Name of its owner."""
        return str(self.record.get("owner") or "")

    def allow_view(self, allowed: bool = True) -> Session:
        """Let the managers of the group view the session (without input), or revoke that."""
        address = f"/api/interactive-sessions/{self.id}"
        payload = self.box.client.patch(address, {"view_only_allowed": allowed})["interactive_sessions"]
        self.record = {**self.record, **payload[0]}
        return self

    def stay(self) -> Session:
        """Restart the idle time after which an unused session ends."""
        self.box.client.post(f"/api/interactive-sessions/{self.id}/stay", {})
        return self.refresh()

    def finish(self, timeout: float = 120.0) -> Result:
        """End the session and keep its files. Returns the result."""
        self._close(keep=True)
        return self.calculation.result(timeout)

    def discard(self) -> None:
        """End the session and delete its files."""
        self._close(keep=False)

    def _close(self, *, keep: bool) -> None:
        self.box.client.post(f"/api/interactive-sessions/{self.id}/close", {"keep": keep})

    @property
    def result(self) -> Result:
        """The result of a finished session."""
        return self.calculation.result()

    def wait_until_open(self, timeout: float = 60.0) -> Session:
        """Wait until the window is open. Raises the error of the calculation when the program fails to start."""
        deadline = time.monotonic() + timeout
        while self.state == "starting":
            if self.record.get("status") in FINAL:
                self.calculation.result()
            if time.monotonic() > deadline:
                raise StillRunning(f"{self.name} has no window after {timeout:g} s; it is still starting.")
            time.sleep(0.2)
        if self.record.get("state") == "closed":
            self.calculation.result()
        return self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        # The session must outlive the `with` block: it ends with its cell, while the person may still be working.
        return None

    def __repr__(self) -> str:
        reason = f" ({self.record['reason']})" if self.record.get("reason") else ""
        return f"<Session {self.id[-4:]} of {self.name}: {self.record.get('state') or 'starting'}{reason}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        # The extension renders the last type as a button; other front ends show the text.
        return {
            "text/plain": f"{self!r}\n{_WAY}",
            "text/html": f"<p>{escape(repr(self))}<br>{escape(_WAY)}</p>",
            "application/vnd.qcrbox.session+json": {"session_id": self.id, "name": self.name},
        }


class Sessions:
    """`qc.sessions`: programs that are open."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def open(self, command: Command, /, *args: Any, **options: Any) -> Session:
        """Start an interactive command; the session opens when its program is ready."""
        arguments = self._box.files.as_arguments(command, command._bind(args, options))
        body = {
            "application_slug": command.application.slug,
            "application_version": command.application.version,
            "command_name": command.name,
            "command_arguments": arguments,
        }
        payload = self._box.client.post("/api/interactive-sessions", body)
        return self[str(payload["interactive_session_id"])]

    def all(self) -> list[Session]:
        """The open sessions."""
        payload = self._box.client.get("/api/interactive-sessions")["interactive_sessions"]
        return [Session(self._box, record) for record in payload]

    def __getitem__(self, session_id: str) -> Session:
        if len(require_name(session_id, "qc.sessions")) == 32:
            payload = self._box.client.get(f"/api/interactive-sessions/{session_id}")["interactive_sessions"]
            return Session(self._box, payload[0])
        found = [session for session in self.all() if session_id and session.id.endswith(session_id)]
        if len(found) > 1:
            raise UserInputError(
                f"{len(found)} sessions end with {session_id!r}.",
                next="Give more of the id: " + ", ".join(session.id[-8:] for session in found[:5]),
            )
        if found:
            return found[0]
        raise NotFound(f"There is no open session {session_id!r}.", next="qc.sessions lists them.")

    def __contains__(self, session_id: object) -> bool:
        return has_name(self, session_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def table(self) -> Table:
        """The open sessions with state, owner and times."""
        rows = [
            (
                s.id[-4:],
                s.name,
                s.record.get("state") or "",
                s.record.get("reason") or "",
                s.owner,
                time_text(s.record.get("opened_at")),
                time_text(s.record.get("idle_ends_at")),
            )
            for s in self.all()
        ]
        return Table(
            ("id", "application", "state", "reason", "owner", "opened", "ends if unused"),
            rows,
            title="Sessions",
            caption="" if rows else "No program is open.",
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
