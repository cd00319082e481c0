"""Independent disorders of a CIF that names groups and no assemblies, against exact intensities with noise."""

import numpy as np
import pytest
from qcrbox_refine.refinement import Options, refine_files
from truth import DISPERSION, Truth, hkl_text, noisy

ATOMS = [
    ("C1", "C", (0.10, 0.20, 0.30), 1, "."),
    ("C2", "C", (0.28, 0.22, 0.34), 1, "."),
    ("O1A", "O", (0.36, 0.12, 0.42), 0.65, "1"),
    ("O1B", "O", (0.40, 0.30, 0.40), 0.35, "2"),
    ("N1", "N", (0.70, 0.60, 0.10), 1, "."),
    ("C5A", "C", (0.85, 0.62, 0.05), 0.80, "1"),
    ("C5B", "C", (0.80, 0.70, 0.16), 0.20, "2"),
    ("C6", "C", (0.60, 0.45, 0.15), 1, "."),
]
HEAD = """data_disorder
_cell_length_a 6.1
_cell_length_b 9.4
_cell_length_c 7.7
_cell_angle_alpha 90
_cell_angle_beta 104
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21/c'
_diffrn_radiation_wavelength 0.71073
loop_
_atom_type_symbol
_atom_type_scat_dispersion_real
_atom_type_scat_dispersion_imag
"""
COLUMNS = [
    "label",
    "type_symbol",
    "fract_x",
    "fract_y",
    "fract_z",
    "U_iso_or_equiv",
    "occupancy",
    "disorder_group",
]


def refined(folder, occupancies):
    """The result for a model that begins with these occupancies."""
    truth, total = Truth("P 21/c", None, 0.71073), 0
    hkl = truth.indices(0.75)
    for label, element, site, occupancy, _ in ATOMS:
        truth.atoms = [(label, element, site, 0.022)]
        total = total + occupancy * truth.f(hkl)
    values, sigma = noisy(np.abs(total) ** 2, 0.01, 4)
    types = "\n".join(f"{e} {real} {imaginary}" for e, (real, imaginary) in DISPERSION.items() if e != "Br")
    rows = "\n".join(
        f"{label} {element} {x} {y} {z} 0.022 {occupancies.get(label, occupancy)} {group}"
        for label, element, (x, y, z), occupancy, group in ATOMS
    )
    columns = "\n".join(["loop_", *(f"_atom_site_{name}" for name in COLUMNS)])
    (folder / "disorder.cif").write_text(f"{HEAD}{types}\n{columns}\n{rows}\n")
    (folder / "disorder.hkl").write_text(hkl_text(hkl, values, sigma))
    return refine_files(
        str(folder / "disorder.cif"), str(folder / "disorder.hkl"), Options(weighting="sigma", cycles=20)
    )


def test_disorders_of_other_occupancies_are_refined_each_for_itself(tmp_path):
    result = refined(tmp_path, {"O1A": 0.6, "O1B": 0.4, "C5A": 0.7, "C5B": 0.3})
    found = {atom.label: atom.occupancy for atom in result.model.atoms if atom.part}
    assert found == pytest.approx({"O1A": 0.65, "O1B": 0.35, "C5A": 0.8, "C5B": 0.2}, abs=0.01)
    assert result.fit.r1_gt < 0.02
    assert not [note for note in result.model.notes if note.startswith("Occupancies that")]


def test_occupancies_that_stay_are_named(tmp_path):
    result = refined(tmp_path, {"O1A": 0.65, "O1B": 0.25})
    found = {atom.label: atom.occupancy for atom in result.model.atoms}
    assert (found["O1A"], found["O1B"]) == (0.65, 0.25)
    assert any("stay as they are: O1A 0.65, O1B 0.25." in note for note in result.model.notes)
