"""The commands as an agent runs them: input converted by the spec, output merged back into its source."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.cif import read
from qcrbox.cif.names import key
from qcrbox.crystallography.structure import Structure
from qcrbox.spec import load
from qcrbox_agent.conversion import for_command, merged_back
from qcrbox_registry.services.required_items import missing_items

FOLDER = Path(__file__).parents[1]
APPLICATION = load(FOLDER / "application.yaml")
COMMANDS = {command.name: command for command in APPLICATION.commands}


def handed_over(command: str, parameter: str, source: bytes, name: str) -> str:
    """The file an agent gives to a command, written into the working directory."""
    cif = next(one.cif for one in COMMANDS[command].parameters if one.name == parameter)
    Path(name).write_bytes(for_command(source, name, cif, APPLICATION).content)
    return name


def taken_back(command: str, written: str, source: bytes) -> bytes:
    output = next(one for one in COMMANDS[command].outputs if one.cif is not None)
    return merged_back(Path(written).read_bytes(), written, source, output.cif, APPLICATION).content


@pytest.fixture
def source(folder: Path) -> bytes:
    return (FOLDER / "examples/urea.cif").read_bytes()


def test_iso2aniso_leaves_everything_else_of_the_source(commands, source: bytes) -> None:
    given = handed_over("iso2aniso", "input_cif", source, "in.cif")
    merged = read(taken_back("iso2aniso", commands.iso2aniso(given, select_elements="C,N,O"), source))[0]
    assert merged.column("_atom_site_aniso_label") == ["C1", "O1", "N1"]
    assert merged.column("_atom_site_adp_type") == ["Uani", "Uani", "Uani", "Uiso", "Uiso"]
    assert merged.text("_chemical_name_common") == "urea"
    structure = Structure.from_block(merged)
    assert structure.sites.fract_su[2, 0] == 0.0001
    assert structure.cell.a.su == 0.001


def lacking(command: str, source: bytes) -> list[str]:
    """What the registry tells a person before the calculation is queued."""
    cif = next(one.cif for one in COMMANDS[command].parameters if one.cif is not None)
    return missing_items({key(tag) for tag in read(source)[0].tags}, cif, APPLICATION.entry_sets)


def test_iso2aniso_of_a_file_without_displacements_is_refused_before_it_runs(source: bytes) -> None:
    text = source.replace(b"_atom_site_U_iso_or_equiv\n", b"_atom_site_my_number\n")
    assert lacking("iso2aniso", source) == []
    (words,) = lacking("iso2aniso", text)
    assert "_atom_site_U_iso_or_equiv" in words


def test_a_replaced_structure_leaves_no_old_atom_behind(commands, source: bytes) -> None:
    more = (
        "_refine_ls_R_factor_gt 0.03\n_refine_ls_weighting_scheme calc\n"
        "loop_\n_geom_bond_atom_site_label_1\n_geom_bond_atom_site_label_2\n_geom_bond_distance\nC1 O1 1.26\n"
    )
    old = source + more.encode()
    other = source.replace(b"H2 H 0.1441(2)", b"H9 H 0.1441(2)")
    given = handed_over("replace_structure_from_cif", "input_cif", old, "in.cif")
    giving = handed_over("replace_structure_from_cif", "structure_cif", other, "giving.cif")
    written = commands.replace_structure_from_cif(given, giving)
    merged = read(taken_back("replace_structure_from_cif", written, old))[0]
    assert merged.column("_atom_site_label") == ["C1", "O1", "N1", "H1", "H9"]
    assert merged.get("_refine_ls_R_factor_gt") is None
    assert merged.get("_refine_ls_weighting_scheme") == "calc"
    assert merged.loop("_geom_bond_distance") is None
    assert Structure.from_block(merged).cell.a.su == 0.001


def test_unified_cif_merged_back_is_the_source_unified(commands, source: bytes) -> None:
    given = handed_over("to_unified_cif", "input_cif", source, "in.cif")
    merged = read(taken_back("to_unified_cif", commands.to_unified_cif(given), source))[0]
    assert merged.get("_cell.length_a_su") == "0.001"
    assert Structure.from_block(merged).bonds() == Structure.from_cif(source).bonds()


@pytest.mark.parametrize(
    "command", ["export_ins", "symmetry_cards", "validate", "quality_indicators", "ortep_scene"]
)
def test_commands_work_on_what_an_agent_hands_over(commands, source: bytes, command: str) -> None:
    given = handed_over(command, "input_cif", source, "in.cif")
    written = getattr(commands, command)(given)
    assert Path(written).stat().st_size > 0


def test_embedded_reflections_survive_the_way_through_unified_cif(commands, source: bytes) -> None:
    hkl = "   1   0   0    5.00    1.00\n   0   2   0    3.50    0.40\n   0   0   0    0.00    0.00\n"
    old = source + f"_shelx_hkl_file\n;\n{hkl};\n".encode()
    given = handed_over("export_hkl", "input_cif", old, "in.cif")
    assert Path(commands.export_hkl(given)).read_text() == hkl


def test_export_of_reflections_is_refused_where_there_are_none(source: bytes) -> None:
    (words,) = lacking("export_hkl", source)
    assert "_shelx_hkl_file" in words
    assert lacking("export_hkl", source + b"_shelx_hkl_file\n;\n   1   0   0    5.00    1.00\n;\n") == []
