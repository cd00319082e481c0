"""Formulas of corrections, weights, merging and coding against closed forms and second opinions."""

import numpy as np
import pytest
from cctbx import crystal, miller, sgtbx
from cctbx.array_family import flex
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.shelx import refinement_texts
from qcrbox.crystallography.shelx.labels import shelx_labels
from qcrbox.crystallography.shelx.refinement_texts import is_shelx_extinction, weight_card
from qcrbox_refine import weighting
from qcrbox_refine.extinction import corrected, path_factor
from qcrbox_refine.fragments import superposition, template
from qcrbox_refine.merging import independent_of_mates, merge
from qcrbox_refine.parameters import FIXED, FREE, UNSTATED, Coding, read_parameter, tied, write_parameter
from qcrbox_refine.restraint_equations import full, six, tensor_transformation
from qcrbox_refine.shelx_cards import symmetry_cards
from scipy.spatial.transform import Rotation

THIRD = 1 / 3

# ------------------------------------------------------------ extinction


def test_the_correction_is_that_of_shelxl():
    """Fc² [1 + 0.001 x Fc² λ³ / sin 2θ]^(-1/2) for a reflection of known d."""
    cell, wavelength = 10.0, 1.54184
    indices = miller.set(
        crystal.symmetry((cell, cell, cell, 90, 90, 90), "P 1"), flex.miller_index([(2, 0, 0)])
    )
    theta = np.arcsin(wavelength / (2 * cell / 2))
    factor = path_factor(indices, wavelength)
    assert factor == pytest.approx([0.001 * wavelength**3 / np.sin(2 * theta)], rel=1e-12)
    value, _, _ = corrected(np.array([5000.0]), 0.02, factor)
    expected = 5000.0 * (1 + 0.001 * 0.02 * 5000.0 * wavelength**3 / np.sin(2 * theta)) ** -0.5
    assert value == pytest.approx([expected], rel=1e-12)


def test_each_reflection_has_the_wavelength_it_was_measured_with():
    indices = miller.set(
        crystal.symmetry((9, 10, 11, 90, 90, 90), "P 1"), flex.miller_index([(1, 0, 0), (1, 0, 0)])
    )
    one, two = path_factor(indices, np.array([0.7, 1.5]))
    assert one == pytest.approx(path_factor(indices, 0.7)[0])
    assert two == pytest.approx(path_factor(indices, 1.5)[0])


def test_without_a_wavelength_there_is_no_correction():
    indices = miller.set(crystal.symmetry((9, 10, 11, 90, 90, 90), "P 1"), flex.miller_index([(1, 0, 0)]))
    with pytest.raises(MissingItemsError, match="needs the wavelength"):
        path_factor(indices, None)


@given(st.floats(0.01, 1e6), st.floats(0.0, 5.0), st.floats(1e-5, 0.1))
def test_extinction_weakens_and_its_derivatives_are_those_of_finite_differences(intensity, x, factor):
    value, by_i, by_x = (float(part[0]) for part in corrected(np.array([intensity]), x, np.array([factor])))
    assert 0 < value <= intensity

    def at(i, coefficient):
        return float(corrected(np.array([i]), coefficient, np.array([factor]))[0][0])

    h = intensity * 1e-5
    assert by_i == pytest.approx((at(intensity + h, x) - at(intensity - h, x)) / (2 * h), rel=1e-4, abs=1e-9)
    step = 1e-5 * (1 + x)
    low = max(x - step, 0.0)
    numeric = (at(intensity, x + step) - at(intensity, low)) / (x + step - low)
    curvature = 0.75 * (factor * intensity) ** 2 * intensity * step
    assert by_x == pytest.approx(numeric, rel=1e-2, abs=curvature + 1e-6 * intensity)


@pytest.mark.parametrize(
    ("method", "expression", "ours"),
    [
        ("SHELXL-2018/3", None, True),
        (None, "Fc^*^=kFc[1+0.001xFc^2^\\l^3^/sin(2\\q)]^-1/4^", True),
        (None, None, True),
        ("Larson 1970, Crystallographic Computing eq 22", None, False),
        ("Zachariasen", None, False),
        ("B-C type 1 Gaussian isotropic (Becker & Coppens, 1974)", None, False),
        ("SHELXL (after Zachariasen)", None, True),
    ],
)
def test_which_texts_mean_this_formula(method, expression, ours):
    assert is_shelx_extinction(method, expression) is ours


