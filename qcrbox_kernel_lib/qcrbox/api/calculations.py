"""The calculations of a person: start, find, list."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.calculation import Calculation, StoppedWaiting
from qcrbox.api.names import has_name
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.states import State
from qcrbox.display.status_text import brief_text, start_text, status_text, title_text
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box

__all__ = ["Calculation", "Calculations", "StoppedWaiting"]


class Calculations:
    """`qc.calculations`: all of mine, newest first; by id (its end is enough), title or state."""

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
        """Start `command` with arguments in the form of the registry.

        A repeated request with the same `idempotency_key` gives the same calculation.
        """
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
        payload = self._box.client.post("/api/commands", body, headers=key)
        return self.made(str(payload["calculation_id"]), command, arguments)

    def made(self, calculation_id: str, command: Command, arguments: dict[str, Any]) -> Calculation:
        """The calculation that a submission has just created."""
        record = {
            "calculation_id": calculation_id,
            "application_slug": command.application.slug,
            "application_version": command.application.version,
            "command_name": command.name,
            "command_arguments": arguments,
            "status": str(State.SUBMITTED),
        }
        calculation = self._known.get(calculation_id) or Calculation(self._box, record)
        self._known[calculation_id] = calculation
        return calculation

    # ------------------------------------------------------------ finding again

    def read(self, calculation_id: str) -> dict[str, Any]:
        """The record of a calculation. Raises NotFound."""
        return self._box.client.get(f"/api/calculations/{calculation_id}")["calculations"][0]

    def by_id(self, calculation_id: str) -> Calculation:
        """The calculation of this whole id. Raises NotFound."""
        return self._of(self.read(calculation_id))

    def read_log(self, calculation_id: str) -> str:
        """The whole log of a calculation."""
        payload = self._box.client.get(f"/api/calculations/{calculation_id}/log")
        return str(payload.get("text", ""))

    def _of(self, record: dict[str, Any]) -> Calculation:
        known = self._known.get(str(record["calculation_id"]))
        if known is None:
            known = self._known[str(record["calculation_id"])] = Calculation(self._box, record)
        else:
            known.take_record(record)
        return known

    def recent(self, n: int | None = 100, *, everybody: bool = False, **query: Any) -> list[Calculation]:
        """Your newest `n`, None: all; query by status=, application=, q= (text in the title), tag=.

        everybody: those of other people too, as far as you may see them.
        """
        return [self._of(record) for record in self._records(n, mine=not everybody, **query)]

    def _records(
        self, most: int | None = None, *, mine: bool = True, **query: Any
    ) -> Iterator[dict[str, Any]]:
        return self._box.client.listed("/api/calculations", "calculations", most, mine=mine, **query)

    @property
    def running(self) -> list[Calculation]:
        """Running and queued calculations."""
        return [*self.recent(None, status="running"), *self.recent(None, status="submitted")]

    @property
    def failed(self) -> list[Calculation]:
        """Failed calculations."""
        return self.recent(None, status="failed")

    def __getitem__(self, key: str | int) -> Calculation:
        """By whole id, by the end (or beginning) of an id, by title, or by place: 0 the newest."""
        if isinstance(key, int):
            newest = self.recent(key + 1 if key >= 0 else None)
            try:
                return newest[key]
            except IndexError:
                raise NotFound(f"You have {len(newest)} calculations; there is no number {key}.") from None
        if not isinstance(key, str):
            raise UserInputError(
                f"A calculation is asked for by id, title or number; you gave {key!r}.",
                next="qc.calculations[0] is the newest.",
            )
        if len(key) == 32:
            return self.by_id(key)
        hits = self._fitting(key, everybody=False) or self._fitting(key, everybody=True)
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

    def _fitting(self, key: str, *, everybody: bool) -> list[Calculation]:
        """Those with this title; without any, those whose id ends, or begins, like this."""
        found = self.recent(1000, everybody=everybody)
        near = list(({c.id: c for c in self._known.values()} | {c.id: c for c in found}).values())
        titled = [c for c in near if key in (c.title, title_text(c._live, c.title))]
        if len(titled) > 1:
            raise self._several(key, titled)
        return titled or [c for c in near if c.id.endswith(key)] or [c for c in near if c.id.startswith(key)]

    @staticmethod
    def _several(title: str, found: list[Calculation]) -> UserInputError:
        newest = sorted(found, key=lambda calculation: calculation.id, reverse=True)
        listed = [f"{title_text(c._live, c.title)} ({c.short_id}, {start_text(c._live)})" for c in newest]
        return UserInputError(
            f"{len(found)} calculations have the title {title!r}.",
            why="\n".join(listed),
            next=f'Choose by the id, for example qc.calculations["{newest[0].short_id}"], or give one of them another '
            "title.",
        )

    def __contains__(self, key: object) -> bool:
        return has_name(self, key.id if isinstance(key, Calculation) else key)

    def __iter__(self) -> Iterator[Calculation]:
        return map(self._of, self._records())

    def __len__(self) -> int:
        return sum(1 for _ in self._records())

    def table(self, n: int = 20) -> Table:
        """The newest `n` with state, start and progress."""
        rows = [
            (
                c.short_id,
                title_text(c._live, c.title),
                f"{c.application}.{c.command}",
                status_text(c._live),
                start_text(c._live),
                brief_text(c._live),
            )
            for c in self.recent(n)
        ]
        return Table(
            ("id", "title", "command", "status", "started", "says"),
            rows,
            title="Calculations",
            caption="" if rows else "None yet.",
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
