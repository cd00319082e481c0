"""Restraints: what the words mean, derivatives against finite differences, and what they do to a refinement."""

import numpy as np
import pytest
from qcrbox_refine.bump import short_contacts
from qcrbox_refine.connectivity import distance
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.density import _next_to_atom
from qcrbox_refine.restraint_equations import EqualDistances, Frame
from qcrbox_refine.shelx_input import parse_shelx
from small_models import restraint_derivatives

HEAD = """TITL restraints
CELL 0.71073 9.1 10.3 11.7 93 101 88
ZERR 2 0 0 0 0 0 0
LATT 1
SFAC C N O H F
UNIT 8 2 2 2 6
EQIV $1 1-x, 1-y, 1-z
"""
# Two CF3-like residues, a chain, and hydrogen; displacements differ so that no residual vanishes.
ATOMS = """FVAR 0.5 0.62 1.45
C1 1 0.20 0.30 0.10 11 0.021 0.034 0.028 0.004 0.002 0.001
C2 1 0.32 0.36 0.17 11 0.031 0.024 0.038 0.002 0.006 -0.003
H2 4 0.33 0.46 0.16 11 0.05
N1 2 0.44 0.29 0.24 11 0.041 0.044 0.026 -0.004 0.002 0.005
O1 3 0.55 0.35 0.30 11 0.035
C3 1 0.46 0.16 0.26 11 0.026 0.029 0.043 0.001 0.003 0.004
RESI 1 CF3
C1 1 0.10 0.70 0.50 11 0.03 0.02 0.04 0 0.001 0.002
F1 5 0.22 0.76 0.53 11 0.05 0.04 0.03 0.003 -0.005 0.004
F2 5 0.02 0.69 0.59 11 0.04 0.06 0.03 0.001 0.005 0.002
F3 5 0.03 0.79 0.43 11 0.06 0.03 0.05 -0.003 0.002 0.006
RESI 2 CF3
C1 1 0.80 0.15 0.76 11 0.025 0.03 0.02 0.001 0 0.003
F1 5 0.92 0.20 0.80 11 0.045 0.05 0.033 0.002 0.004 -0.004
F2 5 0.72 0.15 0.87 11 0.035 0.045 0.04 0.001 0.002 0.001
F3 5 0.75 0.26 0.70 11 0.055 0.04 0.05 -0.002 0.003 0.003
RESI 0
HKLF 4
END
"""


# Two carbon atoms 2.9 Å apart, one near its own image, and a chain whose ends bonds join.
CLOSE = """FVAR 0.5
C1 1 0.20 0.16 0.10 11 0.03
C2 1 0.51 0.16 0.10 11 0.03
C3 1 0.42 0.40 0.45 11 0.03
C4 1 0.05 0.70 0.40 11 0.03
C5 1 0.17 0.76 0.34 11 0.03
C6 1 0.28 0.69 0.30 11 0.03
HKLF 4
END
"""


def model_of(lines, atoms=ATOMS):
    return parse_shelx(HEAD + lines + "\n" + atoms, "x.ins")


def equations_of(lines, atoms=ATOMS):
    made = parametrise(model_of(lines, atoms))
    frame, equations = made.restraints.equations(made.structure, made.reparametrisation.parameter_map())
    return made, frame, equations


def labels_of(lines, atoms=ATOMS):
    """Labels of the atoms in each restraint."""
    model = model_of(lines, atoms)
    made = parametrise(model)
    names = [[getattr(r, k).index for k in "oabcd" if hasattr(r, k)] for r in made.restraints.restraints]
    return [[model.atoms[i].label for i in indices] for indices in names]


@pytest.mark.parametrize(
    "lines",
    [
        "DFIX 1.5 0.02 C1 C2 N1 C3",
        "DFIX 31 0.02 C1 C2 N1 C3",
        "DFIX -22 0.02 C1 C2",
        "DFIX -4 0.02 C1 N1",
        "DFIX 3.2 0.02 C1 O1_$1",
        "DANG 2.4 C1 N1",
        "SADI 0.02 C1 C2 C2 N1 N1 C3",
        "SADI_CF3 C1 F1 C1 F2 C1 F3",
        "SAME_CF3 C1 > F3",
        "FLAT 0.05 C1 > C3",
        "CHIV 1.2 0.1 N1",
        "SIMU 0.02 0.04 1.7",
        "ISOR 0.01 0.02",
        "SUMP 1.0 0.01 0.5 2 1.5 3",
        "BUMP 0.02",
    ],
)
def test_derivatives_are_those_of_finite_differences(lines):
    made, _, equations = equations_of(lines, CLOSE if lines.startswith("BUMP") else ATOMS)
    assert equations
    used, quotients = restraint_derivatives(made)
    assert len(used) == made.reparametrisation.n_independents
    assert quotients == pytest.approx(used, abs=1e-4 * max(1.0, np.abs(used).max()))


