"""Numbers of the result's CIF and .fcf that follow from data and cell, against values computed here."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from cctbx import crystal
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, sets_by_name, specific, unify
from qcrbox_refine.absorption import absorption_coefficient
from qcrbox_refine.chemistry import add_chemistry
from qcrbox_refine.cif_block import CifBlock, read_blocks
from qcrbox_refine.cif_output import volume_su
from qcrbox_refine.fcf import fcf_text
from qcrbox_refine.model import Model
from qcrbox_refine.refinement import Options, refine_files, write_cif
from qcrbox_refine.shelx_input import parse_shelx
from qcrbox_refine.shelx_settings import Dispersion
from truth import NEUTRON, Truth, hkl_text, noisy, write

SIGMA = {"weighting": "sigma", "cycles": 4}


def refined(folder, truth, hkl=None, scale=1.0, *, neutron=False, **options):
    """The result for noisy data of this truth, and its CIF."""
    hkl = truth.indices() if hkl is None else hkl
    values, sigma = noisy(scale * np.abs(truth.f(hkl)) ** 2, 0.01, 1)
    files = write(folder, truth.ins(neutron=neutron), hkl_text(hkl, values, sigma))
    result = refine_files(*files, Options(**(SIGMA | options)))
    write_cif(result, folder / "result.cif")
    return result, read_blocks(folder / "result.cif")[0]


@pytest.mark.parametrize(
    ("wavelength", "theta"),
    [
        (0.71073, 25.242),
        (1.54184, 67.684),
        (0.56087, 19.665),
        (1.34139, 53.595),
        (0.41, 14.241),
        (2.2909, None),
    ],
    ids=["Mo", "Cu", "Ag", "Ga", "synchrotron", "Cr"],
)
def test_completeness_is_asked_for_to_the_same_resolution_at_every_wavelength(tmp_path, wavelength, theta):
    """IUCr: sin θ/λ = 0.6 Å⁻¹, which is 25.242° for Mo Kα; beyond sin θ = 1 the largest measured angle counts."""
    truth = Truth(wavelength=wavelength)
    d_min = max(0.82, wavelength / 2 + 0.01)
    _, block = refined(tmp_path, truth, truth.indices(d_min))
    largest = block.number("_diffrn_reflns_theta_max")[0]
    assert block.number("_diffrn_reflns_theta_full")[0] == pytest.approx(theta or largest, abs=0.002)


def test_fractions_measured_count_mates_once_and_apart(tmp_path):
    truth = Truth("P 21", "Br")
    hkl = truth.indices(0.8)
    # Of every pair of mates with k > 0 one side, and all others.
    kept = hkl[~((hkl[:, 1] < 0) & (np.abs(hkl[:, 1]) > 0))]
    _, block = refined(tmp_path, truth, kept)
    apart = len(kept) / len(hkl)
    assert block.number("_diffrn_reflns_Laue_measured_fraction_max")[0] == pytest.approx(1, abs=0.002)
    assert block.number("_diffrn_reflns_point_group_measured_fraction_max")[0] == pytest.approx(
        apart, abs=0.002
    )


def test_another_wavelength_stands_in_the_cif_and_what_belongs_to_the_old_one_does_not(tmp_path):
    truth = Truth("P 21/c", None)
    refined(tmp_path, truth)
    cif = tmp_path / "result.cif"
    stale = cif.read_text().replace(
        "_point_group_measured_fraction_max ", "_point_group_measured_fraction_max 0.123 # "
    )
    cif.write_text(stale + "_diffrn_radiation_type 'Cu K\\a'\n")
    result = refine_files(str(cif), None, Options(**SIGMA, wavelength=0.71073))
    write_cif(result, cif)
    block = read_blocks(cif)[0]
    assert block.number("_diffrn_radiation_wavelength")[0] == 0.71073
    assert block.text("_exptl_absorpt_coefficient_mu") is None
    assert block.text("_diffrn_radiation_type") is None
    assert block.number("_diffrn_reflns_point_group_measured_fraction_max")[0] == pytest.approx(1, abs=0.01)
    assert any("_exptl_absorpt_coefficient_mu" in note for note in result.model.notes)


def test_f000_of_neutrons_is_the_sum_of_scattering_lengths(tmp_path):
    _, block = refined(tmp_path, Truth("P 21/c", None, lengths=NEUTRON), neutron=True)
    lengths = 4 * (NEUTRON["C"] + NEUTRON["N"] + NEUTRON["O"])
    assert block.number("_exptl_crystal_F_000")[0] == pytest.approx(lengths, abs=0.01)


@pytest.mark.parametrize(
    ("group", "cell", "su", "expected"),
    [
        (
            "F m -3 m",
            (5.451, 5.451, 5.451, 90, 90, 90),
            (0.0005, 0.0005, 0.0005, 0, 0, 0),
            3 * 5.451**2 * 0.0005,
        ),
        ("F m -3 m", (5.451, 5.451, 5.451, 90, 90, 90), (0.0005, 0, 0, 0, 0, 0), 3 * 5.451**2 * 0.0005),
        (
            "P 4",
            (7.9, 7.9, 8.6, 90, 90, 90),
            (0.001, 0.001, 0.002, 0, 0, 0),
            np.hypot(2 * 7.9 * 8.6 * 0.001, 7.9**2 * 0.002),
        ),
        (
            "P 21 21 21",
            (5.0, 6.0, 7.0, 90, 90, 90),
            (0.001, 0.002, 0.003, 0, 0, 0),
            210 * np.sqrt((0.001 / 5) ** 2 + (0.002 / 6) ** 2 + (0.003 / 7) ** 2),
        ),
    ],
    ids=["cubic", "cubic, s.u. of a alone", "tetragonal", "orthorhombic"],
)
def test_equal_lengths_move_together_in_the_volume(group, cell, su, expected):
    """V = a³ has σ = 3a²σ(a); a², c independent of it; three lengths of their own add in quadrature."""
    model = Model(crystal.symmetry(cell, group), [], cell_su=su)
    assert volume_su(model) == pytest.approx(expected, rel=1e-3)


def test_the_fcf_keeps_the_digits_of_small_intensities(tmp_path):
    """Electrons scatter with F of about 1 Å: two decimals would cut σ(F²) to 0.00."""
    truth = Truth("P 21/c", None, lengths={"C": 0.05, "N": 0.06, "O": 0.07})
    result, _ = refined(tmp_path, truth, neutron=True)
    equations = result.fit.equations
    equations.scale *= 1e4
    fo_sq, sigma, fc_sq = equations.on_fc_scale()
    rows = [line.split() for line in fcf_text(result.fit).splitlines() if line.split()[-1:] in (["o"], ["<"])]
    table = np.array([row[3:6] for row in rows], float)
    assert table == pytest.approx(
        np.column_stack([fc_sq, fo_sq, sigma]), rel=0.05, abs=float(sigma.min()) * 0.06
    )


@pytest.mark.parametrize(
    ("formula", "z", "weight"),
    [("C3 N O", 4, 66.04), ("C6 N2 O2", 2, 132.08), ("C12 N4 O4", 1, 264.16)],
)
def test_z_follows_from_the_formula_where_it_is_not_stated(tmp_path, formula, z, weight):
    """A molecule about a centre of symmetry has two asymmetric units: Z is half the order of the group."""
    truth = Truth("P 21/c", None)
    refined(tmp_path, truth)
    cif = tmp_path / "result.cif"
    block = read_blocks(cif)[0]
    for tag in ("_cell_formula_units_Z", "_chemical_formula_weight", "_shelx_res_file"):
        block.set(tag, None)
    block.set("_chemical_formula_sum", formula)
    cif.write_text(str(block))
    result = refine_files(str(cif), None, Options(**SIGMA))
    write_cif(result, cif)
    found = read_blocks(cif)[0]
    volume = result.model.symmetry.unit_cell().volume()
    assert found.number("_cell_formula_units_Z")[0] == z
    assert found.number("_chemical_formula_weight")[0] == pytest.approx(weight, abs=0.02)
    assert found.number("_exptl_crystal_density_diffrn")[0] == pytest.approx(
        1.66054 * 4 * 66.04 / volume, abs=0.002
    )
    assert found.number("_exptl_crystal_F_000")[0] == 4 * 33
    assert f"ZERR {z} " in result.res


def test_what_the_file_says_of_the_measurement_stays_beside_its_merged_list(tmp_path):
    truth = Truth("P 21/c", None)
    refined(tmp_path, truth)
    cif = tmp_path / "result.cif"
    block = read_blocks(cif)[0]
    unique = int(block.number("_diffrn_reflns_number")[0])
    stated = {
        "_diffrn_reflns_number": "8865",
        "_diffrn_reflns_av_R_equivalents": "0.0473",
        "_diffrn_reflns_limit_h_min": "-20",
    }
    for tag, value in stated.items():
        block.set(tag, value)
    cif.write_text(str(block))
    write_cif(refine_files(str(cif), None, Options(**SIGMA)), cif)
    found = read_blocks(cif)[0]
    assert {tag: found.text(tag) for tag in stated} == stated
    assert found.number("_reflns_number_total")[0] == unique
    # A smaller number cannot be that of these data.
    found.set("_diffrn_reflns_number", "10")
    cif.write_text(str(found))
    write_cif(refine_files(str(cif), None, Options(**SIGMA)), cif)
    assert read_blocks(cif)[0].number("_diffrn_reflns_number")[0] == unique


def through_the_store(folder, cif, **options):
    """The CIF after the conversions around a command: what the spec asks for in, what is no longer true out."""
    spec = yaml.safe_load((Path(__file__).parents[1] / "application.yaml").read_text())
    command = next(command for command in spec["commands"] if command["name"] == "refine_iam")
    taken, given = command["parameters"][0], command["outputs"][0]
    entries = InputEntries(
        required_sets=taken["required_entry_sets"],
        optional_sets=taken["optional_entry_sets"],
        entry_sets=sets_by_name(spec["cif_entry_sets"]),
        merge_su=True,
    )
    (folder / "in.cif").write_bytes(specific(cif, entries).bytes)
    write_cif(refine_files(str(folder / "in.cif"), None, Options(**(SIGMA | options))), folder / "out.cif")
    results = OutputEntries(
        required=given["required_entries"],
        optional=given["optional_entries"],
        invalidated=given["invalidated_entries"],
        custom_categories=given["custom_categories"],
    )
    (folder / "merged.cif").write_bytes(merge_back((folder / "out.cif").read_bytes(), cif, results).bytes)
    return read_blocks(folder / "merged.cif")[0]


def test_mu_is_summed_from_the_cross_sections_of_disp():
    """Urea, as SHELXL gives it: 0.081 mm⁻¹ from 8.3, 0.7, 13.3, 21.1 barns of C, H, N, O in 145.80 Å³."""
    model = Model(crystal.symmetry((5.565, 5.565, 4.708, 90, 90, 90), "P -4 21 m"), [], wavelength=0.71073)
    barns = {"C": 8.3, "H": 0.7, "N": 13.3, "O": 21.1}
    model.settings.dispersion = {element: Dispersion(0.0, 0.0, mu) for element, mu in barns.items()}
    content = {"C": 2.0, "H": 8.0, "N": 4.0, "O": 2.0}
    assert absorption_coefficient(model, content) == pytest.approx(0.0807, abs=2e-4)
    del model.settings.dispersion["H"]
    assert absorption_coefficient(model, content) is None
    assert any("H has none" in entry for entry in model.remarks())


def test_mu_of_disp_stands_in_the_cif(tmp_path):
    truth = Truth("P 21/c", None)
    found = refined(tmp_path, truth)[1]
    volume = found.number("_cell_volume")[0]
    # C, N, O: four atoms of each by UNIT, 1 barn each by DISP.
    assert found.number("_exptl_absorpt_coefficient_mu")[0] == pytest.approx(0.1 * 12 / volume, abs=6e-4)


def test_mu_of_the_old_wavelength_does_not_stay_in_the_store(tmp_path):
    refined(tmp_path, Truth("P 21/c", None))
    block = read_blocks(tmp_path / "result.cif")[0]
    block.set("_exptl_absorpt_coefficient_mu", "9.9")
    block.set("_diffrn_radiation_type", "Cu K\\a")
    source = unify(str(block).encode()).bytes
    same = through_the_store(tmp_path, source)
    assert (same.text("_exptl_absorpt_coefficient_mu"), same.text("_diffrn_radiation_type")) == (
        "9.9",
        "Cu K\\a",
    )
    other = through_the_store(tmp_path, source, wavelength=0.71073)
    assert other.number("_diffrn_radiation_wavelength")[0] == 0.71073
    assert other.text("_exptl_absorpt_coefficient_mu") is None
    assert other.text("_diffrn_radiation_type") is None


@pytest.mark.parametrize(
    ("card", "stated", "sizes"),
    [
        ("SIZE 0.3 0.1 0.2", None, (0.3, 0.2, 0.1)),
        ("SIZE 0.3 0.1 0.2", "0.25", (0.25, None, None)),
        ("SIZE 0.3 0.1", None, (None, None, None)),
        ("", None, (None, None, None)),
    ],
)
def test_the_size_of_the_crystal_is_that_of_size_unless_the_file_states_one(card, stated, sizes):
    text = f"CELL 0.71073 5 6 7 90 90 90\nZERR 1 0 0 0 0 0 0\nLATT -1\nSFAC C\nUNIT 1\n{card}\nFVAR 1\nC1 1 0 0 0 11 0.03\nHKLF 4\n"
    model, block = parse_shelx(text), CifBlock("x")
    block.set("_exptl_crystal_size_max", stated)
    add_chemistry(block, model)
    found = [block.number(f"_exptl_crystal_size_{name}") for name in ("max", "mid", "min")]
    assert tuple(number and number[0] for number in found) == sizes
    assert bool(model.remarks()) == (card == "SIZE 0.3 0.1")


def test_an_absorption_coefficient_goes_with_the_formula_it_belongs_to():
    """A file without a formula of its own: the formula follows the atoms, and µ of the earlier one is not kept."""
    text = "CELL 0.71073 5 6 7 90 90 90\nZERR 1 0 0 0 0 0 0\nLATT -1\nSFAC C\nFVAR 1\nC1 1 0 0 0 11 0.03\nHKLF 4\n"
    for before, kept in (("C", True), ("Fe", False)):
        model, block = parse_shelx(text), CifBlock("x")
        block.set("_chemical_formula_sum", before)
        block.set("_exptl_absorpt_coefficient_mu", "0.5")
        add_chemistry(block, model)
        assert block.text("_chemical_formula_sum") == "C"
        assert (block.number("_exptl_absorpt_coefficient_mu") is not None) == kept
        assert any("absorption coefficient" in text for text in model.remarks()) != kept


def test_the_number_of_reflections_is_that_of_those_that_were_not_omitted(tmp_path):
    """As in SHELXL's files: equivalents of OMIT h k l, and what lies beyond a limit, do not count."""
    truth = Truth("P 21/c", "Fe")
    hkl = truth.indices()
    counts = []
    for cards in ("", "OMIT 1 0 2", "SHEL 999 1.2"):
        text = truth.ins().replace("FVAR", f"{cards}\nFVAR", 1)
        data = hkl_text(hkl, *noisy(np.abs(truth.f(hkl)) ** 2, 0.01, 1))
        structure, reflections = write(tmp_path, text, data)
        write_cif(
            refine_files(structure, reflections, Options(weighting="keep", cycles=0)), tmp_path / "x.cif"
        )
        counts.append(int(read_blocks(tmp_path / "x.cif")[0].number("_diffrn_reflns_number")[0]))
    beyond = int((np.sqrt(truth.stol_sq(hkl)) > 1 / 2.4).sum())
    assert counts == [len(hkl), len(hkl) - 1, len(hkl) - beyond]
