"""Reflection files and the instructions about them: columns, HKLF, OMIT, SHEL, MERG."""

import numpy as np
import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_refine import merging, reflections
from qcrbox_refine.hkl_file import HklText
from qcrbox_refine.refinement import Options, load_model, refine_files
from truth import Truth, hkl_text, noisy, write


@pytest.fixture(scope="module")
def crystal():
    """Noisy data of a centrosymmetric crystal: truth, indices, intensities, s.u."""
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices(1.0)
    return truth, hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1)


def prepared(folder, crystal, *cards, text=None, hklf="HKLF 4"):
    truth, hkl, values, sigma = crystal
    ins, data = write(folder, truth.ins(*cards, hklf=hklf), text or hkl_text(hkl, values, sigma))
    model = load_model(ins)
    return reflections.prepare(model, data), model


@pytest.mark.parametrize(
    ("text", "rows", "fixed"),
    [
        ("   1   2   3  123.45    1.25\n", [(1, 2, 3, 123.45, 1.25, 0, 0)], True),
        (" -12-100 -1299999.99 1234.56  -2\n", [(-12, -100, -12, 99999.99, 1234.56, -2, 0)], True),
        ("   1   2   3   12345     125\n", [(1, 2, 3, 12345, 125, 0, 0)], True),
        ("   1   2   3  123.45    1.25   1  1.2345\n", [(1, 2, 3, 123.45, 1.25, 1, 1.2345)], True),
        ("   1   2   3      123.45        1.25\n", [(1, 2, 3, 123.45, 1.25, 0, 0)], False),
        ("    1    2    3  9448.91   80.99\n", [(1, 2, 3, 9448.91, 80.99, 0, 0)], False),
        ("1 2 3 1.5e3 2 -2\n1 2 4 1.5e3 2 1\n", [(1, 2, 3, 1500, 2, -2, 0), (1, 2, 4, 1500, 2, 1, 0)], False),
        ("   1   2   3  123.45    1.25 a remark\n", [(1, 2, 3, 123.45, 1.25, 0, 0)], True),
    ],
    ids=["plain", "touching", "no points", "wavelength", "wide", "wide indices", "free", "remark"],
)
def test_columns_are_seen(text, rows, fixed):
    found = HklText.split(text + "   0   0   0    0.00    0.00\nanything\n").rows("x.hkl")
    table = np.column_stack([found.indices, found.values, found.sigmas, found.batches, found.wavelengths])
    assert table.tolist() == [pytest.approx(row) for row in rows]
    assert found.fixed is fixed


def test_a_broken_line_is_shown():
    with pytest.raises(UserInputError, match="Reflection 2 reads '   2   0   0 oh dear'"):
        HklText.split("   1   0   0  123.45    1.25\n   2   0   0 oh dear\n").rows("x.hkl")


def test_a_matrix_with_fractions_transforms_the_indices(tmp_path, crystal):
    _truth, hkl, values, sigma = crystal
    doubled = hkl_text(hkl * [2, 1, 1], values, sigma)
    found, _ = prepared(tmp_path, crystal, text=doubled, hklf="HKLF 4 1 0.5 0 0 0 1 0 0 0 1")
    plain, _ = prepared(tmp_path, crystal)
    assert found.unique.size() == plain.unique.size()
    assert list(found.unique.indices()) == list(plain.unique.indices())
    assert found.hklf == "HKLF 4"
    halved = hkl_text(hkl, values, sigma)
    few, model = prepared(tmp_path, crystal, text=halved, hklf="HKLF 4 1 0.5 0 0 0 1 0 0 0 1")
    assert few.unique.size() < plain.unique.size()
    assert any("no whole indices after the matrix of HKLF" in note for note in model.notes)


def test_scale_and_weight_of_hklf_count(tmp_path, crystal):
    plain, _ = prepared(tmp_path, crystal)
    found, _ = prepared(tmp_path, crystal, hklf="HKLF 4 3 1 0 0 0 1 0 0 0 1 4 0")
    assert found.unique.data()[5] == pytest.approx(3 * plain.unique.data()[5])
    assert found.unique.sigmas()[5] == pytest.approx(1.5 * plain.unique.sigmas()[5])


def test_amplitudes_become_intensities(tmp_path, crystal):
    _truth, hkl, values, sigma = crystal
    strong = values > 10 * sigma
    f = np.sqrt(values[strong])
    text = hkl_text(hkl[strong], f, sigma[strong] / (2 * f))
    found, _ = prepared(tmp_path, crystal, text=text, hklf="HKLF 3")
    plain, _ = prepared(tmp_path, crystal, text=hkl_text(hkl[strong], values[strong], sigma[strong]))
    a, b = (np.array(x.unique.data()) for x in (found, plain))
    assert a / b == pytest.approx(np.full(len(a), np.mean(a / b)), rel=5e-3)


