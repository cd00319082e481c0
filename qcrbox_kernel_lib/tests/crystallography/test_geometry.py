"""Bond lengths, angles, torsions and their s.u. against cctbx."""

from __future__ import annotations

import numpy as np
import pytest
from cctbx import crystal, geometry, sgtbx, uctbx, xray
from cctbx.array_family import flex
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.geometry import angle, distance, least_squares_plane, torsion
from scitbx import matrix

from ..conftest import CifMaker, symops

TRICLINIC = ("7.1000(7)", "8.2000(8)", "9.3000(9)", "95.00(1)", "101.00(1)", "112.00(2)")
SITES = [
    ("C1", "C", "0.1000(2)", "0.2000(3)", "0.3000(4)"),
    ("C2", "C", "0.2100(3)", "0.3300(2)", "0.3800(2)"),
    ("C3", "C", "0.3800(1)", "0.3000(2)", "0.3600(3)"),
    ("C4", "C", "0.4700(4)", "0.4200(1)", "0.4300(2)"),
]


@pytest.fixture
def triclinic(cif: CifMaker) -> Structure:
    return Structure.from_cif(cif(TRICLINIC, SITES, group=symops("x,y,z", "-x,-y,-z")))


def cctbx_sites(structure: Structure) -> tuple[uctbx.unit_cell, list[matrix.col]]:
    cell = uctbx.unit_cell(tuple(structure.cell.parameters))
    return cell, [matrix.col(cell.orthogonalize(tuple(site))) for site in structure.sites.fract]


def test_distances_angles_and_torsions_of_a_triclinic_cell_agree_with_cctbx(triclinic: Structure) -> None:
    _, sites = cctbx_sites(triclinic)
    assert triclinic.distance("C1", "C2").value == pytest.approx(
        geometry.distance(sites[:2]).distance_model, abs=1e-6
    )
    assert triclinic.angle("C1", "C2", "C3").value == pytest.approx(
        geometry.angle(sites[:3]).angle_model, abs=1e-5
    )
    expected = geometry.dihedral(sites).dihedral_model
    assert triclinic.torsion("C1", "C2", "C3", "C4").value == pytest.approx(expected, abs=1e-5)


def cartesian_covariance(structure: Structure, rows: list[int]) -> flex.double:
    """s.u. of the coordinates, correlated by the cosines of the reciprocal axes as cctbx has them."""
    a = structure.cell.orthogonalisation
    alpha, beta, gamma = np.cos(
        np.radians(uctbx.unit_cell(tuple(structure.cell.parameters)).reciprocal_parameters()[3:])
    )
    correlation = np.array([[1, gamma, beta], [gamma, 1, alpha], [beta, alpha, 1]])
    size = 3 * len(rows)
    full = np.zeros((size, size))
    for place, row in enumerate(rows):
        su = structure.sites.fract_su[row]
        block = a @ (correlation * np.outer(su, su)) @ a.T
        full[3 * place : 3 * place + 3, 3 * place : 3 * place + 3] = block
    return flex.double(full[np.triu_indices(size)])


def without_cell_su(cif: CifMaker) -> Structure:
    plain = tuple(value.split("(")[0] for value in TRICLINIC)
    return Structure.from_cif(cif(plain, SITES, group=symops("x,y,z", "-x,-y,-z")))


def test_su_from_coordinates_agree_with_cctbx(cif: CifMaker) -> None:
    structure = without_cell_su(cif)
    cell, sites = cctbx_sites(structure)
    identity = sgtbx.rt_mx()
    variance = geometry.distance(sites[:2]).variance(cartesian_covariance(structure, [0, 1]), cell, identity)
    assert structure.distance("C1", "C2").su == pytest.approx(np.sqrt(variance), rel=1e-3)
    for model, rows, measured in (
        (lambda sites: geometry.angle(sites).angle_model, [0, 1, 2], structure.angle("C1", "C2", "C3")),
        (
            lambda sites: geometry.dihedral(sites).dihedral_model,
            [0, 1, 2, 3],
            structure.torsion("C1", "C2", "C3", "C4"),
        ),
    ):
        gradient = numerical(model, [sites[row] for row in rows])
        covariance = cartesian_covariance(structure, rows).matrix_packed_u_as_symmetric().as_numpy_array()
        assert measured.su == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-3)


