"""Programs with a window of their own: opened in a Lab tab, ended with or without keeping what was done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.calculation import StillRunning
from qcrbox.client.environment import is_notebook
from qcrbox.contract.errors import NotFound
from qcrbox.contract.states import FINAL
from qcrbox.markup import Table, escape, publish

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.results import Result


_WAY = "Its window opens in JupyterLab: QCrBox panel, Sessions."


class Session:
    """One open program. Closing the tab ends nothing; `.finish()` keeps, `.discard()` throws away."""

    def __init__(self, box: Box, said: dict[str, Any]) -> None:
        self.box, self.said = box, said
        self.id = str(said["session_id"])

    @property
    def calculation(self) -> Calculation:
        return self.box.calculations[self.id]

    @property
    def state(self) -> str:
        """starting, open, program_ended, finalising or closed."""
        return str(self.refresh().said.get("state") or "starting")

    def refresh(self) -> Session:
        said = self.box.client.get(f"/api/interactive-sessions/{self.id}")["interactive_sessions"]
        self.said = {**self.said, **said[0]}
        return self

    def show(self) -> Session | None:
        """Show the button that opens the window in a Lab tab, wherever in a cell; without a kernel: the session."""
        if not is_notebook():
            return self
        publish(self._repr_mimebundle_())
        return None

    @property
    def name(self) -> str:
        return str(self.said.get("application_slug") or self.said.get("command_name") or "session")

    @property
    def owner(self) -> str:
        return str(self.said.get("owner") or "")

    def allow_view(self, allowed: bool = True) -> Session:
        """Let the managers of its group look on (they cannot type or click), or stop letting them."""
        address = f"/api/interactive-sessions/{self.id}"
        said = self.box.client.patch(address, {"view_only_allowed": allowed})["interactive_sessions"]
        self.said = {**self.said, **said[0]}
        return self

    def stay(self) -> Session:
        """Say that somebody is still there: the time after which an unused session ends begins anew."""
        self.box.client.post(f"/api/interactive-sessions/{self.id}/stay", {})
        return self.refresh()

    def finish(self, timeout: float = 120.0) -> Result:
        """End it and keep what was done: the result with the newest files."""
        self._close(keep=True)
        return self.calculation.result(timeout)

    def discard(self) -> None:
        """End it and throw away what was done."""
        self._close(keep=False)

    def _close(self, *, keep: bool) -> None:
        self.box.client.post(f"/api/interactive-sessions/{self.id}/close", {"keep": keep})

    @property
    def result(self) -> Result:
        """After it was finished: what it gave."""
        return self.calculation.result()

    def wait_until_open(self, timeout: float = 60.0) -> Session:
        """Wait for the window. Raises the calculation's error when the program could not start."""
        deadline = time.monotonic() + timeout
        while self.state == "starting":
            if self.said.get("status") in FINAL:
                self.calculation.result()
            if time.monotonic() > deadline:
                raise StillRunning(f"{self.name} has no window after {timeout:g} s; it goes on starting.")
            time.sleep(0.2)
        if self.said.get("state") == "closed":
            self.calculation.result()
        return self

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        # The block ends when its cell does, the person may still be working: nothing is ended here.
        return None

    def __repr__(self) -> str:
        reason = f" ({self.said['reason']})" if self.said.get("reason") else ""
        return f"<Session {self.id[-4:]} of {self.name}: {self.said.get('state') or 'starting'}{reason}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        # JupyterLab with our extension makes a button of the last one; others show words that hold for them.
        return {
            "text/plain": f"{self!r}\n{_WAY}",
            "text/html": f"<p>{escape(repr(self))}<br>{escape(_WAY)}</p>",
            "application/vnd.qcrbox.session+json": {"session_id": self.id, "name": self.name},
        }


class Sessions:
    """`qc.sessions`: programs that are open."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def open(self, command: Command, *args: Any, **options: Any) -> Session:
        arguments = self._box.files.as_arguments(command, command._bind(args, options))
        body = {
            "application_slug": command.application.slug,
            "application_version": command.application.version,
            "command_name": command.name,
            "command_arguments": arguments,
        }
        said = self._box.client.post("/api/interactive-sessions", body)
        return self[str(said["interactive_session_id"])]

    def all(self) -> list[Session]:
        said = self._box.client.get("/api/interactive-sessions")["interactive_sessions"]
        return [Session(self._box, one) for one in said]

    def __getitem__(self, session_id: str) -> Session:
        if len(session_id) == 32:
            said = self._box.client.get(f"/api/interactive-sessions/{session_id}")["interactive_sessions"]
            return Session(self._box, said[0])
        for one in self.all():
            if one.id.endswith(session_id):
                return one
        raise NotFound(f"There is no open session {session_id!r}.", next="qc.sessions lists them.")

    def __iter__(self) -> Iterator[Session]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def table(self) -> Table:
        rows = [
            (
                s.id[-4:],
                s.name,
                s.said.get("state") or "",
                s.said.get("reason") or "",
                s.owner,
                s.said.get("opened_at") or "",
                s.said.get("idle_ends_at") or "",
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