@pytest.mark.slow
@pytest.mark.parametrize("lines", ["DELU", "DELU_* 0.01", "RIGU", "RIGU_CF3 C1 > F3"])
def test_rigid_bond_derivatives_by_displacements_are_those_of_finite_differences(lines):
    """The line between the atoms counts as constant, so only displacements are moved."""
    made = equations_of(lines)[0]
    moved = [" U" in name for name in made.reparametrisation.independent_names()]
    used, quotients = restraint_derivatives(made, step=1e-7)
    assert any(moved)
    assert quotients[moved] == pytest.approx(used[moved], abs=1e-3)


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        ("ISOR 0.01 C1 > N1", [["C1"], ["C2"], ["N1"]]),
        ("ISOR 0.01 N1 < C1", [["N1"], ["C2"], ["C1"]]),
        ("ISOR_CF3 0.01 C1", [["C1_1"], ["C1_2"]]),
        ("ISOR_2 0.01 F1 F2", [["F1_2"], ["F2_2"]]),
        ("ISOR_* 0.01 C1", [["C1"], ["C1_1"], ["C1_2"]]),
        ("ISOR_0 0.01 C1", [["C1"]]),
        ("ISOR 0.01 C1_1", [["C1_1"]]),
        ("ISOR 0.01 C1_*", [["C1"], ["C1_1"], ["C1_2"]]),
        ("ISOR_1 0.01 C1_+", [["C1_2"]]),
        ("ISOR_2 0.01 C1_-", [["C1_1"]]),
        ("ISOR 0.01 $C", [["C1"], ["C2"], ["C3"]]),
        ("ISOR 0.01 $F_CF3", [["F1_1"], ["F2_1"], ["F3_1"], ["F1_2"], ["F2_2"], ["F3_2"]]),
        ("ISOR 0.01 F2_2 > LAST", [["F2_2"], ["F3_2"]]),
        ("DFIX 1.5 C1 C2 C2 N1", [["C1", "C2"], ["C2", "N1"]]),
        ("DFIX 1.3 C1_* F1_*", [["C1_1", "F1_1"], ["C1_2", "F1_2"]]),
        ("SADI C1 C2 C1_1 F1_1", [["C1", "C2", "C1_1", "F1_1"]]),
        ("DELU C1 C2 N1", [["C1", "C2"], ["C1", "N1"], ["C2", "N1"]]),
        ("CHIV N1", [["N1", "C2", "C3", "O1"]]),
    ],
)
def test_names_of_atoms_mean_what_they_mean_to_shelxl(lines, labels):
    assert labels_of(lines) == labels


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("SADI C1 C2 C2 N1 N1 C3 N1 O1", 6),
        ("SADI_CF3 C1 F1 C1 F2 C1 F3", 15),
        ("SADI 0.02 C1 C2 C2 N1\nSADI 0.02 C2 N1 C1 C2", 1),
        ("SAME_CF3 C1 > F3", 6),
        ("SADI_CF3 0.02 C1 F1 C1 F2 C1 F3\nSAME_CF3 0.02 C1 > F3", 15 + 3),
        ("FLAT C1 C2 N1 O1 C3", 2),
        ("SIMU 0.02 0.04 1.7 C1 C2 N1", 12),
        ("SIMU 0.02 0.04 1.7 N1 O1", 6),
        ("ISOR C1 C2", 12),
        ("ISOR O1 C1", 6),
        ("RIGU_CF3 C1 > F3", 2 * (3 + 3) * 3),
        ("DELU_CF3 C1 > F3", 2 * (3 + 3)),
        ("DFIX -1.0 C1 C2", 0),
        ("DFIX -9.0 C1 C2", 1),
        ("SUMP 1 0.01 1 2", 1),
    ],
)
def test_restraints_are_counted_as_by_shelxl(lines, count):
    made = parametrise(model_of(lines))
    if made.restraints is None:
        assert count == 0
        return
    _, equations = made.restraints.equations(made.structure, made.reparametrisation.parameter_map())
    assert len(equations) == count