def numerical(model, sites: list[matrix.col]) -> np.ndarray:
    points = np.array([list(site) for site in sites])
    gradient = []
    for place in np.ndindex(points.shape):
        moved = []
        for step in (1e-5, -1e-5):
            shifted = points.copy()
            shifted[place] += step
            moved.append(model([matrix.col(point) for point in shifted]))
        gradient.append((moved[0] - moved[1]) / 2e-5)
    return np.array(gradient)


def test_su_with_the_cell_agree_with_cctbx(triclinic: Structure) -> None:
    cell, sites = cctbx_sites(triclinic)
    of_cell = flex.double(np.diag(triclinic.cell.su**2)[np.triu_indices(6)])
    of_sites = cartesian_covariance(triclinic, [0, 3])
    variance = geometry.distance([sites[0], sites[3]]).variance(of_sites, of_cell, cell, sgtbx.rt_mx())
    assert triclinic.distance("C1", "C4").su == pytest.approx(np.sqrt(variance), rel=1e-3)


@pytest.mark.parametrize(
    ("cell", "operations"),
    [
        ((9.1, 9.1, 7.2, 90, 90, 120), ("x,y,z", "-y,x-y,z", "-x+y,-x,z")),
        ((14.1, 6.3, 9.5, 90, 124, 90), ("x,y,z", "-x,-y,-z")),
        ((6.8, 7.4, 8.9, 81, 74.5, 68.2), ("x,y,z",)),
    ],
    ids=["hexagonal", "monoclinic", "triclinic"],
)
def test_sites_whose_error_is_the_same_in_all_directions_give_bonds_that_error(
    cif: CifMaker, cell: tuple[float, ...], operations: tuple[str, ...]
) -> None:
    """An error of 0.01 Å in every direction at both ends: √2 · 0.01 Å along the bond, whatever way it runs."""
    reciprocal = uctbx.unit_cell(cell).reciprocal_parameters()[:3]
    sites = [
        (
            label,
            "C",
            *(f"{x:.7f}({round(0.01 * length * 1e7)})" for x, length in zip(place, reciprocal, strict=True)),
        )
        for label, place in (
            ("C1", (0.21, 0.33, 0.12)),
            ("C2", (0.30, 0.42, 0.25)),
            ("C3", (0.35, 0.27, 0.03)),
        )
    ]
    structure = Structure.from_cif(cif(cell, sites, group=symops(*operations)))
    for pair in (("C1", "C2"), ("C1", "C3"), ("C2", "C3")):
        assert structure.distance(*pair).su == pytest.approx(np.sqrt(2) * 0.01, rel=1e-3)


def test_on_a_mirror_plane_between_hexagonal_axes_the_error_is_that_within_the_plane(cif: CifMaker) -> None:
    """(x, -x, z) moves along a - b, which is √3 a long, and along c."""
    a, c, error = 9.0, 7.0, 0.01
    x_su, z_su = error / (np.sqrt(3) * a), error / c
    mirror = symops("x,y,z", "-y,-x,z")
    sites = [
        ("C1", "C", f"0.1000000({round(x_su * 1e7)})", f"-0.1000000({round(x_su * 1e7)})", f"0.1000000({round(z_su * 1e7)})"),
        ("C2", "C", 0, 0, 0),
    ]  # fmt: skip
    structure = Structure.from_cif(cif((a, a, c, 90, 90, 120), sites, group=mirror))
    assert structure.distance("C1", "C2").su == pytest.approx(error, rel=1e-3)


def test_su_of_the_cell_adds_to_that_of_the_coordinates(triclinic: Structure, cif: CifMaker) -> None:
    assert triclinic.distance("C1", "C4").su > without_cell_su(cif).distance("C1", "C4").su


@pytest.mark.parametrize("measure", [distance, angle, torsion])
def test_gradients_are_the_numerical_ones(measure) -> None:
    size = {distance: 2, angle: 3, torsion: 4}[measure]
    points = np.random.default_rng(3).normal(size=(5, size, 3))
    _, gradients = measure(points)
    for place in np.ndindex(size, 3):
        plus, minus = points.copy(), points.copy()
        plus[:, *place] += 1e-6
        minus[:, *place] -= 1e-6
        numeric = (measure(plus)[0] - measure(minus)[0]) / 2e-6
        assert gradients[:, *place] == pytest.approx(numeric, rel=1e-4, abs=1e-4)


