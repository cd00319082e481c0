"""Known crystals come back within their s.u.: dispersion, twins, batches, extinction, solvent, neutrons, electrons."""

import gemmi
import numpy as np
import pytest
import refine_commands
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.absolute_structure import flack
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.refinement import Options, refine_files, write_cif
from truth import CELLS, DISPERSION, FORM, NEUTRON, SITES, Truth, hkl_text, noisy, write

KEEP = {"weighting": "keep", "cycles": 20}


def refined(folder, truth, *cards, intensity, hkl=None, sigma_noise=0.01, seed=1, batch=None, **options):
    """Refine the disturbed model of this truth against these exact intensities with noise."""
    hkl = truth.indices() if hkl is None else hkl
    values, sigma = noisy(intensity, sigma_noise, seed)
    hklf = options.pop("hklf", "HKLF 4")
    neutron = options.pop("neutron", False)
    ins = truth.ins(*cards, shift=0.002, hklf=hklf, neutron=neutron)
    files = write(folder, ins, hkl_text(hkl, values, sigma, batch))
    return refine_files(*files, Options(**(KEEP | options)))


def deviations(result, truth):
    """(found - true) / s.u. of all coordinates and U that have one."""
    parameters = result.fit.parametrisation.structure.parameter_map()
    found = []
    for i, (atom, (_, _, site, u)) in enumerate(zip(result.model.atoms, truth.atoms, strict=True)):
        su = result.fit.su[parameters[i].site : parameters[i].site + 3]
        found += [(x - y) / s for x, y, s in zip(atom.site, site, su, strict=True) if s > 1e-9]
        found.append((atom.u_iso - u) / result.fit.su[parameters[i].u_iso])
    return np.array(found)


def assert_found(result, truth, *, centred=True):
    """All parameters within 4.5 s.u., their scatter near 1 s.u. A polar group has its origin free."""
    d = deviations(result, truth)
    assert result.fit.converged
    if centred:
        assert np.abs(d).max() < 4.5
        assert 0.6 < np.sqrt((d**2).mean()) < 1.5


def test_dispersion_of_a_centrosymmetric_crystal_is_in_the_fit_and_in_the_map(tmp_path):
    truth = Truth("P 21/c", "Fe")
    result = refined(tmp_path, truth, intensity=np.abs(truth.f(truth.indices())) ** 2)
    assert_found(result, truth)
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.3
    assert result.fit.goof == pytest.approx(1, abs=0.1)


def test_dispersion_of_a_polar_crystal_is_in_the_fit_the_map_and_the_flack_parameter(tmp_path):
    truth = Truth("P 21", "Br")
    result = refined(tmp_path, truth, intensity=np.abs(truth.f(truth.indices())) ** 2)
    assert result.fit.converged
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.3
    found = flack(result.fit)
    assert abs(found.x) < 4 * found.su < 0.2
    assert result.fit.n_restraints == 1


def test_list_6_holds_factors_without_imaginary_dispersion_for_maps(tmp_path):
    truth = Truth("P 21", "Br", dispersion=DISPERSION | {"Br": (-0.68, 4.0)})
    hkl = truth.indices()
    result = refined(tmp_path, truth, intensity=np.abs(truth.f(hkl)) ** 2, sigma_noise=0.002)
    block = gemmi.cif.read_string(fcf_text(result.fit, 6)).sole_block()
    rows = np.array(
        [
            [float(x) for x in row]
            for row in block.find(
                "_refln_", ["index_h", "index_k", "index_l", "F_squared_meas", "F_calc", "phase_calc"]
            )
        ]
    )
    assert len(rows) == result.fit.reflections.n_independent
    plain = Truth("P 21", "Br", dispersion={e: (real, 0.0) for e, (real, _) in truth.dispersion.items()})
    f = plain.f(rows[:, :3])
    strong = np.abs(f) > 10
    assert rows[strong, 4] == pytest.approx(np.abs(f[strong]), rel=0.02)
    # The origin of a polar axis is free: phases agree up to 2π k y.
    turn = np.exp(1j * (np.radians(rows[:, 5]) - np.angle(f)))
    slope = min(
        np.linspace(-0.01, 0.01, 2001),
        key=lambda y: -(turn * np.exp(-2j * np.pi * rows[:, 1] * y)).real[strong].sum(),
    )
    assert np.abs(np.angle(turn * np.exp(-2j * np.pi * rows[:, 1] * slope)))[strong].max() < 0.05
    assert np.sqrt(rows[strong, 3]) == pytest.approx(rows[strong, 4], rel=0.05)


