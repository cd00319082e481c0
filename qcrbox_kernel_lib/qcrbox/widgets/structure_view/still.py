"""The structure of a CIF as a still picture, for those who have its bytes and no notebook."""

from __future__ import annotations

from qcrbox.analysis.index import main_block
from qcrbox.cif import read
from qcrbox.contract.errors import NotFound
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view.view import StructureView


def still_picture(content: bytes, *, width: int = 480, height: int = 360, dark: bool = False) -> str:
    """Displacement ellipsoids as SVG text, size in pixels. Raises QcError when there is no structure to draw."""
    block = main_block(read(content, on_error="keep"))
    if block is None or block.find("_atom_site_label") is None:
        raise NotFound("The file has no atoms.")
    return StructureView(Structure.from_block(block)).svg(width=width, height=height, dark=dark)
