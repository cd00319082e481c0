"""Normal equations beside a plain least-squares solution by numpy, with the scale as one of the parameters."""

import numpy as np
import pytest
from qcrbox_refine import reflections
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.corrections import prepare_corrections
from qcrbox_refine.intensities import IntensityModel
from qcrbox_refine.normal_equations import (
    NormalEquations,
    SingularMatrix,
    packed_upper,
    require_determined,
)
from qcrbox_refine.refinement import load_model
from qcrbox_refine.weighting import weights_of
from truth import Truth, hkl_text, noisy, write

WEIGHTS = (0.04, 0.3, 0.0, 0.0, 0.0, 1 / 3)


def prepared(folder, group, *cards, d_min=1.3):
    truth = Truth(group, "Fe" if group == "P 21/c" else "Br")
    hkl = truth.indices(d_min)
    values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.03, 3)
    files = write(folder, truth.ins(*cards, shift=0.003), hkl_text(hkl, values, sigma))
    model = load_model(files[0])
    data = reflections.prepare(model, files[1])
    made = parametrise(model)
    corrections = prepare_corrections(model, data)
    return IntensityModel(made, data, corrections, wavelength=model.wavelength), made


@pytest.fixture(scope="module")
def centric(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("centric"), "P 21/c")


@pytest.fixture(scope="module")
def built(centric):
    equations = NormalEquations(centric[0], WEIGHTS)
    # The weights depend on the scale, which two passes settle.
    for _ in range(4):
        equations.build()
    return equations


def design_of(equations):
    """Derivatives of K I by the parameters and by K, (n, p + 1), times √w."""
    chunks = list(equations.model.chunks(derivatives=True))
    design = np.vstack([chunk.design for chunk in chunks])
    intensity = np.concatenate([chunk.intensity for chunk in chunks])
    return np.column_stack([equations.scale * design, intensity]) * np.sqrt(equations.weights)[:, None]


def test_the_shifts_are_those_of_a_plain_least_squares_fit(built):
    """The scale is eliminated from the matrix; solving for it together with the rest gives the same."""
    residual = np.sqrt(built.weights) * (built.fo_sq - built.scale * built.fc_sq)
    expected, *_ = np.linalg.lstsq(design_of(built), residual, rcond=None)
    assert built.solve() == pytest.approx(expected[:-1], rel=1e-5, abs=1e-5 * np.abs(expected[:-1]).max())
    assert expected[-1] == pytest.approx(0, abs=abs(built.scale) * 0.05)


def test_the_covariance_has_the_correlation_with_the_scale(built):
    """(AᵀA)⁻¹ Σwδ²/(n - p), of which the row and the column of the scale are left out; p counts the scale."""
    design = design_of(built)
    n, p = design.shape
    delta = np.sqrt(built.weights) * (built.fo_sq - built.scale * built.fc_sq)
    expected = np.linalg.inv(design.T @ design)[:-1, :-1] * (delta @ delta) / (n - p)
    found = built.covariance()
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6 * np.abs(expected).max())
    without_scale = np.linalg.inv(design[:, :-1].T @ design[:, :-1]) * (delta @ delta) / (n - p)
    assert np.diag(found).sum() > np.diag(without_scale).sum()


@pytest.mark.parametrize("n", [None, 150])
def test_the_number_of_independent_reflections_scales_the_covariance(built, n):
    p = built.n_parameters
    ratio = (built.n - p) / ((n or built.n) - p)
    assert built.covariance(n) == pytest.approx(built.covariance() * ratio)


def test_weights_are_those_of_the_scheme_on_the_scale_of_fc(built):
    k = built.scale
    expected = weights_of(WEIGHTS, built.fo_sq / k, built.sigma / k, built.fc_sq, built.stol_sq) / k**2
    assert built.weights == pytest.approx(expected, rel=1e-4)


def test_the_scale_is_at_its_optimum(built):
    """∂/∂K Σ w (Fo² - K Fc²)² = 0."""
    slope = (built.weights * built.fc_sq * (built.fo_sq - built.scale * built.fc_sq)).sum()
    assert slope == pytest.approx(0, abs=1e-9 * (built.weights * built.fc_sq * built.fo_sq).sum())


def test_the_first_scale_needs_no_start(centric):
    first = NormalEquations(centric[0], None)
    first.build()
    far = NormalEquations(centric[0], None, scale=17.0)
    far.build()
    assert far.scale == pytest.approx(first.scale)


@pytest.mark.parametrize("cutoff", [None, 2, 10])
def test_r_values_are_plain_sums(built, cutoff):
    """R1 = Σ||Fo| - |Fc|| / Σ|Fo|, wR2 = [Σ w (Fo² - Fc²)² / Σ w Fo⁴]^½."""
    chosen = np.ones(built.n, bool) if cutoff is None else built.fo_sq > cutoff * built.sigma
    observed, k = built.fo_sq[chosen], built.scale
    calculated, w = k * built.fc_sq[chosen], built.weights[chosen]
    amplitudes = np.sqrt(np.maximum(observed, 0))
    r1 = np.abs(amplitudes - np.sqrt(calculated)).sum() / amplitudes.sum()
    assert built.r1(cutoff) == (pytest.approx(r1), int(chosen.sum()))
    wr2 = np.sqrt((w * (observed - calculated) ** 2).sum() / (w * observed**2).sum())
    assert built.wr2(cutoff) == pytest.approx(wr2)


