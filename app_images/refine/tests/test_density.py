"""The difference map beside plain Fourier sums, and what it shows where the model is wrong."""

import numpy as np
import pytest
from qcrbox_refine.density import hole, map_terms, peaks
from qcrbox_refine.refinement import Options, refine_files
from scipy.optimize import minimize
from truth import Truth, hkl_text, write


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """Exact data of a truth against a model of it, changed by `change`, without a cycle."""
    known = {}

    def run(group, change=None, name="as it is"):
        if (group, name) not in known:
            truth = Truth(group, "Fe" if group != "P 21" else "Br")
            hkl = truth.indices(0.9)
            square = np.abs(truth.f(hkl)) ** 2
            text = truth.ins()
            files = write(
                tmp_path_factory.mktemp("density"),
                change(text) if change else text,
                hkl_text(hkl, square, 0.01 * square + 0.001 * square.mean()),
            )
            known[group, name] = truth, refine_files(*files, Options(weighting="keep", cycles=0))
        return known[group, name]

    return run


def without(label):
    return lambda text: "\n".join(line for line in text.split("\n") if not line.startswith(f"{label} "))


def plain_sum(fit):
    """x -> ρ(x) = 1/V Σ c(h) exp(-2πi h·x) over the whole sphere, e Å⁻³: coefficients expanded by hand."""
    structure = fit.parametrisation.structure
    coefficients = map_terms(fit).coefficients()
    sphere = {}
    for index, value in zip(coefficients.indices(), coefficients.data(), strict=True):
        for operation in structure.space_group():
            rotation = np.array(operation.r().as_double()).reshape(3, 3)
            shift = np.array(operation.t().as_double())
            image = tuple(int(x) for x in np.rint(np.array(index) @ rotation))
            moved = value * np.exp(-2j * np.pi * np.dot(index, shift))
            sphere[image] = moved
            sphere[tuple(-x for x in image)] = np.conj(moved)
    indices = np.array(list(sphere))
    values = np.array(list(sphere.values()))
    volume = structure.unit_cell().volume()
    return lambda site: float((values * np.exp(-2j * np.pi * (indices @ np.array(site)))).real.sum() / volume)


@pytest.mark.parametrize("group", ["P 21/c", "P 21"])
def test_the_map_is_the_fourier_sum_over_the_whole_sphere(evaluated, group):
    _, result = evaluated(group, without("O1"), "without O1")
    grid = result.residual.grid
    shape = np.array(grid.all())
    array = grid.as_numpy_array()
    places = [(3, 5, 7), (10, 0, 4), tuple(int(x) for x in np.unravel_index(array.argmax(), array.shape))]
    plain = plain_sum(result.fit)
    expected = [plain(np.array(place) / shape) for place in places]
    assert [array[place] for place in places] == pytest.approx(expected, abs=1e-4 * np.abs(array).max())
    assert result.residual.rms == pytest.approx(np.sqrt((array**2).mean() - array.mean() ** 2), rel=1e-3)


@pytest.mark.parametrize("group", ["P 21/c", "P 21", "P 4/m"])
@pytest.mark.parametrize("label", ["O1", "C3"])
def test_extremes_are_those_of_the_fourier_sum_between_the_points_of_the_grid(evaluated, group, label):
    """The points alone are up to 8 % below the top."""
    _, result = evaluated(group, without(label), f"without {label}")
    plain = plain_sum(result.fit)
    for sign, start, found in (
        (-1, peaks(result.residual, result.model, 1)[0].site, result.residual.maximum),
        (1, hole(result.residual), result.residual.minimum),
    ):
        best = minimize(lambda site, s=sign: s * plain(site), start, method="Nelder-Mead")
        assert found == pytest.approx(sign * best.fun, rel=0.02)
        grid = result.residual.grid.as_numpy_array() * -sign
        assert abs(found) >= grid.max()


