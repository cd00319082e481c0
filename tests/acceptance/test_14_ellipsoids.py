"""14. Ellipsoids of a hexagonal and a triclinic cell agree with an independent program (cctbx) to 1e-4 Å.

Compared is what is drawn: semi-axes at 50 %, of the asymmetric unit and of the atoms that symmetry makes; and the
bond lengths and angles that are printed.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from cctbx import adptbx, sgtbx, uctbx
from iotbx import cif as iotbx_cif
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets.structure_view import Options, Scene
from scitbx import matrix

SCALE_50 = 1.5381722
CRYSTALS = {
    "hexagonal": ((11.2, 11.2, 17.5, 90, 90, 120), "P 61 2 2"),
    "rhombohedral": ((19.2, 19.2, 22.1, 90, 90, 120), "R -3 c :H"),
    "triclinic": ((7.1, 8.2, 9.3, 95, 101, 112), "P -1"),
}
# Å: a bent chain and an atom beside it, away from every element of symmetry.
PLACES = {"C1": (1.9, 1.2, 1.1), "C2": (2.9, 2.3, 1.3), "O1": (2.6, 3.4, 1.9), "N1": (4.1, 2.1, 0.8)}
TENSORS = {
    "C1": (0.031, 0.044, 0.025, 0.011, -0.004, 0.008),
    "C2": (0.061, 0.034, 0.045, 0.021, 0.012, -0.006),
    "O1": (0.050, 0.080, 0.035, 0.025, -0.010, 0.011),
    "N1": (0.028, 0.041, 0.072, 0.009, 0.013, 0.004),
}


def text(name: str) -> str:
    cell, group = CRYSTALS[name]
    keys = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = ["data_x", *(f"_cell_{key} {value}" for key, value in zip(keys, cell, strict=True))]
    # By operations: neither program has to interpret a name.
    operations = [op.as_xyz() for op in sgtbx.space_group_info(group).group()]
    lines += ["loop_", "_space_group_symop_operation_xyz", *(f"'{op}'" for op in operations)]
    lines += [
        "loop_",
        *(f"_atom_site_{n}" for n in ("label", "type_symbol", "fract_x", "fract_y", "fract_z")),
    ]
    fract = {label: uctbx.unit_cell(cell).fractionalize(place) for label, place in PLACES.items()}
    lines += [f"{label} {label[0]} {x:.5f} {y:.5f} {z:.5f}" for label, (x, y, z) in fract.items()]
    lines += ["loop_", "_atom_site_aniso_label"]
    lines += [f"_atom_site_aniso_U_{ij}" for ij in ("11", "22", "33", "12", "13", "23")]
    lines += [f"{label} {' '.join(map(str, u))}" for label, u in TENSORS.items()]
    return "\n".join(lines) + "\n"


@pytest.fixture(params=CRYSTALS)
def both(request: pytest.FixtureRequest):
    content = text(request.param)
    theirs = next(iter(iotbx_cif.reader(input_string=content).build_crystal_structures().values()))
    return Structure.from_cif(content.encode()), theirs


def test_drawn_semi_axes_agree_also_of_atoms_made_by_symmetry(both) -> None:
    ours, theirs = both
    cell = theirs.unit_cell()
    scatterers = {s.label: s for s in theirs.scatterers()}
    scene = Scene(ours, Options.of({"grow": "cell"}))
    assert len(scene) >= len(PLACES) * ours.space_group.order
    for row, label in enumerate(scene.labels):
        operation = sgtbx.rt_mx(scene.atoms.readable_symmetry(row).replace(" ", ""))
        rotation = matrix.sqr(operation.r().as_double())
        tensor = rotation * matrix.sym(sym_mat3=scatterers[label].u_star) * rotation.transpose()
        eigen = adptbx.eigensystem(adptbx.u_star_as_u_cart(cell, tensor.as_sym_mat3()))
        expected = sorted((np.sqrt(value), eigen.vectors(k)) for k, value in enumerate(eigen.values()))
        drawn = scene.matrices[row]
        for k, (rms, direction) in enumerate(expected):
            semi_axis = drawn[:, k]
            assert np.linalg.norm(semi_axis) == pytest.approx(SCALE_50 * rms, abs=1e-4)
            assert abs(semi_axis @ np.array(direction)) == pytest.approx(SCALE_50 * rms, abs=1e-4)


def test_bond_lengths_agree(both) -> None:
    ours, theirs = both
    cell = theirs.unit_cell()
    bonds = ours.bonds()
    assert len(bonds) >= 3
    for bond in bonds:
        length = cell.distance(site(ours, theirs, bond.label_1), site(ours, theirs, bond.label_2, bond.code))
        assert bond.length.value == pytest.approx(length, abs=1e-4)


def test_angles_agree(both) -> None:
    ours, theirs = both
    cell = theirs.unit_cell()
    angles = ours.angles()
    assert angles
    for one in angles:
        ends = (
            site(ours, theirs, one.label_1, one.code_1),
            site(ours, theirs, one.label_2),
            site(ours, theirs, one.label_3, one.code_3),
        )
        assert one.angle.value == pytest.approx(cell.angle(*ends), abs=1e-3)


def site(ours: Structure, theirs, label: str, code: str = ".") -> tuple[float, ...]:
    """Fractional coordinates of an atom in cctbx, moved by cctbx with the operation that the code names."""
    (place,) = [s.site for s in theirs.scatterers() if s.label == label]
    if code == ".":
        return place
    number, cells = code.split("_")
    operation = re.findall(r"^'(.*)'$", text(name_of(ours)), re.MULTILINE)[int(number) - 1]
    moved = sgtbx.rt_mx(operation) * place
    return tuple(x + int(step) - 5 for x, step in zip(moved, cells, strict=True))


def name_of(ours: Structure) -> str:
    return next(name for name, (cell, _) in CRYSTALS.items() if np.allclose(cell, ours.cell.parameters))
