"""A file as the views read it: CIF, .fcf, SHELX .res and .ins, .hkl, .cube. Plain: bytes in, models out."""

from __future__ import annotations

import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from qcrbox.contract.errors import NotFound

if TYPE_CHECKING:
    from qcrbox.analysis.density.cube import Cube
    from qcrbox.cif import Document
    from qcrbox.cif.document import Block
    from qcrbox.crystallography.reflections import Reflections
    from qcrbox.crystallography.structure import Structure

_KINDS = {
    ".cif": "cif",
    ".fcf": "cif",
    ".mmcif": "cif",
    ".res": "shelx",
    ".ins": "shelx",
    ".hkl": "hkl",
    ".cube": "cube",
    ".cub": "cube",
}
# Å between the outermost atom of a cube file and its image in the cell that is made up for it.
_APART = 20.0


class FileModel:
    """One file. Each property raises QcError where the file has no such thing."""

    def __init__(self, content: bytes, filename: str) -> None:
        self.content, self.filename = content, filename
        self.kind = _KINDS.get(Path(filename).suffix.lower(), "")
        if not self.kind:
            raise NotFound(
                f"{filename} is no file that can be shown here.", next=f"These can: {', '.join(_KINDS)}."
            )

    @cached_property
    def document(self) -> Document:
        """The parsed CIF. Remarks of the reader are kept with it."""
        # Start-up time: the CIF reader is loaded with the first file.
        from qcrbox.cif import read

        if self.kind != "cif":
            raise NotFound(f"{self.filename} is not a CIF.")
        return read(self.content, filename=self.filename, on_error="keep")

    @cached_property
    def block(self) -> Block:
        """The block with the atoms, else with a cell, else the first with items."""
        # Start-up time: as above.
        from qcrbox.analysis.index import main_block

        found = main_block(self.document)
        if found is None:
            raise NotFound(
                f"{self.filename} has no data block{': it is empty' if not self.content.strip() else ''}.",
                next="A CIF begins with a line data_name. Save or download the file again.",
            )
        return found

    @cached_property
    def structure(self) -> Structure:
        """The atoms in their cell; of a cube file in a cell that is made up around them."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.crystallography.shelx.structure import structure_of_instructions
        from qcrbox.crystallography.structure import Structure

        if self.kind == "shelx":
            return structure_of_instructions(self.text, Path(self.filename).stem)
        if self.kind == "cube":
            return _structure_of(self.cube)
        if self.block.find("_atom_site_label") is None:
            raise NotFound(f"{self.filename} has no atoms.")
        return Structure.from_block(self.block)

    @cached_property
    def cube(self) -> Cube:
        """The values of a cube file."""
        # Start-up time: as above.
        from qcrbox.analysis.density.cube import read_cube

        if self.kind != "cube":
            raise NotFound(f"{self.filename} is not a cube file.")
        with tempfile.NamedTemporaryFile(suffix=".cube") as file:
            Path(file.name).write_bytes(self.content)
            return read_cube(file.name)

    @cached_property
    def reflections(self) -> Reflections:
        """The reflections of a .hkl file."""
        # Start-up time: as above.
        from qcrbox.crystallography.reflections import read_hkl

        if self.kind != "hkl":
            raise NotFound(f"{self.filename} is not a .hkl file.")
        return read_hkl(self.content, self.filename)

    @property
    def text(self) -> str:
        """The file as text; bytes that are no UTF-8 are read as Latin-1."""
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return self.content.decode("latin-1")


def _structure_of(cube: Cube) -> Structure:
    # Start-up time: as above.
    import gemmi
    from qcrbox.cif import read
    from qcrbox.crystallography.structure import Structure

    low, high = cube.places.min(axis=0), cube.places.max(axis=0)
    edge = float((high - low).max() + _APART)
    rows = []
    for number, (element, place) in enumerate(zip(cube.numbers.tolist(), cube.places, strict=True), 1):
        symbol = gemmi.Element(int(element)).name
        x, y, z = (place / edge).tolist()
        rows.append(f"{symbol}{number} {symbol} {x:.7f} {y:.7f} {z:.7f} 0.02")
    cell = "".join(f"_cell_length_{axis} {edge:.4f}\n" for axis in "abc")
    cell += "".join(f"_cell_angle_{angle} 90\n" for angle in ("alpha", "beta", "gamma"))
    names = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    loop = "loop_\n" + "".join(f"_atom_site_{name}\n" for name in names)
    text = f"data_cube\n{cell}_space_group_name_H-M_alt 'P 1'\n{loop}" + "\n".join(rows) + "\n"
    return Structure.from_block(read(text.encode()).sole_block())
