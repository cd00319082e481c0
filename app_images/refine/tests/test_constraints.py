"""How many parameters a model has, and their derivatives: special positions, ties, shared sites, groups."""

import numpy as np
import pytest
from qcrbox_refine.constraints import not_positive_definite, parametrise
from qcrbox_refine.edits import make_anisotropic
from qcrbox_refine.model import Atom
from qcrbox_refine.parameter_bases import restricted
from qcrbox_refine.parameter_blocks import Tie
from qcrbox_refine.parameters import Coding
from scitbx.array_family import flex
from small_models import atom_parameters, difference_quotients, jacobian, model_in, shelx_model

ORTHORHOMBIC = (7.0, 8.0, 9.0, 90, 90, 90)
TETRAGONAL = (7.0, 7.0, 9.0, 90, 90, 90)
HEXAGONAL = (7.0, 7.0, 9.0, 90, 90, 120)
CUBIC = (8.0, 8.0, 8.0, 90, 90, 90)
MONOCLINIC = (7.0, 8.0, 9.0, 90, 103, 90)
TRICLINIC = (7.0, 8.0, 9.0, 83, 103, 95)
RHOMBOHEDRAL = (7.0, 7.0, 7.0, 83, 83, 83)
# Site, group, cell, site symmetry, free coordinates, free U(ij): International Tables Vol A (positions), and Peterse &
# Palm, Acta Cryst. 20 (1966) 147 (tensors).
SPECIAL = {
    "general": ("P -1", TRICLINIC, (0.1, 0.2, 0.3), 3, 6),
    "-1": ("P -1", TRICLINIC, (0.5, 0, 0.5), 0, 6),
    "2 along b": ("P 1 2 1", MONOCLINIC, (0, 0.3, 0.5), 1, 4),
    "m across b": ("P 1 m 1", MONOCLINIC, (0.2, 0.5, 0.3), 2, 4),
    "2/m": ("P 1 2/m 1", MONOCLINIC, (0.5, 0.5, 0), 0, 4),
    "2 of C 2/c": ("C 1 2/c 1", MONOCLINIC, (0, 0.17, 0.25), 1, 4),
    "222": ("P 2 2 2", ORTHORHOMBIC, (0, 0.5, 0), 0, 3),
    "mm2": ("P m m 2", ORTHORHOMBIC, (0, 0.5, 0.4), 1, 3),
    "mmm": ("P m m m", ORTHORHOMBIC, (0, 0.5, 0.5), 0, 3),
    "m of P n m a": ("P n m a", ORTHORHOMBIC, (0.13, 0.25, 0.41), 2, 4),
    "4": ("P 4", TETRAGONAL, (0.5, 0.5, 0.3), 1, 2),
    "-4": ("I -4", TETRAGONAL, (0, 0.5, 0.25), 0, 2),
    "m.2m diagonal": ("P 4/m m m", TETRAGONAL, (0.2, 0.2, 0), 1, 3),
    "m on the diagonal": ("P 4 m m", TETRAGONAL, (0.2, 0.2, 0.4), 2, 4),
    "2 on the diagonal": ("P 4 2 2", TETRAGONAL, (0.2, 0.2, 0), 1, 4),
    "4/mmm": ("P 4/m m m", TETRAGONAL, (0, 0, 0), 0, 2),
    "3": ("P 3", HEXAGONAL, (1 / 3, 2 / 3, 0.2), 1, 2),
    "-3": ("P -3", HEXAGONAL, (0, 0, 0.5), 0, 2),
    "m of P -3 m 1 (x, -x)": ("P -3 m 1", HEXAGONAL, (0.2, 0.8, 0.3), 2, 4),
    "2 of P 3 2 1 (x, 0, 0)": ("P 3 2 1", HEXAGONAL, (0.3, 0, 0), 1, 4),
    "-6": ("P -6", HEXAGONAL, (1 / 3, 2 / 3, 0), 0, 2),
    "m of P 63/m": ("P 63/m", HEXAGONAL, (0.37, 0.13, 0.25), 2, 4),
    "mm2 of P 6/m m m (x, 2x)": ("P 6/m m m", HEXAGONAL, (0.2, 0.4, 0.5), 1, 3),
    "3 on rhombohedral axes": ("R 3 :R", RHOMBOHEDRAL, (0.2, 0.2, 0.2), 1, 2),
    "m on rhombohedral axes": ("R 3 m :R", RHOMBOHEDRAL, (0.1, 0.1, 0.4), 2, 4),
    "3 of P 21 3": ("P 21 3", CUBIC, (0.2, 0.2, 0.2), 1, 2),
    "23": ("P 2 3", CUBIC, (0, 0, 0), 0, 1),
    "-43m": ("F -4 3 m", CUBIC, (0.25, 0.25, 0.25), 0, 1),
    "m-3m": ("F m -3 m", CUBIC, (0.5, 0.5, 0.5), 0, 1),
    "3m of P m -3 m": ("P m -3 m", CUBIC, (0.2, 0.2, 0.2), 1, 2),
}