# ------------------------------------------------------------ weights

NUMBERS = {"fo_sq": 120.0, "sigma": 2.0, "fc_sq": 90.0, "stol_sq": 0.16}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, 1.0),
        (refinement_texts.SIGMA, 1 / 4),
        ((0.05,), 1 / (4 + (0.05 * 100) ** 2)),
        ((0.05, 0.3), 1 / (4 + 25 + 30)),
        ((0.0, 0.0, 2.0), np.exp(2 * 0.16) / 4),
        ((0.0, 0.0, -2.0), (1 - np.exp(-2 * 0.16)) / 4),
        ((0.0, 0.0, 0.0, 5.0), 1 / 9),
        ((0.0, 0.0, 0.0, 0.0, 10.0), 1 / (4 + 10 * 0.4)),
        ((0.1, 0.0, 0.0, 0.0, 0.0, 1.0), 1 / (4 + 12.0**2)),
        ((0.1, 0.0, 0.0, 0.0, 0.0, 0.0), 1 / (4 + 9.0**2)),
    ],
    ids=["unit", "sigma", "a", "a b", "c > 0", "c < 0", "d", "e", "f = 1", "f = 0"],
)
def test_the_weight_of_a_reflection_by_hand(weights, expected):
    arrays = {name: np.array([value]) for name, value in NUMBERS.items()}
    assert weighting.weights_of(weights, **arrays) == pytest.approx([expected])


def test_a_negative_intensity_counts_as_zero_in_p():
    w = weighting.weights_of((0.1,), np.array([-50.0]), np.array([1.0]), np.array([30.0]), np.array([0.1]))
    assert w == pytest.approx([1 / (1 + (0.1 * 20.0) ** 2)])


@pytest.mark.parametrize(
    ("text", "kind", "numbers"),
    [
        ("", "optimise", None),
        ("optimize", "optimise", None),
        (" UNIT ", "unit", None),
        ("keep", "keep", None),
        ("statistical", "fixed", refinement_texts.SIGMA),
        ("0.05, 0.3", "fixed", (0.05, 0.3, 0, 0, 0, THIRD)),
        ("0.05", "fixed", (0.05, 0, 0, 0, 0, THIRD)),
        ("WGHT 0.05 0.3", "fixed", (0.05, 0.3, 0, 0, 0, THIRD)),
        ("a=0.05; b=.3", "fixed", (0.05, 0.3, 0, 0, 0, THIRD)),
        ("0.1 0 -2 0 0 0.5", "fixed", (0.1, 0, -2, 0, 0, 0.5)),
        ("5e-2 1E0", "fixed", (0.05, 1.0, 0, 0, 0, THIRD)),
    ],
)
def test_what_a_person_writes_for_the_weights(text, kind, numbers):
    found = weighting.parse_weighting(text)
    assert found[0] == kind
    assert found[1] == (None if numbers is None else pytest.approx(numbers))


@pytest.mark.parametrize("text", ["best", "0.05 x", "-0.1", "0.1, -3", "9", "1 2 3 4 5 6 7", "0.05 0.3 good"])
def test_what_is_no_weighting_is_refused(text):
    with pytest.raises(UserInputError, match="weighting must be optimise, keep, unit, sigma"):
        weighting.parse_weighting(text)


@pytest.mark.parametrize(
    ("weights", "scheme", "card"),
    [
        (None, "unit", "REM unit weights, w = 1"),
        (refinement_texts.SIGMA, "sigma", "WGHT   0.000000   0.000000"),
        ((0.05, 0.3), "calc", "WGHT   0.050000   0.300000"),
        ((0.05, 0.3, 0, 0, 0, 0.33333), "calc", "WGHT   0.050000   0.300000"),
        ((0.05, 0.3, 1.5, 0, 0, 0.5), "calc", "WGHT 0.05 0.3 1.5 0 0 0.5"),
    ],
)
def test_how_a_scheme_is_named_and_written(weights, scheme, card):
    assert weighting.scheme(weights) == scheme
    assert weight_card(weights) == card