def test_goof_counts_the_scale_among_the_parameters(built):
    delta_sq = (built.weights * (built.fo_sq - built.scale * built.fc_sq) ** 2).sum()
    p = built.model.n_parameters + 1
    assert built.goof() == pytest.approx(np.sqrt(delta_sq / (built.n - p)))
    assert built.restrained_goof() == pytest.approx(built.goof())


@pytest.mark.parametrize("damping", [0.7, 300.0])
def test_damping_multiplies_the_diagonal(centric, damping):
    plain, damped = NormalEquations(centric[0], None), NormalEquations(centric[0], None, damping=damping)
    plain.build()
    damped.build()
    matrix = plain.matrix + np.diag(np.diag(plain.matrix)) * damping / 1000
    assert damped.solve() == pytest.approx(np.linalg.solve(matrix, plain.right), rel=1e-6)
    # s.u. have at most the usual damping, which changes them by less than 0.04 %.
    assert np.diag(damped.covariance()) == pytest.approx(np.diag(plain.covariance()), rel=2e-2)


def test_restraints_stand_in_the_matrix_on_the_scale_of_the_data(tmp_path):
    """A + S² RᵀPR with S² = Σwδ²/n and P = 1/σ²; Restrained S counts them as observations."""
    model, made = prepared(tmp_path, "P 21/c", "DFIX 1.60 0.01 C1 C2", "SADI 0.02 C1 C2 C2 O1 C2 N1")
    plain, restrained = NormalEquations(model, None), NormalEquations(model, None, made.restraints)
    plain.build()
    restrained.build()
    rows = made.restraints.build_linearised_eqns(made.structure, made.reparametrisation.parameter_map())
    jacobian = made.reparametrisation.jacobian_transpose_of_restraints().transpose()
    design = (rows.design_matrix * jacobian).as_dense_matrix().as_numpy_array()
    weights = np.array(rows.weights) * plain.sum_w_delta_sq / plain.n
    deltas = np.array(rows.deltas)
    assert restrained.n_restraints == 1 + 3
    assert restrained.matrix == pytest.approx(plain.matrix + design.T @ (weights[:, None] * design))
    assert restrained.right == pytest.approx(plain.right - design.T @ (weights * deltas))
    expected = (plain.sum_w_delta_sq + weights @ deltas**2) / (plain.n + 4 - plain.n_parameters)
    assert restrained.restrained_goof() == pytest.approx(np.sqrt(expected))
    assert restrained.goof() == pytest.approx(plain.goof())


def test_the_origin_of_a_polar_group_stays_where_it_is(tmp_path):
    """Without it the matrix of P 21 is singular; with it no step has a part along b in the metric of the matrix."""
    model, made = prepared(tmp_path, "P 21", d_min=1.2)
    equations = NormalEquations(model, None)
    equations.build()
    assert equations.n_origin == 1
    places = [p.site + 1 for p in made.structure.parameter_map()]
    jacobian = made.reparametrisation.jacobian_transpose_matching_grad_fc().as_dense_matrix().as_numpy_array()
    along_b = np.array([k for k in range(len(jacobian)) if jacobian[k, places].any()])
    bare = equations.matrix.copy()
    row = np.zeros(len(bare))
    row[along_b] = np.diag(equations.matrix)[along_b]
    step = equations.solve()
    moved = np.abs(step[along_b] * np.diag(bare)[along_b]).sum()
    assert abs((step[along_b] * np.diag(bare)[along_b]).sum()) < 0.05 * moved


def test_a_packed_matrix_has_the_rows_of_the_upper_triangle():
    matrix = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 5.0, 6.0]])
    assert list(packed_upper(matrix)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("matrix", "parameters"),
    [
        (np.diag([1.0, 0.0, 2.0]), [1]),
        (np.diag([1.0, 3.0, -2.0]), [2]),
        (np.diag([np.nan, 3.0, 2.0]), [0]),
        (np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]), [1, 2]),
        (np.array([[1e-12, 1e-6, 0.0], [1e-6, 1.0, 0.0], [0.0, 0.0, 1.0]]), [0, 1]),
    ],
    ids=["no influence", "negative", "no number", "two alike", "two alike on other scales"],
)
def test_a_parameter_that_the_data_do_not_determine_is_named(matrix, parameters):
    with pytest.raises(SingularMatrix) as caught:
        require_determined(matrix)
    assert caught.value.parameter in parameters


def test_parameters_of_very_different_size_are_no_dependence():
    """A matrix is judged with unit diagonal: occupancies and U* differ by many powers of ten."""
    scales = np.array([1e-9, 1.0, 1e9])
    matrix = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.3], [0.2, 0.3, 1.0]]) * np.outer(scales, scales)
    require_determined(matrix)