def test_a_bond_across_an_inversion_centre_counts_the_atom_twice(cif: CifMaker) -> None:
    sites = [("C1", "C", "0.0700(10)", 0, 0)]
    structure = Structure.from_cif(cif(sites=sites, group=symops("x,y,z", "-x,-y,-z")))
    bond = structure.distance("C1", ("C1", "2_555"))
    assert bond.value == pytest.approx(1.4)
    # Both ends move in opposite directions by the same amount: 2 a s.u., not sqrt(2) a s.u.
    assert bond.su == pytest.approx(2 * 10 * 0.001, rel=0.06)


def test_coordinates_tied_by_a_special_position_move_together(cif: CifMaker) -> None:
    sites = [("C1", "C", "0.1000(10)", "0.1000(10)", 0), ("C2", "C", 0, 0, 0)]
    tied = symops("x,y,z", "y,x,-z", "x,y,-z", "y,x,z")
    cell = (10, 10, 12, 90, 90, 90)
    assert Structure.from_cif(cif(cell, sites, group=tied)).distance("C1", "C2").su == pytest.approx(
        0.0141, abs=5e-4
    )
    free = Structure.from_cif(cif(cell, sites, group=symops("x,y,z"))).distance("C1", "C2").su
    assert free == pytest.approx(0.0100, abs=5e-4)


def test_the_bond_table_of_a_published_structure_is_reproduced(
    deoxyribonucleoside: Structure, cu_path
) -> None:
    from qcrbox.cif import read

    block = read(cu_path, on_error="keep")["I"]
    loop = block.loop("_geom_bond_distance")
    assert loop is not None
    ends = zip(
        loop.texts("_geom_bond_atom_site_label_1"), loop.texts("_geom_bond_atom_site_label_2"), strict=True
    )
    listed = {
        frozenset(pair): length
        for pair, length in zip(ends, loop.numbers("_geom_bond_distance"), strict=True)
    }
    ours = {frozenset((bond.label_1, bond.label_2)): bond.length for bond in deoxyribonucleoside.bonds()}
    assert ours.keys() == listed.keys()
    for pair, length in ours.items():
        assert length.value == pytest.approx(listed[pair], abs=0.011)


def test_bond_lengths_agree_with_cctbx_pair_tables(thpp: Structure, thpp_path) -> None:
    reference = xray.structure.from_cif(file_path=str(thpp_path))["global"]
    table = reference.pair_asu_table(distance_cutoff=1.75).extract_pair_sym_table()
    cell = reference.unit_cell()
    expected = []
    for i, found in enumerate(table):
        for j, operations in found.items():
            for operation in operations:
                site_j = operation * reference.scatterers()[j].site
                expected.append(cell.distance(reference.scatterers()[i].site, site_j))
    lengths = sorted(bond.length.value for bond in thpp.bonds())
    near = sorted(length for length in expected if length > 1.0)
    assert len(lengths) == len(near)
    assert lengths == pytest.approx(near, abs=1e-4)


def test_angles_are_listed_once_by_apex(cif: CifMaker) -> None:
    sites = [("C1", "C", 0.1, 0.1, 0.1), ("C2", "C", 0.25, 0.1, 0.1), ("C3", "C", 0.3, 0.22, 0.1)]
    structure = Structure.from_cif(cif(sites=sites))
    (found,) = structure.angles()
    assert (found.label_2, {found.label_1, found.label_3}) == ("C2", {"C1", "C3"})
    assert found.angle.value == pytest.approx(structure.angle("C1", "C2", "C3").value)


def test_torsion_sign_follows_iupac(cif: CifMaker) -> None:
    # Looking from the second to the third atom, the last is turned clockwise by 90 degrees.
    points = np.array([[[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 1]]])
    value, _ = torsion(points)
    reference = geometry.dihedral([matrix.col(point) for point in points[0]]).dihedral_model
    assert value[0] == pytest.approx(reference)


