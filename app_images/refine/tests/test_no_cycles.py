"""0 cycles (SHELXL's L.S. 0): R values and density of a model, which is neither refined nor "not converged"."""

import numpy as np
import pytest
from qcrbox.analysis.convergence import without_cycles
from qcrbox.cif import read
from qcrbox_refine import refinement
from qcrbox_refine.refinement import Options, refine_files, write_cif
from qcrbox_refine.shelxl import refine_shelx_files
from truth import Truth, hkl_text, noisy, write

NOT_REFINED = "Not refined (0 cycles)"


@pytest.fixture(scope="module")
def crystal():
    truth = Truth("P 21/c", None)
    hkl = truth.indices(d_min=1.0)
    intensity, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 5)
    return truth, hkl, intensity, sigma


@pytest.fixture
def run(crystal, tmp_path, monkeypatch):
    """(result, last report) of so many cycles on a model that is off by `shift`."""
    truth, *data = crystal
    reports = []
    monkeypatch.setattr(refinement, "report", lambda **said: reports.append(said))

    def refined(cycles, shift=0.0, **options):
        files = write(tmp_path, truth.ins(shift=shift), hkl_text(*data))
        result = refine_files(*files, Options(**{"weighting": "keep", "cycles": cycles, **options}))
        return result, reports[-1]

    return refined


@pytest.mark.parametrize("shift", [0.0, 0.003])
def test_no_cycle_moves_nothing_and_says_not_refined(run, crystal, shift):
    result, last = run(0, shift)
    truth = crystal[0]
    for i, (atom, (_, _, site, u)) in enumerate(zip(result.model.atoms, truth.atoms, strict=True)):
        moved = [x + shift * (-1) ** (i + k) * (i > 0) for k, x in enumerate(site)]
        assert atom.site == pytest.approx(moved, abs=1e-9)
        assert atom.u_iso == pytest.approx(u, abs=1e-9)
    assert not result.fit.refined
    assert [note for note in result.model.remarks() if note.startswith(NOT_REFINED)]
    assert "not converged" not in " ".join(result.model.remarks())
    assert ("converged" in last, last["refined"], last["text"][-13:]) == (False, False, ", not refined")


def test_it_is_a_note_and_no_warning(run):
    result, _ = run(0, 0.003)
    kinds = {kind for kind, text in result.model.remarks_by_kind() if text.startswith(NOT_REFINED)}
    assert kinds == {"note"}


def test_optimised_weights_need_cycles_so_none_are_searched(run):
    kept, _ = run(0, 0.003)
    optimised, _ = run(0, 0.003, weighting="optimise")
    assert optimised.fit.weights == kept.fit.weights or optimised.fit.weights[:2] == (0.1, 0.0)
    assert not optimised.fit.refined
    assert optimised.fit.r1_all == pytest.approx(kept.fit.r1_all)


def test_r_values_are_those_of_a_plain_sum(run, crystal):
    """R1 = Σ| |Fo| - |Fc| | / Σ|Fo| with the scale of the fit; data above 2σ only for R1(gt)."""
    truth, hkl, intensity, sigma = crystal
    result, _ = run(0, 0.0)
    calculated = np.abs(truth.f(hkl)) ** 2
    weights = 1 / sigma**2
    scale = (weights * intensity * calculated).sum() / (weights * calculated**2).sum()
    observed = np.sqrt(np.maximum(intensity, 0))
    difference = np.abs(observed - np.sqrt(scale * calculated))
    strong = intensity > 2 * sigma
    assert result.fit.r1_all == pytest.approx(difference.sum() / observed.sum(), abs=3e-4)
    assert result.fit.r1_gt == pytest.approx(difference[strong].sum() / observed[strong].sum(), abs=3e-4)
    wr2 = np.sqrt((weights * (intensity - scale * calculated) ** 2).sum() / (weights * intensity**2).sum())
    assert result.fit.wr2 == pytest.approx(wr2, abs=3e-4)


@pytest.mark.parametrize(("cycles", "converged"), [(1, False), (10, True)])
def test_with_cycles_the_result_is_refined_and_converged_or_not(run, cycles, converged):
    result, last = run(cycles, 0.003)
    assert result.fit.refined
    assert ("refined" in last, last["converged"]) == (False, converged)
    said = " ".join(result.model.remarks())
    assert ("not converged" in said) is not converged
    assert NOT_REFINED not in said


def test_the_cif_says_it_and_a_refinement_of_it_no_longer(run, tmp_path):
    first, _ = run(0, 0.003)
    write_cif(first, tmp_path / "still.cif")
    text = (tmp_path / "still.cif").read_text()
    assert NOT_REFINED in text
    again = refine_files(str(tmp_path / "still.cif"), None, Options(weighting="keep"))
    write_cif(again, tmp_path / "again.cif")
    assert NOT_REFINED not in (tmp_path / "again.cif").read_text()


@pytest.mark.parametrize("cycles", [0, 1, 3])
def test_the_res_file_states_the_cycles_that_were_allowed(run, cycles, tmp_path):
    result, _ = run(cycles, 0.003)
    assert f"\nL.S. {cycles}\n" in result.res
    assert ("not refined (0 cycles)" in result.res) is (cycles == 0)
    write_cif(result, tmp_path / "made.cif")
    assert without_cycles(read(tmp_path / "made.cif")[0]) is (cycles == 0)


def test_l_s_0_of_an_editor_says_it_in_the_listing(crystal, tmp_path):
    truth, *data = crystal
    ins, _ = write(tmp_path, truth.ins(shift=0.003).replace("L.S. 10", "L.S. 0"), hkl_text(*data))
    listing = refine_shelx_files(ins)[".lst"].read_text()
    assert NOT_REFINED in listing
    assert "not converged" not in listing
    assert "before cycle   2" not in listing
