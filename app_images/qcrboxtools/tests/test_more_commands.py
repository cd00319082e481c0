from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.reflections import read_hkl
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc

RES = """TITL toluene ring
CELL 0.71073 10 11 12 90 90 90
ZERR 4 0.001 0.001 0.001 0 0 0
LATT 1
SFAC C H
UNIT 4 4
FVAR 1.0
C1 1 0.1 0.1 0.1 11.0 0.02
AFIX 43
H1 2 0.15 0.1 0.1 11.0 -1.2
AFIX 0
C2 1 0.2 0.1 0.1 11.0 0.02
HKLF 4
END
"""


def with_reflections(urea: str) -> str:
    spec = find_spec("smtbx")
    assert spec is not None
    hkl = Path(next(iter(spec.submodule_search_locations or ()))) / "regression/test_data/thpp.hkl"
    cif = hkl.with_suffix(".cif")
    document = read(cif)
    document[0].set("_shelx_hkl_file", hkl.read_text())
    document.write("thpp.cif")
    return "thpp.cif"


def test_export_hkl_gives_the_embedded_reflections_back(commands, urea: str) -> None:
    written = Path(commands.export_hkl(with_reflections(urea)))
    assert len(read_hkl(written.read_bytes())) == 14205


def test_export_hkl_without_reflections_says_what_to_give(commands, urea: str) -> None:
    with pytest.raises(MissingItemsError, match="no reflections"):
        commands.export_hkl(urea)


def test_export_ins_writes_cell_symmetry_and_special_occupancies(commands, urea: str) -> None:
    lines = Path(commands.export_ins(urea)).read_text().splitlines()
    assert "CELL 1.04700 5.5650 5.5650 4.6840 90.000 90.000 90.000" in lines
    assert "LATT -1" in lines
    assert sum(line.startswith("SYMM") for line in lines) == 7
    carbon = next(line.split() for line in lines if line.startswith("C1"))
    assert float(carbon[5]) == pytest.approx(10.25)


def test_symmetry_cards_are_those_of_the_group(commands, urea: str) -> None:
    cards = Path(commands.symmetry_cards(urea)).read_text().splitlines()
    assert cards[0] == "LATT -1"
    assert "SYMM -X+1/2, Y+1/2, -Z" in cards


def test_afix_table_goes_out_and_comes_back(commands, folder: Path) -> None:
    (folder / "a.res").write_text(RES)
    table = Path(commands.afix_table("a.res"))
    assert table.read_text().splitlines()[1] == "H1,43,C1,aromatic C-H or amide N-H; riding"
    again = Path(commands.apply_afix_table("a.res", str(table)))
    assert again.read_text().split() == RES.split()


def test_afix_table_reads_the_instructions_inside_a_cif(commands, folder: Path) -> None:
    (folder / "a.cif").write_text(f"data_a\n_shelx_res_file\n;\n{RES};\n")
    assert "H1,43" in Path(commands.afix_table("a.cif")).read_text()


def test_a_table_with_other_columns_is_refused(commands, folder: Path) -> None:
    (folder / "a.res").write_text(RES)
    (folder / "t.csv").write_text("atom,code\nH1,43\n")
    with pytest.raises(UserInputError, match="columns label and afix"):
        commands.apply_afix_table("a.res", "t.csv")


def test_a_table_with_two_codes_for_an_atom_is_refused(commands, folder: Path) -> None:
    (folder / "a.res").write_text(RES)
    (folder / "t.csv").write_text("label,afix\nH1,43\nh1,33\n")
    with pytest.raises(UserInputError, match="H1 more than once"):
        commands.apply_afix_table("a.res", "t.csv")


def test_form_factors_are_turned_into_binary_and_back(commands, folder: Path) -> None:
    rng = np.random.default_rng(1)
    table = FormFactorTable(
        ["C1", "H1"],
        rng.integers(-9, 9, (20, 3)).astype(np.int32),
        rng.normal(size=(20, 2)) + 1j * rng.normal(size=(20, 2)),
        {"TITLE": "made", "SYMM": "expanded", "AD": "FALSE"},
    )
    (folder / "a.tsc").write_bytes(write_tsc(table))
    binary = commands.convert_form_factors("a.tsc")
    assert binary == "a.tscb"
    back = read_tsc(Path(commands.convert_form_factors(binary)).read_bytes())
    assert back.scatterers == table.scatterers
    assert back.header == table.header
    assert back.values == pytest.approx(table.values, rel=1e-7)


def test_form_factors_go_into_a_cif_and_come_out_of_it(commands, urea: str) -> None:
    labels = read(Path(urea)).sole_block().loop("_atom_site").texts("_atom_site_label")
    values = np.arange(2 * len(labels)).reshape(2, -1) * (0.123456789 - 1e-5j)
    table = FormFactorTable(labels, np.array([[1, 0, 0], [0, -3, 2]], np.int32), values, {"AD": "FALSE"})
    Path("u.tsc").write_bytes(write_tsc(table))
    written = commands.convert_form_factors("u.tsc", "cif", urea)
    assert (
        Path(commands.convert_form_factors(written, "tsc"))
        .read_bytes()
        .endswith(Path("u.tsc").read_bytes().partition(b"DATA:")[2])
    )
    assert read_tsc(Path(commands.convert_form_factors(written, "tscb")).read_bytes()).scatterers == labels
    with pytest.raises(UserInputError, match="structure_cif"):
        commands.convert_form_factors("u.tsc", "cif")


def test_validation_says_that_it_is_a_subset(commands, urea: str) -> None:
    report = commands.validate(urea)
    assert "subset" in Path(report).read_text()
    answer = json.loads(Path("validation.json").read_text())
    assert answer["counts"]["A"] == sum(alert["level"] == "A" for alert in answer["alerts"])
    assert {alert["test"] for alert in answer["alerts"]} >= {"MISSING"}


def test_quality_indicators_hold_shells_and_a_reason_for_what_is_missing(commands, urea: str) -> None:
    answer = json.loads(Path(commands.quality_indicators(with_reflections(urea), shells=5)).read_text())
    values = {indicator["name"]: indicator for indicator in answer["indicators"]}
    assert values["unique"]["value"] == 2975
    assert values["completeness"]["value"] == pytest.approx(1.0)
    assert len(answer["shells"]) == 5
    assert values["wilson_b"]["value"] is None
    assert "formula" in values["wilson_b"]["note"]


def test_compare_cifs_tells_the_moved_atom_by_meaning_and_as_crystal(
    commands, urea: str, urea_moved: str
) -> None:
    answer = json.loads(Path(commands.compare_cifs(urea, urea_moved)).read_text())
    assert {change["row"] for change in answer["semantic"]} == {"N1"}
    moved = [atom for atom in answer["crystal"]["atoms"] if atom["shift"] > 1e-6]
    assert [atom["label"] for atom in moved] == ["N1"]


@pytest.mark.parametrize(("grow", "atoms"), [("none", 5), ("molecule", 8), ("cell", 20)])
def test_an_ortep_scene_holds_the_atoms_asked_for(commands, urea: str, grow: str, atoms: int) -> None:
    data = Path(commands.ortep_scene(urea, grow=grow)).read_bytes()
    assert data[:4] == b"glTF"
    size = int.from_bytes(data[12:16], "little")
    nodes = json.loads(data[20 : 20 + size])["nodes"]
    assert sum("-" not in node["name"].split(" ")[0] for node in nodes[:-1]) >= atoms