def special_model(name):
    group, cell, site, *_ = SPECIAL[name]
    model = model_in(cell, group, [Atom("C1", "C", site, u_iso=0.03)])
    # A sphere as a tensor: it fits every site symmetry.
    make_anisotropic(model, model.atoms[0])
    return model


@pytest.mark.parametrize("name", SPECIAL)
def test_special_positions_have_the_parameters_of_international_tables(name):
    made = parametrise(special_model(name)).reparametrisation
    names = made.independent_names()
    n_site = sum(word.split()[1] in "xyz" for word in names)
    assert (n_site, len(names) - n_site) == SPECIAL[name][3:]


@pytest.mark.parametrize("name", SPECIAL)
def test_any_shift_leaves_an_atom_on_its_special_position(name):
    """Each operation of the site symmetry brings site and U* back to themselves: x = Rx + t, U* = R U* Rᵀ."""
    model = special_model(name)
    made = parametrise(model)
    r = made.reparametrisation
    shift = 0.003 * np.random.default_rng(len(name)).normal(size=r.n_independents)
    r.apply_shifts(flex.double(shift))
    r.store()
    scatterer = made.structure.scatterers()[0]
    a, b, c, d, e, f = scatterer.u_star
    tensor = np.array([[a, d, e], [d, b, f], [e, f, c]])
    for operation in made.structure.site_symmetry_table().get(0).matrices():
        rotation = np.array(operation.r().as_double()).reshape(3, 3)
        assert np.array(operation * scatterer.site) == pytest.approx(np.array(scatterer.site), abs=1e-9)
        assert rotation @ tensor @ rotation.T == pytest.approx(tensor, abs=1e-12)
    if r.n_independents:
        assert np.abs(atom_parameters(r)).max() > 0


EXACT = {
    "isotropic and anisotropic atoms": "C1 1 0.1 0.2 0.3 11 0.03\nN1 3 0.3 0.4 0.2 11 0.03 0.02 0.04 0.001 0.002 0.003",
    "fixed coordinates and U(ij)": "C1 1 10.1 0.2 0.3 11 0.02 10.03 0.04 10.001 0.002 0.003",
    "free occupancies": "C1 1 0.1 0.2 0.3 0.7 0.03\nO1 4 0.4 0.2 0.3 0.4 0.03",
    "occupancies of one variable": "C1 1 0.1 0.2 0.3 21 0.03\nC2 1 0.4 0.2 0.3 -21 0.03",
    "coordinates and U of variables": "C1 1 41 0.2 -40.5 11 31\nC2 1 0.5 40.3 0.3 11 30.5",
    "a tied tensor": "C1 1 0.1 0.2 0.3 11 31 31 31 0.001 30.1 0.002",
    "AFIX 1": "AFIX 1\nC1 1 0.1 0.2 0.3 11 0.03\nAFIX 0\nC2 1 0.4 0.2 0.3 11 0.03",
    "AFIX 2": "AFIX 2\nC1 1 0.1 0.2 0.3 0.5 0.03\nAFIX 0\nC2 1 0.4 0.2 0.3 11 0.03",
    "a rigid group": "AFIX 6\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.25 0.2 0.35 11 0.03\nN3 3 0.2 0.3 0.4 11 0.03\nAFIX 0",
    "a rigid group with a scale": "AFIX 9\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.25 0.2 0.35 11 0.03\nN3 3 0.2 0.3 0.4 11 0.03\nAFIX 0",
    "AFIX 3 on a member of a rigid group": "AFIX 6\nC1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.25 0.2 0.35 11 0.03\nAFIX 3\n"
    "H2 2 0.3 0.25 0.4 11 0.05\nAFIX 5\nN3 3 0.2 0.3 0.4 11 0.03\nAFIX 0",
    "AFIX 3": "C1 1 0.1 0.2 0.3 11 0.03\nAFIX 3\nH1 2 0.15 0.25 0.35 11 0.05\nAFIX 0",
    "AFIX 4 refines the distance": "C1 1 0.1 0.2 0.3 11 0.03\nAFIX 4\nH1 2 0.15 0.25 0.35 11 0.05\nAFIX 0",
}