@given(
    st.tuples(
        st.floats(0.001, 1).map(lambda x: round(x, 4)),
        st.floats(0.001, 99).map(lambda x: round(x, 4)),
        st.sampled_from([0.0, 1.5, -2.25]),
        st.sampled_from([0.0, 0.5]),
        st.sampled_from([0.0, 0.25]),
        st.sampled_from([THIRD, 0.5, 1.0]),
    )
)
def test_every_scheme_that_is_written_reads_back(weights):
    assert refinement_texts.parse_details(refinement_texts.details(weights)) == pytest.approx(
        weights, abs=6e-5
    )


@pytest.mark.parametrize("a_true", [0.0, 0.03, 0.08])
def test_the_search_finds_the_noise_that_was_put_in(a_true):
    """Errors proportional to the intensity: a of the truth, and a goodness of fit near 1."""
    random = np.random.default_rng(7)
    fc = random.exponential(100.0, 4000) + 1
    sigma = 0.5 + 0.01 * fc
    fo = fc + random.normal(size=4000) * np.hypot(sigma, a_true * fc)
    found = weighting.optimise(fo, sigma, fc, 100)
    assert found[0] == pytest.approx(a_true, abs=0.012)
    w = weighting.weights_of(found, fo, sigma, fc, np.zeros(4000))
    assert np.sqrt((w * (fo - fc) ** 2).sum() / 3900) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("scale", [0.1, 1.0, 37.5, 1e4])
def test_the_search_does_not_depend_on_the_order_of_the_reflections(scale):
    random = np.random.default_rng(3)
    fc = random.exponential(100.0, 300) + 1
    sigma = 0.05 * fc + 0.5
    fo = fc + random.normal(size=300) * sigma * 1.5
    order = random.permutation(300)
    first = weighting.optimise(fo * scale, sigma * scale, fc * scale, 20)
    other = weighting.optimise(fo[order] * scale, sigma[order] * scale, fc[order] * scale, 20)
    assert first == pytest.approx(other, rel=1e-6, abs=1e-4)


# ------------------------------------------------------------ merging


def measured(rows, symbol="P 1 21 1", anomalous=True):
    symmetry = crystal.symmetry((5, 6, 7, 90, 100, 90), symbol)
    base = miller.set(symmetry, flex.miller_index([row[0] for row in rows]), anomalous_flag=anomalous)
    data, sigmas = (flex.double([row[k] for row in rows]) for k in (1, 2))
    return miller.array(base, data, sigmas).set_observation_type_xray_intensity()


EQUIVALENTS = [
    ((1, 2, 3), 100.0, 2.0),
    ((-1, 2, -3), 104.0, 2.0),
    ((-1, -2, -3), 90.0, 3.0),
    ((0, 0, 4), 8.0, 1.0),
]


@pytest.mark.parametrize(
    ("merg", "size", "redundancies"),
    [(0, 4, [1, 1, 1, 1]), (1, 4, [1, 1, 1, 1]), (2, 3, [1, 1, 2]), (None, 3, [1, 1, 2]), (4, 2, [1, 3])],
)
def test_what_each_merg_merges(merg, size, redundancies):
    found = merge(measured(EQUIVALENTS), merg)
    assert found.array.size() == size
    assert sorted(found.redundancies.tolist()) == redundancies
    assert (found.r_int is None) is (merg in (0, 1))
    assert (found.rows == 4) is (merg in (0, 1))


def test_merging_two_strong_equivalents_by_hand():
    """Weights Fo²/σ above 3σ: the mean of 100(2) and 104(2), and the larger estimate of its s.u."""
    found = merge(measured(EQUIVALENTS[:2]), 2)
    w1, w2 = 100 / 2.0, 104 / 2.0
    mean = (w1 * 100 + w2 * 104) / (w1 + w2)
    assert found.array.data()[0] == pytest.approx(mean)
    counting = (1 / (1 / 2.0**2 + 1 / 2.0**2)) ** 0.5
    assert found.array.sigmas()[0] >= counting * 0.999
    assert found.r_int == pytest.approx((abs(100 - mean) + abs(104 - mean)) / 204, rel=1e-3)


def test_batches_are_merged_each_for_itself():
    found = merge(measured(EQUIVALENTS), 2, np.array([1, 2, 1, 1]))
    assert found.array.size() == 4
    assert sorted(found.batches.tolist()) == [1, 1, 1, 2]
    assert found.r_int is None