def test_omit_takes_a_reflection_and_its_equivalents_but_not_its_friedel_mate(tmp_path):
    truth = Truth("P 21", "Br")
    hkl = truth.indices(1.0)
    data = (truth, hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1))
    every, _ = prepared(tmp_path, data)
    fewer, _ = prepared(tmp_path, data, "OMIT 1 2 3", "OMIT 2 -1 0")
    gone = set(every.unique.indices()) - set(fewer.unique.indices())
    assert len(gone) == 2
    assert fewer.omitted == 2


def test_omit_limits_the_angle_and_shel_the_resolution(tmp_path, crystal):
    every, _ = prepared(tmp_path, crystal)
    by_angle, _ = prepared(tmp_path, crystal, "OMIT -3 60")
    assert by_angle.unique.d_min() >= 1.54184 / (2 * np.sin(np.radians(30))) - 1e-6
    by_shell, _ = prepared(tmp_path, crystal, "SHEL 5 1.5")
    assert by_shell.unique.d_min() >= 1.5
    assert by_shell.unique.d_max_min()[0] <= 5
    assert every.unique.size() > by_angle.unique.size() > 0 < by_shell.unique.size()


def test_very_negative_intensities_are_raised_to_minus_one_su(tmp_path, crystal):
    _truth, hkl, values, sigma = crystal
    lowered = values.copy()
    lowered[:5] = -3 * sigma[:5]
    text = hkl_text(hkl, lowered, sigma)
    by_default, _ = prepared(tmp_path, crystal, text=text)
    ratio = np.array(by_default.unique.data()) / np.array(by_default.unique.sigmas())
    assert by_default.raised >= 5
    assert ratio.min() == pytest.approx(-1)
    at_three, _ = prepared(tmp_path, crystal, "OMIT -3", text=text)
    assert (np.array(at_three.unique.data()) / np.array(at_three.unique.sigmas())).min() == pytest.approx(
        -1.5
    )
    positive, _ = prepared(tmp_path, crystal, "OMIT 4", text=text)
    assert (np.array(positive.unique.data()) / np.array(positive.unique.sigmas())).min() >= 2
    assert positive.suppressed > 5


def test_merg_decides_what_becomes_one(tmp_path):
    truth = Truth("P 21", "Br")
    hkl = truth.indices(1.0)
    both = np.vstack([hkl, hkl * [-1, 1, -1]])
    data = (truth, both, *noisy(np.abs(truth.f(both)) ** 2, 0.02, 1))
    sizes = {card: prepared(tmp_path, data, card)[0].unique.size() for card in ("MERG 0", "MERG 2", "MERG 4")}
    assert sizes["MERG 0"] == len(both)
    assert sizes["MERG 2"] < 0.6 * len(both)
    assert sizes["MERG 4"] < 0.6 * sizes["MERG 2"]
    result = refine_files(
        *write(tmp_path, truth.ins("MERG 4"), hkl_text(both, *data[2:])), Options(weighting="keep")
    )
    assert all(s.fdp == 0 for s in result.fit.parametrisation.structure.scatterers())


def test_friedel_mates_count_once_as_independent(tmp_path):
    truth = Truth("P 21", "Br")
    hkl = truth.indices(1.0)
    data = (truth, hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1))
    found, _ = prepared(tmp_path, data)
    laue = found.unique.as_non_anomalous_array().merge_equivalents().array().size()
    assert found.n_independent == laue < found.unique.size()
    unmerged, _ = prepared(
        tmp_path, (truth, np.vstack([hkl, hkl]), *(np.tile(x, 2) for x in data[2:])), "MERG 0"
    )
    assert unmerged.n_independent == 2 * laue
    centric, _ = prepared(tmp_path, (Truth("P 21/c", "Br"), hkl, *data[2:]))
    assert merging.independent_of_mates(centric.unique) == centric.unique.size() < laue + 1


def test_wavelength_columns_are_kept_for_the_extinction(tmp_path, crystal):
    _truth, hkl, values, sigma = crystal
    waves = np.where(np.arange(len(hkl)) % 2, 1.0, 1.5)
    lines = hkl_text(hkl, values, sigma, np.ones(len(hkl), int)).splitlines()
    text = "\n".join(f"{line}{wave:8.4f}" for line, wave in zip(lines, [*waves, 0.0], strict=False))
    found, _ = prepared(tmp_path, crystal, text=text, hklf="HKLF 2")
    assert found.wavelengths is not None
    assert set(np.round(found.wavelengths, 4)) == {1.0, 1.5}
    assert found.unique.size() == len(hkl)