@pytest.mark.parametrize("end", [(0.771, 0.600, 0.480), (0.575, 0.690, 0.660), (0.7, 0.78, 0.7)])
def test_a_torsion_that_symmetry_makes_a_half_turn_is_180_without_su(
    cif: CifMaker, end: tuple[float, float, float]
) -> None:
    """The cell's s.u. met the step from 180° to -180°: the answer was 0(19000)°."""
    cell = ("6.10(2)", "7.20(1)", "8.30(1)", "95.0(1)", "101.0(1)", "107.0(2)")
    sites = [("C1", "C", 0.590, 0.570, 0.530), ("O1", "O", *end)]
    structure = Structure.from_cif(cif(cell, sites, group=symops("x,y,z", "-x,-y,-z")))
    number = structure.torsion("O1", "C1", ("C1", "2_666"), ("O1", "2_666"))
    assert (number.value, number.su) == (pytest.approx(180), None)
    assert not str(number).startswith("-")


@pytest.mark.parametrize("turn", [0.0, 140.0, -60.0])
def test_su_of_a_torsion_follows_from_that_of_the_cell(cif: CifMaker, turn: float) -> None:
    end = (0.25, 0.1 + 0.1 * np.cos(np.radians(turn)), 0.1 + 0.1 * np.sin(np.radians(turn)))
    chain = [
        ("C1", "C", 0.1, 0.2, 0.1),
        ("C2", "C", 0.1, 0.1, 0.1),
        ("C3", "C", 0.25, 0.1, 0.1),
        ("C4", "C", *end),
    ]
    cell = ("10.0(1)", "10.0(1)", "10.0(1)", "90", "90", "90")
    number = Structure.from_cif(cif(cell, chain)).torsion("C1", "C2", "C3", "C4")
    # Lengths of b and c differ by sqrt(2) 0.01 Å; a torsion of 0 or 180° in the plane of b does not see it.
    expected = np.degrees(abs(np.sin(np.radians(turn)) * np.cos(np.radians(turn))) * np.sqrt(2) * 0.01)
    assert (number.su or 0) == pytest.approx(expected, rel=0.02, abs=1e-5)


def test_plane_of_a_ring_is_flat() -> None:
    turns = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    ring = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(6)]) + np.array([1, 2, 3])
    plane = least_squares_plane(ring)
    assert plane.rms == pytest.approx(0, abs=1e-12)
    assert abs(plane.normal[2]) == pytest.approx(1)
    assert plane.centroid == pytest.approx(ring.mean(axis=0))


def test_an_unknown_atom_is_named(thpp: Structure) -> None:
    with pytest.raises(UserInputError, match="no atom 'C99'"):
        thpp.distance("C99", "C1")


def test_symmetry_codes_name_images_in_measurements(thpp: Structure) -> None:
    group = sgtbx.space_group_info("P 1 21/n 1").group()
    symmetry = crystal.symmetry(tuple(thpp.cell.parameters), space_group=group)
    cell = symmetry.unit_cell()
    first = thpp.sites.fract[thpp.sites.index["N8"]]
    second = thpp.sites.fract[thpp.sites.index["C9"]]
    image = sgtbx.rt_mx("x-1/2,-y-1/2,z-1/2") * tuple(second)
    moved = (image[0], image[1] + 1, image[2])
    assert thpp.distance("N8", ("C9", "4_565")).value == pytest.approx(
        cell.distance(tuple(first), moved), abs=1e-4
    )


RIDING = "label type_symbol fract_x fract_y fract_z calc_flag"


def test_riding_hydrogen_moves_with_its_atom(cif: CifMaker) -> None:
    sites = [
        ("O1", "O", "0.1000(10)", "0.1000(10)", "0.1000(10)", "d"),
        ("H1", "H", 0.182, 0.1, 0.1, "calc"),
        ("N1", "N", "0.3700(10)", "0.1000(10)", "0.1000(10)", "d"),
    ]
    structure = Structure.from_cif(cif(("10.00(1)", 10, 10, 90, 90, 90), sites, RIDING))
    assert structure.distance("O1", "H1").su is None
    free = Structure.from_cif(cif((10, 10, 10, 90, 90, 90), sites, RIDING))
    assert free.distance("H1", "N1").su == pytest.approx(0.01 * np.sqrt(2))
    (row,) = free.hydrogen_bond_table()
    assert row.d_h.su is None
    assert row.h_a.su == pytest.approx(row.d_a.su)


