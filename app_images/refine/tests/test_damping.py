"""DAMP: what damping does to steps, to s.u., and to parameters that the data hardly determine."""

import numpy as np
import pytest
from qcrbox_refine.refinement import Options, refine_files
from truth import Truth, hkl_text, noisy, write

# C3 of the truth as two halves almost on one site, with one U: their distance and U say the same to the data.
SPLIT = """PART 1 10.6
C3A 1 0.337000 0.062400 0.433000 11 0.028
PART 2 10.4
C3B 1 0.337000 0.061600 0.433000 11 0.028
PART 0"""


@pytest.fixture(scope="module")
def crystal():
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices()
    return truth, hkl_text(hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1))


def refined(folder, crystal, *cards, split=False, cycles=10, shift=0.0):
    truth, data = crystal
    text = truth.ins(*cards, *(["EADP C3A C3B"] if split else []), shift=shift)
    if split:
        lines = text.split("\n")
        k = next(i for i, line in enumerate(lines) if line.startswith("C3 "))
        lines[k : k + 1] = SPLIT.split("\n")
        text = "\n".join(lines)
    return refine_files(*write(folder, text, data), Options(weighting="keep", cycles=cycles))


def su_of_u(result, label):
    places = result.fit.parametrisation.structure.parameter_map()
    return result.fit.su[places[result.model.index(result.model.atom(label))].u_iso]


def test_a_parameter_that_damping_holds_and_the_data_hardly_determine_is_named(tmp_path, crystal):
    damped = refined(tmp_path, crystal, split=True, cycles=0)
    notes = [note for note in damped.model.notes if "hardly determine" in note]
    assert len(notes) == 1
    assert "C3" in notes[0]
    undamped = refined(tmp_path, crystal, "DAMP 0", split=True, cycles=0)
    assert su_of_u(undamped, "C3A") > 1.2 * su_of_u(damped, "C3A")
    assert not any("hardly determine" in note for note in undamped.model.notes)


def test_damping_changes_nothing_where_the_data_determine_the_parameters(tmp_path, crystal):
    usual, without = (refined(tmp_path, crystal, *cards) for cards in ((), ("DAMP 0",)))
    assert usual.fit.su == pytest.approx(without.fit.su, rel=1e-3)
    assert [a.site for a in usual.model.atoms] == [
        pytest.approx(a.site, abs=1e-5) for a in without.model.atoms
    ]


def test_strong_damping_makes_steps_smaller_and_leaves_s_u_as_they_are(tmp_path, crystal):
    """Its s.u. would be too small by √(1 + damp/1000)."""
    damped, without = (
        refined(tmp_path, crystal, card, cycles=1, shift=0.002) for card in ("DAMP 3000", "DAMP 0")
    )
    assert damped.fit.cycles[0].max_shift_su == pytest.approx(without.fit.cycles[0].max_shift_su / 4, rel=0.4)
    assert damped.fit.cycles[-1].wr2 > 2 * without.fit.cycles[-1].wr2
    assert damped.fit.su.max() > 0.5 * without.fit.su.max()


def test_the_largest_shift_of_a_cycle_is_that_of_damp(tmp_path, crystal):
    limited = refined(tmp_path, crystal, "DAMP 0.7 0.5", cycles=1, shift=0.002)
    free = refined(tmp_path, crystal, cycles=1, shift=0.002)
    moved = [
        np.abs(np.array([a.site for a in result.model.atoms]) - start).max()
        for result in (limited, free)
        for start in [
            np.array([a.site for a in refined(tmp_path, crystal, cycles=0, shift=0.002).model.atoms])
        ]
    ]
    assert free.fit.cycles[0].max_shift_su > 1
    assert moved[0] == pytest.approx(moved[1] * 0.5 / free.fit.cycles[0].max_shift_su, rel=0.05)