@pytest.mark.parametrize("group", ["P 21/c", "P 21"])
def test_an_atom_that_the_model_lacks_is_the_highest_peak(evaluated, group):
    truth, result = evaluated(group, without("O1"), "without O1")
    first = peaks(result.residual, result.model, 5)[0]
    cell = result.model.symmetry.unit_cell()
    images = [operation * (0.402, 0.118, 0.157) for operation in result.model.symmetry.space_group()]
    apart = [np.array(image) - first.site for image in images]
    assert min(cell.length(tuple(d - np.rint(d))) for d in apart) < 0.25
    assert first.label == "Q1"
    assert first.height > peaks(result.residual, result.model, 5)[1].height
    # The nearest atom of the model, by plain distances to all of its images.
    distances = {}
    for label, _, site, _ in truth.atoms:
        if label == "O1":
            continue
        for operation in result.model.symmetry.space_group():
            d = np.array(operation * site) - first.site
            for shift in np.ndindex(3, 3, 3):
                length = cell.length(tuple(d - np.rint(d) + np.array(shift) - 1))
                distances[label] = min(length, distances.get(label, np.inf))
    assert first.nearest == min(distances, key=distances.get)
    assert first.distance == pytest.approx(min(distances.values()), abs=1e-3)
    # The peak is listed beside that atom as it stands in the list.
    beside = next(atom for atom in result.model.atoms if atom.label == first.nearest)
    assert cell.distance(beside.site, first.site) == pytest.approx(first.distance, abs=1e-3)


def test_an_atom_that_is_not_there_is_the_deepest_hole(evaluated):
    def with_another(text):
        return text.replace("\nHKLF 4", "\nO9 4 0.700000 0.300000 0.250000 11 0.03\nHKLF 4")

    _, result = evaluated("P 21/c", with_another, "with O9")
    cell = result.model.symmetry.unit_cell()
    deepest = hole(result.residual)
    images = [operation * (0.7, 0.3, 0.25) for operation in result.model.symmetry.space_group()]
    apart = [np.array(image) - deepest for image in images]
    assert min(cell.length(tuple(d - np.rint(d))) for d in apart) < 0.25
    assert result.residual.minimum < -2
    assert plain_sum(result.fit)(deepest) == pytest.approx(result.residual.minimum, rel=0.02)


def test_the_right_model_leaves_nothing(evaluated):
    _, result = evaluated("P 21/c")
    assert max(result.residual.maximum, -result.residual.minimum) < 0.1


def test_differences_of_friedel_mates_are_averaged(evaluated):
    """|Fo| - |Fc| of each mate with its own Fc, then the mean; σ of the mean of two is smaller by √2."""
    _, result = evaluated("P 21", without("O1"), "without O1")
    fit = result.fit
    terms = map_terms(fit)
    fo_sq, sigma, fc_sq = fit.equations.on_fc_scale()
    by_index = {}
    rows = zip(fit.reflections.unique.indices(), fo_sq, sigma, fc_sq, strict=True)
    for index, observed, su, calculated in rows:
        h, k, l = index  # noqa: E741
        # Point group 2 with mates: h k l, -h k -l, and both inverted.
        key = max((h, abs(k), l), (-h, abs(k), -l))
        by_index.setdefault(key, []).append((np.sqrt(max(observed, 0)) - np.sqrt(calculated), su))
    for index, difference, su in zip(terms.fc.indices(), terms.difference, terms.sigma, strict=True):
        h, k, l = index  # noqa: E741
        mates = by_index[max((h, abs(k), l), (-h, abs(k), -l))]
        assert difference == pytest.approx(np.mean([d for d, _ in mates]), abs=1e-9)
        assert su == pytest.approx(np.mean([s for _, s in mates]) / np.sqrt(len(mates)))
    assert len(terms.difference) == len(by_index) < len(fo_sq)


@pytest.mark.parametrize("limit", [1, 4])
def test_no_more_peaks_are_listed_than_asked_for(evaluated, limit):
    _, result = evaluated("P 21/c", without("O1"), "without O1")
    found = peaks(result.residual, result.model, limit)
    assert len(found) <= limit
    assert [peak.height for peak in found] == sorted((peak.height for peak in found), reverse=True)
    assert [peak.label for peak in found] == [f"Q{n}" for n in range(1, len(found) + 1)]
