"""A calculation on the server, as seen from the notebook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from qcrbox.api.stored import Stored
from qcrbox.client.environment import is_notebook, words_to_user
from qcrbox.client.live import Live, Progress
from qcrbox.contract.errors import (
    CalculationCancelled,
    CalculationFailed,
    NotFound,
    QcError,
    Unreachable,
    UserInputError,
)
from qcrbox.contract.states import FINAL, State
from qcrbox.display.failure_words import failure_of
from qcrbox.display.status_text import (
    card_state,
    first_error,
    line_text,
    lost_connection_text,
    title_text,
)
from qcrbox.display.text_bar import TextBar
from qcrbox.language import tr
from qcrbox.markup import Dated, Text
from qcrbox.waiting import within

if TYPE_CHECKING:
    from qcrbox.api.box import Box
    from qcrbox.api.results import Result
    from qcrbox.api.stored_files import DataFile
    from qcrbox.widgets.calculation_card import Card

_log = logging.getLogger("qcrbox.api")
_SHORT_ID = 4
_POLL_S = 2.0  # polling interval without events


class StoppedWaiting(KeyboardInterrupt):
    """Ctrl-C during a wait. Only the wait has ended; the calculation continues."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class StillRunning(QcError, TimeoutError):
    """Timed out waiting; the calculation is still running. Field: calculation."""

    kind = "still_running"


