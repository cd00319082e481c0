"""The Flack parameter from quotients of Friedel pairs with known values, and data that give none."""

from types import SimpleNamespace

import numpy as np
import pytest
from cctbx import crystal, miller
from cctbx.array_family import flex
from qcrbox_refine.absolute_structure import by_quotients, flack
from qcrbox_refine.refinement import Options, refine_files
from truth import Truth, hkl_text, noisy, write


def fit_of(x, *, noise=0.0, pairs=60, seed=1, lonely=0, outliers=0):
    """A fit of P 1 with so many Friedel pairs, whose observed intensities are (1 - x) I(h) + x I(-h)."""
    random = np.random.default_rng(seed)
    plus = np.array([(h, k, m) for m in range(1, 6) for k in range(-3, 4) for h in range(-3, 4)])[:pairs]
    alone = np.array([(h, 0, 9) for h in range(lonely)], dtype=int).reshape(-1, 3)
    hkl = np.concatenate([plus, -plus, alone])
    mean = random.uniform(50, 200, len(plus))
    difference = random.uniform(-0.1, 0.1, len(plus)) * mean
    calculated = np.concatenate([mean + difference, mean - difference, np.full(lonely, 99.0)])
    swapped = np.concatenate([mean - difference, mean + difference, np.full(lonely, 99.0)])
    sigma = np.full(len(hkl), max(noise, 0.1))
    observed = (1 - x) * calculated + x * swapped + noise * random.standard_normal(len(hkl))
    observed[:outliers] += 60
    symmetry = crystal.symmetry((7, 8, 9, 80, 95, 100), "P 1")
    indices = miller.set(symmetry, flex.miller_index(hkl.tolist()), anomalous_flag=True)
    unique = miller.array(indices, flex.double(observed.tolist()), flex.double(sigma.tolist()))
    return SimpleNamespace(
        reflections=SimpleNamespace(unique=unique),
        equations=SimpleNamespace(on_fc_scale=lambda: (observed, sigma, calculated)),
    )


@pytest.mark.parametrize("x", [0.0, 0.17, 0.5, 1.0])
def test_quotients_give_the_fraction_exactly_without_noise(x):
    """Qo = (1 - 2x) Qc for every pair, when both mates are mixed alike."""
    found, _, n = by_quotients(fit_of(x))
    assert found == pytest.approx(x, abs=1e-9)
    assert n == 60


def test_the_scatter_of_quotients_is_their_su():
    values = [by_quotients(fit_of(0.2, noise=1.0, seed=seed)) for seed in range(60)]
    scatter = np.std([value for value, _, _ in values])
    assert scatter == pytest.approx(np.mean([su for _, su, _ in values]), rel=0.25)
    assert np.mean([value for value, _, _ in values]) == pytest.approx(0.2, abs=3 * scatter / np.sqrt(60))


def test_reflections_without_a_mate_and_outliers_do_not_count():
    plain = by_quotients(fit_of(0.1, noise=0.5))
    with_lonely = by_quotients(fit_of(0.1, noise=0.5, lonely=9))
    assert with_lonely[2] == plain[2]
    disturbed = by_quotients(fit_of(0.1, noise=0.5, outliers=4))
    assert disturbed[2] <= plain[2] - 4
    assert disturbed[0] == pytest.approx(plain[0], abs=0.02)


@pytest.mark.parametrize("pairs", [0, 5, 19])
def test_few_pairs_give_no_value(pairs):
    assert by_quotients(fit_of(0.1, pairs=pairs)) is None


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    known = {}

    def run(group="P 21", heavy="Br", cards=(), invert=False):
        key = (group, heavy, cards, invert)
        if key not in known:
            truth = Truth(group, heavy)
            hkl = truth.indices(1.0)
            intensity = np.abs(truth.f(-hkl if invert else hkl)) ** 2
            data = hkl_text(hkl, *noisy(intensity, 0.01, 2))
            folder = tmp_path_factory.mktemp("hand")
            known[key] = refine_files(
                *write(folder, truth.ins(*cards), data), Options(weighting="keep", cycles=4)
            )
        return known[key]

    return run


def test_the_right_hand_has_zero_and_the_other_one_has_one_and_a_warning(refined):
    right, wrong = refined(), refined(invert=True)
    assert flack(right.fit).x == pytest.approx(0, abs=4 * flack(right.fit).su)
    assert flack(wrong.fit).x == pytest.approx(1, abs=0.1)
    assert not any("Invert the model" in note for note in right.model.notes)
    assert any("Invert the model" in note for note in wrong.model.notes)


def test_both_methods_agree_on_a_simulated_crystal(refined):
    fit = refined().fit
    x, su, n = by_quotients(fit)
    found = flack(fit)
    assert x == pytest.approx(found.x, abs=3 * (su + found.su))
    assert f"{n} quotients" in found.how
    assert f"{found.pairs} Friedel pairs" in found.how
    assert n <= found.pairs


@pytest.mark.parametrize(
    ("group", "cards"),
    [("P 21/c", ()), ("P 21", ("MERG 4",)), ("P 21", ("TWIN 1 0 0 0 -1 0 0 0 -1 2", "BASF 0.1"))],
    ids=["centrosymmetric", "mates are merged", "another twin"],
)
def test_there_is_no_parameter_where_nothing_tells_the_hands_apart(refined, group, cards):
    assert flack(refined(group, "Fe" if group == "P 21/c" else "Br", cards).fit) is None


def test_an_inversion_twin_has_its_refined_share(refined):
    fit = refined(cards=("TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 0.3")).fit
    found = flack(fit)
    assert found.x == fit.corrections.domains.fractions[0]
    assert found.su == fit.correction_su["BASF 1"] > 0
    assert found.how == "Refined as an inversion twin."
