"""What happens to a structure before ShelXle's window opens, and after it is closed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import gemmi
import pytest

FOLDER = Path(__file__).resolve().parents[1]


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The module as an agent loads it, in a fresh working directory."""
    for folder in (FOLDER, FOLDER.parent / "refine"):
        monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    import shelxle_glue

    yield shelxle_glue
    sys.modules.pop("shelxle_glue", None)


@pytest.fixture
def thpp() -> Path:
    import smtbx

    return Path(smtbx.__file__).parent / "regression" / "test_data"


@pytest.fixture
def prepared(glue, thpp: Path):
    glue.prepare(str(thpp / "thpp.cif"), str(thpp / "thpp.hkl"))
    return glue


def test_the_model_its_reflections_and_the_first_map_are_there_when_the_window_opens(prepared):
    assert Path("model.hkl").stat().st_size > 400_000
    text = Path("model.res").read_text()
    assert text.startswith("TITL")
    # The file gives no wavelength; its dispersion factors are those of Mo.
    assert "CELL 0.71073" in text
    assert "_shelx_refln_list_code          6" in Path("model.fcf").read_text()
    assert not Path(".first-map").exists()


def test_a_structure_that_was_only_looked_at_gives_nothing(prepared):
    assert prepared.finalise("edited.cif", "edited.res") is None
    assert not Path("edited.cif").exists()


def test_a_refinement_is_kept_with_its_su_and_r_values(prepared):
    from qcrbox_refine.shelxl import main

    Path("model.ins").write_text(Path("model.res").read_text())
    assert main(["model"]) == 0
    assert prepared.finalise("edited.cif", "edited.res") == ["edited.cif", "edited.res"]
    block = gemmi.cif.read("edited.cif").sole_block()
    assert float(block.find_value("_refine_ls_R_factor_gt")) < 0.08
    assert "(" in block.find_loop("_atom_site_fract_x")[0]
    assert Path("edited.res").read_text().split() == Path("model.res").read_text().split()


def test_a_refinement_whose_result_was_not_loaded_is_kept_too(prepared):
    from qcrbox_refine.shelxl import main

    Path("model.ins").write_text(Path("model.res").read_text().replace("L.S. 10", "LIST 6\nL.S. 10"))
    main(["model"])
    Path(".refined.ins").write_text(Path("model.ins").read_text())  # as the wrapper does
    os.utime("model.ins", ns=(2**62, 2**62))  # ShelXle writes it once more at its end
    prepared.finalise("edited.cif", "edited.res")
    block = gemmi.cif.read("edited.cif").sole_block()
    assert float(block.find_value("_refine_ls_R_factor_gt")) < 0.08


def test_an_edit_after_the_refinement_is_kept_without_su_that_belong_to_another_model(prepared):
    from qcrbox_refine.shelxl import main

    Path("model.ins").write_text(Path("model.res").read_text())
    main(["model"])
    lines = Path("model.res").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("C14 "))
    Path("model.ins").write_text("\n".join(lines[:first] + lines[first + 2 :]) + "\n")
    os.utime("model.ins", ns=(2**62, 2**62))
    prepared.finalise("edited.cif", "edited.res")
    block = gemmi.cif.read("edited.cif").sole_block()
    labels = list(block.find_loop("_atom_site_label"))
    assert "C14" not in labels
    assert "C13" in labels
    assert not any("(" in value for value in block.find_loop("_atom_site_fract_x"))
    assert block.find_value("_refine_ls_R_factor_gt") is None


def test_saving_the_same_again_is_no_change(prepared):
    Path("model.ins").write_text(Path("model.res").read_text().replace(" ", "  ") + "\n\nREM after the end\n")
    assert prepared.finalise("edited.cif", "edited.res") is None


def test_without_reflections_the_window_opens_all_the_same(glue, thpp, capsys):
    glue.prepare(str(thpp / "thpp.cif"))
    assert Path("model.res").exists()
    assert not Path("model.hkl").exists()
    assert "no density maps" in capsys.readouterr().out