def test_disp_counts_before_the_tables(tmp_path):
    truth = Truth("P 21/c", "Fe", dispersion={"C": (0, 0), "N": (0, 0), "O": (0, 0), "Fe": (4.0, 2.0)})
    result = refined(tmp_path, truth, intensity=np.abs(truth.f(truth.indices())) ** 2)
    assert_found(result, truth)
    assert result.fit.r1_gt < 0.01


@pytest.mark.parametrize(
    ("group", "law", "n", "basf"),
    [
        ("P 4/m", (0, 1, 0, 1, 0, 0, 0, 0, -1), 2, (0.27,)),
        ("P 21", (-1, 0, 0, 0, -1, 0, 0, 0, -1), 2, (0.35,)),
        ("P 4", (0, 1, 0, 1, 0, 0, 0, 0, -1), -4, (0.15, 0.22, 0.1)),
    ],
    ids=["merohedral", "inversion", "racemic and merohedral"],
)
def test_twins_by_a_law_are_refined(tmp_path, group, law, n, basf):
    truth = Truth(group, "Br")
    hkl = truth.indices()
    matrix = np.array(law, float).reshape(3, 3)
    laws = {2: [np.eye(3), matrix], -4: [np.eye(3), matrix, -np.eye(3), -matrix]}[n]
    shares = [1 - sum(basf), *basf]
    intensity = sum(k * np.abs(truth.f(hkl @ r.T)) ** 2 for k, r in zip(shares, laws, strict=True))
    cards = [f"TWIN {' '.join(map(str, law))} {n}", "BASF " + " ".join("0.2" for _ in basf)]
    result = refined(tmp_path, truth, *cards, intensity=intensity)
    domains, su = result.fit.corrections.domains, result.fit.correction_su
    assert result.fit.converged
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.5
    for i, value in enumerate(basf):
        assert abs(domains.fractions[i] - value) < 4.5 * su[f"BASF {i + 1}"] < 0.3
    assert "TWIN" in result.res
    assert "BASF" in result.res


def test_an_inversion_twin_gives_its_fraction_as_flack_parameter(tmp_path):
    truth = Truth("P 21", "Br")
    hkl = truth.indices()
    intensity = 0.6 * np.abs(truth.f(hkl)) ** 2 + 0.4 * np.abs(truth.f(-hkl)) ** 2
    found = flack(refined(tmp_path, truth, "TWIN", "BASF 0.2", intensity=intensity).fit)
    assert abs(found.x - 0.4) < 4 * found.su
    by_fit = flack(refined(tmp_path, truth, intensity=intensity).fit)
    assert by_fit.x == pytest.approx(0.4, abs=0.1)


