"""s.u. of distances and angles from correlated sites and cells, beside numerical derivatives and simulation."""

import numpy as np
import pytest
from cctbx import sgtbx, uctbx
from qcrbox_refine.angles import bond_angles
from qcrbox_refine.connectivity import connectivity_table
from qcrbox_refine.geometry import site_errors
from qcrbox_refine.model import Atom
from qcrbox_refine.refinement import Options, refine_files
from qcrbox_refine.site_errors import IDENTITY, SiteErrors
from scitbx.array_family import flex
from simulated_crystals import write
from small_models import model_in

CELL = (7.0, 8.0, 9.0, 71.0, 103.0, 96.0)
SITES = [(0.10, 0.20, 0.30), (0.25, 0.28, 0.38), (0.36, 0.15, 0.42)]
MOVED = sgtbx.rt_mx("-x,-y,-z+1")
CELL_SU = np.array([0.002, 0.003, 0.004, 0.02, 0.03, 0.05])


@pytest.fixture
def errors_of():
    """SiteErrors of three atoms, and the covariance (9, 9) of their fractional coordinates."""

    def make(*, cell_su=None, held=(), seed=1):
        atoms = [Atom(f"C{i}", "C", site, u_iso=0.03) for i, site in enumerate(SITES)]
        structure = model_in(CELL, "P -1", atoms).structure()
        for scatterer in structure.scatterers():
            scatterer.flags.set_grad_site(True)
        root = np.random.default_rng(seed).normal(size=(9, 9)) * 4e-4
        covariance = root @ root.T
        of_cell = None
        if cell_su is not None:
            square = np.diag(cell_su**2)
            of_cell = flex.double(np.ascontiguousarray(square[np.triu_indices(6)]))
        made = SiteErrors(
            structure.unit_cell(),
            structure.sites_frac(),
            flex.double(np.ascontiguousarray(covariance[np.triu_indices(9)])),
            of_cell,
            structure.parameter_map(),
            frozenset(held),
        )
        return made, covariance

    return make


def places(parameters, moves):
    """Cartesian positions of the three atoms, each moved; parameters: nine coordinates, then the cell."""
    cell = uctbx.unit_cell([float(x) for x in parameters[9:]])
    sites = np.asarray(parameters[:9]).reshape(3, 3)
    return [
        np.array(cell.orthogonalize(move * tuple(s))) for s, move in zip(sites.tolist(), moves, strict=True)
    ]


def distance(parameters, moves):
    a, b, _ = places(parameters, moves)
    return float(np.linalg.norm(a - b))


def angle(parameters, moves):
    a, b, c = places(parameters, moves)
    u, v = a - b, c - b
    return float(np.degrees(np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))))


def variance(value, covariance, cell_su, moves):
    """gᵀ C g with numerical derivatives by coordinates and cell."""
    point = np.array([*np.ravel(SITES), *CELL])
    full = np.zeros((15, 15))
    full[:9, :9] = covariance
    full[9:, 9:] = np.diag(np.asarray(cell_su) ** 2)
    gradient = np.zeros(15)
    for k in range(15):
        step = np.zeros(15)
        step[k] = 1e-5
        gradient[k] = (value(point + step, moves) - value(point - step, moves)) / 2e-5
    return float(gradient @ full @ gradient)


CASES = {
    "in one cell": (IDENTITY, IDENTITY, IDENTITY),
    "to an image": (IDENTITY, MOVED, IDENTITY),
    "between two images": (MOVED, IDENTITY, MOVED),
}


