"""Many calculations of one command, started together; a failure of one does not stop the others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from qcrbox.api.stored import Stored
from qcrbox.contract.errors import NotFound, QcError, UserInputError
from qcrbox.contract.states import FINAL, State, state_word
from qcrbox.display.status_text import brief_text, status_text
from qcrbox.markup import Table
from qcrbox.widgets.live_html import LiveHtml
from qcrbox.widgets.painter import painter

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box
    from qcrbox.api.calculations import Calculation

_FIGURES = {"R1": "R1", "wR2": "wR2", "shift_su": "shift_su"}


def as_completed(calculations: Iterable[Calculation]) -> _Completed:
    """Calculations in the order in which they end, by `for` or `async for`."""
    return _Completed(list(calculations))


class _Completed:
    def __init__(self, calculations: list[Calculation]) -> None:
        self._left = list(calculations)
        self._ended = threading.Event()
        for calculation in self._left:
            calculation.on_change(self._ended.set)

    def _take_ended(self) -> list[Calculation]:
        for calculation in self._left:
            calculation._be_fresh_if_possible()
        ended = [c for c in self._left if c._live.final]
        self._left = [c for c in self._left if not c._live.final]
        return ended

    def __iter__(self) -> Iterator[Calculation]:
        while self._left:
            self._ended.clear()
            yield from self._take_ended()
            if self._left:
                self._ended.wait(2.0)

    async def __aiter__(self) -> AsyncIterator[Calculation]:
        while self._left:
            self._ended.clear()
            for calculation in await asyncio.to_thread(self._take_ended):
                yield calculation
            if self._left:
                await asyncio.to_thread(self._ended.wait, 2.0)


class Batch:
    """Calculations of one command on many inputs, in the order of the inputs."""

    def __init__(self, box: Box, command: Command, calculations: list[Calculation], names: list[str]) -> None:
        self.box, self.command = box, command
        self.calculations, self.names = calculations, names
        self.refused: dict[str, QcError] = {}
        self._refused_at: dict[int, QcError] = {}  # by the place of the input
        self._shown: list[LiveHtml] = []

    @classmethod
    def start(cls, box: Box, command: Command, inputs: Iterable[Any], options: dict[str, Any]) -> Batch:
        """One calculation per input, all accepted in one request; inputs that cannot be used are in `.refused`."""
        if isinstance(inputs, (str, bytes, Path, Stored)):
            raise UserInputError(
                f"map() takes a list of inputs; you gave one {type(inputs).__name__}.",
                next="Give [input], or call the command itself.",
            )
        if not hasattr(command, "_bind"):
            raise UserInputError(
                f"map() runs a command; you gave {command!r}.",
                next="For example qc.map(qc.refine.refine_iam, …).",
            )
        if not isinstance(inputs, Iterable):
            raise UserInputError(f"map() takes a list of inputs; you gave {inputs!r}.")
        made, names, arguments = cls(box, command, [], []), [], []
        for number, source in enumerate(inputs):
            name = str(getattr(source, "name", None) or (source if isinstance(source, str) else number))
            try:
                arguments.append(box.files.as_arguments(command, command._bind((source,), options)))
                names.append(name)
            except QcError as error:
                # Two inputs with the same name are both listed.
                made.refused[name if name not in made.refused else f"{name} ({number})"] = error
                made._refused_at[number] = error
        made._submit(arguments, names)
        return made

    def _submit(self, arguments: list[dict[str, Any]], names: list[str]) -> None:
        application = self.command.application
        for start in range(0, len(arguments), 1000):
            part = arguments[start : start + 1000]
            body = {
                "commands": [
                    {
                        "application_slug": application.slug,
                        "application_version": application.version,
                        "command_name": self.command.name,
                        "command_arguments": argument,
                    }
                    for argument in part
                ]
            }
            payload = self.box.client.post("/api/commands/batch", body)
            for argument, calculation_id in zip(part, payload["calculation_ids"], strict=True):
                self.calculations.append(
                    self.box.calculations.made(str(calculation_id), self.command, argument)
                )
        self.names += names

    # ------------------------------------------------------------ waiting

    def as_completed(self) -> _Completed:
        """Calculations as they end: `async for c in batch.as_completed(): …`, or plain `for`."""
        return as_completed(self.calculations)

    def results(self, timeout: float | None = None) -> list[Any]:
        """Wait for all. Returns a Result for each input, or the error, which is not raised; in the order of the inputs."""
        deadline = None if timeout is None else time.monotonic() + timeout
        answers: list[Any] = []
        for calculation in self.calculations:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                answers.append(calculation.result(left, quiet=True))
            except QcError as error:
                answers.append(error)
        for place, refusal in sorted(self._refused_at.items()):
            answers.insert(place, refusal)
        # Before the cell returns: a program that runs a notebook takes outputs only while a cell runs.
        for shown in self._shown:
            shown.paint()
        return answers

    def __await__(self) -> Any:
        return asyncio.to_thread(self.results).__await__()

    # ------------------------------------------------------------ looking and acting

    @property
    def failed(self) -> Batch:
        """Those that failed or were cancelled, as a batch."""
        return self._those(State.FAILED, State.CANCELLED)

    @property
    def successful(self) -> Batch:
        """Those that succeeded, as a batch."""
        return self._those(State.SUCCESSFUL)

    def _those(self, *states: State) -> Batch:
        kept = [(c, n) for c, n in zip(self.calculations, self.names, strict=True) if c.status in states]
        return Batch(self.box, self.command, [c for c, _ in kept], [n for _, n in kept])

    def retry(self) -> Batch:
        """The same calculations again."""
        again = Batch(self.box, self.command, [], [])
        again._submit([c.arguments for c in self.calculations], list(self.names))
        return again

    def cancel(self) -> None:
        """Cancel those that have not ended."""
        for calculation in self.calculations:
            if calculation.status not in FINAL:
                calculation.cancel()

    @property
    def table(self) -> Table:
        """name, R1, wR2, shift_su, status, says: `batch.table["name", "R1"]`."""
        rows = []
        for calculation, name in zip(self.calculations, self.names, strict=True):
            live = calculation._live
            figures: list[Any] = [None] * len(_FIGURES)
            if live.status == State.SUCCESSFUL:
                result = calculation.result()
                figures = [getattr(result, attribute) for attribute in _FIGURES.values()]
            rows.append((name, *figures, status_text(live), brief_text(live), calculation.short_id))
        rows += [
            (name, None, None, None, "✗ refused", error.message, "") for name, error in self.refused.items()
        ]
        return Table(("name", *_FIGURES, "status", "says", "id"), rows, title=self._title())

    def counts(self) -> dict[str, int]:
        """Number of calculations in each state."""
        counted: dict[str, int] = {}
        for calculation in self.calculations:
            word = str(calculation._live.status)
            counted[word] = counted.get(word, 0) + 1
        return counted

    def _title(self) -> str:
        counted = self.counts() | ({"refused": len(self._refused_at)} if self._refused_at else {})
        counts = ", ".join(f"{n} {state_word(state)}" for state, n in counted.items())
        return f"{self.command.qualified_name} × {len(self.calculations)}: {counts or 'nothing started'}"

    def __len__(self) -> int:
        return len(self.calculations)

    def __iter__(self) -> Iterator[Calculation]:
        return iter(self.calculations)

    def __contains__(self, key: object) -> bool:
        return key in self.names or key in self.calculations

    @overload
    def __getitem__(self, key: int | str) -> Calculation: ...

    @overload
    def __getitem__(self, key: slice) -> list[Calculation]: ...

    def __getitem__(self, key: int | str | slice) -> Calculation | list[Calculation]:
        """One by its place or by the name of its input; several by a slice."""
        if isinstance(key, (int, slice)):
            return self.calculations[key]
        if key not in self.names:
            there = f"There are: {', '.join(dict.fromkeys(self.names)) or 'none'}."
            refused = f"It was refused: {self.refused[key].message}" if key in self.refused else there
            raise NotFound(f"No calculation of this batch is called {key!r}.", next=refused)
        return self.calculations[self.names.index(key)]

    def _ipython_key_completions_(self) -> list[str]:
        return list(dict.fromkeys(self.names))

    def __repr__(self) -> str:
        return self.table.text()

    def _ipython_display_(self) -> None:
        shown = LiveHtml(lambda: self.table._repr_mimebundle_())
        self._shown.append(shown)
        for calculation in self.calculations:
            calculation.on_change(lambda: painter.ask(id(shown), shown.paint))
        # Some may have ended before their changes were observed.
        painter.ask(id(shown), shown.paint)
