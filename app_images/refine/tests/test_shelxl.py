"""The stand-in for shelxl: refined again against the same .hkl file, a .res file gives the same refinement."""

import re

import gemmi
import numpy as np
import pytest
from qcrbox_refine.hkl_file import HklText
from qcrbox_refine.refinement import Options, refine_files
from qcrbox_refine.shelxl import main, refine_shelx_files
from truth import Truth, hkl_text, noisy, write

# Indices of the file, and the HKLF that brings them to the setting of the structure.
SETTINGS = {
    "as it is": ("HKLF 4", np.eye(3, dtype=int)),
    "a matrix": ("HKLF 4 1 0 0 1 0 -1 0 1 0 0", np.array([[0, 0, 1], [0, -1, 0], [1, 0, 0]])),
    "a scale": ("HKLF 4 0.001", np.eye(3, dtype=int)),
    "a matrix and a scale": ("HKLF 4 10 -1 0 0 0 1 0 0 0 -1", np.diag([-1, 1, -1])),
}


@pytest.fixture
def files(tmp_path):
    def make(hklf="HKLF 4", turn=None, *cards, cycles=4):
        truth = Truth("P 21/c", "Fe")
        hkl = truth.indices(1.15).astype(int)
        values, sigma = noisy(np.abs(truth.f(hkl)) ** 2, 0.02, 1)
        indices = hkl if turn is None else hkl @ turn.T
        text = truth.ins("ACTA", *cards, shift=0.002, hklf=hklf).replace("L.S. 10", f"L.S. {cycles}")
        ins, _ = write(tmp_path, text, hkl_text(indices, values, sigma))
        return ins

    return make


def r1_of(text):
    return float(next(line for line in text.splitlines() if line.startswith("REM R1 =")).split()[3])


@pytest.mark.parametrize(("hklf", "turn"), SETTINGS.values(), ids=SETTINGS.keys())
def test_the_res_file_refines_to_the_same_against_the_same_data(files, tmp_path, hklf, turn):
    first = refine_shelx_files(files(hklf, turn))[".res"].read_text()
    assert r1_of(first) < 0.03
    (tmp_path / "truth.ins").write_text(first)
    again = refine_shelx_files(tmp_path / "truth.ins")[".res"].read_text()
    assert r1_of(again) == pytest.approx(r1_of(first), abs=2e-4)
    scales = [float(text.split("\nFVAR")[1].split()[0]) for text in (first, again)]
    assert scales[1] == pytest.approx(scales[0], rel=1e-3)


@pytest.mark.parametrize(("hklf", "turn"), SETTINGS.values(), ids=SETTINGS.keys())
def test_the_cif_has_instructions_for_the_reflections_inside_it(files, tmp_path, hklf, turn):
    """Those are written in the setting of the structure, so no matrix is to be applied to them again."""
    written = refine_shelx_files(files(hklf, turn))
    block = gemmi.cif.read(str(written[".cif"])).sole_block()
    inside = gemmi.cif.as_string(block.find_value("_shelx_res_file"))
    expected = "HKLF 4"
    assert [line for line in inside.splitlines() if line.startswith("HKLF")] == [expected]
    assert (f"the input had {hklf}" in inside) is (hklf != expected)
    result = refine_files(str(written[".cif"]), None, Options(weighting="keep", cycles=0))
    assert result.fit.r1_gt == pytest.approx(r1_of(written[".res"].read_text()), abs=2e-4)


def test_the_reflection_file_stays_as_it_is(files, tmp_path):
    ins = files(*SETTINGS["a matrix"])
    before = (tmp_path / "truth.hkl").read_text()
    refine_shelx_files(ins)
    assert (tmp_path / "truth.hkl").read_text() == before
    assert len(HklText.split(before).lines) > 100


@pytest.mark.parametrize(
    ("list_code", "columns"), [(4, "F_squared_calc"), (6, "phase_calc"), (2, "F_squared_calc")]
)
def test_the_list_is_the_one_of_list(files, list_code, columns):
    fcf = refine_shelx_files(files("HKLF 4", None, f"LIST {list_code}", cycles=0))[".fcf"].read_text()
    block = gemmi.cif.read_string(fcf).sole_block()
    assert block.find_value("_shelx_refln_list_code") == str(list_code if list_code == 6 else 4)
    assert len(block.find_values(f"_refln_{columns}")) > 100


@pytest.mark.parametrize(("plan", "most"), [("PLAN 3", 3), ("PLAN 0", 0), ("PLAN -5", 5)])
def test_as_many_peaks_are_listed_as_plan_says(files, plan, most):
    res = refine_shelx_files(files("HKLF 4", None, plan, cycles=0))[".res"].read_text()
    assert sum(line.startswith("Q") for line in res.split("\nEND\n")[1].splitlines()) == most