@pytest.mark.parametrize(
    ("line", "target", "repulsive"),
    [
        ("DFIX 4.9 C1 C2", 4.9, False),
        ("DFIX 5.2 C1 C2", 5.2, False),
        ("DFIX 9.3 C1 C2", 9.3, False),
        ("DANG 12.5 C1 C2", 12.5, False),
        ("DFIX 15 C1 C2", 15.0, False),
        ("DFIX -4.9 C1 C2", 4.9, True),
        ("DFIX -9 C1 C2", 9.0, True),
    ],
)
def test_a_distance_up_to_15_is_no_code_of_a_fixed_parameter(line, target, repulsive):
    restraint = parametrise(model_of(line)).restraints.restraints[0]
    assert (restraint.offset, restraint.repulsive, restraint.variable) == (target, repulsive, 0)


def test_a_chiral_volume_that_stands_for_a_free_variable_is_named():
    model = model_of("CHIV 21 0.1 N1")
    assert parametrise(model).restraints is None
    assert "free variable" in model.left_out[0].why


def test_same_restrains_the_atoms_that_follow_it():
    atoms = (
        ATOMS.replace("C3 1", "SAME C1 > N1\nC3 1")
        .replace("RESI 1 CF3\n", "")
        .replace("C1 1 0.10", "C7 1 0.10")
    )
    atoms = atoms.replace("RESI 2 CF3\nC1 1 0.80", "C8 1 0.80").partition("F1 5 0.92")[0] + "HKLF 4\nEND\n"
    assert ["C1", "C2", "C3", "C7"] in [sorted(pair) for pair in labels_of("", atoms)]


def test_a_range_that_runs_the_wrong_way_is_named():
    model = model_of("ISOR 0.01 N1 > C1")
    assert parametrise(model).restraints is None
    assert "against the order" in model.left_out[0].why


def test_an_s_u_of_zero_is_named():
    model = model_of("DFIX 1.5 0.0 C1 C2")
    parametrise(model)
    assert "s.u. must be above zero" in model.left_out[0].why


def test_restraints_of_unknown_residues_and_free_variables_are_named():
    model = model_of("SADI_CCF3 C1 C2 C1 C3\nDFIX 91 C1 C2\nSUMP 1 0.1 1 9\nRIGU C1 C99")
    parametrise(model)
    assert [entry.why for entry in model.left_out] == [
        "There is no residue CCF3.",
        "Free variable 9 is used, but FVAR does not give it.",
        "Free variable 9 is used, but FVAR does not give it.",
        "There is no atom C99.",
    ]


def test_bump_keeps_apart_what_no_bonds_join():
    made, _, equations = equations_of("BUMP", CLOSE)
    contacts = short_contacts(made.restraints.model, made.structure, made.restraints.maker.bonds, 0.02)
    labels = [made.restraints.model.atoms[c.a.index].label for c in contacts]
    assert labels == ["C1", "C3"]
    assert [equation.sigma for equation in equations] == [0.02, 0.02]
    assert all(equation.residual < 0 for equation in equations)


# A chain C4-C3-C2-C1 that ends on a twofold axis, a mirror plane or where both meet; C5 stands 2.9 Å from C1.
ON_ELEMENTS = """FVAR 0.5
C1 1 {x} {y} {z} 11 0.03
C2 1 0.47 0.11 0.10 11 0.03
C3 1 0.62 0.13 0.18 11 0.03
C4 1 0.72 0.05 0.25 11 0.03
C5 1 0.38 0.22 0.28 11 0.03
HKLF 4
END
"""


def contacts_of_a_cluster(model, with_symmetry):
    """Atoms and lengths of the short contacts, from a cluster of images and the bonds drawn in it by distance."""
    group, cell = model.symmetry.space_group(), model.symmetry.unit_cell()
    points, owners = [], []
    for i, atom in enumerate(model.atoms):
        for operation in group:
            image = np.array(operation * atom.site)
            for step in np.ndindex(3, 3, 3):
                point = np.array(
                    cell.orthogonalize(image - np.floor(image - atom.site + 0.5) + np.array(step) - 1)
                )
                if not points or np.linalg.norm(np.array(points) - point, axis=1).min() >= 0.1:
                    points.append(point)
                    owners.append(i)
    points = np.array(points)
    own = [
        int(np.linalg.norm(points - np.array(cell.orthogonalize(atom.site)), axis=1).argmin())
        for atom in model.atoms
    ]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    bonded = (apart > 0.1) & (apart < 2.1)
    if not with_symmetry:
        outside = np.ones(len(points), dtype=bool)
        outside[own] = False
        bonded[outside] = False
        bonded[:, outside] = False
    steps = np.linalg.matrix_power(bonded + np.eye(len(points)), 3)
    # Images of one pair have one length; what bonds join in one image is joined in all.
    pairs = [
        (k, m, (*sorted((owners[k], owners[m])), round(float(apart[k, m]), 3)))
        for k in own
        for m in range(len(points))
    ]
    joined = {pair for k, m, pair in pairs if steps[k, m]}
    return {pair for k, m, pair in pairs if 0.1 < apart[k, m] < 3.2} - joined


