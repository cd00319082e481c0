"""Avogadro knows molecules, not space groups: whole molecules go in as Chemical JSON, a crystal comes out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from edited_crystal import AT, write_into
from known_again import known_again
from qcrbox import cif
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.elements import atomic_number

EDITING, PREPARED = Path("editing.cjson"), Path(".prepared.cjson")


def prepare(structure: str) -> None:
    """Complete the molecules, one orientation of each disorder, and write what Avogadro opens."""
    content = chemical_json(Structure.from_cif(Path(structure)), Path(structure).stem)
    text = json.dumps(content)
    EDITING.write_text(text)
    PREPARED.write_text(text)


def finalise(structure: str, edited: str, molecule: str, coordinates: str) -> list[str] | None:
    """The edited crystal as CIF, the molecules as they were saved; None when they are still what was opened."""
    saved_file = newest()
    saved, prepared = json.loads(saved_file.read_text()), json.loads(PREPARED.read_text())
    if atoms_of(saved) == atoms_of(prepared):
        return None
    block = structure_block(structure)
    changes = write_into(
        block,
        Structure.from_block(block),
        known_again(atoms_of(saved, digits=6), atoms_of(prepared, digits=6), prepared["atoms"]["labels"]),
        {label for label in prepared["atoms"]["labels"] if AT not in label},
    )
    for words in changes.words():
        print(words, flush=True)  # noqa: T201 - the session's log is where the person reads it
    Path(edited).write_bytes(cif.Document([block]).to_bytes())
    shutil.copyfile(saved_file, molecule)
    rows = [
        f"{gemmi.Element(number).name:<2} {x:14.8f} {y:14.8f} {z:14.8f}"
        for number, (x, y, z) in atoms_of(saved)
    ]
    Path(coordinates).write_text(
        "\n".join([str(len(rows)), " ".join(str(saved.get("name") or "molecule").split()), *rows]) + "\n"
    )
    return [edited, molecule, coordinates]


def newest() -> Path:
    """What was saved last. Avogadro's Save writes `.cjson` for a file it was started with, Save As whatever is typed."""
    found = [path for path in Path().iterdir() if path.name.endswith(".cjson") and path != PREPARED]
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def structure_block(structure: str) -> cif.Block:
    """The block with atoms; files of several blocks begin with one that has none."""
    blocks = cif.read(Path(structure)).blocks
    return next((block for block in blocks if block.loop("_atom_site_label") is not None), blocks[0])


def chemical_json(structure: Structure, name: str) -> dict[str, Any]:
    """Atoms in Å and bonds, the format Avogadro calls its own. Labels tell symmetry images: C1@3_565."""
    atoms = structure.grow(disorder="major")
    numbers = [atomic_number(element) for element in atoms.element]
    a, b, c, alpha, beta, gamma = (float(value) for value in structure.cell.parameters)
    labels = [
        label if code == "." else f"{label}{AT}{code}"
        for label, code in zip(atoms.label, atoms.code, strict=True)
    ]
    return {
        "chemicalJson": 1,
        "name": name,
        "atoms": {
            "elements": {"number": numbers},
            "coords": {"3d": [round(float(x), 6) for x in atoms.cartesian.reshape(-1)]},
            "labels": labels,
        },
        "bonds": {
            "connections": {"index": [int(i) for i in atoms.bonds.reshape(-1)]},
            "order": [1] * len(atoms.bonds),
        },
        "unitCell": {"a": a, "b": b, "c": c, "alpha": alpha, "beta": beta, "gamma": gamma},
    }


def atoms_of(content: dict[str, Any], digits: int = 4) -> list[tuple[int, tuple[float, float, float]]]:
    """(atomic number, position in Å) of each atom."""
    atoms = content["atoms"]
    flat = [round(float(x), digits) for x in atoms["coords"]["3d"]]
    return [
        (number, (flat[3 * i], flat[3 * i + 1], flat[3 * i + 2]))
        for i, number in enumerate(atoms["elements"]["number"])
    ]