def in_two_parts(hkl, values, sigma, batch=None):
    """A list of reflections with a line 0 0 0 behind the first 100."""
    lines = hkl_text(hkl, values, sigma, batch).splitlines()
    return "\n".join(
        [*lines[:100], "   0   0   0    0.00    0.00", *lines[100:], "_exptl_absorpt_process_details"]
    )


def test_reflections_behind_0_0_0_are_named(tmp_path, crystal):
    _truth, hkl, values, sigma = crystal
    found, model = prepared(tmp_path, crystal, text=in_two_parts(hkl, values, sigma))
    assert found.unique.size() == 100
    assert f"{len(hkl) - 100} reflections after the line 0 0 0" in " ".join(model.notes)
    _, model = prepared(tmp_path, crystal)
    assert "after the line 0 0 0" not in " ".join(model.notes)


@pytest.mark.parametrize("cards", [(), ("L.S. 10 -1",)], ids=["without L.S. -1", "L.S. 10 -1"])
@pytest.mark.parametrize("last", [1, -1], ids=["inside", "at the end"])
def test_negative_batch_numbers_of_a_free_set_join_no_reflections(tmp_path, crystal, cards, last):
    truth, hkl, values, sigma = crystal
    batch = np.where(np.arange(len(hkl)) % 20 == 3, -1, 1)
    batch[-1] = last
    text = hkl_text(hkl, values, sigma, batch)
    result = refine_files(*write(tmp_path, truth.ins(*cards), text), Options(weighting="sigma"))
    assert result.fit.reflections.unique.size() == len(hkl)
    assert result.fit.r1_gt < 0.02
    assert any("free R set" in text for kind, text in result.model.remarks_by_kind() if kind == "not_applied")


@pytest.mark.parametrize(("limit", "said"), [("OMIT -2 60", False), ("OMIT -2 -60", True)])
def test_the_sign_of_an_angle_of_omit_is_named(tmp_path, crystal, limit, said):
    found, model = prepared(tmp_path, crystal, limit)
    assert found.unique.two_theta(wavelength=1.54184, deg=True).data().as_numpy_array().max() <= 60
    assert any("read as an upper limit" in note for note in model.notes) is said


def test_an_angle_of_omit_without_a_wavelength_is_named(tmp_path, crystal):
    truth, hkl, values, sigma = crystal
    ins, data = write(tmp_path, truth.ins("OMIT -2 60"), hkl_text(hkl, values, sigma))
    model = load_model(ins)
    model.wavelength = None
    assert reflections.prepare(model, data).unique.size() == len(hkl)
    assert any("the wavelength is not known" in note for note in model.notes)


@pytest.mark.parametrize(("code", "said"), [("HKLF 4", False), ("HKLF -4", True)])
def test_reflections_inside_the_instructions_are_named(tmp_path, crystal, code, said):
    found, model = prepared(tmp_path, crystal, hklf=code)
    assert found.unique.size() == len(crystal[1])
    assert any("follow in the instructions" in note for note in model.notes) is said


def test_r1_of_all_data_counts_what_a_threshold_keeps_from_the_refinement(tmp_path, crystal):
    """OMIT 20: Fo² below 10 σ is not refined against. Plain sums over all data with the scale of the fit."""
    truth, hkl, values, sigma = crystal
    files = write(tmp_path, truth.ins("OMIT 20", shift=0.01), hkl_text(hkl, values, sigma))
    fit = refine_files(*files, Options(weighting="keep", cycles=0)).fit
    assert fit.reflections.suppressed == int((values < 10 * sigma).sum()) > 20
    assert fit.equations.n == len(values) - fit.reflections.suppressed
    strong = values >= 10 * sigma
    moved = Truth("P 21/c", "Fe")
    moved.atoms = [
        (label, element, tuple(x + 0.01 * (-1) ** (i + k) * (i > 0) for k, x in enumerate(site)), u)
        for i, (label, element, site, u) in enumerate(truth.atoms)
    ]
    calculated = np.abs(moved.f(hkl)) ** 2
    w = 1 / sigma[strong] ** 2
    scale = (w * values[strong] * calculated[strong]).sum() / (w * calculated[strong] ** 2).sum()
    observed = np.sqrt(np.maximum(values, 0))
    difference = np.abs(observed - np.sqrt(scale * calculated))
    assert fit.r1_all == pytest.approx(difference.sum() / observed.sum(), abs=3e-4)
    assert fit.equations.r1()[0] == pytest.approx(difference[strong].sum() / observed[strong].sum(), abs=3e-4)
    assert fit.r1_all > fit.equations.r1()[0]