@pytest.mark.parametrize("atoms", EXACT.values(), ids=EXACT.keys())
def test_derivatives_of_the_parameters_are_those_of_their_shifts(atoms):
    made = parametrise(shelx_model(atoms)).reparametrisation
    assert made.n_independents > 0
    # The scale of a rigid group acts on what the last step has scaled: 2e-6 of second order.
    assert jacobian(made) == pytest.approx(difference_quotients(made), abs=5e-6)


@pytest.mark.parametrize(
    "cards",
    [("EADP C1 C2",), ("EXYZ C1 C2",), ("EADP C1 C2", "EXYZ C2 C1"), ("EXYZ C1 C2", "EXYZ C2 N1")],
    ids=["EADP", "EXYZ", "both", "overlapping"],
)
def test_derivatives_of_shared_parameters_are_those_of_their_shifts(cards):
    atoms = (
        "C1 1 0.1 0.2 0.3 10.5 0.02 0.03 0.04 0.001 0.002 0.003\n"
        "C2 1 0.1 0.2 0.3 10.5 0.02 0.03 0.04 0.001 0.002 0.003\nN1 3 0.1 0.2 0.3 10.2 0.03"
    )
    made = parametrise(shelx_model(atoms, *cards)).reparametrisation
    found = jacobian(made)
    assert found == pytest.approx(difference_quotients(made), abs=1e-6)
    shared = found != 0
    assert shared.sum(axis=1).max() >= 2


AROMATIC = """C2 1 0.2 0.2 0.2 11 0.03
C3 1 0.36 0.2 0.36 11 0.03
C1 1 0.33 0.16 0.25 11 0.03
"""
METHYL = """C2 1 0.2 0.2 0.2 11 0.03
C1 1 0.33 0.26 0.25 11 0.03
AFIX {code}
H1A 2 0.30 0.33 0.29 11 -1.5
H1B 2 0.40 0.20 0.30 11 -1.5
H1C 2 0.38 0.29 0.19 11 -1.5
AFIX 0
"""
HYDROXYL = "C2 1 0.2 0.2 0.2 11 0.03\nO1 4 0.33 0.26 0.25 11 0.03\nAFIX {code}\nH1 2 0.30 0.33 0.29 11 -1.5\nAFIX 0\n"


@pytest.mark.parametrize(
    ("atoms", "own"),
    [
        (METHYL.format(code=137), ["C1 torsion"]),
        (METHYL.format(code=138), ["C1 torsion", "C1 distance"]),
        (METHYL.format(code=134), ["C1 distance"]),
        (METHYL.format(code=133), []),
        (METHYL.format(code=33), []),
        (METHYL.format(code=37), ["C1 torsion"]),
        (METHYL.format(code=7), ["C1 torsion"]),
        (METHYL.format(code=8), ["C1 torsion", "C1 distance"]),
        (HYDROXYL.format(code=147), ["O1 torsion"]),
        (HYDROXYL.format(code=148), ["O1 torsion", "O1 distance"]),
        (HYDROXYL.format(code=83), []),
        (HYDROXYL.format(code=87), ["O1 torsion"]),
        (AROMATIC + "AFIX 44\nH1 2 0.4 0.1 0.2 11 -1.2\nAFIX 0", ["C1 distance"]),
        (AROMATIC + "AFIX 43\nH1 2 0.4 0.1 0.2 11 -1.2\nAFIX 0", []),
    ],
    ids=lambda value: None if isinstance(value, str) else ", ".join(value) or "none",
)
def test_a_riding_group_refines_its_torsion_and_distance_and_nothing_else(atoms, own):
    made = parametrise(shelx_model(atoms)).reparametrisation
    names = made.independent_names()
    assert [name for name in names if name.endswith(("torsion", "distance"))] == own
    assert not any(name.startswith("H1") for name in names)
    found, expected = jacobian(made), difference_quotients(made)
    for name in own:
        k = names.index(name)
        # Positions are made ideal after the step; the derivatives contain that to first order only.
        assert found[k] == pytest.approx(expected[k], abs=2e-4), name
        assert np.abs(found[k]).max() > 0.01