class Calculation(Stored):
    """One calculation. `await` it or call `.result()`; everything else returns without waiting.

    It lives on the server: after a restart of the kernel `qc.calculations[id]` finds it again.
    """

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box = box
        self.id = str(record["calculation_id"])
        self._live = Live(record)
        self._condition = threading.Condition()
        self._on_change: list[Callable[[], None]] = []
        self._cards: list[Card] = []
        self._result: Result | None = None
        if not self._live.final:
            box.feed.watch(self)

    # ------------------------------------------------------------ what it is

    @property
    def name(self) -> str:
        """The name given at submission, else the name of the command."""
        return str(self._live.record.get("name") or self.command)

    @property
    def title(self) -> str:
        """What went in · what was done · how it ended, or the name that a person gave; the same everywhere.

        Set it to rename: it is stored in the registry, for the output dataset too. "" brings the automatic title back.
        """
        if "title" not in self._live.record:  # known from its submission only
            with contextlib.suppress(Unreachable):
                self.refresh()
        return str(self._live.record.get("title") or self.name)

    @title.setter
    def title(self, title: str) -> None:
        before = str(self._live.record.get("name") or "")
        self._rename(title)
        self.box.changes.note(f"{title!r} was renamed", lambda: self._rename(before))

    def _rename(self, title: str) -> None:
        payload = self.box.client.patch(f"/api/calculations/{self.id}", {"title": title})
        self.take_record(payload["calculations"][0])

    @property
    def command(self) -> str:
        """Name of the command."""
        return str(self._live.record.get("command_name", ""))

    @property
    def application(self) -> str:
        """Slug of the application."""
        return str(self._live.record.get("application_slug", ""))

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments as the registry stores them; a file is {"data_file_id": id}."""
        return dict(self._live.record.get("command_arguments") or {})

    @property
    def record(self) -> dict[str, Any]:
        """The latest record from the REST interface."""
        return self._live.record

    @property
    def short_id(self) -> str:
        """The end of the id, enough to find it again."""
        # Ids grow with time, so their end distinguishes calculations started together.
        return self.id[-_SHORT_ID:]

    # ------------------------------------------------------------ how it is

    @property
    def status(self) -> str:
        """submitted, running, successful, failed or cancelled."""
        self._be_fresh()
        return str(self._live.status)

    @property
    def progress(self) -> Progress:
        """Current fraction, text and metrics, and the place in the queue."""
        self._be_fresh()
        return self._live.progress

    @property
    def done(self) -> bool:
        """True when it has ended, successfully or not."""
        return self.status in FINAL

    @property
    def log(self) -> Text:
        """Everything the program has written so far."""
        return Text(self.box.calculations.read_log(self.id))

    @property
    def error(self) -> QcError | None:
        """The error of a failed or cancelled calculation, not raised; None otherwise."""
        self._be_fresh()
        return self._failure(with_log=True) if self._live.status in (State.FAILED, State.CANCELLED) else None

    @property
    def inputs(self) -> list[Any]:
        """Its input files, without those deleted since."""
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
        """Read the record from the registry now."""
        self.take_record(self.box.calculations.read(self.id))
        return self

    # ------------------------------------------------------------ acting on it

    def cancel(self, reason: str = "") -> Calculation:
        """Stop it. Returns at once; the state changes when the program has ended."""
        self.box.client.post(f"/api/calculations/{self.id}/stop", {"reason": reason} if reason else None)
        return self.refresh()

    def retry(self) -> Calculation:
        """The same command with the same arguments again, as a new calculation."""
        command = self.box.apps[self.application][self.command]
        try:
            return self.box.calculations.submit_arguments(command, self.arguments)
        except NotFound as error:
            raise self._input_is_gone(error) from None

    def _input_is_gone(self, error: NotFound) -> UserInputError:
        named, reason = "An input", "was deleted, or you no longer have access to it"
        with contextlib.suppress(QcError):
            for node in self.lineage.nodes:
                about = node.get("details") or {}
                if node["id"] in self._input_ids() and about.get("deleted"):
                    named = f"Input {about.get('dataset') or node['label']!r}"
                    reason = f"was deleted{self._day_of_deletion(about.get('dataset_id'))}"
        return UserInputError(
            f"{named} of {self.name} ({self.short_id}) {reason}; the record of the calculation stays, but it cannot be "
            "run again.",
            next="qc.datasets.bin lists what can be brought back.",
            details=error.message,
        )

    def _day_of_deletion(self, dataset_id: str | None) -> str:
        days = [
            str(d.record.get("deleted_at") or "")[:10] for d in self.box.datasets.bin if d.id == dataset_id
        ]
        return f" on {days[0]}" if days else ""

    def result(self, timeout: float | None = None, *, quiet: bool = False) -> Result:
        """Wait until it has ended and return the result.

        timeout: seconds, after which StillRunning (a TimeoutError) is raised while the calculation continues.
        Ctrl-C ends the wait only.
        Raises CalculationFailed or CalculationCancelled.
        """
        try:
            if not quiet and not self._live.final:
                return self._result_with_progress(timeout)
            return self._result_after(timeout, lambda: None)
        except KeyboardInterrupt:
            raise StoppedWaiting(self._stopped_waiting()) from None

    def _result_with_progress(self, timeout: float | None) -> Result:
        if is_notebook():
            self._display_card()
            return self._result_after(timeout, lambda: None)
        bar = TextBar(self._live, self.name, self.short_id, self._lost_connection)
        try:
            return self._result_after(timeout, bar.draw)
        finally:
            bar.close()

    def _result_after(self, timeout: float | None, each: Callable[[], None]) -> Result:
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._live.final:
            self._wait_a_little(deadline)
            each()
        return self._finished_result()

    def _wait_a_little(self, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise StillRunning(
                f"{self.name} has not ended in the time given; it is still running.",
                next=f'Ask again: qc.calculations["{self.short_id}"].result().',
                calculation=self.id,
            )
        step_s = 0.2 if self.box.feed.connected else _POLL_S
        with self._condition:
            if not self._live.final:
                self._condition.wait(step_s if left is None else min(step_s, left))
        if not self.box.feed.connected and not self._live.final:
            self._refresh_if_possible()

    def _be_fresh_if_possible(self) -> None:
        """As `_be_fresh`, but an outage is outlasted."""
        if not self._live.final and not self.box.feed.connected:
            self._refresh_if_possible()

    def _refresh_if_possible(self) -> None:
        try:
            self.refresh()
        except Unreachable:
            self.changed()  # the card shows how long the connection has been lost

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
        try:
            while not ended.is_set():
                try:
                    await within(ended.wait(), _POLL_S)
                except TimeoutError:
                    if not self.box.feed.connected:
                        await asyncio.to_thread(self._refresh_if_possible)
        except asyncio.CancelledError:
            # Ctrl-C in a notebook cell arrives here as the end of the waiting task.
            words_to_user().write(f"{self._stopped_waiting()}\n")
            raise
        finally:
            self._on_change.remove(tell)
        return await asyncio.to_thread(self._finished_result)

    def _stopped_waiting(self) -> str:
        return tr(
            'Stopped waiting; {name} is still running. Find it again: qc.calculations["{id}"], stop it: .cancel()',
            name=self.name,
            id=self.short_id,
        )

    def _finished_result(self) -> Result:
        if not self._live.complete:
            self.refresh()  # the end arrived as an event while the record could not be read
        for card in self._cards:
            card.show_end()
        if self._live.status != State.SUCCESSFUL:
            raise self._failure(with_log=True)
        if self._result is None:
            # Start-up time: a result loads numpy for its history.
            from qcrbox.api.results import Result

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
        words, whole = failure_of(error) if error else (f"{self.name} failed.", "")
        headline, _, rest = words.partition("\n")
        return CalculationFailed(
            headline,
            next=self._where_in_log(headline, log),
            details="\n\n".join(part for part in (whole or rest.strip(), log) if part),
            calculation=self.id,
            reason=error,
            log_tail="\n".join((log or error).splitlines()[-20:]),
        )

    def _where_in_log(self, message: str, log: str) -> str:
        number = first_error(log, message)
        line = f", line {number}" if number else ""
        return f'The whole log: qc.calculations["{self.short_id}"].log{line}.'

    # ------------------------------------------------------------ as an argument

    def _data_file(self, *, cif: bool) -> DataFile:
        return self.result()._data_file(cif=cif)

    def _code(self) -> str:
        return f'qc.calculations["{self.short_id}"]'

    def _lineage_subject(self) -> tuple[str, str]:
        return "calculation", self.id

    # ------------------------------------------------------------ news

    def on_change(self, call: Callable[[], None]) -> None:
        """Call `call` from a background thread after every change."""
        self._on_change.append(call)

    def take_event(self, name: str, data: dict[str, Any]) -> None:
        """Apply an event of the registry."""
        if self._live.ends_with(data):
            # Only the record holds outputs, warnings and the error text: an observer of the end must see them too.
            with contextlib.suppress(QcError):
                self.take_record(self.box.calculations.read(self.id))
                return
        self._live.take_event(name, data)
        self.changed()

    def take_record(self, record: dict[str, Any]) -> None:
        """The record as REST gives it."""
        self._live.take_record(record)
        self.changed()

    def changed(self) -> None:
        """Wake waiting threads and call the observers."""
        if self._live.final:
            self.box.feed.release(self.id)
        with self._condition:
            self._condition.notify_all()
        for call in list(self._on_change):
            try:
                call()
            except Exception:  # noqa: BLE001 - an observer that fails must not stop the others, nor the thread of the events
                _log.warning("an observer of %s failed", self.id, exc_info=True)

    # ------------------------------------------------------------ copies

    def __copy__(self) -> Calculation:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Calculation:
        return self  # one object follows the events of one calculation

    def __reduce__(self) -> tuple[Any, ...]:
        return _found_again, (self.box, self.id)

    # ------------------------------------------------------------ how it looks

    def snapshot(self) -> dict[str, Any]:
        """Everything a card shows, as JSON."""
        title = title_text(self._live, self.title)
        return card_state(self._live) | {
            "id": self.id,
            "short_id": self.short_id,
            "name": self.name,
            "title": title,
            "title_words": title.words if isinstance(title, Dated) else title,
            "title_at": title.iso if isinstance(title, Dated) else "",
            "application": self.application,
            "lost_s": self.box.feed.lost_s,
            "lost": self._lost_connection(),
        }

    def _lost_connection(self) -> str:
        feed = self.box.feed
        return lost_connection_text(len(feed.watched), feed.lost_s)

    def _display_card(self) -> None:
        # Start-up time: widgets are loaded when the first card is shown.
        from qcrbox.widgets.calculation_card import CardSource, display_card

        card = display_card(
            CardSource(
                state=self.snapshot,
                text=self.__repr__,
                log=lambda: str(self.log),
                cancel=lambda: self.cancel("cancelled in the notebook"),
                on_change=self.on_change,
            )
        )
        if card is not None:
            self._cards.append(card)

    def _ipython_display_(self) -> None:
        self._display_card()

    def __repr__(self) -> str:
        line = line_text(self._live, title_text(self._live, self.title), self.short_id)
        lost = "" if self._live.final else self._lost_connection()
        return f"{line}\n{lost}" if lost else line


def _found_again(box: Box, calculation_id: str) -> Calculation:
    return box.calculations.by_id(calculation_id)
