"""Structure factors beside gemmi's sums, difference maps and their peaks beside a known truth."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from qcrbox.analysis.density.maps import DensityMap, around, difference_density, structure_factors
from qcrbox.analysis.density.peaks import find_peaks
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.reflections import Reflections, unique_reflections
from qcrbox.crystallography.structure import Structure

from ...conftest import symops, write_cif

COLUMNS = "label type_symbol fract_x fract_y fract_z occupancy U_iso_or_equiv"
ATOMS = [
    ("C1", "C", 0.10, 0.20, 0.30, 1, 0.02),
    ("O1", "O", 0.31, 0.27, 0.12, 1, 0.03),
    ("N1", "N", 0.22, 0.43, 0.45, 0.5, 0.025),
]
GROUPS = {
    "P 1": ((6.1, 7.2, 8.3, 84, 97, 101), ("x,y,z",)),
    "P -1": ((6.1, 7.2, 8.3, 84, 97, 101), ("x,y,z", "-x,-y,-z")),
    "P 21/c": ((6.1, 7.2, 8.3, 90, 104, 90), ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")),
    "P 31": ((7.2, 7.2, 8.3, 90, 90, 120), ("x,y,z", "-y,x-y,z+1/3", "-x+y,-x,z+2/3")),
    "C 2": ((8.1, 7.2, 8.3, 90, 104, 90), ("x,y,z", "-x,y,-z", "x+1/2,y+1/2,z", "-x+1/2,y+1/2,-z")),
}


def crystal(group: str, atoms=ATOMS, more: str = "") -> Structure:
    cell, operations = GROUPS[group]
    return Structure.from_cif(write_cif(cell, atoms, COLUMNS, group=symops(*operations), more=more))


def by_gemmi(group: str, hkl: np.ndarray, atoms=ATOMS) -> np.ndarray:
    """F by the plain sum over operations and atoms, form factors and reciprocal lattice of gemmi."""
    cell, operations = gemmi.UnitCell(*GROUPS[group][0]), [gemmi.Op(text) for text in GROUPS[group][1]]
    found = np.zeros(len(hkl), complex)
    for n, index in enumerate(hkl.tolist()):
        s2 = cell.calculate_1_d2(index) / 4
        for _, element, x, y, z, occupancy, u in atoms:
            f = occupancy * gemmi.Element(element).it92.calculate_sf(s2) * np.exp(-8 * np.pi**2 * u * s2)
            for operation in operations:
                found[n] += f * np.exp(2j * np.pi * np.dot(index, operation.apply_to_xyz([x, y, z])))
    return found


def indices(structure: Structure, d_min: float = 0.9) -> np.ndarray:
    return unique_reflections(structure.cell, structure.space_group, d_min, friedel=False)


@pytest.mark.parametrize("group", GROUPS)
def test_structure_factors_are_those_of_a_plain_sum(group: str) -> None:
    structure = crystal(group)
    hkl = indices(structure, 1.6)
    assert structure_factors(structure, hkl) == pytest.approx(by_gemmi(group, hkl), abs=1e-9)


def test_f_of_0_0_0_counts_the_electrons() -> None:
    """Form factors of the International Tables at 0: 6, 8 and 7 electrons within 0.02."""
    f = structure_factors(crystal("P 21/c"), np.array([[0, 0, 0]]))
    # d of 0 0 0 is infinite.
    assert f[0].real == pytest.approx(4 * (6 + 8 + 3.5), abs=0.1)
    assert f[0].imag == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("probe", "expected", "unit"),
    [
        # Sears, Neutron News 3 (1992) 26: C 6.646, H -3.739, D 6.671 fm; electrons: Σ a of International Tables C 4.3.2.2, Å.
        ("neutron", 6.646 - 3.739 + 6.671, "fm Å⁻³"),
        ("electron", 2.509 + 2 * 0.529, "Å⁻²"),
        ("x-ray", 6.0 + 2 * 1.0, "e Å⁻³"),
    ],
)
def test_f_of_0_0_0_is_that_of_the_radiation(probe: str, expected: float, unit: str) -> None:
    atoms = [(f"{e}1", e, 0.1, 0.2, z, 1, 0.02) for e, z in (("C", 0.1), ("H", 0.3), ("D", 0.5))]
    structure = crystal("P 1", atoms, more=f"_diffrn_radiation_probe {probe}\n")
    assert structure_factors(structure, np.array([[0, 0, 0]]))[0].real == pytest.approx(expected, abs=2e-3)
    assert DensityMap(np.zeros((2, 2, 2)), structure).unit == unit


def test_friedel_mates_that_differ_are_averaged() -> None:
    structure, data = data_with("P 31", [FAINT])
    mates = data.select(np.arange(len(data)))
    mates.hkl = -mates.hkl
    assert mates.calculated is not None
    more = 1.02
    both = Reflections(
        np.concatenate([data.hkl, mates.hkl]),
        np.concatenate([data.intensity * more**2, mates.intensity]),
        np.concatenate([data.sigma, mates.sigma]),
        calculated=np.concatenate([data.calculated, mates.calculated]),
    )
    ones = [difference_density(structure, part) for part in (both.select(np.arange(len(data))), mates)]
    places = np.random.default_rng(5).random((20, 3))
    mean = (exact(ones[0], places) + exact(ones[1], places)) / 2
    assert exact(difference_density(structure, both), places) == pytest.approx(mean, abs=1e-9)


def test_a_site_on_a_centre_counts_once() -> None:
    atoms = [("C1", "C", 0, 0, 0, 1, 0.02)]
    hkl = np.array([[1, 0, 0], [1, 2, 3]])
    both = structure_factors(crystal("P -1", atoms), hkl), structure_factors(crystal("P 1", atoms), hkl)
    assert both[0] == pytest.approx(both[1])


def test_an_anisotropic_sphere_is_an_isotropic_atom() -> None:
    """U11 = U22 = U33 = U, U12 = U cos γ* and so on: the tensor of a sphere."""
    cell = gemmi.UnitCell(*GROUPS["P 1"][0]).reciprocal()
    alpha, beta, gamma = (np.cos(np.radians(x)) for x in (cell.alpha, cell.beta, cell.gamma))
    u = 0.03
    tensor = (
        "loop_\n_atom_site_aniso_label\n"
        + "".join(f"_atom_site_aniso_U_{n}\n" for n in ("11", "22", "33", "23", "13", "12"))
        + f"C1 {u} {u} {u} {u * alpha:.9f} {u * beta:.9f} {u * gamma:.9f}\n"
    )
    atoms = [("C1", "C", 0.1, 0.2, 0.3, 1, u)]
    hkl = np.array([[1, 2, 3], [-2, 1, 4], [3, -3, 1]])
    aniso, iso = crystal("P 1", atoms, tensor), crystal("P 1", atoms)
    assert np.isfinite(aniso.sites.u_cif).all()
    assert structure_factors(aniso, hkl) == pytest.approx(structure_factors(iso, hkl), abs=1e-7)


# ------------------------------------------------------------ difference maps


def data_with(group: str, extra, d_min: float = 1.1, sigma: float = 0.0) -> tuple[Structure, Reflections]:
    """The model, and error-free data of the model with `extra` atoms."""
    model = crystal(group)
    hkl = indices(model, d_min)
    observed = np.abs(structure_factors(crystal(group, [*ATOMS, *extra]), hkl)) ** 2
    calculated = np.abs(structure_factors(model, hkl)) ** 2
    return model, Reflections(hkl, observed, np.full(len(hkl), sigma), calculated=calculated)


# 0.3 of a hydrogen atom or less: F changes little, so that phases of the model are right.
FAINT = ("H1", "H", 0.72, 0.83, 0.61, 0.4, 0.04)


@pytest.mark.parametrize("group", GROUPS)
def test_a_missing_atom_is_the_highest_peak(group: str) -> None:
    structure, data = data_with(group, [FAINT])
    density = difference_density(structure, data)
    highest = find_peaks(density)[0]
    cell = gemmi.UnitCell(*GROUPS[group][0])
    images = [gemmi.Op(text).apply_to_xyz(list(FAINT[2:5])) for text in GROUPS[group][1]]
    if group in ("P 1", "C 2", "P 31"):
        # Without a centre half of the density of a missing atom shows, its inverse is a weak ghost.
        assert highest.height > 0
    else:
        away = [np.array(image) - highest.fract for image in images]
        nearest = min(cell.orthogonalize(gemmi.Fractional(*(d - np.rint(d)))).length() for d in away)
        assert nearest < 0.1
    assert (highest.name, highest.height == pytest.approx(density.maximum, rel=0.1)) == ("Q1", True)


@pytest.mark.parametrize("group", GROUPS)
def test_a_map_has_the_symmetry_of_its_group(group: str) -> None:
    structure, data = data_with(group, [FAINT])
    density = difference_density(structure, data)
    places = np.random.default_rng(1).random((40, 3))
    here = exact(density, places)
    for text in GROUPS[group][1]:
        turned = np.array([gemmi.Op(text).apply_to_xyz(place.tolist()) for place in places])
        assert exact(density, turned) == pytest.approx(here, abs=1e-9)


def exact(density: DensityMap, places: np.ndarray) -> np.ndarray:
    """Values between grid points by the Fourier sum itself."""
    terms = np.fft.ifftn(density.values)
    shape = density.values.shape
    axes = [np.fft.fftfreq(n, 1 / n) for n in shape]
    waves = [np.exp(-2j * np.pi * np.outer(places[:, k], axes[k])) for k in range(3)]
    return np.einsum("ni,nj,nk,ijk->n", *waves, terms, optimize=True).real


@pytest.mark.parametrize("group", ["P 31", "P 21/c"])
def test_a_map_does_not_depend_on_order_choice_of_equivalents_or_sign(group: str) -> None:
    structure, data = data_with(group, [FAINT], sigma=0.5)
    rng = np.random.default_rng(3)
    places = rng.random((30, 3))
    expected = exact(difference_density(structure, data), places)
    rotations = structure.space_group.rotations
    order = rng.permutation(len(data))
    turned = data.select(order)
    chosen = rotations[rng.integers(len(rotations), size=len(order))]
    turned.hkl = np.einsum("ni,nij->nj", turned.hkl, chosen)
    assert exact(difference_density(structure, turned), places) == pytest.approx(expected, abs=1e-9)


def test_without_a_difference_there_is_no_density() -> None:
    structure, data = data_with("P 21/c", [])
    assert np.abs(difference_density(structure, data).values).max() < 1e-9


def test_the_root_mean_square_of_a_map_is_parsevals() -> None:
    """σ² = Σ |ΔF|² / V² over the whole sphere, here in P 1 with each pair of mates once."""
    structure, data = data_with("P 1", [FAINT])
    half = data.select(np.array([tuple(h) > (0, 0, 0) for h in data.hkl.tolist()]))
    density = difference_density(structure, half)
    difference = np.sqrt(half.intensity) - np.sqrt(half.calculated)
    volume = gemmi.UnitCell(*GROUPS["P 1"][0]).volume
    assert density.sigma == pytest.approx(np.sqrt(2 * (difference**2).sum()) / volume, rel=1e-9)


def test_weak_reflections_count_less() -> None:
    """Weight Fc²/(Fc² + σ): with σ = Fc² every term is halved."""
    structure, data = data_with("P -1", [FAINT])
    full = difference_density(structure, data).values
    data.sigma = data.calculated.copy()
    assert difference_density(structure, data).values == pytest.approx(full / 2, abs=1e-9)


def test_reflections_without_values_and_0_0_0_are_passed_over() -> None:
    structure, data = data_with("P -1", [FAINT])
    expected = difference_density(structure, data).values
    more = Reflections(
        np.concatenate([data.hkl, [[0, 0, 0], [1, 1, 1]]]),
        np.concatenate([data.intensity, [1e6, np.nan]]),
        np.concatenate([data.sigma, [1.0, 1.0]]),
        calculated=np.concatenate([data.calculated, [1.0, 5.0]]),
    )
    assert difference_density(structure, more).values == pytest.approx(expected, abs=1e-9)


def test_without_calculated_values_the_item_is_named() -> None:
    structure, data = data_with("P -1", [])
    data.calculated = None
    with pytest.raises(MissingItemsError, match="needs calculated structure factors"):
        difference_density(structure, data)


# ------------------------------------------------------------ peaks and parts of a map


def bumps(*where: tuple[tuple[float, float, float], float], group: str = "P -1") -> DensityMap:
    """Gaussian functions of 0.3 Å at places of one cell and their images."""
    structure = crystal(group)
    shape = (48, 54, 60)
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    values = np.zeros(shape)
    for place, height in where:
        for text in GROUPS[group][1]:
            away = grid - gemmi.Op(text).apply_to_xyz(list(place))
            distance = np.linalg.norm(
                structure.cell.to_cartesian((away - np.rint(away)).reshape(-1, 3)), axis=1
            )
            values += height * np.exp(-((distance / 0.5) ** 2)).reshape(shape)
    return DensityMap(values, structure)


def test_peaks_lie_between_the_points_of_the_grid() -> None:
    place = (0.5137, 0.7219, 0.6041)
    (peak,) = [found for found in find_peaks(bumps((place, 1.5))) if found.name == "Q1"]
    cell = gemmi.UnitCell(*GROUPS["P -1"][0])
    images = [np.array(place), -np.array(place)]
    away = min(
        cell.orthogonalize(gemmi.Fractional(*(d - np.rint(d)))).length()
        for d in (peak.fract - i for i in images)
    )
    assert away < 0.02
    assert peak.height == pytest.approx(1.5, abs=0.03)


def test_peaks_and_holes_are_named_by_size_and_each_image_once() -> None:
    density = bumps(((0.5, 0.7, 0.6), 1.0), ((0.2, 0.8, 0.1), 2.0), ((0.8, 0.3, 0.4), -1.7))
    found = find_peaks(density)
    assert [(peak.name, round(peak.height, 1)) for peak in found] == [("Q1", 2.0), ("Q2", 1.0), ("N1", -1.7)]
    assert [peak.sigmas for peak in found] == pytest.approx([peak.height / density.sigma for peak in found])


def test_the_number_of_peaks_has_a_limit_and_holes_a_quarter_of_it() -> None:
    places = [
        ((0.1 + 0.2 * i, 0.15 + 0.3 * j, 0.2), 1.0 + 0.1 * i + 0.3 * j) for i in range(4) for j in range(2)
    ]
    density = bumps(*places, *[((x, y, 0.35), -v) for ((x, y, _), v) in places])
    names = [peak.name for peak in find_peaks(density, most=4)]
    assert names == ["Q1", "Q2", "Q3", "Q4", "N1"]


def test_the_nearest_atom_of_a_peak_is_found_over_symmetry() -> None:
    """At the image of a point 0.8 Å from O1."""
    structure = crystal("P -1")
    beside = structure.cell.to_cartesian(np.array([[0.31, 0.27, 0.12]])) + np.array([0.8, 0, 0])
    place = structure.cell.to_fractional(beside)[0]
    (peak,) = [found for found in find_peaks(bumps((tuple(-place), 1.0))) if found.name == "Q1"]
    assert peak.nearest == "O1"
    assert peak.distance == pytest.approx(0.8, abs=0.03)
    assert peak.words == f"{peak.distance:.2f} Å from O1"


def test_interpolation_meets_the_points_and_goes_around_the_cell() -> None:
    density = bumps(((0.02, 0.5, 0.5), 1.0))
    shape = np.array(density.values.shape)
    index = np.array([[0, 0, 0], [47, 53, 59], [3, 20, 41]])
    assert density.at(index / shape) == pytest.approx(density.values[tuple(index.T)])
    assert density.at(index / shape + [1, -2, 3]) == pytest.approx(density.values[tuple(index.T)])
    half = density.at(np.array([[47.5 / 48, 0.5, 0.5]]))[0]
    assert half == pytest.approx((density.values[47, 27, 30] + density.values[0, 27, 30]) / 2)


def test_a_part_of_a_map_has_the_values_of_the_map_at_its_places() -> None:
    density = bumps(((0.02, 0.5, 0.5), 1.0))
    structure = density.structure
    atoms = np.array([[-0.1, 0.4, 0.5], [0.1, 0.6, 0.55]])
    box = around(density, atoms, margin=1.0, reach=50.0)
    for index in ((0, 0, 0), (5, 7, 3), tuple(n - 1 for n in box.values.shape)):
        place = box.origin + np.array(index) @ box.steps
        assert box.values[index] == pytest.approx(
            density.at(structure.cell.to_fractional(place[None]))[0], abs=1e-6
        )


def test_a_part_is_zero_farther_than_its_reach_and_whole_within() -> None:
    density = bumps(((0.5, 0.5, 0.5), 1.0))
    whole = DensityMap(np.ones_like(density.values), density.structure)
    atom = np.array([[0.3, 0.4, 0.5]])
    box = around(whole, atom, margin=2.5, reach=1.5)
    index = np.argwhere(np.ones(box.values.shape))
    places = box.origin + index @ box.steps
    distance = np.linalg.norm(places - whole.structure.cell.to_cartesian(atom), axis=1).reshape(
        box.values.shape
    )
    assert ((box.values == 1) == (distance <= 1.5)).all()


def test_a_large_part_is_thinned_and_keeps_its_place() -> None:
    density = bumps(((0.5, 0.5, 0.5), 1.0))
    atoms = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    box = around(density, atoms, reach=50.0, most=5000)
    assert box.values.size <= 5000
    place = box.origin + np.array([2, 3, 1]) @ box.steps
    assert box.values[2, 3, 1] == pytest.approx(
        density.at(density.structure.cell.to_fractional(place[None]))[0], abs=1e-6
    )


def test_a_map_says_its_extremes() -> None:
    assert repr(DensityMap(np.array([[[1.0, -2.0]]]), crystal("P 1"))) == (
        "<Fo − Fc density: +1.00 … −2.00 e/Å³, σ 1.581, grid 1 × 1 × 2>"
    )


def test_reflections_of_which_none_has_both_values_are_refused(thpp):
    nothing = np.full(3, np.nan)
    hkl = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    data = Reflections(hkl, nothing, np.ones(3), calculated=nothing)
    with pytest.raises(MissingItemsError, match="None of the reflections has both"):
        difference_density(thpp, data)


def test_indices_that_no_measurement_reaches_are_refused_before_the_memory_is_full(thpp):
    hkl = np.array([[1, 0, 0], [9999, 9999, 9999]])
    data = Reflections(hkl, np.ones(2), np.ones(2), calculated=np.ones(2))
    with pytest.raises(UserInputError, match=r"map would have .* points.*index 9999.*Check the indices"):
        difference_density(thpp, data)
