"""Guards of the cycles: how far a step goes, when it is taken back, and how a fit that cannot succeed ends."""

import numpy as np
import pytest
from qcrbox.contract.errors import CalculationFailed
from qcrbox_refine import reflections
from qcrbox_refine.cycles import CONVERGED, MOST_SITE_SHIFT, MOST_U_SHIFT, Cycles, damping_of
from qcrbox_refine.refinement import load_model
from truth import Truth, hkl_text, noisy, write


@pytest.fixture(scope="module")
def crystal():
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices(1.1)
    return truth, hkl_text(hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1))


@pytest.fixture
def runner(crystal, tmp_path):
    """Cycles of the model with these instructions, its sites off by `shift` and its lines changed by `change`."""
    truth, data = crystal

    def make(*cards, shift=0.0, change=None, **options):
        text = truth.ins(*cards, shift=shift)
        files = write(tmp_path, change(text) if change else text, data)
        model = load_model(files[0])
        return Cycles(model, reflections.prepare(model, files[1]), **options)

    return make


def largest_shift(model, before):
    cell = model.symmetry.unit_cell()
    return max(cell.distance(atom.site, site) for atom, site in zip(model.atoms, before, strict=True))


def test_no_atom_moves_further_than_half_an_angstrom_in_a_cycle(runner):
    """A carbon atom far from its place: the plain step would send it across the cell."""
    cycles = runner(change=lambda text: text.replace("O1 4 0.402000 0.118000", "O1 4 0.452000 0.178000"))
    before = [atom.site for atom in cycles.model.atoms]
    cycles.run(1, None)
    assert 0 < largest_shift(cycles.model, before) <= MOST_SITE_SHIFT + 1e-6


def test_no_displacement_changes_by_more_than_a_twentieth_in_a_cycle(runner):
    cycles = runner(change=lambda text: text.replace("11 0.02500", "11 0.40000"))
    before = [atom.u_iso for atom in cycles.model.atoms]
    cycles.run(1, None)
    changes = [abs(atom.u_iso - u) for atom, u in zip(cycles.model.atoms, before, strict=True)]
    assert max(changes) == pytest.approx(MOST_U_SHIFT, rel=1e-6)


@pytest.mark.parametrize(("allowed", "fewest"), [(0, 0), (1, 1), (20, 2)])
def test_cycles_end_when_nothing_moves_or_when_they_are_used_up(runner, allowed, fewest):
    cycles = runner(shift=0.002)
    _, _, converged = cycles.run(allowed, None)
    assert fewest <= len(cycles.done) <= allowed
    assert converged is (allowed == 20)
    assert (cycles.last.max_shift_su < CONVERGED) is converged
    assert [cycle.number for cycle in cycles.done] == list(range(1, len(cycles.done) + 1))


def test_each_cycle_has_the_r_values_before_its_shifts(runner):
    cycles = runner(shift=0.004)
    cycles.run(6, None)
    r1 = [cycle.r1 for cycle in [*cycles.done, cycles.last]]
    assert r1 == sorted(r1, reverse=True)
    assert r1[0] > 3 * r1[-1]


def test_the_history_ends_with_the_cycle_that_was_not_taken(runner):
    cycles = runner(shift=0.002)
    cycles.run(3, None)
    taken = len(cycles.done)
    cycles.conclude(shown=False)
    assert len(cycles.done) == taken + 1
    assert cycles.done[-1] is cycles.last


def test_fewer_reflections_than_parameters_are_refused(runner):
    cycles = runner("SHEL 99 3.2")
    with pytest.raises(CalculationFailed, match="parameters cannot be refined against"):
        cycles.run(1, None)


def test_few_reflections_for_each_parameter_are_named(runner):
    cycles = runner("SHEL 99 1.7")
    cycles.run(0, None)
    assert any("reflections per parameter: the results are uncertain" in note for note in cycles.model.notes)


def test_two_atoms_on_one_site_are_singular_and_named(runner):
    def doubled(text):
        return text.replace("\nHKLF 4", "\nO9 4 0.402000 0.118000 0.157000 11 0.03\nHKLF 4")

    with pytest.raises(CalculationFailed, match="the normal matrix is singular in cycle 1") as caught:
        runner(change=doubled).run(2, None)
    assert "O1" in caught.value.why or "O9" in caught.value.why


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("afix", [6, 9])
def test_a_rigid_group_on_one_line_is_refused_with_the_reason(runner, size, afix):
    def grouped(text):
        rows = [f"O{9 - i} 4 {0.41 + 0.1 * i:.6f} 0.127000 0.700000 11 0.03" for i in range(size)]
        return text.replace("\nHKLF 4", "\n".join(["", f"AFIX {afix}", *rows, "AFIX 0", "HKLF 4"]))

    with pytest.raises(CalculationFailed, match="the rigid group of O9 cannot be refined") as caught:
        runner(change=grouped).run(2, None)
    assert "no atom" in caught.value.why
    assert "three atoms or more" in caught.value.next
    assert caught.value.reason == "singular matrix"


def test_a_rigid_group_of_three_atoms_in_a_triangle_is_refined(runner):
    def grouped(text):
        return text.replace("\nC1 ", "\nAFIX 6\nC1 ").replace("\nN1 ", "\nAFIX 0\nN1 ")

    cycles = runner(change=grouped, shift=0.002)
    _, made, _ = cycles.run(2, None)
    assert [type(block).__name__ for block in made.reparametrisation.blocks].count("RigidGroup") == 1
    assert cycles.last.r1 < cycles.done[0].r1


@pytest.mark.parametrize(
    ("cards", "from_shelx", "expected"),
    [
        ((), True, (0.7, None)),
        ((), False, (0.0, None)),
        (("DAMP 0",), True, (0.0, None)),
        (("DAMP",), True, (0.7, None)),
        (("DAMP 10 5",), True, (10.0, 5.0)),
        (("DAMP 10 5",), False, (10.0, 5.0)),
    ],
)
def test_damping_is_that_of_damp_or_the_usual_one_of_shelx(runner, cards, from_shelx, expected):
    model = runner(*cards).model
    model.from_shelx = from_shelx
    assert damping_of(model) == expected


def test_occupancies_stay_where_they_are_not_to_be_refined(runner):
    def partial(text):
        return text.replace("0.301000 0.391000 11 ", "0.301000 0.391000 0.8 ")

    kept, refined = runner(change=partial, refine_occupancies=False), runner(change=partial)
    kept.run(3, None)
    refined.run(3, None)
    assert kept.model.atom("C2").occupancy == pytest.approx(0.8)
    assert refined.model.atom("C2").occupancy == pytest.approx(1.0, abs=0.06)
