"""Differences of two CIFs: as crystal structures, by meaning, or as text."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qcrbox.api.names import as_list
from qcrbox.api.stored_files import cif_of
from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.language import listed
from qcrbox.markup import Table, escape
from qcrbox.markup.colours import BAD, BUSY, GOOD

if TYPE_CHECKING:
    from qcrbox.analysis.difference import CrystalDifference, SemanticDifference
    from qcrbox.api.stored_files import CifFile

MODES = ("crystallographic", "semantic", "text")
_MOST_SHOWN = 500  # rows of the display; the table has all
_MOST_LINES = 3000
_MOST_LABELS = 40
# Beside ΔU, for atoms that changed between isotropic and anisotropic.
_KINDS = {(False, True): " (iso → aniso)", (True, False): " (aniso → iso)"}
_UNFOLDED = 20  # rows of a table; the rest is there after a click


def difference(
    one: Any,
    other: Any,
    *,
    mode: str = "crystallographic",
    ignore: str | Sequence[str] = (),
    su: float = 3.0,
) -> Difference:
    """The difference of two CIFs (files, datasets, results or calculations).

    ignore: names of items to leave out, with `*`. su: changes up to this many s.u. are left out.
    """
    if mode not in MODES:
        raise UserInputError(f"mode must be one of {', '.join(map(repr, MODES))}; you gave {mode!r}.")
    if not isinstance(su, (int, float)) or not su >= 0:
        raise UserInputError(f"su must be a number of 0 or more; you gave {su!r}.", next="Usual: 3.")
    return Difference(cif_of(one), cif_of(other), mode, tuple(as_list(ignore)), su)


class Difference:
    """Differences of two CIFs; `.crystal`, `.semantic` and `.text` are computed on first use. False when empty."""

    def __init__(self, one: CifFile, other: CifFile, mode: str, ignore: tuple[str, ...], su: float) -> None:
        self.one, self.other, self.mode, self.ignore, self.su = one, other, mode, ignore, su

    @cached_property
    def crystal(self) -> CrystalDifference:
        """Differences as crystal structures."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.analysis.difference import crystal_difference

        return crystal_difference(self.one.structure, self.other.structure)

    @cached_property
    def semantic(self) -> SemanticDifference:
        """Differences by meaning."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.analysis.difference import semantic_difference

        blocks = (self.one.block.name, self.other.block.name)
        return semantic_difference(
            self.one.document, self.other.document, ignore=self.ignore, su=self.su, blocks=blocks
        )

    @cached_property
    def text(self) -> str:
        """Differences line by line, as a unified diff; results with the names of their author."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.analysis.difference import text_difference

        return "\n".join(
            text_difference(self.one.written, self.other.written, (self.one.filename, self.other.filename))
        )

    def __bool__(self) -> bool:
        if self.mode == "text":
            return bool(self.text)
        if self.mode == "semantic":
            return bool(self.semantic)
        crystal = self.crystal
        return bool(
            crystal.changed(self.su)
            or self._cell
            or crystal.space_group
            or crystal.only_first
            or crystal.only_second
            or crystal.operation
            or crystal.renamed
            or crystal.notes
        )

    @property
    def _cell(self) -> dict[str, tuple[float, float, float | None]]:
        """Parameters of the cell that changed by more than `su`; without s.u., at all."""
        return {
            name: change
            for name, change in self.crystal.cell.items()
            if change[2] is None or change[2] > self.su
        }

    # ------------------------------------------------------------ tables

    def atoms(self, *, all: bool = False) -> Table:  # noqa: A002 - reads best
        """Atoms that moved or changed: Δ in Å and in s.u."""
        changes = self.crystal.atoms if all else self.crystal.changed(self.su)
        rows = [
            (
                c.label if c.label == c.new_label else f"{c.label} → {c.new_label}",
                f"{c.shift:.4f}",
                _number(c.position_su, "{:.1f}"),
                _number(c.uij, "{:.4f}") + _KINDS.get(c.anisotropic, ""),
                _number(c.uij_su, "{:.1f}"),
                "" if c.occupancy[0] == c.occupancy[1] else f"{c.occupancy[0]:.3g} → {c.occupancy[1]:.3g}",
                "" if c.group[0] == c.group[1] else f"{c.group[0]} → {c.group[1]}",
            )
            for c in sorted(changes, key=lambda c: -(c.position_su or 0))
        ]
        heads = ("atom", "Δ / Å", "Δxyz / s.u.", "ΔU / Å²", "ΔU / s.u.", "occupancy", "part")
        title = "All atoms" if all else f"Atoms changed by more than {self.su:g} s.u."
        return Table(heads, rows, title=title)

    def changes(self) -> Table:
        """Items that changed, by meaning."""
        rows = [
            (
                c.kind,
                self.one.spelling(c.tag),
                c.row,
                _cut(c.first),
                _cut(c.second),
                _number(c.shift_in_su, "{:.1f}"),
            )
            for c in self.semantic.changes
        ]
        heads = ("change", "item", "row", *self._filenames, "Δ / s.u.")
        return Table(heads, rows, title="Changes of meaning", caption=" ".join(self._not_listed()))

    @property
    def _filenames(self) -> tuple[str, str]:
        """Names of both files; results of one command have the same one."""
        one, other = self.one.filename, self.other.filename
        return (f"first {one}", f"second {other}") if one == other else (one, other)

    def _not_listed(self) -> list[str]:
        """What the comparison of meaning leaves out, in sentences."""
        found, sentences = self.semantic, []
        if found.small:
            sentences.append(
                f"{found.small} numbers changed by no more than {self.su:g} s.u. and are left out."
            )
        if found.ignored:
            sentences.append(f"{found.ignored} changes of ignored items are left out.")
        if found.cut:
            sentences.append(f"There are more changes than {len(found)}; the others are not listed.")
        return sentences

    def _lines(self) -> list[str]:
        crystal = self.crystal
        lines = [f"The second is the first after: {crystal.operation}."] if crystal.operation else []
        for name, (_, _, in_su) in self._cell.items():
            before, after = (getattr(each.structure.cell, name) for each in (self.one, self.other))
            lines.append(f"cell {name}: {before} → {after}" + (f" ({in_su:.1f} s.u.)" if in_su else ""))
        if crystal.space_group:
            lines.append("space group: {} → {}".format(*crystal.space_group))
        for words, labels in (
            ("only in the first", crystal.only_first),
            ("only in the second", crystal.only_second),
            ("hydrogen atoms that moved", crystal.moved_hydrogens),
            ("renamed (by geometry)", [f"{a} → {b}" for a, b in crystal.renamed]),
        ):
            if labels:
                lines.append(f"{words}: {listed(labels, _MOST_LABELS)}")
        return [*lines, *crystal.notes]

    # ------------------------------------------------------------ how it looks

    def __repr__(self) -> str:
        try:
            if self.mode == "text":
                return self.text or "No difference."
            if self.mode == "semantic":
                return _text(self.changes()) if self.semantic else " ".join(self._none())
            return "\n".join([*self._lines(), self.atoms().text()]) if self else "The same crystal structure."
        except QcError as error:
            return str(error)

    def _none(self) -> list[str]:
        return ["No difference of meaning.", *self._not_listed()]

    def _left_out(self) -> str:
        """All atoms behind a click, where some changed too little to be listed."""
        few = len(self.crystal.atoms) - len(self.crystal.changed(self.su))
        if not few:
            return ""
        words = f"{few} atoms changed by no more than {self.su:g} s.u.: all atoms"
        return f"<details><summary>{escape(words)}</summary>{self.atoms(all=True).html()}</details>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = repr(self)
        if self.mode == "text":
            colours = {"+": GOOD, "-": BAD, "@": BUSY}
            lines = (
                f"<span style='color:{colours.get(line[:1], 'inherit')}'>{escape(line)}</span>"
                for line in text.splitlines()[:_MOST_LINES]
            )
            more = len(text.splitlines()) - _MOST_LINES
            html = f"<pre style='max-height:30em;overflow:auto'>{chr(10).join(lines)}</pre>"
            html += f"<div>{more} more lines: <code>print(….text)</code></div>" if more > 0 else ""
        elif not self:
            html = f"<p>{escape(text)}</p>{self._left_out() if self.mode == 'crystallographic' else ''}"
        elif self.mode == "semantic":
            html = _folded(self.changes())
        else:
            html = "".join(f"<div>{escape(line)}</div>" for line in self._lines()) + _folded(self.atoms())
            html += self._left_out()
        return {"text/plain": text, "text/html": html}


def _folded(table: Table) -> str:
    """A table whose rows after the first twenty are there after a click."""
    if len(table) <= _UNFOLDED:
        return table.html()
    first = Table(table.heads, table.rows[:_UNFOLDED], title=table.title)
    rest = Table(table.heads, table.rows[_UNFOLDED:_MOST_SHOWN])
    more = f"{len(table) - _UNFOLDED} more rows"
    end = "".join(f"<div>{escape(text)}</div>" for text in (_beyond(table), table.caption) if text)
    return f"{first.html()}<details><summary>{more}</summary>{rest.html()}</details>{end}"


def _text(table: Table) -> str:
    """A table as text, with no more rows than are shown."""
    shown = Table(table.heads, table.rows[:_MOST_SHOWN], title=table.title, caption=table.caption)
    return "\n".join(text for text in (shown.text(), _beyond(table)) if text)


def _beyond(table: Table) -> str:
    more = len(table) - _MOST_SHOWN
    return (
        f"{more} more rows are not shown here; the table has them, for example as .csv()." if more > 0 else ""
    )


def _number(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _cut(text: str | None) -> str:
    return "" if text is None else text if len(text) < 80 else f"{text[:77]}…"