@pytest.mark.parametrize(
    ("indices", "anomalous", "count"),
    [
        ([(1, 2, 3), (-1, -2, -3)], True, 1),
        ([(1, 2, 3), (-1, -2, -3), (0, 0, 4)], True, 2),
        ([(1, 2, 3), (1, 2, 4)], True, 2),
        ([(1, 2, 3), (1, 2, 3), (-1, -2, -3)], True, 2),
        ([(1, 2, 3)], False, 1),
        ([], True, 0),
    ],
)
def test_friedel_mates_count_once_for_the_standard_uncertainties(indices, anomalous, count):
    assert independent_of_mates(measured([(h, 1.0, 1.0) for h in indices], anomalous=anomalous)) == count


# ------------------------------------------------------------ numbers of SHELX parameters

VARIABLES = [1.0, 0.62, 1.45]


@pytest.mark.parametrize(
    ("written", "value", "coding"),
    [
        (0.25, 0.25, FREE),
        (-0.25, -0.25, FREE),
        (10.25, 0.25, FIXED),
        (9.75, -0.25, FIXED),
        (11.0, 1.0, FIXED),
        (21.0, 0.62, Coding(2, 0.0, 1.0)),
        (20.5, 0.31, Coding(2, 0.0, 0.5)),
        (31.0, 1.45, Coding(3, 0.0, 1.0)),
        (-21.0, 0.38, Coding(2, 1.0, -1.0)),
        (-20.5, 0.19, Coding(2, 0.5, -0.5)),
    ],
)
def test_a_number_means_a_value_and_how_it_is_refined(written, value, coding):
    found, how = read_parameter(written, VARIABLES)
    assert found == pytest.approx(value)
    assert (how.variable, how.offset, how.factor) == pytest.approx(
        (coding.variable, coding.offset, coding.factor)
    )
    assert write_parameter(found, how) == pytest.approx(written)


@given(st.integers(-3, 3).filter(lambda m: m not in (-1,)), st.floats(-4.9, 4.9).map(lambda x: round(x, 5)))
def test_every_number_is_written_as_it_was_read(multiple, p):
    if (multiple < 0 and p > 0) or (abs(multiple) > 1 and p == 0):
        return  # p of a negative variable is negative; p = 0 does not follow its variable
    written = round(10 * multiple + p, 5)
    value, coding = read_parameter(written, VARIABLES)
    assert write_parameter(value, coding) == pytest.approx(written, abs=1e-9)


@pytest.mark.parametrize("written", [41.0, -41.0, 90.5])
def test_a_variable_that_fvar_does_not_give_is_refused(written):
    with pytest.raises(UserInputError, match="but FVAR has 3"):
        read_parameter(written, VARIABLES)


def test_alternatives_of_one_variable_fill_the_site_for_every_value():
    major, minor = tied(2, 1.0), tied(-2, 1.0)
    for value in (0.0, 0.3, 1.0):
        variables = [1.0, value]
        assert major.value(variables) + abs(minor.value(variables)) == pytest.approx(1.0)


def test_a_share_of_a_tied_parameter_follows_the_same_variable():
    half = tied(2, 1.0).scaled(0.5)
    assert half.value(VARIABLES) == pytest.approx(0.31)
    assert FIXED.scaled(0.5) == FIXED
    assert (UNSTATED.is_fixed, UNSTATED.is_tied, UNSTATED.is_free) == (True, False, False)


# ------------------------------------------------------------ symmetry cards and labels


UNUSUAL = {
    "reverse rhombohedral": "P 3 (x+1/3,y+2/3,z+1/3)",
    "obverse rhombohedral": "P 3 (x+2/3,y+1/3,z+1/3)",
    "triple cell of P 3": "P 3 (x+2/3,y+1/3,z)",
    "doubled axis": "-P 2 (x,y,z+1/2)",
    "primitive cell of R 3": "P 3*",
    "inversion elsewhere": "P 2 (-x+1/4,-y+1/4,-z+1/4)",
}


