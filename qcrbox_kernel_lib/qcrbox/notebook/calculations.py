"""A calculation: started by a call, living on the server, looked at from here."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import (
    CalculationCancelled,
    CalculationFailed,
    NotFound,
    QcError,
    Unreachable,
    UserInputError,
)
from qcrbox.contract.states import FINAL, State
from qcrbox.notebook import show
from qcrbox.notebook.events import painter
from qcrbox.notebook.live import Live, Progress, plain_error

if TYPE_CHECKING:
    from qcrbox.notebook.applications import Command
    from qcrbox.notebook.box import Box
    from qcrbox.notebook.results import Result

_SHORT_ID = 4
_POLL_S = 2.0  # how often to ask when no events come


class StoppedWaiting(KeyboardInterrupt):
    """Ctrl-C while waiting: the waiting ended, the calculation did not."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Calculation:
    """One calculation. `await` it or ask `.result()`; everything else looks without waiting.

    It belongs to the server: a kernel restart loses nothing, `qc.calculations[id]` finds it again.
    """

    def __init__(self, box: Box, said: dict[str, Any]) -> None:
        self.box = box
        self.id = str(said["calculation_id"])
        self._live = Live(said)
        self._condition = threading.Condition()
        self._on_change: list[Callable[[], None]] = []
        self._result: Result | None = None
        if not self._live.final:
            box.feed.watch(self)

    # ------------------------------------------------------------ what it is

    @property
    def name(self) -> str:
        """`refine_iam`, or what its person called it."""
        return str(self._live.said.get("name") or self.command)

    @property
    def command(self) -> str:
        return str(self._live.said.get("command_name", ""))

    @property
    def application(self) -> str:
        return str(self._live.said.get("application_slug", ""))

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(self._live.said.get("command_arguments") or {})

    @property
    def short_id(self) -> str:
        # Ids grow with time, so their end tells two calculations of one minute apart.
        return self.id[-_SHORT_ID:]

    # ------------------------------------------------------------ how it is

    @property
    def status(self) -> str:
        """submitted, running, successful, failed or cancelled."""
        self._be_fresh()
        return str(self._live.status)

    @property
    def progress(self) -> Progress:
        """Fraction, text and metrics of now, and the place in the queue."""
        self._be_fresh()
        return self._live.progress

    @property
    def done(self) -> bool:
        return self.status in FINAL

    @property
    def log(self) -> show.Text:
        """All the program wrote so far."""
        return show.Text(self.box.calculations.read_log(self.id))

    @property
    def error(self) -> QcError | None:
        """What went wrong, without raising it; None when nothing did."""
        self._be_fresh()
        return self._failure(with_log=True) if self._live.status in (State.FAILED, State.CANCELLED) else None

    @property
    def inputs(self) -> list[Any]:
        """The data files that went in; those that were deleted since are left out."""
        found = []
        for file_id in self._input_ids():
            with contextlib.suppress(NotFound):
                found.append(self.box.files[file_id])
        return found

    def _input_ids(self) -> list[str]:
        values = self.arguments.values()
        return [str(v["data_file_id"]) for v in values if isinstance(v, dict) and "data_file_id" in v]

    @property
    def lineage(self) -> Any:
        """What it was made from and what was made from it."""
        return self.box.lineage_of(self)

    @property
    def waits(self) -> bool:
        """True while it is queued, as far as is known here."""
        return self._live.status == State.SUBMITTED

    def _be_fresh(self) -> None:
        if not self._live.final and not self.box.feed.connected:
            self.refresh()

    def refresh(self) -> Calculation:
        """Ask the registry now."""
        self.take_record(self.box.calculations.read(self.id))
        return self

    # ------------------------------------------------------------ acting on it

    def cancel(self, reason: str = "") -> Calculation:
        """Stop it. Returns at once; the state follows when the program has ended."""
        self.box.client.post(f"/api/calculations/{self.id}/stop", {"reason": reason} if reason else None)
        return self.refresh()

    def retry(self) -> Calculation:
        """The same command with the same arguments again, as a new calculation."""
        command = self.box.apps[self.application][self.command]
        try:
            return self.box.calculations.submit_arguments(command, self.arguments)
        except NotFound as error:
            raise UserInputError(
                f"An input of {self.name} ({self.short_id}) was deleted, or is no longer yours to see; the record of "
                "the calculation stays, but it cannot be run again.",
                next="qc.datasets.bin lists what can be brought back.",
                details=error.message,
            ) from None

    def result(self, timeout: float | None = None, *, quiet: bool = False) -> Result:
        """Wait until it has ended and return the result.

        timeout: seconds; then TimeoutError, and the calculation goes on. Ctrl-C stops the waiting only.
        Raises CalculationFailed or CalculationCancelled.
        """
        if not quiet and not self._live.final:
            return self._result_with_progress(timeout)
        return self._result_after(timeout, lambda: None)

    def _result_with_progress(self, timeout: float | None) -> Result:
        if show.is_notebook():
            self._display_card()
            return self._result_after(timeout, lambda: None)
        bar = _TextBar(self)
        try:
            return self._result_after(timeout, bar.draw)
        finally:
            bar.close()

    def _result_after(self, timeout: float | None, each: Callable[[], None]) -> Result:
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            while not self._live.final:
                self._wait_a_little(deadline)
                each()
        except KeyboardInterrupt:
            raise StoppedWaiting(
                f'Stopped waiting; {self.name} goes on. Find it again: qc.calculations["{self.short_id}"], '
                "stop it: .cancel()"
            ) from None
        return self._finished_result()

    def _wait_a_little(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError(
                f'{self.name} has not ended in the time given; it goes on. qc.calculations["{self.short_id}"]'
            )
        step_s = 0.2 if self.box.feed.connected else _POLL_S
        with self._condition:
            if not self._live.final:
                self._condition.wait(step_s if left is None else min(step_s, left))
        if not self.box.feed.connected and not self._live.final:
            self._refresh_if_possible()

    def _refresh_if_possible(self) -> None:
        try:
            self.refresh()
        except Unreachable:
            self.changed()  # the card says how long the connection has been lost

    def __await__(self) -> Generator[Any, None, Result]:
        return self._wait_async().__await__()

    async def _wait_async(self) -> Result:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell() -> None:
            if self._live.final:
                loop.call_soon_threadsafe(ended.set)

        self.on_change(tell)
        tell()
        while not ended.is_set():
            try:
                await asyncio.wait_for(ended.wait(), _POLL_S)
            except TimeoutError:
                if not self.box.feed.connected:
                    await asyncio.to_thread(self._refresh_if_possible)
        self._on_change.remove(tell)
        return await asyncio.to_thread(self._finished_result)

    def _finished_result(self) -> Result:
        if not self._live.complete:
            self.refresh()  # the end was told while the record could not be read
        if self._live.status != State.SUCCESSFUL:
            raise self._failure(with_log=True)
        if self._result is None:
            from qcrbox.notebook.results import Result

            self._result = Result(self)
        return self._result

    def _failure(self, *, with_log: bool) -> QcError:
        error = self._live.error_msg
        if self._live.status == State.CANCELLED:
            return CalculationCancelled(
                f"{self.name} was cancelled.", why=error, next="", calculation=self.id
            )
        log = ""
        if with_log:
            with contextlib.suppress(QcError):
                log = str(self.log)
        said, _, rest = error.partition("\n")
        return CalculationFailed(
            plain_error(said) or f"{self.name} failed.",
            next=f'The whole log: qc.calculations["{self.short_id}"].log',
            details="\n\n".join(part for part in (rest.strip(), log) if part),
            calculation=self.id,
            reason=error,
            log_tail="\n".join((log or error).splitlines()[-20:]),
        )

    # ------------------------------------------------------------ news

    def on_change(self, call: Callable[[], None]) -> None:
        """Have `call` called from a background thread when something changed."""
        self._on_change.append(call)

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """An event of the registry about this calculation."""
        if self._live.ends_with(data):
            # Outputs, warnings and error text stand in the record alone: whoever sees the end sees them too.
            with contextlib.suppress(QcError):
                self.take_record(self.box.calculations.read(self.id))
                return
        self._live.take_event(name, data)
        self.changed()

    def take_record(self, said: dict[str, Any]) -> None:
        """The record as REST gives it."""
        self._live.take_said(said)
        self.changed()

    def changed(self) -> None:
        if self._live.final:
            self.box.feed.release(self.id)
        with self._condition:
            self._condition.notify_all()
        for call in list(self._on_change):
            call()

    # ------------------------------------------------------------ how it looks

    def snapshot(self) -> dict[str, Any]:
        """All that a card shows, as JSON."""
        return self._live.snapshot() | {
            "id": self.id,
            "short_id": self.short_id,
            "name": self.name,
            "application": self.application,
            "lost_s": time.time() - self.box.feed.lost_at if self.box.feed.lost_at else None,
        }

    def _display_card(self) -> None:
        from qcrbox.widgets.calculation_card import display_card

        display_card(self)

    def _ipython_display_(self) -> None:
        self._display_card()

    def __repr__(self) -> str:
        return self._live.line(f"{self.application}.{self.command}", self.short_id)


class _TextBar:
    """A progress line on stderr for scripts and terminals; in a file only the changes of step."""

    _WIDTH = 24

    def __init__(self, calculation: Calculation) -> None:
        self._calculation, self._last, self._drawn_at = calculation, "", 0.0
        self._terminal = sys.stderr.isatty()
        self.draw()

    def draw(self) -> None:
        live = self._calculation._live
        line = live.line(self._calculation.name, self._calculation.short_id, width=self._WIDTH)
        if line == self._last or (
            self._terminal and time.monotonic() - self._drawn_at < 0.1 and not live.final
        ):
            return
        self._drawn_at = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{line}")
        else:
            # No terminal: a line for each change of state, not one for each cycle.
            line = live.queue_in_words or live.step or str(live.status)
            if line != self._last:
                sys.stderr.write(f"{self._calculation.name}: {line}\n")
        sys.stderr.flush()
        self._last = line

    def close(self) -> None:
        self.draw()
        if self._terminal:
            sys.stderr.write("\n")


class Calculations:
    """`qc.calculations`: all of mine, newest first; by id (its end is enough) or by state."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._known: dict[str, Calculation] = {}

    # ------------------------------------------------------------ starting

    def submit(
        self,
        command: Command,
        arguments: dict[str, Any],
        *,
        force: bool = False,
        idempotency_key: str | None = None,
    ) -> Calculation:
        """Start `command`; file arguments become stored files first."""
        return self.submit_arguments(
            command,
            self._box.files.as_arguments(command, arguments),
            force=force,
            idempotency_key=idempotency_key,
        )

    def submit_arguments(
        self,
        command: Command,
        arguments: dict[str, Any],
        *,
        force: bool = False,
        idempotency_key: str | None = None,
    ) -> Calculation:
        body: dict[str, Any] = {
            "application_slug": command.application.slug,
            "application_version": command.application.version,
            "command_name": command.name,
            "command_arguments": arguments,
        }
        if force:
            body["force"] = True
        # The same key gives the same calculation: a retried request never starts a second one.
        key = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        said = self._box.client.post("/api/commands", body, headers=key)
        return self.made(str(said["calculation_id"]), command, arguments)

    def made(self, calculation_id: str, command: Command, arguments: dict[str, Any]) -> Calculation:
        said = {
            "calculation_id": calculation_id,
            "application_slug": command.application.slug,
            "application_version": command.application.version,
            "command_name": command.name,
            "command_arguments": arguments,
            "status": str(State.SUBMITTED),
        }
        calculation = self._known.get(calculation_id) or Calculation(self._box, said)
        self._known[calculation_id] = calculation
        return calculation

    # ------------------------------------------------------------ finding again

    def read(self, calculation_id: str) -> dict[str, Any]:
        return self._box.client.get(f"/api/calculations/{calculation_id}")["calculations"][0]

    def read_log(self, calculation_id: str) -> str:
        said = self._box.client.get(f"/api/calculations/{calculation_id}/log")
        return str(said.get("text", ""))

    def _of(self, said: dict[str, Any]) -> Calculation:
        known = self._known.get(str(said["calculation_id"]))
        if known is None:
            known = self._known[str(said["calculation_id"])] = Calculation(self._box, said)
        else:
            known.take_record(said)
        return known

    def recent(self, n: int = 100, **query: Any) -> list[Calculation]:
        """The newest `n`; query by status=, application=, command=, name=."""
        said = self._box.client.get("/api/calculations", limit=n, **query)["calculations"]
        return [self._of(one) for one in said][:n]

    @property
    def running(self) -> list[Calculation]:
        return [*self.recent(status="running"), *self.recent(status="submitted")]

    @property
    def failed(self) -> list[Calculation]:
        return self.recent(status="failed")

    def __getitem__(self, key: str | int) -> Calculation:
        """By whole id, by the end (or beginning) of an id, or by place: 0 the newest."""
        if isinstance(key, int):
            newest = self.recent(abs(key) + 1 if key >= 0 else 1000)
            try:
                return newest[key]
            except IndexError:
                raise NotFound(f"You have {len(newest)} calculations; there is no number {key}.") from None
        if len(key) == 32:
            return self._of(self.read(key))
        near = {c.id: c for c in self._known.values()} | {c.id: c for c in self.recent(1000)}
        hits = [c for c in near.values() if c.id.endswith(key)] or [
            c for c in near.values() if c.id.startswith(key)
        ]
        if not hits:
            raise NotFound(
                f"There is no calculation {key!r} among your last 1000.",
                next="qc.calculations lists them; a whole id finds older ones.",
            )
        if len(hits) > 1:
            raise UserInputError(
                f"{len(hits)} calculations end with {key!r}.",
                next="Give more of the id: " + ", ".join(c.id[-8:] for c in hits[:5]),
            )
        return hits[0].refresh()

    def __iter__(self) -> Iterator[Calculation]:
        return iter(self.recent())

    def __len__(self) -> int:
        return len(self.recent(1000))

    def table(self, n: int = 20) -> show.Table:
        rows = [
            (c.short_id, f"{c.application}.{c.command}", c._live.status_in_words, c._live.when, c._live.brief)
            for c in self.recent(n)
        ]
        return show.Table(
            ("id", "command", "status", "started", "says"),
            rows,
            title="Calculations",
            caption="" if rows else "None yet.",
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


__all__ = ["Calculation", "Calculations", "StoppedWaiting", "painter"]
