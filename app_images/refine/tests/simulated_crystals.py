"""Crystals whose truth is known: structure factors with noise, as files."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from cctbx import crystal, miller, xray
from cctbx.array_family import flex
from qcrbox.cif import read
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.cif_output import model_block
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.reflections import hkl_text
from qcrbox_refine.scattering import set_factors

# Acetic-acid-like chain with a chlorine atom on the inversion centre of P -1.
CELL = (6.8, 7.4, 8.9, 81.0, 74.5, 68.2)
ATOMS = [
    ("Cl1", "Cl", (0.0, 0.0, 0.0), 1.0),
    ("C1", "C", (0.30, 0.25, 0.20), 1.0),
    ("C2", "C", (0.48, 0.28, 0.24), 1.0),
    ("O1", "O", (0.58, 0.14, 0.33), 1.0),
    ("O2", "O", (0.51, 0.43, 0.20), 1.0),
    ("N1", "N", (0.22, 0.61, 0.55), 1.0),
    ("C3", "C", (0.32, 0.74, 0.52), 1.0),
]


def parse_blocks(text: str) -> list[CifBlock]:
    """The data blocks of a CIF text."""
    return [CifBlock(block=block) for block in read(text.encode()).blocks]


def as_hklf4(array: miller.array) -> str:
    """SHELX HKLF 4 text of intensities with their s.u."""
    indices = np.array(array.indices(), dtype=int).reshape(-1, 3)
    return hkl_text(indices, array.data().as_numpy_array(), array.sigmas().as_numpy_array())


def model(space_group: str = "P -1") -> Model:
    symmetry = crystal.symmetry(CELL, space_group)
    atoms = [
        Atom(label, element, site, occupancy, u_iso=0.02 + 0.002 * i)
        for i, (label, element, site, occupancy) in enumerate(ATOMS)
    ]
    for i, atom in enumerate(atoms):
        atom.u_aniso = (0.02 + 0.001 * i, 0.025, 0.022, 0.003, 0.004, 0.005)
    made = Model(symmetry, atoms, wavelength=0.71073, cell_su=(0.001, 0.001, 0.002, 0.01, 0.01, 0.02), z=1)
    made.title = "simulated"
    return made


def intensities(true: Model, *, d_min: float = 0.75, noise: float = 0.02, seed: int = 1) -> miller.array:
    """F² of the model with normal noise; s.u. = noise × F² + 0.3 % of the mean."""
    structure: xray.structure = true.structure()
    set_factors(structure, true)
    fc = structure.structure_factors(d_min=d_min, anomalous_flag=True, algorithm="direct").f_calc()
    exact = miller.array(fc, data=flex.pow2(flex.abs(fc.data())))
    if structure.space_group().is_centric():
        exact = exact.as_non_anomalous_array().merge_equivalents().array()
    squares = exact.data()
    floor = 0.003 * flex.mean(squares)
    sigmas = squares * noise + floor
    generator = random.Random(seed)
    data = flex.double([value + generator.gauss(0, su) for value, su in zip(squares, sigmas, strict=True)])
    return miller.array(exact, data=data, sigmas=sigmas).set_observation_type_xray_intensity()


def write(folder: Path, true: Model, start: Model | None = None, **options: float) -> tuple[Path, Path]:
    """Files simulated.cif (the start model) and simulated.hkl."""
    cif, hkl = folder / "simulated.cif", folder / "simulated.hkl"
    cif.write_text(str(model_block(start or true)))
    hkl.write_text(as_hklf4(intensities(true, **options)))
    return cif, hkl