@pytest.mark.parametrize("place", [(0.4, 0, 0), (0.4, 0, 0.05)])
@pytest.mark.parametrize("sigma", [0.02, -0.02])
def test_bump_knows_the_bonds_of_atoms_on_symmetry_elements(place, sigma):
    """2/m (b unique, cell turned so that y = 0 is the mirror): the same image has several operations there."""
    head = HEAD.replace("93 101 88", "90 90 90").replace("EQIV $1 1-x, 1-y, 1-z", "SYMM x, -y, z")
    model = parse_shelx(
        head + f"BUMP {sigma}\n" + ON_ELEMENTS.format(x=place[0], y=place[1], z=place[2]), "x.ins"
    )
    made = parametrise(model)
    cell, found = model.symmetry.unit_cell(), set()
    for contact in short_contacts(model, made.structure, made.restraints.maker.bonds, sigma):
        i, j = contact.a.index, contact.b.index
        length = cell.distance(model.atoms[i].site, contact.b.symmetry * model.atoms[j].site)
        found.add((*sorted((i, j)), round(length, 3)))
    assert found
    assert found == contacts_of_a_cluster(model, with_symmetry=sigma < 0)


def test_defs_gives_the_defaults():
    _, _, equations = equations_of("DEFS 0.05 0.3\nDFIX 1.5 C1 C2\nDANG 2.4 C1 N1\nFLAT C1 > C3")
    assert [equation.sigma for equation in equations[:3]] == [0.05, 0.1, 0.3]


def test_equal_distances_share_the_weight_of_one_less_than_their_number():
    made, frame, equations = equations_of("SADI_CF3 0.02 C1 F1 C1 F2 C1 F3")
    assert all(isinstance(restraint, EqualDistances) for restraint in made.restraints.restraints)
    assert isinstance(frame, Frame)
    assert sum(1 / equation.sigma**2 for equation in equations) == pytest.approx((6 - 1) / 0.02**2)


def test_a_free_variable_that_only_a_restraint_uses_is_refined():
    made = parametrise(model_of("DFIX 31 0.02 C1 C2 C2 N1"))
    assert "FVAR 3" in made.reparametrisation.independent_names()
    assert "FVAR 2" not in made.reparametrisation.independent_names()


def test_peaks_and_distances_are_those_of_the_nearest_image_in_any_cell():
    """P-1 with angles of 48 to 55°, against a search through all cells in reach."""
    head = HEAD.replace("9.1 10.3 11.7 93 101 88", "8 9 7 48 55 50").replace("EQIV $1 1-x, 1-y, 1-z\n", "")
    steps = np.array(list(np.ndindex(15, 15, 15))) - 7
    for site in np.random.default_rng(2).uniform(-2, 2, (20, 3)):
        place = " ".join(f"{x:.6f}" for x in site)
        atoms = f"FVAR 1\nC1 1 0.1 0.2 0.3 11 0.03\nN1 2 {place} 11 0.03\nHKLF 4\nEND\n"
        both = parse_shelx(head + atoms, "x.ins")
        alone = parse_shelx(head + atoms.replace(f"N1 2 {place} 11 0.03\n", ""), "x.ins")
        cell = both.symmetry.unit_cell()
        images = np.concatenate(
            [sign * np.array(both.atoms[1].site) - both.atoms[0].site + steps for sign in (1, -1)]
        )
        orthogonal = np.array(cell.orthogonalization_matrix()).reshape(3, 3)
        expected = np.linalg.norm(images @ orthogonal.T, axis=1).min()
        moved, label, found = _next_to_atom(both.atoms[1].site, alone)
        assert (label, found) == ("C1", pytest.approx(expected))
        assert cell.distance(moved, alone.atoms[0].site) == pytest.approx(expected)
        assert distance(both, 0, 1) == pytest.approx(expected)
