"""Alerts of the local checks: listed, shown at their atoms, answered for the referee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import UserInputError
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.analysis.validation import Alert, Validation
    from qcrbox.api.stored_files import CifFile, DataFile

_LEVELS = {"A": "serious", "B": "important", "C": "look at it", "G": "for information"}


class Checked:
    """`cif.validate()`: `.alerts`, `.show("A", "B")`, `.view()` with click to atom, `.respond(number, text)`."""

    def __init__(self, cif: CifFile, validation: Validation, alerts: list[Alert] | None = None) -> None:
        self.cif, self.validation = cif, validation
        self.alerts: list[Alert] = list(validation.alerts if alerts is None else alerts)

    @classmethod
    def of(cls, cif: CifFile) -> Checked:
        """Run the checks on the chosen block of a CIF."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.analysis.validation import validate

        return cls(cif, validate(cif.block))

    def show(self, *levels: str) -> Checked:
        """Only the alerts of these levels (A, B, C, G)."""
        unknown = [level for level in levels if level not in _LEVELS]
        if unknown:
            raise UserInputError(f"There is no level {unknown[0]!r}.", next=f"Levels: {', '.join(_LEVELS)}.")
        return Checked(self.cif, self.validation, [a for a in self.alerts if a.level in levels])

    @property
    def table(self) -> Table:
        """The alerts with level, test, atoms and advice."""
        rows = [
            (
                number,
                f"{a.level} – {_LEVELS.get(a.level, '')}",
                a.test,
                a.text,
                ", ".join(a.atoms[:12]),
                a.advice,
            )
            for number, a in enumerate(self.alerts)
        ]
        not_run = "; ".join(f"{name}: {why}" for name, why in self.validation.not_run.items())
        caption = self.validation.notice + (f" Not run: {not_run}" if not_run else "")
        heads = ("", "level", "test", "alert", "atoms", "advice")
        return Table(heads, rows, title=f"Checks of {self.cif.filename}", caption=caption)

    def view(self, **options: Any) -> Any:
        """The structure beside the alerts: a button shows the atoms of each."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets.alert_view import AlertView

        return AlertView(
            self.cif.structure,
            self.alerts,
            self.table,
            notice=self.validation.notice,
            title=self.cif.filename,
            **options,
        )

    def respond(self, number: int, text: str) -> DataFile:
        """Store a new CIF with the answer to alert `number` as a `_vrf_` item; the old one stays as it is."""
        if not 0 <= number < len(self.alerts):
            raise UserInputError(
                f"There is no alert {number}; there are 0 to {len(self.alerts) - 1}.",
                next="The table numbers them.",
            )
        alert = self.alerts[number]
        document = self._fresh_document()
        block = document[self.cif.block.name]
        name = f"_vrf_{alert.test}_{block.name}"
        block.set(name, f"\nPROBLEM: {alert.text}\nRESPONSE: {text.strip()}\n")
        return self.cif.box.files.upload(document.to_bytes(), self.cif.filename)

    def _fresh_document(self) -> Any:
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif import read

        return read(self.cif.bytes, filename=self.cif.filename)

    def __len__(self) -> int:
        return len(self.alerts)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(self.alerts)

    def __repr__(self) -> str:
        return self.table.text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table._repr_mimebundle_(**more)
