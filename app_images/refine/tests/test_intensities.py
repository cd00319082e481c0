"""Derivatives of the intensities by everything that is refined, against differences."""

import numpy as np
import pytest
from qcrbox_refine import reflections
from qcrbox_refine.constraints import parametrise
from qcrbox_refine.corrections import prepare_corrections
from qcrbox_refine.extinction import Extinction
from qcrbox_refine.intensities import Corrections, IntensityModel
from qcrbox_refine.refinement import load_model
from qcrbox_refine.scattering import set_factors
from qcrbox_refine.solvent_mask import BulkSolvent, SolventMask, parse_fab
from qcrbox_refine.twinning import twin_laws
from truth import Truth, hkl_text, write


@pytest.fixture(scope="module")
def twinned(tmp_path_factory):
    """A racemic merohedral twin with extinction, bulk solvent and a mask of refined scale and U: all at once."""
    truth = Truth("P 4", "Br")
    hkl = truth.indices(1.3)
    square = np.abs(truth.f(hkl)) ** 2
    folder = tmp_path_factory.mktemp("twinned")
    cards = ["TWIN 0 1 0 1 0 0 0 0 -1 -4", "BASF 0.1 0.2 0.15"]
    ins, data = write(folder, truth.ins(*cards), hkl_text(hkl, square, 0.01 * square + 1))
    model = load_model(ins)
    read = reflections.prepare(model, data)
    corrections = prepare_corrections(model, read)
    corrections.extinction = Extinction(0.02)
    corrections.solvent = BulkSolvent(0.3, 0.8)
    group = model.symmetry.space_group()
    rows = "\n".join(f"{h[0]} {h[1]} {h[2]} {3 + h[0]} {h[1] - 2.5}" for h in hkl.astype(int))
    corrections.mask = SolventMask(parse_fab(rows, group, "test"), 0.9, 0.05, refined=("scale", "u"))
    made = parametrise(model)
    set_factors(made.structure, model)
    made.reparametrisation.linearise()
    made.reparametrisation.store()
    return IntensityModel(made, read, corrections, wavelength=1.54184)


def test_derivatives_are_those_of_the_intensities(twinned):
    design = np.vstack([chunk.design for chunk in twinned.chunks(derivatives=True)])
    start, _ = twinned.calculate()
    names = twinned.corrections.names()
    assert names == ["BASF 1", "BASF 2", "BASF 3", "extinction", "SWAT g", "SWAT U", "ABIN scale", "ABIN U"]
    for i, name in enumerate(names):
        step = np.zeros(len(names))
        step[i] = 1e-6
        twinned.corrections.shift(step)
        ahead, _ = twinned.calculate()
        twinned.corrections.shift(-2 * step)
        behind, _ = twinned.calculate()
        twinned.corrections.shift(step)
        expected = (ahead - behind) / 2e-6
        column = design[:, twinned.n_structural + i]
        assert column == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max()), name
    again, _ = twinned.calculate()
    assert again == pytest.approx(start)


def test_structural_derivatives_pass_through_all_corrections(twinned):
    design = np.vstack([chunk.design for chunk in twinned.chunks(derivatives=True)])
    structure = twinned.made.structure
    places = structure.parameter_map()
    jacobian = twinned.made.reparametrisation.jacobian_transpose_matching_grad_fc()
    for atom, axis in ((1, 0), (3, 2)):
        scatterer = structure.scatterers()[atom]
        site = list(scatterer.site)
        sides = []
        for step in (1e-6, -1e-6):
            moved = list(site)
            moved[axis] += step
            scatterer.site = moved
            sides.append(twinned.calculate()[0])
        scatterer.site = site
        column = jacobian.col(places[atom].site + axis)
        row = next(i for i, value in column if value == 1)
        expected = (sides[0] - sides[1]) / 2e-6
        assert design[:, row] == pytest.approx(expected, rel=1e-4, abs=1e-5 * np.abs(expected).max())


def test_pieces_of_the_design_matrix_are_the_whole(twinned, monkeypatch):
    whole = np.vstack([chunk.design for chunk in twinned.chunks(derivatives=True)])
    monkeypatch.setattr("qcrbox_refine.intensities._DESIGN_VALUES", 7 * twinned.n_parameters)
    pieces = list(twinned.chunks(derivatives=True))
    assert len(pieces) > 10
    assert np.vstack([chunk.design for chunk in pieces]) == pytest.approx(whole)


def test_laws_of_racemic_twins_are_the_laws_and_their_inverses():
    laws = twin_laws((0, 1, 0, 1, 0, 0, 0, 0, -1), -4)
    assert np.allclose(laws[0], np.eye(3))
    assert np.allclose(laws[2], -laws[0])
    assert np.allclose(laws[3], -laws[1])
    assert len(twin_laws((0, 0, 1, 0, 1, 0, -1, 0, -1), 3)) == 3


def test_the_matrix_of_twin_acts_on_columns_of_indices():
    """The example of SHELXL's manual, a monoclinic cell with a = c, β = 120°: the law keeps all spacings."""
    threefold = twin_laws((0, 0, 1, 0, 1, 0, -1, 0, -1), 3)
    h = np.array([[3, 1, -2], [1, 4, 5]])
    lengths = [h_[:, 0] ** 2 + h_[:, 0] * h_[:, 2] + h_[:, 2] ** 2 for h_ in (h @ law.T for law in threefold)]
    assert lengths[0].tolist() == lengths[1].tolist() == lengths[2].tolist()


def test_corrections_are_empty_for_an_untwinned_crystal():
    assert Corrections().names() == []
    assert Corrections().domains.shares().tolist() == [1.0]
