"""Bonds, angles and hydrogen bonds beside gemmi's distances and closed forms."""

import itertools
import math
from types import SimpleNamespace

import gemmi
import numpy as np
import pytest
from cctbx import crystal, sgtbx
from qcrbox.crystallography.shelx import read_instructions
from qcrbox_refine.connectivity import connectivity_table
from qcrbox_refine.geometry import cell_covariance, geometry, site_errors
from qcrbox_refine.model import AfixGroup, Atom, Model, Placed
from scitbx.array_family import flex

CELL = (8.1, 9.3, 11.2, 90.0, 102.0, 90.0)
GROUP = "P 1 21/c 1"
DONOR, ACCEPTOR = (0.21, 0.17, 0.33), (0.34, 0.42, 0.41)
TO_ACCEPTOR = 0.3  # part of the way from donor to acceptor at which the hydrogen atom lies


def fit_of(atoms, cell=CELL, group=GROUP, cell_su=(0.0,) * 6):
    """What geometry() reads of a fit: model, structure, bonds, and a covariance of zeros."""
    model = Model(crystal.symmetry(cell, group), atoms, wavelength=0.71073, cell_su=cell_su, z=1)
    structure = model.structure()
    for scatterer in structure.scatterers():
        scatterer.flags.set_grad_site(True)
    n = structure.parameter_map().n_parameters
    made = SimpleNamespace(connectivity_table=connectivity_table(model, structure))
    parametrisation = SimpleNamespace(structure=structure, reparametrisation=made)
    return SimpleNamespace(
        model=model, parametrisation=parametrisation, covariance=flex.double(n * (n + 1) // 2, 0.0)
    )


def between(first, second, part):
    return tuple(a + part * (b - a) for a, b in zip(first, second, strict=True))


def moved(site, operation):
    return tuple(sgtbx.rt_mx(operation) * site)


def donor_acceptor(hydrogen="x,y,z", acceptor="x,y,z", donor="x,y,z", elements=("N", "O")):
    """D-H···A on one line, each atom listed at the place that its operation gives."""
    h = between(DONOR, ACCEPTOR, TO_ACCEPTOR)
    return [
        Atom("D1", elements[0], moved(DONOR, donor), 1.0, u_iso=0.02),
        Atom("H1", "H", moved(h, hydrogen), 1.0, u_iso=0.03),
        Atom("A1", elements[1], moved(ACCEPTOR, acceptor), 1.0, u_iso=0.02),
    ]


def lengths():
    """D-H, H···A, D···A by gemmi, Å."""
    cell = gemmi.UnitCell(*CELL)
    h = between(DONOR, ACCEPTOR, TO_ACCEPTOR)
    pairs = ((DONOR, h), (h, ACCEPTOR), (DONOR, ACCEPTOR))
    return [
        cell.orthogonalize(gemmi.Fractional(*a)).dist(cell.orthogonalize(gemmi.Fractional(*b)))
        for a, b in pairs
    ]


def positions_of(row, fit):
    """Cartesian sites of D, H, A that a row names, by the operations of the file and the codes."""
    info = sgtbx.space_group_info(group=fit.parametrisation.structure.space_group())
    operations = [gemmi.Op(op.as_xyz()) for op in info.group()]
    cell = gemmi.UnitCell(*fit.model.symmetry.unit_cell().parameters())
    atoms = {atom.label: atom.site for atom in fit.model.atoms}
    found = []
    for label, code in zip(row[:3], (".", *row[7:9]), strict=True):
        number, _, cells = ("1_555" if code == "." else code).partition("_")
        site = operations[int(number) - 1].apply_to_xyz(list(atoms[label]))
        site = [x + int(digit) - 5 for x, digit in zip(site, cells or "555", strict=True)]
        p = cell.orthogonalize(gemmi.Fractional(*site))
        found.append(np.array([p.x, p.y, p.z]))
    return found


MOVES = ["x,y,z", "-x,-y,-z", "-x,y+1/2,-z+1/2", "x,-y+1/2,z+1/2", "x+1,y-1,z", "-x+1,-y,-z+1"]


ROCK_SALT = [Atom("Na1", "Na", (0.0, 0.0, 0.0)), Atom("Cl1", "Cl", (0.5, 0.5, 0.5))]


def test_between_special_positions_the_su_is_that_of_the_cell():
    """Na-Cl is a/2: 5.640(10) Å gives 2.820(5) Å; its angles are fixed."""
    found = geometry(fit_of(ROCK_SALT, (5.64,) * 3 + (90.0,) * 3, "F m -3 m", (0.01,) * 3 + (0.0,) * 3))
    assert {row[2] for row in found.bonds} == {"2.820(5)"}
    assert all(float(row[3]) in (90.0, 180.0) for row in found.angles)


def test_angles_between_special_positions_have_the_su_of_the_cell():
    """P m m m, bonds along a + b: tan(φ/2) = b/a, so dφ = √2 σ/a for a = b and one σ of both axes."""
    atoms = [Atom("Na1", "Na", (0.0, 0.0, 0.0)), Atom("Cl1", "Cl", (0.5, 0.5, 0.0))]
    found = geometry(fit_of(atoms, (4.0, 4.0, 9.0, 90.0, 90.0, 90.0), "P m m m", (0.01,) * 3 + (0.0,) * 3))
    su = math.degrees(math.sqrt(2) * 0.01 / 4.0)
    assert {row[3] for row in found.angles} - {"180.0"} == {f"90.0({round(10 * su)})"}


@pytest.mark.parametrize("place", range(6), ids=["a", "b", "c", "alpha", "beta", "gamma"])
def test_su_of_distances_and_angles_from_the_cell_are_those_of_differences(place):
    cell, sites = (8.0, 9.0, 10.0, 82.0, 97.0, 105.0), [(0.05, 0.1, 0.07), (0, 0, 0), (0.17, -0.05, 0.02)]
    su = [0.0] * 6
    su[place] = 0.01 if place < 3 else 0.1

    def values(change):
        moved = gemmi.UnitCell(*(p + change * (k == place) for k, p in enumerate(cell)))
        places = [moved.orthogonalize(gemmi.Fractional(*site)) for site in sites]
        return np.array([places[0].dist(places[2]), math.degrees(gemmi.calculate_angle(*places))])

    expected = np.abs(values(1e-4) - values(-1e-4)) / 2e-4 * su[place]
    atoms = [Atom(f"C{k}", "C", site) for k, site in enumerate(sites)]
    errors = site_errors(fit_of(atoms, cell, "P 1", tuple(su)))
    same = sgtbx.rt_mx()
    found = [errors.distance(0, 2, same)[1], errors.angle((0, 1, 2), (same,) * 3)[1]]
    np.testing.assert_allclose(np.sqrt(found), expected, rtol=1e-5)


def test_atoms_of_one_rigid_group_have_no_su_between_them():
    atoms = [Atom("C1", "C", (0.1, 0.1, 0.1)), Atom("C2", "C", (0.1, 0.1, 0.24))]
    group = AfixGroup(6, 6, None)
    for atom in atoms:
        atom.group = group
    (bond,) = geometry(fit_of(atoms, (10.0,) * 3 + (90.0,) * 3, "P 1", (0.01,) * 3 + (0.0,) * 3)).bonds
    assert bond[2] == "1.4000"


def test_donor_and_acceptor_of_riding_hydrogen_have_an_su():
    """Both move by 0.003 Å along their line, independently: √2 × 0.003 Å."""
    fit = fit_of(donor_acceptor())
    fit.model.atoms[1].riding = True
    structure = fit.parametrisation.structure
    n = structure.parameter_map().n_parameters
    cell = fit.model.symmetry.unit_cell()
    orthogonal = np.array(cell.fractionalization_matrix()).reshape(3, 3)
    block = orthogonal @ orthogonal.T * 0.003**2
    full = np.zeros((n, n))
    for atom, p in enumerate(structure.parameter_map()):
        if atom != 1:
            full[p.site : p.site + 3, p.site : p.site + 3] = block
    fit.covariance = flex.double([full[i, j] for i in range(n) for j in range(i, n)])
    (row,) = geometry(fit).hydrogen_bonds
    assert "(" not in row[3] + row[4] + row[6]
    assert row[5].endswith("(4)")
    assert float(row[5][:5]) == pytest.approx(lengths()[2], abs=1e-3)


def htab(*words):
    return Placed(read_instructions(f"HTAB {' '.join(words)}").instructions[0])


def test_a_hydrogen_bond_that_htab_names_is_listed_whatever_its_donor():
    fit = fit_of(donor_acceptor(elements=("C", "Cl"), acceptor="-x,-y,-z"))
    assert geometry(fit).hydrogen_bonds == []
    fit.model.settings.equivalents["1"] = "-x,-y,-z"
    fit.model.placed = [htab("D1", "A1_$1")]
    (row,) = geometry(fit).hydrogen_bonds
    assert row[:3] == ["D1", "H1", "A1"]
    assert [float(text) for text in row[3:6]] == pytest.approx(lengths(), abs=6e-3)
    assert fit.model.left_out == []


def test_a_hydrogen_bond_of_htab_that_is_not_there_is_named():
    fit = fit_of(donor_acceptor())
    fit.model.placed = [htab("A1", "D1"), htab("D1", "X9")]
    geometry(fit)
    assert [entry.why for entry in fit.model.left_out] == ["A1 has no hydrogen atom.", "There is no atom X9."]


@pytest.mark.parametrize("acceptor", ["D1", "H1"])
def test_htab_of_an_atom_with_itself_is_left_out(acceptor):
    fit = fit_of(donor_acceptor(elements=("C", "Cl")))
    fit.model.placed = [htab("D1", acceptor)]
    assert geometry(fit).hydrogen_bonds == []
    assert [entry.why for entry in fit.model.left_out] == [f"{acceptor} cannot be the acceptor of D1."]


@pytest.mark.parametrize("hydrogen", MOVES)
@pytest.mark.parametrize("acceptor", MOVES[:4])
def test_a_hydrogen_bond_is_the_same_wherever_its_atoms_are_listed(hydrogen, acceptor):
    """A hydrogen atom whose donor is an image in this list had the distance to the donor's own place."""
    fit = fit_of(donor_acceptor(hydrogen, acceptor))
    rows = geometry(fit).hydrogen_bonds
    assert [row[:3] for row in rows] == [["D1", "H1", "A1"]]
    dh, ha, da = lengths()
    assert [float(x) for x in rows[0][3:7]] == pytest.approx([dh, ha, da, 180.0], abs=0.006)


@pytest.mark.parametrize("hydrogen", MOVES)
@pytest.mark.parametrize("donor", MOVES[:3])
def test_the_symmetry_codes_of_a_hydrogen_bond_lead_to_its_distances(hydrogen, donor):
    fit = fit_of(donor_acceptor(hydrogen, "x,-y+1/2,z+1/2", donor))
    (row,) = geometry(fit).hydrogen_bonds
    d, h, a = positions_of(row, fit)
    expected = [np.linalg.norm(d - h), np.linalg.norm(h - a), np.linalg.norm(d - a)]
    assert [float(x) for x in row[3:6]] == pytest.approx(expected, abs=0.006)


def test_one_hydrogen_bond_in_one_place_needs_no_symmetry_code():
    (row,) = geometry(fit_of(donor_acceptor())).hydrogen_bonds
    assert row[7:] == [".", "."]


@pytest.mark.parametrize("elements", [("C", "O"), ("N", "C")])
def test_carbon_is_neither_donor_nor_acceptor(elements):
    assert geometry(fit_of(donor_acceptor(elements=elements))).hydrogen_bonds == []


def in_a_box(h_a, angle, acceptor="O", dh=1.0):
    """N-H along x in a cubic box of P 1, A at H···A (Å) and D-H···A (degrees) from it."""
    turned = math.radians(angle)
    h = np.array([6.0 + dh, 6.0, 6.0])
    a = h + h_a * np.array([-math.cos(turned), math.sin(turned), 0.0])
    sites = {"N1": ("N", (6.0, 6.0, 6.0)), "H1": ("H", h), "A1": (acceptor, a)}
    atoms = [
        Atom(label, element, tuple(float(x) / 15 for x in site), 1.0, u_iso=0.02)
        for label, (element, site) in sites.items()
    ]
    return geometry(fit_of(atoms, (15.0, 15.0, 15.0, 90.0, 90.0, 90.0), "P 1")).hydrogen_bonds


@pytest.mark.parametrize("ion", ["Cl1-", "O2-", "Br1-"])
def test_an_ion_accepts_as_its_element_does(ion):
    found = geometry(fit_of(donor_acceptor(elements=("N", ion)))).hydrogen_bonds
    element = ion.rstrip("-0123456789")
    assert found == geometry(fit_of(donor_acceptor(elements=("N", element)))).hydrogen_bonds
    assert len(found) == 1


@pytest.mark.parametrize(
    ("h_a", "angle", "acceptor", "listed"),
    [
        (2.69, 170, "O", True),
        (2.71, 170, "O", False),
        (2.95, 170, "Cl", True),
        (2.95, 170, "N", False),
        (2.0, 121, "O", True),
        (2.0, 119, "O", False),
        (1.15, 175, "O", False),  # D···A below 2.2 Å is a bond
        (1.25, 175, "O", True),  # a short, strong one: D···A 2.25 Å
    ],
)
def test_limits_of_distance_and_angle(h_a, angle, acceptor, listed):
    rows = in_a_box(h_a, angle, acceptor)
    assert bool(rows) is listed
    if listed:
        law_of_cosines = math.sqrt(1 + h_a**2 - 2 * h_a * math.cos(math.radians(angle)))
        assert [float(x) for x in rows[0][3:7]] == pytest.approx([1.0, h_a, law_of_cosines, angle], abs=0.51)
        assert float(rows[0][5]) == pytest.approx(law_of_cosines, abs=6e-4)


def test_an_acceptor_of_another_disorder_group_is_none():
    atoms = donor_acceptor()
    atoms[1].part, atoms[2].part = 1, 2
    assert geometry(fit_of(atoms)).hydrogen_bonds == []


def test_of_two_atoms_bonded_to_a_hydrogen_atom_the_nearest_is_the_donor():
    """O-H···O of 2.25 Å: both are within bonding distance of the hydrogen atom, the further one is listed first."""
    atoms = donor_acceptor(elements=("O", "O"))
    line = np.array([7.0, 7.0, 7.0])
    for atom, x in zip(atoms, (1.25, 0.0, -1.0), strict=True):
        atom.site = tuple((line + np.array([x, 0.0, 0.0])) / 15)
    (row,) = geometry(fit_of(atoms, (15.0, 15.0, 15.0, 90.0, 90.0, 90.0), "P 1")).hydrogen_bonds
    assert row[:7] == ["A1", "H1", "D1", "1.00", "1.25", "2.250", "180"]


# ------------------------------------------------------------ bonds and angles


def distance_by_gemmi(fit, first, second):
    """Shortest distance over all operations of the group and cells around, Å."""
    cell = gemmi.UnitCell(*fit.model.symmetry.unit_cell().parameters())
    a, b = (fit.model.atom(label).site for label in (first, second))
    images = [operation.apply_to_xyz(list(b)) for operation in gemmi.SpaceGroup(GROUP).operations()]
    shifts = [round(x - y) + n for n in (-1, 0, 1) for image in images for x, y in zip(a, image, strict=True)]
    return min(
        cell.orthogonalize(gemmi.Fractional(*a)).dist(cell.orthogonalize(gemmi.Fractional(*moved)))
        for image in images
        for steps in itertools.product(set(shifts), repeat=3)
        for moved in [[x + n for x, n in zip(image, steps, strict=True)]]
    )


@pytest.mark.parametrize("operation", MOVES)
def test_a_bond_has_gemmis_length_wherever_its_atoms_are_listed(operation):
    first, second = (0.2, 0.2, 0.3), (0.30, 0.31, 0.35)
    atoms = [
        Atom("C1", "C", first, 1.0, u_iso=0.02),
        Atom("C2", "C", moved(second, operation), 1.0, u_iso=0.02),
    ]
    fit = fit_of(atoms)
    (bond,) = geometry(fit).bonds
    assert float(bond[2].split("(")[0]) == pytest.approx(distance_by_gemmi(fit, "C1", "C2"), abs=6e-5)


def test_bonds_between_hydrogen_atoms_and_angles_at_them_are_left_out():
    rows = [("C1", "C", (5, 5, 5)), ("H1", "H", (5.6, 5.6, 5.4)), ("H2", "H", (5.9, 5.0, 5.4))]
    atoms = [Atom(n, e, tuple(x / 12 for x in site), 1.0, u_iso=0.02) for n, e, site in rows]
    found = geometry(fit_of(atoms, (12.0, 12.0, 12.0, 90.0, 90.0, 90.0), "P 1"))
    assert {tuple(row[:2]) for row in found.bonds} == {("C1", "H1"), ("C1", "H2")}
    assert [row[1] for row in found.angles] == ["C1"]


def test_angles_between_ordered_and_disordered_atoms_are_listed_and_those_between_groups_are_not():
    """The alternatives of one arm each make their angle with the ordered arm."""
    atoms = [
        Atom("C1", "C", (0.5, 0.5, 0.5), 1.0, u_iso=0.02),
        Atom("C2", "C", (0.5, 0.5, 0.65), 1.0, u_iso=0.02),
        Atom("C3A", "C", (0.65, 0.5, 0.5), 0.6, u_iso=0.02, part=1),
        Atom("C3B", "C", (0.62, 0.59, 0.5), 0.4, u_iso=0.02, part=2),
    ]
    found = geometry(fit_of(atoms, (10, 10, 10, 90, 90, 90), "P 1"))
    assert {frozenset((row[0], row[2])): row[1] for row in found.angles} == {
        frozenset(("C2", "C3A")): "C1",
        frozenset(("C2", "C3B")): "C1",
    }


def test_angles_between_two_images_of_an_atom_are_listed():
    """A zigzag chain along a: each atom is bonded to two images of the other, one cell apart."""
    atoms = [
        Atom("C1", "C", (0.0, 0.5, 0.5), 1.0, u_iso=0.02),
        Atom("N1", "N", (0.5, 0.58, 0.5), 1.0, u_iso=0.02),
    ]
    found = geometry(fit_of(atoms, (2.5, 10, 10, 90, 90, 90), "P 1"))
    arm = math.hypot(1.25, 0.8)
    expected = 2 * math.degrees(math.asin(1.25 / arm))
    assert [row[:3] for row in found.angles] == [["N1", "C1", "N1"], ["C1", "N1", "C1"]]
    assert [float(row[3]) for row in found.angles] == [pytest.approx(expected, abs=0.06)] * 2
    assert all(row[4] != row[5] for row in found.angles)


def test_a_tetrahedron_has_its_angle():
    corners = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
    atoms = [Atom("C1", "C", (0.5, 0.5, 0.5), 1.0, u_iso=0.02)]
    for i, corner in enumerate(corners):
        site = tuple(0.5 + 0.88 * x / 12 for x in corner)
        atoms.append(Atom(f"C{i + 2}", "C", site, 1.0, u_iso=0.02))
    found = geometry(fit_of(atoms, (12.0, 12.0, 12.0, 90.0, 90.0, 90.0), "P 1"))
    angles = [float(row[3].split("(")[0]) for row in found.angles]
    assert angles == [pytest.approx(math.degrees(math.acos(-1 / 3)), abs=0.051)] * 6


# ------------------------------------------------------------ s.u. of the cell


def unpacked(packed):
    full = np.zeros((6, 6))
    values = iter(packed)
    for i in range(6):
        for j in range(i, 6):
            full[i, j] = full[j, i] = next(values)
    return full


def test_lengths_that_symmetry_makes_equal_move_together():
    su = (0.001, 0.001, 0.003, 0.0, 0.0, 0.0)
    fit = fit_of(donor_acceptor(), (9.0, 9.0, 11.0, 90.0, 90.0, 90.0), "P 4", su)
    matrix = unpacked(cell_covariance(fit))
    assert matrix[0, 1] == pytest.approx(1e-6)
    assert matrix[0, 2] == matrix[1, 2] == 0
    assert np.linalg.eigvalsh(matrix).min() >= -1e-15


def test_equal_lengths_of_an_orthorhombic_cell_are_independent():
    su = (0.001, 0.001, 0.003, 0.0, 0.0, 0.0)
    matrix = unpacked(cell_covariance(fit_of(donor_acceptor(), (9.0, 9.0, 11.0, 90, 90, 90), "P 2 2 2", su)))
    assert matrix == pytest.approx(np.diag(np.square(su)))


def test_a_cell_without_su_gives_no_covariance():
    assert cell_covariance(fit_of(donor_acceptor())) is None


def test_the_su_of_a_bond_along_an_axis_scales_with_that_of_the_axis():
    """d = f·a, so u(d)/d = u(a)/a, where the sites have almost none (cctbx takes none at all for a constraint)."""
    atoms = [Atom(f"C{i}", "C", (0.1 + 0.1 * i, 0.2, 0.3), 1.0, u_iso=0.02) for i in (1, 2)]
    fit = fit_of(atoms, (15.0, 16.0, 17.0, 90.0, 90.0, 90.0), "P 1", (0.03, 0.0, 0.0, 0.0, 0.0, 0.0))
    n = len(atoms) * 3
    fit.covariance = flex.double([1e-12 if i == j else 0.0 for i in range(n) for j in range(i, n)])
    (bond,) = geometry(fit).bonds
    assert bond[2] == "1.500(3)"


CENTRED = {
    "C 1 2/c 1": (8.1, 9.3, 11.2, 90.0, 102.0, 90.0),
    "I 41/a :2": (8.0, 8.0, 11.0, 90.0, 90.0, 90.0),
    "F d d 2": (8.1, 9.3, 11.2, 90.0, 90.0, 90.0),
    "R -3 :H": (8.0, 8.0, 11.0, 90.0, 90.0, 120.0),
    "P 31 2 1": (8.0, 8.0, 11.0, 90.0, 90.0, 120.0),
    "P 21 3": (8.0, 8.0, 8.0, 90.0, 90.0, 90.0),
    "F m -3 m": (12.0, 12.0, 12.0, 90.0, 90.0, 90.0),
}


def bonded_to_an_image(group, cell):
    """A site whose nearest images are 1.2 to 1.6 Å away, found by trying; distances over neighbouring cells by gemmi."""
    operations = list(gemmi.SpaceGroup(group.replace(" :", ":")).operations())
    metric, random = gemmi.UnitCell(*cell), np.random.default_rng(7)
    while True:
        site = random.random(3)
        images = np.array([operation.apply_to_xyz(site.tolist()) for operation in operations]) - site
        lengths = [
            metric.orthogonalize(gemmi.Fractional(*(d - np.rint(d)))).length()
            for d in images
            if np.abs(d - np.rint(d)).max() > 1e-6
        ]
        if 1.2 < min(lengths) < 1.6:
            return tuple(site)


@pytest.mark.parametrize(("group", "cell"), CENTRED.items(), ids=CENTRED.keys())
def test_symmetry_codes_lead_to_the_bonded_image_in_centred_groups_too(group, cell):
    """n_klm: operation n of the list that the CIF has, then k - 5, l - 5, m - 5 cells."""
    site = bonded_to_an_image(group, cell)
    fit = fit_of([Atom("C1", "C", site, u_iso=0.02)], cell, group)
    listed = [
        operation.as_xyz()
        for operation in sgtbx.space_group_info(group=fit.model.symmetry.space_group()).group()
    ]
    bonds = geometry(fit).bonds
    assert bonds
    for first, second, length, code, _ in bonds:
        assert (first, second) == ("C1", "C1")
        number, _, cells = code.partition("_")
        shift = [int(digit) - 5 for digit in cells or "555"]
        image = np.array(sgtbx.rt_mx(listed[int(number) - 1]) * site) + shift
        assert gemmi.UnitCell(*cell).orthogonalize(
            gemmi.Fractional(*(image - site))
        ).length() == pytest.approx(float(length.split("(")[0]), abs=1e-4)