@pytest.mark.parametrize(
    ("atoms", "cards", "expected"),
    [
        ("C1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.3 0.2 0.3 11 0.03", (), 0),
        ("C1 1 0.1 0.2 0.3 11 0.03\nC2 1 0.3 0.2 0.3 11 0.03", ("EADP C1 C2",), 1),
        ("C1 1 0.1 0.2 0.3 10.5 0.03\nC2 1 0.1 0.2 0.3 10.5 0.03", ("EADP C1 C2", "EXYZ C1 C2"), 2),
        (METHYL.format(code=137), (), 6),
        (EXACT["a rigid group"], (), 2),
    ],
    ids=["none", "EADP", "EADP and EXYZ", "three riding atoms with their U", "rigid group of three"],
)
def test_constraints_are_counted_by_their_atoms(atoms, cards, expected):
    assert parametrise(shelx_model(atoms, *cards)).n_constraints == expected


def test_atoms_on_one_special_position_share_what_both_allow():
    """Na and K on a mirror plane: two coordinates and four U(ij) for both together."""
    atoms = [
        Atom("Na1", "Na", (0.2, 0.5, 0.3), 0.6, u_aniso=(0.02, 0.03, 0.02, 0.0, 0.004, 0.0)),
        Atom("K1", "K", (0.2, 0.5, 0.3), 0.4, u_iso=0.03),
    ]
    model = model_in(MONOCLINIC, "P 1 m 1", atoms)
    made = parametrise(model).reparametrisation
    assert made.n_independents == 2 + 4
    assert model.notes[0].startswith("Na1 and K1 share one site")
    assert jacobian(made) == pytest.approx(difference_quotients(made), abs=1e-6)


def test_two_shared_sites_in_different_cells_are_one():
    atoms = [
        Atom("Na1", "Na", (0.2, 0.3, 0.3), 0.6, u_iso=0.03),
        Atom("K1", "K", (0.8, 0.7, -0.3), 0.4, u_iso=0.03),
    ]
    model = model_in(TRICLINIC, "P -1", atoms)
    assert parametrise(model).reparametrisation.n_independents == 3 + 1
    assert model.atoms[1].site == pytest.approx(model.atoms[0].site)


def test_a_coordinate_tied_to_a_variable_takes_its_partners_along():
    """x, 2x, z of P -6 m 2: y follows from x, so a variable for x moves y by twice as much."""
    atom = Atom("C1", "C", (0.2, 0.4, 0.0), u_iso=0.03)
    model = model_in(HEXAGONAL, "P -6 m 2", [atom])
    model.free_variables = [0.2]
    atom.site_coding = (Coding(2, 0.0, 1.0), *atom.site_coding[1:])
    made = parametrise(model).reparametrisation
    names = made.independent_names()
    row = jacobian(made)[names.index("FVAR 2")]
    assert row[:3] == pytest.approx([1, 2, 0], abs=1e-9)
    assert not any(name.endswith((" x", " y", " z")) for name in names)


@pytest.mark.parametrize(
    ("held", "left"),
    [
        ([], [[1, 0], [2, 0], [0, 1]]),
        ([0], [[0], [0], [1]]),
        ([1], [[0], [0], [1]]),
        ([2], [[1], [2], [0]]),
        ([0, 2], [[], [], []]),
    ],
    ids=["nothing held", "x", "y", "z", "x and z"],
)
def test_fixed_components_remove_the_basis_vectors_that_move_them(held, left):
    basis = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    found, tie_basis = restricted(basis, held, [])
    assert found == pytest.approx(np.array(left, float).reshape(3, -1))
    assert tie_basis.shape == (3, 0)


def test_a_tie_moves_its_component_by_its_factor_and_no_fixed_ones():
    basis = np.eye(3)
    found, tie_basis = restricted(basis, [1], [Tie(0, 2, 0.0, 0.5)])
    assert tie_basis == pytest.approx(np.array([[0.5], [0.0], [0.0]]))
    assert found == pytest.approx(np.array([[0.0], [0.0], [1.0]]))


@pytest.mark.parametrize(
    ("u_iso", "u_aniso", "bad"),
    [
        (0.03, None, False),
        (0.0, None, True),
        (-0.01, None, True),
        (0.03, (0.03, 0.02, 0.04, 0.0, 0.0, 0.0), False),
        (0.03, (0.03, -0.001, 0.04, 0.0, 0.0, 0.0), True),
        # Positive diagonal, but U12² > U11 U22.
        (0.03, (0.02, 0.02, 0.04, 0.03, 0.0, 0.0), True),
    ],
)
def test_ellipsoids_that_are_none_are_named(u_iso, u_aniso, bad):
    model = model_in(ORTHORHOMBIC, "P 1", [Atom("C1", "C", (0, 0, 0), u_iso=u_iso, u_aniso=u_aniso)])
    assert not_positive_definite(model) == (["C1"] if bad else [])