def test_values_that_symmetry_fixes_have_no_su_and_others_that_of_the_cell(cif: CifMaker) -> None:
    """Na-Cl is a/2 with half its s.u.; in P m m m, tan(φ/2) = b/a and straight angles stay straight."""
    salt = [("Na1", "Na", 0, 0, 0), ("Cl1", "Cl", 0.5, 0.5, 0.5)]
    structure = Structure.from_cif(
        cif(("5.64(1)",) * 3 + (90, 90, 90), salt, group="_space_group_name_H-M_alt 'F m -3 m'")
    )
    assert {str(bond.length) for bond in structure.bonds()} == {"2.820(5)"}
    assert all(angle.angle.su is None for angle in structure.angles())
    layer = [salt[0], ("Cl1", "Cl", 0.5, 0.5, 0)]
    cell = ("4.00(1)", "4.00(1)", "9.00(1)", 90, 90, 90)
    structure = Structure.from_cif(cif(cell, layer, group="_space_group_name_H-M_alt 'P m m m'"))
    found = {str(angle.angle) for angle in structure.angles()}
    assert found == {"180.0000", "90.0(2)"}


def test_angles_and_torsions_at_riding_hydrogen_have_no_su(cif: CifMaker) -> None:
    """As in SHELXL's tables: C-C-H of an ideal geometry is given, however far the other carbon atom may be off."""
    sites = [
        ("C1", "C", "0.1000(10)", "0.1000(10)", "0.1000(10)", "d"),
        ("C2", "C", "0.2400(10)", "0.1000(10)", "0.1000(10)", "d"),
        ("H2", "H", 0.29, 0.18, 0.11, "calc"),
        ("C3", "C", "0.0500(10)", "0.2300(10)", "0.1000(10)", "d"),
    ]
    structure = Structure.from_cif(cif((10, 10, 10, 90, 90, 90), sites, RIDING))
    assert structure.angle("C1", "C2", "H2").su is None
    assert structure.angle("H2", "C2", "C1").su is None
    assert structure.torsion("C3", "C1", "C2", "H2").su is None
    # σ √(2/d² + 2/e² - 2 cos φ / d e) for sides of 1.400 and 1.393 Å, φ = 111.04° and σ = 0.01 Å.
    assert structure.angle("C2", "C1", "C3").su == pytest.approx(0.891, abs=1e-3)
    # Far from its own atom it moves with that atom.
    assert structure.angle("H2", "C1", "C3").su is not None


@pytest.mark.parametrize("group", ["P 4", "P -1"])
def test_riding_hydrogen_moves_with_the_image_of_its_atom(cif: CifMaker, group: str) -> None:
    """The same crystal twice: the donor is listed beside its hydrogen, and as an image of that."""
    acceptor = ("N1", "N", "0.37(2)", "0.11(3)", "0.12(5)", "d")
    beside = [
        ("O1", "O", "0.10(1)", "0.11(4)", "0.12(6)", "d"),
        ("H1", "H", 0.18, 0.12, 0.13, "calc"),
        acceptor,
    ]
    # -y, x, z brings this place to 0.10, 0.11, 0.12.
    image = ("O1", "O", "0.11(4)", "-0.10(1)", "0.12(6)", "d")
    if group == "P -1":
        image = ("O1", "O", "-0.10(1)", "-0.11(4)", "0.88(6)", "d")
    tables = []
    for sites in (beside, [image, *beside[1:]]):
        made = Structure.from_cif(
            cif((10, 10, 12, 90, 90, 90), sites, RIDING, group=f"_space_group_name_H-M_alt '{group}'")
        )
        (row,) = made.hydrogen_bond_table()
        tables.append(row)
    one, other = tables
    assert one.d_h.su is None
    assert other.d_h.su is None
    for name in ("d_h", "h_a", "d_a", "angle"):
        first, second = getattr(one, name), getattr(other, name)
        assert second.value == pytest.approx(first.value, abs=1e-6)
        assert (second.su or 0) == pytest.approx(first.su or 0, abs=1e-8)


def test_refined_hydrogen_moves_by_itself(cif: CifMaker) -> None:
    sites = [
        ("O1", "O", "0.1000(10)", "0.1000(10)", "0.1000(10)", "d"),
        ("H1", "H", "0.182(3)", 0.1, 0.1, "d"),
    ]
    structure = Structure.from_cif(cif((10, 10, 10, 90, 90, 90), sites, RIDING))
    assert structure.distance("O1", "H1").su == pytest.approx(10 * np.hypot(0.001, 0.003))
