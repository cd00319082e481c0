"""Hirshfeld surfaces of urea and of a disordered molecule, against analytic cases and figures of another program.

The other program is occ, which sums other free-atom densities: its figures are met within a few per cent only.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from chmpy.interpolate.density import PromoleculeDensity
from qcrbox.analysis.density.hirshfeld import hirshfeld, with_neutron_lengths
from qcrbox.analysis.density.promolecule import STEP, Promolecule, log_density
from qcrbox.analysis.density.surface import Surface
from qcrbox.analysis.density.surface_net import surface_net
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure

from ...conftest import write_cif

EXAMPLES = Path(__file__).parents[4] / "app_images" / "qcrboxtools" / "examples"
BOHR = 0.529177210903

DIAMOND = b"""data_diamond
_cell_length_a 3.567
_cell_length_b 3.567
_cell_length_c 3.567
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F d -3 m :1'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C1 0 0 0
"""


@pytest.fixture(scope="module")
def urea():
    return Structure.from_cif(EXAMPLES / "urea.cif")


@pytest.fixture(scope="module")
def surface(urea):
    return hirshfeld(urea)


@pytest.fixture(scope="module")
def thpp():
    smtbx = importlib.util.find_spec("smtbx")
    if smtbx is None:
        pytest.skip("cctbx is not installed")
    folder = Path(smtbx.submodule_search_locations[0])
    return Structure.from_cif(folder / "regression" / "test_data" / "thpp.cif")


def test_hydrogen_atom_is_the_exact_one():
    r = STEP * np.arange(1, 80)
    exact = np.exp(-2 * r / BOHR) / np.pi / BOHR**3
    ours = np.exp(log_density("H")[1:80])
    np.testing.assert_allclose(ours[:50], exact[:50], rtol=0.02)  # to 2.5 Å: there the surfaces are
    np.testing.assert_allclose(ours, exact, rtol=0.15)  # a Gaussian basis ends too early or late far out


@pytest.mark.parametrize(("element", "electrons"), [("H", 1), ("C", 6), ("N", 7), ("O", 8)])
def test_free_atoms_hold_their_electrons(element, electrons):
    rho = np.exp(log_density(element))
    r = STEP * np.arange(len(rho))
    assert np.trapezoid(4 * np.pi * r**2 * rho, r) == pytest.approx(electrons, rel=0.02)


def test_gradient_is_that_of_the_density():
    sum_of_two = Promolecule(["C", "H"], np.array([[0.0, 0.0, 0.0], [1.1, 0.0, 0.0]]))
    points = np.random.default_rng(1).uniform((-2, -2, 1), (2, 2, 5), (50, 3))
    _, gradient = sum_of_two.density(points, gradient=True)
    for axis in range(3):
        step = 0.01 * np.eye(3)[axis]
        rise = (sum_of_two.density(points + step)[0] - sum_of_two.density(points - step)[0]) / 0.02
        np.testing.assert_allclose(gradient[:, axis], rise, rtol=0.1, atol=2e-4)


def test_net_of_a_ball_is_closed_and_has_its_area_and_volume():
    grid = np.stack(np.meshgrid(*(np.arange(41),) * 3, indexing="ij"), axis=-1)
    vertices, faces = surface_net(15.0 - np.linalg.norm(grid - 20.0, axis=-1))
    ball = Surface(vertices, faces)
    assert ball.area == pytest.approx(4 * np.pi * 15**2, rel=0.02)
    assert ball.volume == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.02)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    outwards = np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - 20.0)
    assert (outwards > 0).all()
    edges = Counter(
        tuple(sorted(pair)) for f in faces.tolist() for pair in zip(f, f[1:] + f[:1], strict=True)
    )
    assert set(edges.values()) == {2}


def test_half_of_the_density_on_the_surface_is_the_molecules(surface):
    inner = Promolecule(surface.molecule.element, surface.molecule.cartesian)
    outer = Promolecule(surface.surroundings.element, surface.surroundings.cartesian)
    inside, outside = inner.density(surface.vertices)[0], outer.density(surface.vertices)[0]
    weight = inside / (inside + outside)
    assert np.mean(np.abs(weight - 0.5)) < 2e-4
    assert np.max(np.abs(weight - 0.5)) < 0.02


def test_urea_has_the_area_and_the_contacts_that_another_program_finds(surface):
    assert surface.area == pytest.approx(90.6, rel=0.05)
    assert surface.share("H", "H") == pytest.approx(42.5, abs=2.0)
    assert surface.share("O", "H") == pytest.approx(37.0, abs=2.0)
    assert sum(surface.shares.values()) == pytest.approx(100.0)


def test_molecules_fill_nearly_the_whole_cell(surface, urea):
    assert 0.88 < 2 * surface.volume / urea.cell.volume < 1.0


def test_what_one_molecule_sees_of_its_neighbour_the_neighbour_sees_of_it(surface):
    assert surface.shares["O…H"] == pytest.approx(surface.shares["H…O"], abs=2.0)


@pytest.mark.slow
def test_disordered_molecule_has_a_surface_of_its_major_part(thpp):
    found = hirshfeld(thpp, spacing=0.3)
    assert not found.molecule.minor.any()
    assert not found.surroundings.minor.any()
    assert found.area == pytest.approx(232.6, rel=0.05)


def test_hydrogen_bond_is_where_the_surface_is_reddest(surface):
    reddest = int(np.argmin(surface.properties["dnorm"]))
    assert {surface.named(reddest)[0], surface.named(reddest).split("… ")[1][0]} == {"O", "H"}
    assert surface.properties["dnorm"][reddest] < -0.4


def test_dnorm_has_no_steps_where_the_nearest_atom_changes(surface):
    radii = {"H": 1.09, "C": 1.7, "N": 1.55, "O": 1.52}  # Å; Bondi, hydrogen by Rowland & Taylor
    a, b = surface.faces[:, 0], surface.faces[:, 1]
    apart = np.linalg.norm(surface.vertices[a] - surface.vertices[b], axis=1)
    changes = np.abs(surface.properties["dnorm"][a] - surface.properties["dnorm"][b])
    # Each distance changes by at most the way along the surface, divided by the smallest radius.
    assert (changes <= 2 * apart / min(radii.values()) + 1e-9).all()
    nearest = sum(
        distance / np.array([radii[atoms.element[row]] for row in rows]) - 1
        for distance, rows, atoms in (
            (surface.properties["di"], surface.inside, surface.molecule),
            (surface.properties["de"], surface.outside, surface.surroundings),
        )
    )
    assert (surface.properties["dnorm"] <= nearest + 1e-6).all()
    assert np.abs(nearest[a] - nearest[b]).max() > changes.max()


def test_dnorm_is_that_of_another_program(surface):
    numbers = {"H": 1, "C": 6, "N": 7, "O": 8}
    theirs = np.zeros(len(surface.vertices))
    for atoms in (surface.molecule, surface.surroundings):
        density = PromoleculeDensity(([numbers[name] for name in atoms.element], atoms.cartesian))
        theirs += density.d_norm(surface.vertices)[1]
    # Theirs looks at the six nearest atoms only: in a few places the least is that of a farther one.
    excess = theirs - surface.properties["dnorm"]
    assert np.mean(np.abs(excess) < 1e-5) > 0.98
    assert excess.min() > -1e-5


def test_triangles_are_fine_enough_to_be_seen_as_smooth(surface):
    a, b, c = (surface.vertices[surface.faces[:, k]] for k in range(3))
    sides = np.linalg.norm(np.stack([a - b, b - c, c - a]), axis=2)
    assert np.median(sides) < 0.15
    assert np.percentile(sides, 99.9) < 0.35
    coarse = hirshfeld(surface.structure, spacing=0.4)
    assert surface.area == pytest.approx(coarse.area, rel=0.01)
    assert len(surface.vertices) - len(surface.faces) // 2 == 2  # Euler: still one closed surface


def test_lengths_of_bonds_to_hydrogen_are_stated_and_may_be_set(urea):
    moved = with_neutron_lengths(urea)
    assert moved.distance("N1", "H1").value == pytest.approx(1.015, abs=1e-6)
    assert "as given: N–H 1.007 Å" in hirshfeld(urea, spacing=0.4).hydrogens
    assert "neutron values: N–H 1.015 Å" in hirshfeld(urea, spacing=0.4, hydrogens="neutron").hydrogens


def test_shares_of_contacts_add_both_directions(surface):
    shares = {share.name: share.both for share in surface.contact_shares}
    assert shares["H…O / O…H"] == pytest.approx(surface.share("O", "H"))
    assert sum(shares.values()) == pytest.approx(100)


def test_network_has_no_molecule_to_enclose():
    with pytest.raises(UserInputError, match="network"):
        hirshfeld(Structure.from_cif(DIAMOND))


def test_choices_that_do_not_exist_are_refused(urea):
    with pytest.raises(UserInputError, match="not a choice of X–H"):
        hirshfeld(urea, hydrogens="1.083")
    with pytest.raises(UserInputError, match="no atom 'C9'"):
        hirshfeld(urea, atom="C9")
    with pytest.raises(UserInputError, match="spacing"):
        hirshfeld(urea, spacing=0)


def test_a_structure_without_atoms_has_no_surface():
    no_atoms = Structure.from_cif(write_cif(sites=[("Q1", "Q", 0.1, 0.2, 0.3)]))
    with pytest.raises(UserInputError, match=r"no atoms|no free-atom density"):
        hirshfeld(no_atoms)


@pytest.mark.parametrize("spacing", [0.04, 0.51, -1, float("nan")])
def test_the_spacing_of_the_grid_has_limits(urea, spacing):
    with pytest.raises(UserInputError, match=r"between 0\.05 and 0\.5"):
        hirshfeld(urea, spacing=spacing)


def test_an_element_without_a_density_is_named():
    heavy = Structure.from_cif(write_cif(sites=[("U1", "U", 0.1, 0.2, 0.3), ("O1", "O", 0.28, 0.2, 0.3)]))
    with pytest.raises(UserInputError, match="density for U"):
        hirshfeld(heavy)


def test_a_molecule_in_an_empty_crystal_has_no_closed_surface():
    alone = Structure.from_cif(
        write_cif((40, 40, 40, 90, 90, 90), sites=[("C1", "C", 0.5, 0.5, 0.5), ("O1", "O", 0.528, 0.5, 0.5)])
    )
    with pytest.raises(UserInputError, match="does not close: beside the molecule there is empty space"):
        hirshfeld(alone, spacing=0.5)