@pytest.mark.parametrize("moves", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("cell_su", [None, CELL_SU], ids=["exact cell", "s.u. of the cell"])
def test_the_variance_of_a_distance_is_that_of_numerical_derivatives(errors_of, moves, cell_su):
    errors, covariance = errors_of(cell_su=cell_su)
    first, second = moves[0], moves[1]
    value, found = errors.distance(0, 1, first.inverse().multiply(second))
    point = np.array([*np.ravel(SITES), *CELL])
    assert value == pytest.approx(distance(point, moves))
    own = np.zeros(6) if cell_su is None else cell_su
    assert found == pytest.approx(variance(distance, covariance, own, moves), rel=1e-4)


@pytest.mark.parametrize("moves", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("cell_su", [None, CELL_SU], ids=["exact cell", "s.u. of the cell"])
def test_the_variance_of_an_angle_is_that_of_numerical_derivatives(errors_of, moves, cell_su):
    errors, covariance = errors_of(cell_su=cell_su)
    value, found = errors.angle((0, 1, 2), moves)
    point = np.array([*np.ravel(SITES), *CELL])
    assert value == pytest.approx(angle(point, moves))
    own = np.zeros(6) if cell_su is None else cell_su
    assert found == pytest.approx(variance(angle, covariance, own, moves), rel=1e-4)


def test_the_su_of_a_bond_is_the_scatter_of_the_bond(errors_of):
    errors, covariance = errors_of(seed=5)
    draws = np.random.default_rng(3).multivariate_normal(np.ravel(SITES), covariance, size=3000)
    lengths = [distance([*draw, *CELL], CASES["in one cell"]) for draw in draws]
    assert errors.distance(0, 1, IDENTITY)[1] ** 0.5 == pytest.approx(np.std(lengths), rel=0.06)


def test_atoms_of_one_group_have_no_su_of_the_cell_between_them(errors_of):
    """Their distance is set in Å; to an atom outside the group the cell counts."""
    errors, _ = errors_of(cell_su=CELL_SU, held=(0, 1))
    errors._packed = np.zeros_like(errors._packed)
    assert errors.distance(0, 1, IDENTITY)[1] == 0.0
    assert errors.distance(0, 2, IDENTITY)[1] > 1e-7
    assert errors.distance(0, 1, MOVED)[1] > 1e-7


def test_every_pair_of_bonds_makes_one_angle():
    """n bonds at an atom make n (n - 1) / 2 angles; here 4 at the middle of a tetrahedron."""
    arms = [(0.9, 0.9, 0.9), (0.9, -0.9, -0.9), (-0.9, 0.9, -0.9), (-0.9, -0.9, 0.9)]
    atoms = [Atom("C0", "C", (0.5, 0.5, 0.5), u_iso=0.03)]
    atoms += [
        Atom(f"C{k}", "C", tuple(0.5 + x / 10 for x in arm), u_iso=0.03)
        for k, arm in enumerate(arms, start=1)
    ]
    model = model_in((10, 10, 10, 90, 90, 90), "P 1", atoms)
    structure = model.structure()
    for scatterer in structure.scatterers():
        scatterer.flags.set_grad_site(True)
    n = structure.parameter_map().n_parameters
    errors = SiteErrors(
        structure.unit_cell(),
        structure.sites_frac(),
        flex.double(n * (n + 1) // 2, 0.0),
        None,
        structure.parameter_map(),
    )
    table = connectivity_table(model, structure).pair_asu_table
    found = list(bond_angles(table, [0] * 5, errors))
    assert [found_.atoms[1] for found_ in found] == [0] * 6
    assert len({frozenset((a.atoms[0], a.atoms[2])) for a in found}) == 6
    # arccos(-1/3)
    assert [a.degrees for a in found] == pytest.approx([109.4712] * 6, abs=1e-3)
    apart = list(bond_angles(table, [0, 1, 1, 2, 0], errors))
    assert len(apart) == 6 - 2


REPEATED = {
    "both ends": ((0, 1, 0), ("-x,-y,-z+1", "x,y,z", "x,y+1,z")),
    "all three": ((0, 0, 0), ("-x,-y,-z+1", "x,y,z", "-x+1,-y,-z+1")),
    "against the order": ((2, 0, 1), ("-x,-y,-z+1", "x,y,z", "x-1,y,z")),
    "middle and end": ((1, 0, 0), ("x,y,z", "x,y,z", "-x,-y,-z+1")),
}


@pytest.mark.parametrize(("atoms", "moves"), REPEATED.values(), ids=REPEATED.keys())
def test_images_of_one_atom_move_together(errors_of, atoms, moves):
    """gᵀ C g with numerical derivatives by the coordinates of the three listed atoms."""
    errors, covariance = errors_of()
    moves = tuple(sgtbx.rt_mx(move) for move in moves)

    def sides(point):
        sites = point.reshape(3, 3)
        ends = [
            np.array(errors.cell.orthogonalize(move * tuple(sites[atom].tolist())))
            for atom, move in zip(atoms, moves, strict=True)
        ]
        return ends[0] - ends[1], ends[2] - ends[1]

    def distance_to_last(point):
        return float(np.linalg.norm(sides(point)[1]))

    def angle_between(point):
        u, v = sides(point)
        return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v)))

    def expected(value):
        point, steps = np.ravel(SITES), np.eye(9) * 1e-6
        gradient = np.array([value(point + step) - value(point - step) for step in steps]) / 2e-6
        return gradient @ covariance @ gradient

    assert errors.angle(atoms, moves)[1] == pytest.approx(expected(angle_between), rel=1e-4, abs=1e-12)
    to_last = moves[1].inverse().multiply(moves[2])
    assert errors.distance(atoms[1], atoms[2], to_last)[1] == pytest.approx(
        expected(distance_to_last), rel=1e-4
    )


def test_an_angle_of_a_threefold_axis_has_no_su(tmp_path):
    """Three images of an atom make a triangle of 60°, whatever its place."""
    atoms = [
        Atom("S1", "S", (0.13, 0.13, 0.13), u_iso=0.02),
        Atom("C1", "C", (0.31, 0.27, 0.22), u_iso=0.02),
    ]
    true = model_in((8.9, 8.9, 8.9, 90, 90, 90), "P a -3", atoms, cell_su=(0.001, 0.001, 0.001, 0, 0, 0))
    result = refine_files(*write(tmp_path, true, noise=0.03), Options(cycles=4, weighting="keep"))
    errors = site_errors(result.fit)
    moves = tuple(sgtbx.rt_mx(move) for move in ("y,z,x", "x,y,z", "z,x,y"))
    degrees, variance = errors.angle((1, 1, 1), moves)
    assert (degrees, variance) == (pytest.approx(60), 0.0)
    one, other = (errors.distance(1, 1, move)[1] for move in (moves[0], moves[2]))
    assert one == pytest.approx(other, rel=1e-9)