@pytest.mark.parametrize(
    ("arguments", "code"), [([], 2), (["a", "b"], 2), (["missing"], 1), (["-t4", "-b3000"], 2)]
)
def test_wrong_arguments_end_with_an_error(tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code


def test_a_job_with_options_of_shelxl_runs(files, tmp_path, monkeypatch, capsys):
    files(cycles=0)
    monkeypatch.chdir(tmp_path)
    assert main(["-t4", "truth"]) == 0
    assert (tmp_path / "truth.res").exists()
    assert "truth finished" in capsys.readouterr().out


CORRECTIONS = {
    "extinction": ("P 21/c", ("EXTI 0.01",)),
    "twin": ("P 21", ("TWIN 1 0 0 0 -1 0 0 0 -1 2", "BASF 0.2")),
    "fixed share": ("P 21", ("TWIN -1 0 0 0 -1 0 0 0 -1 2", "BASF 10.1")),
    "twin without BASF": ("P 21", ("TWIN -1 0 0 0 -1 0 0 0 -1 2",)),
    "bulk solvent": ("P 21/c", ("SWAT 0.3 1",)),
    "mask": ("P 21/c", ("ABIN",)),
    "mask with a scale": ("P 21/c", ("ABIN 2 3", "FVAR 1 0.9 0.01")),
    "thresholds": ("P 21/c", ("OMIT 4 100", "OMIT 1 0 2", "SHEL 20 1.2")),
    "merged mates": ("P 21", ("MERG 4",)),
    "weights": ("P 21/c", ("WGHT 0.03 0.2 0.1 0 0.01 0.4",)),
    "restraints": ("P 21/c", ("DFIX 1.7 0.02 C1 C2", "SADI C1 C2 C2 O1", "EADP C1 C2")),
    "temperature": ("P 21/c", ("TEMP -120", "SIZE 0.1 0.2 0.3")),
}


@pytest.mark.parametrize(("group", "cards"), CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_a_second_run_continues_the_first(tmp_path, group, cards):
    """All that was refined stands in the .res file: without a cycle it gives the R values that the first run ended with."""
    truth = Truth(group, "Fe" if group == "P 21/c" else "Br")
    hkl = truth.indices(1.15).astype(int)
    f = truth.f(hkl) + (2 + 0.3 * hkl[:, 0] if cards[0].startswith("ABIN") else 0)
    bulk = 1 - 0.4 * np.exp(-8 * np.pi**2 * truth.stol_sq(hkl)) if cards[0].startswith("SWAT") else 1.0
    data = hkl_text(hkl, *noisy(np.abs(f) ** 2 * bulk, 0.02, 1))
    if cards[0].startswith("ABIN"):
        rows = [f"{h} {k} {m} {2 + 0.3 * h} 0" for h, k, m in hkl]
        (tmp_path / "truth.fab").write_text("\n".join([*rows, "0 0 0 0 0", ""]))
    ins, _ = write(tmp_path, truth.ins(*cards, shift=0.002), data)
    first = refine_shelx_files(ins)[".res"].read_text()
    (tmp_path / "truth.ins").write_text(re.sub(r"\nL\.S\. \d+", "\nL.S. 0", first))
    again = refine_shelx_files(tmp_path / "truth.ins")[".res"].read_text()
    for name in ("REM R1 =", "REM wR2 ="):
        values = [
            next(line for line in text.splitlines() if line.startswith(name)).split()[3].rstrip(",")
            for text in (first, again)
        ]
        assert float(values[1]) == pytest.approx(float(values[0]), abs=2e-4), name
    for card in ("EXTI", "BASF", "SWAT", "ABIN", "TWIN", "OMIT", "SHEL", "MERG", "TEMP", "DFIX", "EADP"):
        lines = [[line for line in text.splitlines() if line.startswith(card)] for text in (first, again)]
        assert lines[1] == lines[0], card


def test_a_mask_that_lies_beside_the_instructions_needs_abin(files, tmp_path):
    """A .fab file of an earlier model must not change the next one."""
    ins = files(cycles=0)
    plain = refine_shelx_files(ins)[".res"].read_text()
    (tmp_path / "truth.fab").write_text("1 0 0 50 0\n0 2 0 -40 0\n0 0 0 0 0\n")
    written = refine_shelx_files(ins)
    assert r1_of(written[".res"].read_text()) == r1_of(plain)
    assert "truth.fab is not applied: the instructions have no ABIN." in written[".lst"].read_text()