@pytest.mark.parametrize("setting", [*range(1, 231), *UNUSUAL])
def test_latt_and_symm_give_the_space_group_back(setting):
    """Read by the rules of SHELX: LATT (centring, inversion), then the products with SYMM."""
    if isinstance(setting, int):
        group = sgtbx.space_group_info(setting).group()
    else:
        hall, _, more = UNUSUAL[setting].partition(" (")
        group = sgtbx.space_group(hall)
        if more:
            group.expand_smx(more.rstrip(")"))
    latt, *symm = symmetry_cards(group)
    lattice = int(latt.split()[1])
    centring = {1: "P", 2: "I", 3: "R", 4: "F", 5: "A", 6: "B", 7: "C"}[abs(lattice)]
    again = sgtbx.space_group(f"{'-' if lattice > 0 else ''}{centring} 1")
    for card in symm:
        again.expand_smx(card.removeprefix("SYMM ").lower())
    assert again == group


@given(st.lists(st.text("ABCHabc0123456789'_*", min_size=1, max_size=7), min_size=1, max_size=40))
def test_short_labels_are_unique_and_fit(labels):
    short = shelx_labels(labels)
    assert len({label.upper() for label in short}) == len(labels)
    assert all(1 <= len(label) <= 4 for label in short)


def test_labels_that_fit_stay():
    assert shelx_labels(["C1", "H1A", "N10'"]) == ["C1", "H1A", "N10'"]


# ------------------------------------------------------------ ideal groups and tensors


@pytest.mark.parametrize(("m", "atoms", "bond"), [(5, 5, 1.42), (6, 6, 1.39), (7, 6, 1.39), (11, 10, 1.39)])
def test_neighbours_of_an_ideal_ring_are_one_bond_apart(m, atoms, bond):
    points = template(m)
    assert len(points) == atoms
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() == pytest.approx(bond)
    assert (np.isclose(apart, bond).sum()) == {5: 10, 6: 12, 7: 12, 11: 22}[m]
    assert np.ptp(points[:, 2]) == 0


def test_the_methyl_groups_of_cp_star_point_outwards():
    ring, methyl = template(10)[:5], template(10)[5:]
    assert np.linalg.norm(methyl - ring, axis=1) == pytest.approx([1.063 * 1.42] * 5)
    assert np.linalg.norm(methyl, axis=1) == pytest.approx(np.linalg.norm(ring, axis=1) + 1.063 * 1.42)


def test_another_length_scales_the_group_and_other_codes_have_none():
    assert template(6, 1.5) == pytest.approx(template(6) * 1.5 / 1.39)
    assert template(3) is None


@given(st.integers(0, 10_000), st.integers(3, 9))
def test_a_moved_group_is_brought_back_exactly(seed, n):
    random = np.random.default_rng(seed)
    points = random.normal(size=(n, 3)) * 2
    turned = Rotation.random(random_state=seed).as_matrix()
    target = points @ turned.T + random.normal(size=3)
    rotation, shift = superposition(points, target)
    assert points @ rotation.T + shift == pytest.approx(target, abs=1e-8)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


@given(st.integers(0, 10_000))
def test_a_superposition_is_the_best_rotation_and_never_a_mirror(seed):
    """scipy's solution of Wahba's problem as the second opinion, for points that do not fit exactly."""
    random = np.random.default_rng(seed)
    points, target = random.normal(size=(6, 3)), random.normal(size=(6, 3))
    rotation, shift = superposition(points, target)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    error = np.linalg.norm(points @ rotation.T + shift - target) ** 2
    best, rssd = Rotation.align_vectors(target - target.mean(0), points - points.mean(0))
    assert error == pytest.approx(rssd**2, rel=1e-6)
    assert best is not None


def test_a_flat_group_is_placed_and_not_mirrored():
    points = template(6)
    target = points @ Rotation.from_euler("xyz", [30, 40, 50], degrees=True).as_matrix().T
    rotation, shift = superposition(points, target)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert points @ rotation.T + shift == pytest.approx(target, abs=1e-9)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6), st.integers(0, 1000))
def test_a_tensor_turns_as_m_u_mt(elements, seed):
    matrix = np.random.default_rng(seed).normal(size=(3, 3))
    u = np.array(elements)
    assert six(full(u)) == pytest.approx(u)
    assert full(tensor_transformation(matrix) @ u) == pytest.approx(matrix @ full(u) @ matrix.T, abs=1e-9)
