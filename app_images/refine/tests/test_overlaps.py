"""Overlapped data, batches and powder groups: intensities by plain sums, derivatives by differences."""

import numpy as np
import pytest
from qcrbox_refine import reflections
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.corrections import prepare_corrections
from qcrbox_refine.intensities import IntensityModel
from qcrbox_refine.refinement import load_model
from scitbx.array_family import flex
from truth import Truth, hkl_text, write

LAW = np.array([[-1, 0, 0], [0, -1, 0], [1, 0, 1]])


def rows_of(hkl, kind):
    """Indices, batch numbers, and which observation each row belongs to."""
    if kind == "batches":
        return hkl, 1 + np.arange(len(hkl)) % 3, np.arange(len(hkl))
    if kind == "powder":
        # Two lines of the pattern in one observation, with the multiplicities 2 and 4.
        pairs = hkl[: len(hkl) // 2 * 2].reshape(-1, 2, 3)
        return pairs.reshape(-1, 3), np.tile([-2, 4], len(pairs)), np.repeat(np.arange(len(pairs)), 2)
    rows, batches, observation = [], [], []
    for i, h in enumerate(hkl):
        if i % 3 == 0:
            rows += [h @ LAW.T, h]
            batches += [-2, 1]
            observation += [i, i]
        else:
            rows.append(h if i % 3 == 1 else h @ LAW.T)
            batches.append(1 if i % 3 == 1 else 2)
            observation.append(i)
    return np.array(rows), np.array(batches), np.array(observation)


CASES = {
    "overlapped": (("BASF 0.3",), "HKLF 5"),
    "batches": (("BASF 0.8 1.3", "MERG 0"), "HKLF 4"),
    "powder": ((), "HKLF 6"),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    cards, hklf = CASES[request.param]
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices(1.6).astype(int)
    # Observations of which every component is absent are left out.
    hkl, batches, observation = rows_of(hkl[~truth.absent(hkl @ LAW.T)], request.param)
    values = np.full(len(hkl), 100.0)
    folder = tmp_path_factory.mktemp("overlaps")
    ins, data = write(folder, truth.ins(*cards, hklf=hklf), hkl_text(hkl, values, values * 0.01, batches))
    model = load_model(ins)
    read = reflections.prepare(model, data)
    corrections = prepare_corrections(model, read)
    made = parametrise(model)
    return (
        request.param,
        truth,
        (hkl, batches, observation),
        IntensityModel(made, read, corrections, wavelength=1.54184),
    )


def test_intensities_are_sums_over_the_components(case):
    """I = Σ m k |F|²; k = 0.7 and 0.3 of two domains, 1, 0.8 and 1.3 of batches."""
    kind, truth, (hkl, batches, observation), intensities = case
    square = np.abs(truth.f(hkl)) ** 2
    number = np.abs(batches)
    factor = {
        "overlapped": lambda: np.where(number == 1, 0.7, 0.3),
        "batches": lambda: np.array([1.0, 0.8, 1.3])[number - 1],
        "powder": lambda: number.astype(float),
    }[kind]()
    expected = np.bincount(observation, weights=factor * square)
    found, _ = intensities.calculate()
    # The truth has the same form factors to four decimals.
    assert found == pytest.approx(expected, rel=2e-3, abs=1e-3 * expected.max())


def test_derivatives_by_the_shares_are_those_of_the_intensities(case):
    _, _, _, intensities = case
    corrections = intensities.corrections
    design = np.vstack([chunk.design for chunk in intensities.chunks(derivatives=True)])
    names = corrections.names()
    for i in range(len(names)):
        step = np.zeros(len(names))
        step[i] = 1e-6
        corrections.shift(step)
        ahead, _ = intensities.calculate()
        corrections.shift(-2 * step)
        behind, _ = intensities.calculate()
        corrections.shift(step)
        column = design[:, intensities.n_structural + i]
        assert column == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-5 * np.abs(column).max())
        assert np.abs(column).max() > 0


def test_derivatives_by_the_atoms_are_those_of_the_intensities(case):
    _, _, _, intensities = case
    made = intensities.made.reparametrisation
    design = np.vstack([chunk.design for chunk in intensities.chunks(derivatives=True)])
    names = made.independent_names()
    for name in ("Fe1 x", "C2 z", "O1 Uiso"):
        step = flex.double(len(names), 0.0)
        step[names.index(name)] = 1e-5
        sides = []
        for shift in (step, -2 * step, step):
            made.apply_shifts(shift)
            made.store()
            sides.append(intensities.calculate()[0])
        expected = (sides[0] - sides[1]) / 2e-5
        column = design[:, names.index(name)]
        assert column == pytest.approx(expected, rel=1e-3, abs=1e-4 * np.abs(expected).max()), name
