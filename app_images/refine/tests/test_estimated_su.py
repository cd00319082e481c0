"""s.u. that are estimated from a CIF alone, beside those of the full matrix."""

import numpy as np
import pytest
from cctbx import crystal
from qcrbox.crystallography.structure import Structure
from qcrbox_refine.geometry import site_errors
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.refinement import Options, refine_files, write_cif
from qcrbox_refine.site_errors import IDENTITY
from simulated_crystals import write

SITES = [
    ("S1", "S", (0.11, 0.07, 0.31)),
    ("C1", "C", (0.21, 0.33, 0.12)),
    ("O1", "O", (0.30, 0.42, 0.25)),
    ("N1", "N", (0.35, 0.27, 0.03)),
]
PAIRS = [("C1", "O1"), ("C1", "N1"), ("O1", "N1"), ("S1", "C1"), ("S1", "N1")]


@pytest.mark.parametrize(
    ("cell", "group"),
    [
        ((9.1, 9.1, 7.2, 90, 90, 120), "P -3"),
        ((14.1, 6.3, 9.5, 90, 124, 90), "C 1 2/c 1"),
        ((6.8, 7.4, 8.9, 81, 74.5, 68.2), "P -1"),
    ],
    ids=["hexagonal", "monoclinic", "triclinic"],
)
def test_bonds_on_oblique_axes_have_nearly_the_su_of_the_full_matrix(tmp_path, cell, group):
    atoms = [Atom(label, element, site, 1.0, u_iso=0.025) for label, element, site in SITES]
    true = Model(crystal.symmetry(cell, group), atoms, wavelength=0.71073)
    result = refine_files(*write(tmp_path, true, noise=0.03), Options(cycles=8, weighting="keep"))
    write_cif(result, tmp_path / "refined.cif")
    estimated = Structure.from_cif(tmp_path / "refined.cif")
    errors, place = site_errors(result.fit), {atom.label: i for i, atom in enumerate(result.model.atoms)}
    for first, second in PAIRS:
        _, variance = errors.distance(place[first], place[second], IDENTITY)
        assert estimated.distance(first, second).su == pytest.approx(np.sqrt(variance), rel=0.15)
