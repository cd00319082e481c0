from __future__ import annotations

import json
from pathlib import Path

import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.structure import Structure


def test_to_unified_cif_writes_canonical_names_and_splits_su(commands, urea: str) -> None:
    block = read(Path(commands.to_unified_cif(urea)))[0]
    assert block.get("_cell.length_a") == "5.565"
    assert block.get("_cell.length_a_su") == "0.001"
    assert "_cell.length_a" in block.tags


def test_iso2aniso_without_a_choice_changes_nothing(commands, urea: str) -> None:
    block = read(Path(commands.iso2aniso(urea)))[0]
    assert block.loop("_atom_site_aniso_label") is None
    assert set(block.column("_atom_site_adp_type")) == {"Uiso"}


def test_iso2aniso_chooses_by_name_element_and_pattern_together(commands, urea: str) -> None:
    block = read(Path(commands.iso2aniso(urea, "O1", "N", "H1.*", False)))[0]
    assert block.column("_atom_site_aniso_label") == ["O1", "N1", "H1"]
    assert block.column("_atom_site_adp_type") == ["Uiso", "Uani", "Uani", "Uani", "Uiso"]
    assert block.column("_atom_site_aniso_U_11") == ["0.01000000", "0.01100000", "0.02600000"]


def test_iso2aniso_takes_the_text_none_for_nothing(commands, urea: str) -> None:
    block = read(Path(commands.iso2aniso(urea, "None", "None", "None")))[0]
    assert block.loop("_atom_site_aniso_label") is None


def test_iso2aniso_names_an_unknown_atom(commands, urea: str) -> None:
    with pytest.raises(UserInputError, match="no atom C99"):
        commands.iso2aniso(urea, select_names="C99")


def test_convergence_of_a_moved_atom_is_answered_with_its_values(
    commands, urea: str, urea_moved: str
) -> None:
    written = commands.check_structure_convergence(urea, urea_moved, max_abs_position=0.01, max_position_su=3)
    answer = json.loads(Path(written).read_text())
    assert answer["converged"] is True
    assert answer["values"]["max abs position"] == pytest.approx(0.0003 * 5.565 * 2**0.5, rel=1e-4)
    assert answer["values"]["max position/su"] == pytest.approx(3 / 2**0.5)
    written = commands.check_structure_convergence(urea, urea_moved, max_abs_position=0.001)
    assert json.loads(Path(written).read_text())["converged"] is False


def test_replacing_a_structure_takes_the_atoms_and_keeps_the_cell(
    commands, urea: str, urea_moved: str
) -> None:
    text = Path(urea_moved).read_text().replace("5.565(1)", "5.570(2)")
    Path("warm.cif").write_text(text)
    structure = Structure.from_cif(Path(commands.replace_structure_from_cif(urea, "warm.cif")))
    assert structure.cell.a.value == 5.565
    assert structure.sites.fract[2, 0] == 0.1462
    assert not structure.sites.fract_su.any()


def test_replacing_a_structure_of_another_lattice_is_refused_unless_forced(commands, urea: str) -> None:
    text = (
        Path(urea).read_text().replace("'P -4 21 m'", "'I -4 2 m'").replace("_space_group_IT_number 113", "")
    )
    Path("other.cif").write_text(
        text.split("loop_\n_space_group_symop_id")[0] + text[text.index("_diffrn_ambient") :]
    )
    with pytest.raises(CifError, match="lattice centring differs"):
        commands.replace_structure_from_cif(urea, "other.cif")
    assert Path(commands.replace_structure_from_cif(urea, "other.cif", force=True)).exists()
