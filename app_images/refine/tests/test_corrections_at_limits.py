"""Extinction and bulk solvent of crystals that have none: they end at nothing or at a limit, and the atoms are right."""

import numpy as np
import pytest
from qcrbox.contract.errors import CalculationFailed
from qcrbox_refine.extinction import Extinction
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.refinement import Options, refine_files
from qcrbox_refine.solvent_mask import BulkSolvent
from qcrbox_refine.twinning import Domains
from truth import Truth, hkl_text, noisy, write


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    """A crystal without corrections, refined with these instructions."""

    def run(group, *cards):
        truth = Truth(group, None if group == "P -1" else "Fe")
        hkl = truth.indices(0.9)
        data = hkl_text(hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.04, 1))
        files = write(tmp_path_factory.mktemp("limits"), truth.ins(*cards, shift=0.002), data)
        return truth, refine_files(*files, Options(weighting="keep", cycles=12))

    return run


def test_a_coefficient_of_extinction_that_begins_too_high_comes_down(refined):
    """The first step leads far below zero, where the strongest intensities would be negative."""
    _, plain = refined("P 4")
    _, result = refined("P 4", "EXTI 0.01")
    x, su = result.fit.extinction
    assert result.fit.converged
    assert abs(x) < 4 * su
    assert result.fit.r1_gt == pytest.approx(plain.fit.r1_gt, abs=5e-4)


def test_solvent_that_acts_on_no_reflection_is_refused_by_its_name(refined):
    """exp(-8π² U s²) of U = 500 Å² is nothing at every reflection."""
    with pytest.raises(CalculationFailed, match="singular") as caught:
        refined("P -1", "SWAT 0.3 500")
    assert "SWAT" in caught.value.why
    assert "delete its instruction" in caught.value.next


@pytest.mark.parametrize("group", ["P -1", "P 4"])
def test_solvent_that_is_not_there_leaves_the_atoms_and_is_named(refined, group):
    _, plain = refined(group)
    _, result = refined(group, "SWAT 0.1 2")
    assert result.fit.r1_gt == pytest.approx(plain.fit.r1_gt, abs=5e-4)
    for atom, same in zip(result.model.atoms, plain.model.atoms, strict=True):
        assert np.array(atom.site) == pytest.approx(same.site, abs=5e-4)
        assert atom.u_iso == pytest.approx(same.u_iso, abs=0.002)
    assert any("Delete SWAT" in note for note in result.model.remarks())


@pytest.mark.parametrize(
    ("shifts", "allowed"),
    [
        ((0.1, 0.01, 0.1, 1.0), (0.1, 0.01, 0.1, 1.0)),
        ((0.9, -1.0, 3.0, 90.0), (0.9, -0.03, 0.45, 18.0)),
        ((-0.9, -0.03, -3.0, -9.0), (-0.9, -0.03, -1.45, -1.9)),
    ],
    ids=["within", "too high", "too low"],
)
def test_shifts_are_cut_where_intensities_would_become_negative(shifts, allowed):
    """x from 0.02 to -0.5/50 at the lowest, g within ±0.95 from 0.5, U from 2 within 0.1 and 20 Å²; a twin has no limit."""
    corrections = Corrections(Domains("twin", [0.3], [True]), Extinction(0.02), BulkSolvent(0.5, 2.0))
    assert corrections.allowed(np.array(shifts), 50.0) == pytest.approx(allowed)
    corrections.shift(np.array(allowed))
    ends = {name for name, a, b in zip(corrections.names(), shifts, allowed, strict=True) if a != b}
    assert set(corrections.at_limits(50.0)) >= ends


def test_a_value_of_the_file_beyond_a_limit_does_not_go_farther():
    corrections = Corrections(solvent=BulkSolvent(2.0, 2.0))
    assert corrections.allowed(np.array([0.5, 0.0]), 0.0) == pytest.approx([0.0, 0.0])
    assert corrections.allowed(np.array([-1.5, 0.0]), 0.0) == pytest.approx([-1.5, 0.0])
