"""A crystal as a view of py3Dmol, whose script comes with this package: nothing is fetched from elsewhere.

py3Dmol loads 3Dmol.js from a CDN by default. The script that was built with our widgets stands compressed in each
view instead (0.2 MB), so that a saved notebook shows it without a kernel and without a network.
"""

from __future__ import annotations

import base64
import gzip
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from qcrbox.contract.errors import UserInputError

if TYPE_CHECKING:
    from qcrbox.crystallography.structure.atoms import Atoms
    from qcrbox.crystallography.structure.structure import Structure

SCRIPT = files("qcrbox") / "widgets" / "static" / "3dmol.js"
STYLE = {"stick": {"radius": 0.1}, "sphere": {"scale": 0.22}}
# What py3Dmol is asked to load; its own words around it are replaced by those that unpack the script.
_PLACE = "qcrbox-3dmol"
_LOAD = f"loadScriptAsync('{_PLACE}')"
_UNPACK = """(async () => {
  const packed = Uint8Array.from(atob('%s'), letter => letter.charCodeAt(0));
  const script = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).blob();
  return loadScriptAsync(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));
})()"""


def view(py3dmol: Any, structure: Structure, atoms: Atoms, *, width: int, height: int) -> Any:
    """A `py3Dmol.view` of these atoms with our bonds, their labels, occupancies and Beq, and the unit cell.

    width, height: in pixels. Raises UserInputError where the script is not built, or where this py3Dmol loads its script
    in a way that is not known here.
    """
    made = py3dmol.view(width=width, height=height, js=_PLACE)
    if _LOAD not in made.startjs:
        raise UserInputError(
            "This version of py3Dmol cannot be given the script of 3Dmol.js.",
            why="It would load the script from another server.",
            next='Install one that can: %pip install "py3Dmol>=2.5,<3"',
        )
    made.startjs = made.startjs.replace(_LOAD, _UNPACK % _packed_script())
    made.addModel()
    made.getModel().setCrystData(*np.asarray(structure.cell.parameters, dtype=float).tolist())
    made.getModel().addAtoms(_atoms(structure, atoms))
    made.setStyle(STYLE)
    made.zoomTo()
    return made


def _atoms(structure: Structure, atoms: Atoms) -> list[dict[str, Any]]:
    """The atoms in the words of 3Dmol.js: Cartesian coordinates in Å, a along x; bonds by row."""
    bonded: list[list[int]] = [[] for _ in range(len(atoms))]
    for first, second in atoms.bonds.tolist():
        bonded[first].append(second)
        bonded[second].append(first)
    occupancy = np.nan_to_num(structure.sites.occupancy[atoms.site], nan=1.0)
    b_equivalent = 8 * np.pi**2 * np.nan_to_num(structure.u_equivalent[atoms.site])
    return [
        {
            "elem": "H" if atoms.element[row] == "D" else atoms.element[row],
            "atom": atoms.label[row],
            "x": round(float(x), 5),
            "y": round(float(y), 5),
            "z": round(float(z), 5),
            "b": round(float(b_equivalent[row]), 4),
            "bonds": bonded[row],
            "bondOrder": [1] * len(bonded[row]),
            "properties": {"occupancy": float(occupancy[row]), "symmetry": atoms.code[row]},
        }
        for row, (x, y, z) in enumerate(atoms.cartesian)
    ]


@cache
def _packed_script() -> str:
    """The script by gzip and base64."""
    if not SCRIPT.is_file():
        raise UserInputError(
            "The script of 3Dmol.js is not built here.",
            next="In a checkout: make setup. Else: install the wheel again.",
        )
    return base64.b64encode(gzip.compress(SCRIPT.read_bytes(), mtime=0)).decode()
