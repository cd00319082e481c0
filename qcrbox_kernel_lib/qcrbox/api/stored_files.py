"""Stored data files and CIFs, as objects of a notebook."""

from __future__ import annotations

import builtins
import contextlib
import difflib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api.checking import Checked
from qcrbox.api.names import quoted, require_name
from qcrbox.api.stored import Stored
from qcrbox.client.writing import write_new
from qcrbox.contract.errors import CifError, QcError, UserInputError
from qcrbox.display.busy import busy
from qcrbox.language import tr
from qcrbox.markup import Text, escape

if TYPE_CHECKING:
    from qcrbox.api.box import Box
    from qcrbox.cif.convert.written_names import Spelling
    from qcrbox.cif.document import Document
    from qcrbox.crystallography.structure import Structure

_SHOWN_BYTES = 5_000_000  # larger files are not downloaded to show their first lines
_CIF_SUFFIXES = frozenset({".cif", ".fcf", ".mcif"})


class DataFile(Stored):
    """One stored file. Its bytes never change; `.text`, `.bytes`, `.save(path)`."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.id = str(record["qcrbox_file_id"])
        self.filename = str(record.get("filename", ""))
        self.filetype = str(record.get("filetype", "unknown"))

    @property
    def bytes(self) -> bytes:
        """The content."""
        return self.box.files.content(self.id)

    @property
    def text(self) -> Text:
        """The content as text; bytes that are not UTF-8 are replaced."""
        return Text(self.bytes.decode("utf-8", errors="replace"))

    @property
    def size(self) -> int:
        """Size in bytes."""
        return int(self.record.get("size") or len(self.bytes))

    @property
    def is_cif(self) -> bool:
        """True for a CIF, by type or suffix."""
        return self.filetype.lower() in ("cif", "fcf") or Path(self.filename).suffix.lower() in _CIF_SUFFIXES

    def save(self, path: str | Path | None = None) -> Path:
        """Write the bytes to a file (default: its own name, here); an existing file is not overwritten."""
        return self._write(path, self.bytes)

    def _write(self, path: str | Path | None, content: builtins.bytes) -> Path:
        target = Path(path) if path is not None else Path(Path(self.filename).name)
        if target.is_dir():
            target = target / Path(self.filename).name
        return write_new(target, content)

    def delete(self) -> None:
        """Put it in the bin; `.restore()` or `qc.undo()` brings it back."""
        self.move_to_bin()
        self.box.changes.note(f"{self.filename} was deleted", self.restore)

    def move_to_bin(self) -> None:
        """Delete it without a note for `qc.undo()`."""
        self.box.client.delete(f"/api/data-files/{self.id}")

    def restore(self) -> None:
        """Bring it back from the bin."""
        self.box.client.post(f"/api/data-files/{self.id}/restore")

    def _data_file(self, *, cif: bool) -> DataFile:
        return self

    def _code(self) -> str:
        return f'qc.files["{self.id}"]'

    def _lineage_subject(self) -> tuple[str, str]:
        return "data_file", self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataFile) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.filename} ({size_words(self.record.get('size'))})>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        head = self._first_lines()
        html = f"<div>{escape(repr(self))}<pre style='margin:4px 0;opacity:.85'>{escape(head)}</pre></div>"
        return {"text/plain": f"{self!r}\n{head}".rstrip(), "text/html": html}

    def _first_lines(self, most: int = 8) -> str:
        content = self.bytes if self.size <= _SHOWN_BYTES else b""
        if b"\0" in content[:4000]:
            return ""  # no text
        lines = content[:4000].decode("utf-8", errors="replace").splitlines()
        return "\n".join([*(line[:120] for line in lines[:most]), *(["…"] if len(lines) > most else [])])


class CifFile(DataFile):
    """A stored CIF: items as `file["_cell_length_a"]`, blocks as `file["name"]`, `.structure`, `.view()`."""

    def __init__(self, box: Box, record: dict[str, Any], *, block: str | None = None) -> None:
        super().__init__(box, record)
        self.block_name = block
        self._document: Document | None = None

    @property
    def written(self) -> builtins.bytes:
        """The content with the names of its author: of a result those of the input it descends from, s.u. in brackets.

        Other files as they are stored. Decided by the registry (docs/cif.md, "Names that people read").
        """
        return self.box.files.content(self.id, form="written")

    @cached_property
    def item_names(self) -> list[str]:
        """The names of its items as `written` has them, those of every block."""
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif import read

        document = read(self.written, filename=self.filename, on_error="keep")
        return list(dict.fromkeys(tag for block in document.blocks for tag in block.tags))

    @cached_property
    def spelling(self) -> Spelling:
        """How this file's items are spelled for people: `spelling("_cell.length_b")`."""
        # Start-up time: as above.
        from qcrbox.cif.convert.written_names import Spelling

        return Spelling(self.item_names)

    def save(self, path: str | Path | None = None, *, names: str = "as written") -> Path:
        """Write the CIF to a file (default: its own name, here); an existing file is not overwritten.

        names: "as written" (the author's names, s.u. in brackets) or "unified" (as it is stored, for programs).
        """
        # Start-up time: as above.
        from qcrbox.cif.convert.written_names import checked_names

        return self._write(path, self.bytes if checked_names(names) == "unified" else self.written)

    @property
    def document(self) -> Document:
        """The parsed file."""
        if self._document is None:
            # Start-up time: the CIF reader is loaded with the first CIF.
            from qcrbox.cif import read

            content = self.bytes
            with busy(tr("Reading {name}", name=self.filename)):
                self._document = read(content, filename=self.filename)
        return self._document

    @property
    def blocks(self) -> list[str]:
        """Names of the data blocks."""
        return [block.name for block in self.document.blocks]

    @property
    def block(self) -> Any:
        """The chosen block; else the only one with items, or the only one with a unit cell.

        Raises CifError naming the blocks when there are several candidates.
        """
        if self.block_name is not None:
            return self.document[self.block_name]
        filled = [block for block in self.document.blocks if block.entries]
        crystals = [block for block in filled if block.find("_cell_length_a") is not None]
        if len(filled) > 1 and len(crystals) == 1:
            return crystals[0]
        if len(filled) > 1:
            raise CifError(
                f"{self.filename!r} has {len(filled)} data blocks: {', '.join(b.name for b in filled)}.",
                next=f"Choose: {self._readable_code()}[{quoted(filled[0].name)}].",
                file=self.filename,
            )
        return self.document.sole_block()

    def _readable_code(self) -> str:
        """Python for this file: by its dataset when that holds a single CIF, else by its id."""
        dataset_id = self.record.get("qcrbox_dataset_id")
        if dataset_id:
            with contextlib.suppress(QcError):
                dataset = self.box.datasets.by_id(str(dataset_id))
                if dataset.cif == self:
                    return dataset._code()
        return self._code()

    @property
    def structure(self) -> Structure:
        """Cell, space group, sites, displacement parameters, bonds of the chosen block."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.crystallography.structure import Structure

        made = Structure.from_block(self.block)
        self.box.files.structures[made] = self
        return made

    @property
    def cell(self) -> Any:
        """Unit cell of the chosen block."""
        return self.structure.cell

    @property
    def formula(self) -> str:
        """The formula stated in the file, else the sum of the atoms."""
        return self.structure.formula

    @property
    def atoms(self) -> Any:
        """Atoms of the chosen block by label."""
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.display.atoms import Atoms

        return Atoms(self.structure)

    def __getitem__(self, name: str) -> Any:
        """An item's value (`_…`; a list for a column), or the file with another block chosen."""
        require_name(name, self._code())
        if not name.startswith("_"):
            self.document[name]  # raises, naming the blocks there are
            return CifFile(self.box, self.record, block=name)
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif.document import Item
        from qcrbox.cif.values import parse_value

        found = self.block.find(name)
        if found is None:
            others = [block.name for block in self.document.blocks if block.find(name) is not None]
            where = f" in its block {self.block.name}" if len(self.document.blocks) > 1 else ""
            near = difflib.get_close_matches(name, self.block.tags, 1, 0.8)
            hint = f"Did you mean {self.spelling(near[0])!r}?" if near else ""
            raise CifError(
                f"{self.filename} has no {name}{where}.",
                next=f"Block {others[0]} has it: {self._readable_code()}[{quoted(others[0])}]."
                if others
                else hint,
                file=self.filename,
                block=self.block.name,
                tag=name,
            )
        if isinstance(found, Item):
            return found.value
        return [parse_value(raw) for raw in self.block.column(name)]

    def __contains__(self, name: str) -> bool:
        return name in self.block

    # No sequence of its items: Python would ask for self[0], self[1] and so on.
    __iter__ = None

    def number(self, *names: str) -> float | None:
        """The first of the items that is a number, as float; None when none is."""
        for name in names:
            number = self.block.number(name)
            if number is not None:
                return number.value
        return None

    def view(self, **options: Any) -> Any:
        """The structure, drawn."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets.structure_view import StructureView

        return StructureView(self.structure, title=self.filename, **options)

    def validate(self) -> Checked:
        """Run local checks in the manner of checkCIF; the result states that they are a subset."""
        return Checked.of(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.cif import read
        from qcrbox.widgets.cif_text import cif_html

        try:
            shown = read(self.written, filename=self.filename)
            blocks = [shown[self.block_name]] if self.block_name else shown.blocks
            return {"text/plain": repr(self), "text/html": cif_html(shown, blocks)}
        except CifError as error:
            return {"text/plain": f"{self!r}\n{error}"}


def cif_of(source: Any) -> CifFile:
    """The CIF of a dataset, calculation, result or CIF. Raises UserInputError for anything else."""
    found = source._data_file(cif=True) if isinstance(source, Stored) else None
    if not isinstance(found, CifFile):
        raise UserInputError(
            f"A {type(source).__name__} is not a CIF.",
            next="Give a CIF, a dataset, a result or a calculation.",
        )
    return found


def size_words(n: Any) -> str:
    """Bytes in decimal units."""
    if n is None:
        return "?"
    size = float(n)
    for unit in ("B", "kB", "MB", "GB"):
        # As it is rounded: 999,960 bytes are 1.0 MB, not 1000.0 kB.
        if round(size, 1) < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""
