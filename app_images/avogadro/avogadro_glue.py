"""Avogadro knows molecules, not space groups: whole molecules go in as Chemical JSON, and come out the same way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from qcrbox.cif._gemmi import gemmi
from qcrbox.cif.structure import Structure
from qcrbox.cif.structure.elements import atomic_number

EDITING, PREPARED = Path("editing.cjson"), Path(".prepared.cjson")


def prepare(structure: str) -> None:
    """Complete the molecules, one orientation of each disorder, and write what Avogadro opens."""
    content = chemical_json(Structure.from_cif(Path(structure)), Path(structure).stem)
    text = json.dumps(content)
    EDITING.write_text(text)
    PREPARED.write_text(text)


def finalise(molecule: str, coordinates: str) -> list[str] | None:
    """The molecule as it was saved; None when it is still what was opened."""
    saved = json.loads(EDITING.read_text())
    if atoms_of(saved) == atoms_of(json.loads(PREPARED.read_text())):
        return None
    shutil.copyfile(EDITING, molecule)
    rows = [
        f"{gemmi.Element(number).name:<2} {x:14.8f} {y:14.8f} {z:14.8f}"
        for number, (x, y, z) in atoms_of(saved)
    ]
    Path(coordinates).write_text(
        "\n".join([str(len(rows)), str(saved.get("name") or "molecule"), *rows]) + "\n"
    )
    return [molecule, coordinates]


def chemical_json(structure: Structure, name: str) -> dict[str, Any]:
    """Atoms in Å and bonds, the format Avogadro calls its own."""
    atoms = structure.grow(disorder="major")
    numbers = [atomic_number(element) for element in atoms.element]
    a, b, c, alpha, beta, gamma = (float(value) for value in structure.cell.parameters)
    return {
        "chemicalJson": 1,
        "name": name,
        "atoms": {
            "elements": {"number": numbers},
            "coords": {"3d": [round(float(x), 6) for x in atoms.cartesian.reshape(-1)]},
        },
        "bonds": {
            "connections": {"index": [int(i) for i in atoms.bonds.reshape(-1)]},
            "order": [1] * len(atoms.bonds),
        },
        "unitCell": {"a": a, "b": b, "c": c, "alpha": alpha, "beta": beta, "gamma": gamma},
    }


def atoms_of(content: dict[str, Any]) -> list[tuple[int, tuple[float, float, float]]]:
    """(atomic number, position in Å to 1e-4) of each atom."""
    atoms = content["atoms"]
    flat = [round(float(x), 4) for x in atoms["coords"]["3d"]]
    return [
        (number, (flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]))
        for i, number in enumerate(atoms["elements"]["number"])
    ]
