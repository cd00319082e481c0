"""Mutated real files: structures, checks and differences answer or refuse with our own errors, and never crash."""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import numpy as np
import pytest
from qcrbox.analysis.difference import crystal_difference, semantic_difference
from qcrbox.analysis.quality import quality_indicators
from qcrbox.analysis.validation import validate
from qcrbox.cif import read
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.shelx import export_ins, read_instructions
from qcrbox.crystallography.structure import Structure

from ..conftest import distributed

VALUES = [b"?", b".", b"1e308", b"-1", b"0", b"nan", b"x", b"''", b"5(", b"(3)", b"1.5(0)", b"999999"]


def mutated(data: bytes, seed: int) -> bytes:
    """Words replaced by odd ones, lines dropped, doubled and cut, bytes changed."""
    chance = random.Random(seed)
    lines = data.split(b"\n")
    for _ in range(chance.randint(1, 25)):
        place = chance.randrange(len(lines))
        words = lines[place].split()
        choice = chance.randrange(5)
        if choice == 0 and words:
            words[chance.randrange(len(words))] = chance.choice(VALUES)
            lines[place] = b" ".join(words)
        elif choice == 1:
            del lines[place]
        elif choice == 2:
            lines.insert(place, lines[chance.randrange(len(lines))])
        elif choice == 3:
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
        elif lines[place]:
            spot = chance.randrange(len(lines[place]))
            lines[place] = lines[place][:spot] + bytes([chance.randrange(32, 127)]) + lines[place][spot + 1 :]
    return b"\n".join(lines)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("name", ["thpp", "cu"])
def test_a_mutated_file_gives_a_structure_or_our_error(
    name: str, seed: int, thpp_path: Path, cu_path: Path
) -> None:
    original = (thpp_path if name == "thpp" else cu_path).read_bytes()
    if name == "cu":
        original = original[: original.index(b"data_global")] if b"data_global" in original else original
    document = read(mutated(original, seed), on_error="keep")
    try:
        structure = Structure.from_cif(document.to_bytes())
    except QcError:
        return
    assert np.isfinite(structure.asymmetric_unit.cartesian).all()
    assert isinstance(structure.notes, list)
    try:
        structure.bonds()
        structure.atoms.principal_axes()
        crystal_difference(structure, structure)
        block = next(
            block for block in document.blocks if "_atom_site_label" in block or "_atom_site_fract_x" in block
        )
        validate(block).to_text()
        quality_indicators(block)
    except QcError:
        return


@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_file_differs_from_the_original_or_is_refused(seed: int, thpp_path: Path) -> None:
    original = thpp_path.read_bytes()
    changed = mutated(original, seed)
    try:
        difference = semantic_difference(original, changed)
    except QcError:
        return
    if read(changed, on_error="keep").diagnostics == [] and b" ".join(changed.split()) != b" ".join(
        original.split()
    ):
        assert difference or changed.lower().split() != original.lower().split()


@pytest.mark.parametrize("seed", range(40))
def test_mutated_instructions_are_read_or_refused(seed: int) -> None:
    data = distributed("smtbx", "regression/test_data/thpp.ins").read_bytes()
    with contextlib.suppress(QcError):
        assert read_instructions(mutated(data, seed).decode("latin-1")).lines


def test_export_of_a_structure_without_displacements_still_works(thpp_path: Path) -> None:
    block = read(thpp_path)[0]
    assert block.remove("_atom_site_U_iso_or_equiv")
    text, _ = export_ins(block, wavelength=0.71073)
    assert "0.05000" in text