def test_a_twin_stays_one_through_an_edit_and_a_second_refinement(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    truth = Truth("P 4/m", "Br")
    hkl = truth.indices()
    law = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    intensity = 0.7 * np.abs(truth.f(hkl)) ** 2 + 0.3 * np.abs(truth.f(hkl @ law.T)) ** 2
    cards = ["TWIN 0 1 0 1 0 0 0 0 -1 2", "BASF 0.2", "OMIT 0 0 4", "SHEL 99 1.0"]
    first = refined(tmp_path, truth, *cards, intensity=intensity)
    write_cif(first, "first.cif")
    edited = refine_commands.edit_model("first.cif", edits="rename C1 C9", edited="edited.cif")
    second = refine_files(edited, None, Options(**KEEP))
    assert second.fit.reflections.unique.size() == first.fit.reflections.unique.size()
    assert second.fit.corrections.domains.fractions == pytest.approx(
        first.fit.corrections.domains.fractions, abs=1e-3
    )
    assert second.fit.r1_gt == pytest.approx(first.fit.r1_gt, abs=2e-4)


def test_instructions_beside_attached_reflections_hold(tmp_path):
    """Two files of one dataset: a CIF with the model alone, another with reflections and their instructions."""
    truth = Truth("P 4/m", "Br")
    hkl = truth.indices()
    law = np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    intensity = 0.7 * np.abs(truth.f(hkl)) ** 2 + 0.3 * np.abs(truth.f(hkl @ law.T)) ** 2
    result = refined(tmp_path, truth, "TWIN 0 1 0 1 0 0 0 0 -1 2", "BASF 0.2", intensity=intensity)
    write_cif(result, tmp_path / "data.cif")
    block = gemmi.cif.read(str(tmp_path / "data.cif")).sole_block()
    for item in ("_shelx_res_file", "_shelx_hkl_file"):
        block.find_pair_item(item).erase()
    model = gemmi.cif.Document()
    model.add_copied_block(block)
    model.write_file(str(tmp_path / "model.cif"))
    again = refine_files(str(tmp_path / "model.cif"), str(tmp_path / "data.cif"), Options(**KEEP))
    assert again.fit.corrections.domains.fractions[0] == pytest.approx(0.3, abs=0.02)
    assert again.fit.r1_gt < 0.01


def test_a_twin_law_that_is_a_symmetry_of_the_crystal_is_refused(tmp_path):
    truth = Truth("P 4/m", "Br")
    intensity = np.abs(truth.f(truth.indices())) ** 2
    with pytest.raises(UserInputError, match="is a symmetry of P 4/m"):
        refined(tmp_path, truth, "TWIN 0 1 0 -1 0 0 0 0 1 2", "BASF 0.2", intensity=intensity)


def overlapped(truth, share):
    """HKLF 5 rows of two lattices: l even overlaps with (h, -k, -l) of the other one, l odd does not."""
    hkl = truth.indices()
    rows, batch, intensity = [], [], []
    first = (1 - share) * np.abs(truth.f(hkl)) ** 2
    other = hkl * [1, -1, -1]
    second = share * np.abs(truth.f(other)) ** 2
    for h, mate, a, b in zip(hkl, other, first, second, strict=True):
        if h[2] % 2:
            rows.append(h)
            batch.append(1)
            intensity.append(a)
        else:
            rows += [mate, h]
            batch += [-2, 1]
            intensity += [a + b, a + b]
    return np.array(rows), np.array(batch), np.array(intensity)


def test_overlapped_data_are_refined(tmp_path):
    truth = Truth("P -1", "Fe")
    rows, batch, intensity = overlapped(truth, 0.3)
    ends = batch > 0
    values, sigma = noisy(intensity[ends], 0.01, 1)
    group = np.concatenate([[0], np.cumsum(ends)[:-1]])
    text = hkl_text(rows, values[group], sigma[group], batch)
    files = write(tmp_path, truth.ins("BASF 0.1", shift=0.002, hklf="HKLF 5"), text)
    result = refine_files(*files, Options(**KEEP))
    fit = result.fit
    assert_found(result, truth)
    assert fit.r1_gt < 0.01
    assert fit.reflections.unique.size() == len(truth.indices())
    assert abs(fit.corrections.domains.fractions[0] - 0.3) < 4 * fit.correction_su["BASF 1"] < 0.05
    assert fit.reflections.hklf == "HKLF 5"
    assert max(result.residual.maximum, -result.residual.minimum) < 0.5
    (tmp_path / "again.res").write_text(result.res)
    (tmp_path / "again.hkl").write_text(fit.reflections.hkl_text)
    again = refine_files(str(tmp_path / "again.res"), str(tmp_path / "again.hkl"), Options(**KEEP))
    assert again.fit.r1_gt == pytest.approx(fit.r1_gt, abs=1e-4)


def test_overlapped_data_without_their_instruction_are_seen(tmp_path):
    truth = Truth("P -1", "Fe")
    rows, batch, intensity = overlapped(truth, 0.3)
    files = write(tmp_path, truth.ins(), hkl_text(rows, intensity, 0.01 * intensity + 1, batch))
    result = refine_files(*files, Options(**KEEP))
    assert result.fit.corrections.domains.fractions[0] == pytest.approx(0.3, abs=0.02)
    assert any("BASF gives 0 shares of 2 domains" in note for note in result.model.notes)


def test_powder_groups_count_their_multiplicities(tmp_path):
    truth = Truth("P -1", "Fe")
    hkl = truth.indices()[:-1:2]
    rows, batch, intensity = [], [], []
    for a, b in zip(hkl[:-1:2], hkl[1::2], strict=False):
        total = 2 * abs(truth.f(a[None])[0]) ** 2 + 4 * abs(truth.f(b[None])[0]) ** 2
        rows += [a, b]
        batch += [-2, 4]
        intensity += [total, total]
    files = write(
        tmp_path,
        truth.ins(hklf="HKLF 6"),
        hkl_text(np.array(rows), np.array(intensity), 0.01 * np.array(intensity) + 1, np.array(batch)),
    )
    result = refine_files(*files, Options(weighting="keep", cycles=0))
    assert result.fit.r1_gt < 0.005
    assert result.fit.reflections.unique.size() == len(rows) // 2


def test_batches_have_scale_factors(tmp_path):
    truth = Truth("P -1", "Fe")
    hkl = truth.indices()
    batch = 1 + np.arange(len(hkl)) % 2
    intensity = np.abs(truth.f(hkl)) ** 2 * np.where(batch == 2, 0.6, 1.0)
    result = refined(tmp_path, truth, "BASF 1.0", "MERG 0", intensity=intensity, batch=batch)
    fit = result.fit
    assert_found(result, truth)
    assert abs(fit.corrections.domains.fractions[0] - 0.6) < 4 * fit.correction_su["BASF 1"] < 0.02
    ignored = refined(tmp_path, truth, "MERG 0", intensity=intensity, batch=batch)
    assert ignored.fit.r1_gt > 0.1


def test_extinction_is_refined_with_the_other_parameters(tmp_path):
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices()
    square = np.abs(truth.f(hkl)) ** 2
    sine = np.sqrt(truth.stol_sq(hkl)) * truth.wavelength
    path = 0.001 * truth.wavelength**3 / (2 * sine * np.sqrt(1 - sine**2))
    x = 0.012
    result = refined(tmp_path, truth, "EXTI 0.001", intensity=square / np.sqrt(1 + x * path * square))
    assert_found(result, truth)
    found, su = result.fit.extinction
    assert abs(found - x) < 4 * su < 0.1 * x
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.5


def test_bulk_solvent_is_refined(tmp_path):
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices()
    factor = 1 - 0.7 * np.exp(-8 * np.pi**2 * 0.9 * truth.stol_sq(hkl))
    result = refined(tmp_path, truth, "SWAT 0.5 1.0", intensity=np.abs(truth.f(hkl)) ** 2 * factor)
    assert_found(result, truth)
    solvent, su = result.fit.corrections.solvent, result.fit.correction_su
    assert abs(solvent.g - 0.7) < 4 * su["SWAT g"] < 0.2
    assert abs(solvent.u - 0.9) < 4 * su["SWAT U"]


def solvent_blob(truth, hkl):
    """Partial structure factors of a broad Gaussian of 12 electrons in a void, with its symmetry images."""
    s2 = truth.stol_sq(hkl)
    site = np.array([0.7, 0.35, 0.8])
    phases = sum(np.exp(2j * np.pi * (hkl @ (r @ site + t))) for r, t in truth.operations())
    return 12 * np.exp(-8 * np.pi**2 * 0.25 * s2) * phases


@pytest.mark.parametrize("group", ["P 21/c", "P 21"])
def test_a_solvent_mask_is_applied(tmp_path, group):
    truth = Truth(group, "Br")
    hkl = truth.indices()
    partial = solvent_blob(truth, hkl)
    intensity = np.abs(truth.f(hkl) + partial) ** 2
    rows = [
        f"{' '.join(str(x) for x in h)} {p.real:.3f} {p.imag:.3f}"
        for h, p in zip(hkl.astype(int), partial, strict=True)
    ]
    (tmp_path / "truth.fab").write_text("\n".join([*rows, "0 0 0 0 0", "REM 1 void"]))
    result = refined(tmp_path, truth, "ABIN", intensity=intensity, mask=str(tmp_path / "truth.fab"))
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.4
    with pytest.raises(UserInputError, match="ABIN needs a solvent mask"):
        refined(tmp_path, truth, "ABIN", intensity=intensity)
    free = refined(
        tmp_path, truth, "ABIN 2 3", "FVAR 1 1 0", intensity=intensity, mask=str(tmp_path / "truth.fab")
    ).fit
    assert abs(free.corrections.mask.scale - 1) < 4 * free.correction_su["ABIN scale"] < 0.2


def test_neutron_data_are_refined_with_scattering_lengths(tmp_path):
    truth = Truth("P 21/c", "Fe", wavelength=1.2, lengths=NEUTRON)
    truth.atoms = [*truth.atoms, ("H1", "H", (0.05, 0.33, 0.44), 0.04)]
    result = refined(tmp_path, truth, intensity=np.abs(truth.f(truth.indices())) ** 2, neutron=True)
    assert_found(result, truth)
    assert result.fit.r1_gt < 0.01
    assert max(result.residual.maximum, -result.residual.minimum) < 0.3


def test_factors_written_with_sfac_are_used(tmp_path):
    """Electron data in SHELX style: SFAC with numbers of the authors, a wavelength that no X-ray tube has."""
    numbers = {
        "C": (0.1361, 0.3731, 0.5482, 3.2814, 1.2266, 13.0456, 0.5971, 41.0202, 0.0),
        "O": (0.1433, 0.3055, 0.5103, 2.2683, 0.9370, 8.2625, 0.3923, 25.6645, 0.0),
        "N": (0.1372, 0.3287, 0.5344, 2.6733, 1.0862, 10.3165, 0.4547, 32.7631, 0.0),
    }
    truth = Truth("P -1", None, wavelength=0.0251, form=numbers, dispersion=dict.fromkeys("CNO", (0.0, 0.0)))
    hkl = truth.indices()
    values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.01, 1)
    text = truth.ins(shift=0.002)
    cards = [
        f"SFAC {e} {' '.join(map(str, numbers[e][:6]))} =\n  {' '.join(map(str, numbers[e][6:]))} 0 0 0 0.7 12"
        for e in "CNO"
    ]
    text = text.replace("SFAC C N O", "\n".join(cards)).replace("DISP", "REM DISP")
    files = write(tmp_path, text, hkl_text(hkl, values, sigma))
    with pytest.raises(UserInputError, match="electrons"):
        refine_files(*files, Options(**KEEP))
    result = refine_files(*files, Options(radiation="electron", **KEEP))
    assert_found(result, truth)
    assert result.fit.r1_gt < 0.01


def test_the_laboratory_of_these_tests_is_consistent():
    assert set(CELLS) <= {"P 4", "P 4/m", "P 1", "P -1"}
    assert {site[1] for site in SITES} <= set(FORM)
    assert sum(FORM["C"][::2]) == pytest.approx(6, abs=0.01)