@pytest.mark.parametrize("n", [0, 5])
def test_a_geometry_whose_atoms_do_not_ride_is_taken_once(n):
    """AFIX 40: hydrogen is put on the outer bisector, 0.93 Å away, and refined freely from there."""
    atoms = AROMATIC + f"AFIX {40 + n}\nH1 2 0.36 0.10 0.22 11 0.05\nAFIX 0"
    if n:
        # n = 5 continues the rigid group before it.
        atoms = "AFIX 6\nC8 1 0.7 0.7 0.7 11 0.03\nC9 1 0.8 0.7 0.7 11 0.03\nAFIX 0\n" + atoms
    model = shelx_model(atoms)
    first = parametrise(model)
    model.absorb(first.structure)
    cell = model.symmetry.unit_cell()
    hydrogen = model.atom("H1")
    assert cell.distance(model.atom("C1").site, hydrogen.site) == pytest.approx(0.93)
    if n:
        return
    names = first.reparametrisation.independent_names()
    assert {"H1 x", "H1 y", "H1 z", "H1 Uiso"} <= set(names)
    hydrogen.site = (0.4, 0.1, 0.2)
    again = parametrise(model)
    assert again.structure.scatterers()[3].site == pytest.approx((0.4, 0.1, 0.2))


def test_members_of_different_site_symmetries_share_what_all_allow():
    """EADP of atoms on a mirror plane and on a twofold axis at right angles to it: U12 = U23 = 0 by both."""
    atoms = [
        Atom("C1", "C", (0.2, 0.0, 0.3)),
        Atom("C2", "C", (0.0, 0.3, 0.0)),
        Atom("C3", "C", (0.1, 0.2, 0.4)),
    ]
    model = model_in(MONOCLINIC, "P 1 2/m 1", atoms)
    for atom in atoms:
        make_anisotropic(model, atom)
    model.equal_displacements = [atoms]
    made = parametrise(model).reparametrisation
    assert sum(" U" in name for name in made.independent_names()) == 4
    tensor = jacobian(made)
    place = list(made.parameter_map())[2].u_aniso
    # Neither U12 nor U23 of the general atom moves.
    assert tensor[:, place + 3] == pytest.approx(0)
    assert tensor[:, place + 5] == pytest.approx(0)


@pytest.mark.parametrize("code", [17, 27, 47, 167])
def test_hydrogen_whose_place_follows_from_bonds_has_no_torsion(code):
    """Its place follows from the bonds of the pivot; a torsion would be undone in every cycle."""
    atoms = {
        17: "C2 1 0.2 0.2 0.2 11 0.03\nC3 1 0.45 0.2 0.2 11 0.03\nC4 1 0.30 0.35 0.31 11 0.03\nC1 1 0.33 0.22 0.26 11 0.03\n",
        27: AROMATIC,
        47: AROMATIC,
        167: "C2 1 0.2 0.2 0.2 11 0.03\nC1 1 0.33 0.2 0.2 11 0.03\n",
    }[code]
    hydrogens = "H1 2 0.4 0.1 0.2 11 -1.2\n" + ("H2 2 0.35 0.1 0.3 11 -1.2\n" if code == 27 else "")
    made = parametrise(shelx_model(f"{atoms}AFIX {code}\n{hydrogens}AFIX 0")).reparametrisation
    assert not any("torsion" in name for name in made.independent_names())


def test_a_molecule_disordered_about_a_centre_rides_and_is_restrained_as_any_other():
    """PART -1: its bonds are there for AFIX 137 and RIGU, and none lead to its image."""
    atoms = """PART -1 10.5
C2 1 0.03 0.02 0.01 11 0.03 0.03 0.03 0 0 0
C1 1 0.16 0.08 0.06 11 0.03 0.03 0.03 0 0 0
AFIX 137
H1A 2 0.15 0.15 0.12 11 -1.5
H1B 2 0.23 0.02 0.11 11 -1.5
H1C 2 0.21 0.11 -0.02 11 -1.5
AFIX 0
PART 0"""
    model = shelx_model(atoms, "RIGU", latt=1)
    made = parametrise(model)
    assert "C1 torsion" in made.reparametrisation.independent_names()
    assert model.notes == []
    assert model.left_out == []
    assert len(made.restraints.restraints) == 1
