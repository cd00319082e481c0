"""RIGU counts as SHELXL does: no rigid line between the terminal atoms of one group."""

from qcrbox_refine.constraints import parametrise
from qcrbox_refine.refinement import load_model

# O-CH2-CF3 without hydrogen, anisotropic.
_TEXT = """TITL trifluoro
CELL 0.71073 10 10 10 90 90 90
ZERR 1 0 0 0 0 0 0
LATT -1
SFAC C O F
UNIT 2 1 3
RIGU O1 > F3
WGHT 0.1
FVAR 1
"""
_ATOMS = {
    "O1": (2, 0.000, 0.000, 0.000),
    "C1": (1, 0.142, 0.000, 0.000),
    "C2": (1, 0.192, 0.142, 0.000),
    "F1": (3, 0.325, 0.142, 0.000),
    "F2": (3, 0.150, 0.206, 0.109),
    "F3": (3, 0.150, 0.206, -0.109),
}


def test_terminal_atoms_of_one_group_are_not_held_rigid(tmp_path):
    atoms = "".join(
        f"{name} {kind} {x + 0.3:.4f} {y + 0.3:.4f} {z + 0.3:.4f} 11 0.03 0.03 0.03 0 0 0\n"
        for name, (kind, x, y, z) in _ATOMS.items()
    )
    (tmp_path / "x.ins").write_text(_TEXT + atoms + "HKLF 4\nEND\n")
    made = parametrise(load_model(str(tmp_path / "x.ins")))
    equations = made.restraints.build_linearised_eqns(made.structure, made.reparametrisation.parameter_map())
    # 1,2: O-C, C-C, three C-F; 1,3: O···C2 and C1···F three times; three components each.
    assert equations.n_restraints() == 3 * (5 + 4)
