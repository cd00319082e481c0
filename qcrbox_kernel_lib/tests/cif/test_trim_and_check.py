"""Trimming blocks by name, checking values against the dictionary, the console commands."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qcrbox.cif import read
from qcrbox.cif.check import check
from qcrbox.cif.console import main
from qcrbox.cif.convert import trim

BLOCK = """data_x
_cell_length_a 1
_cell_length_b ?
_My_Note 2
loop_
_atom_site_label
_atom_site_occupancy
_atom_site_calc_flag
C1 1 ?
"""

TRIMMED = [
    (
        [],
        [],
        False,
        [
            "_cell_length_a",
            "_cell_length_b",
            "_My_Note",
            "_atom_site_label",
            "_atom_site_occupancy",
            "_atom_site_calc_flag",
        ],
    ),
    (["_cell.*"], [], False, ["_cell_length_a", "_cell_length_b"]),
    (["_CELL.*", "_my_note"], [], True, ["_cell_length_a", "_My_Note"]),
    (
        [],
        ["_atom_site_occ.*", "_cell.length_a"],
        False,
        ["_cell_length_b", "_My_Note", "_atom_site_label", "_atom_site_calc_flag"],
    ),
    ([], ["_atom_site_.*"], True, ["_cell_length_a", "_My_Note"]),
    (["_atom_site_calc_flag"], [], True, ["_atom_site_calc_flag"]),
    (["_cell"], [], False, []),
]


@pytest.mark.parametrize(("keep", "delete", "drop_empty", "tags"), TRIMMED)
def test_trim_keeps_what_matches_wholly(
    keep: list[str], delete: list[str], drop_empty: bool, tags: list[str]
) -> None:
    block = read(BLOCK).sole_block()
    assert trim(block, keep, delete, drop_empty).tags == tags
    assert len(block.tags) == 6


# Dictionary


def test_wrong_values_are_found_with_line_and_item() -> None:
    remarks = check(
        "data_x\n_cell_length_a abc\n_cell_angle_beta 190\n_space_group_crystal_system wrong\n"
        "_space_group_IT_number 14.5\nloop_\n_atom_site_label\n_atom_site_occupancy\nC1 1.0\nC2 -2\nC3 '?'\n",
        filename="f.cif",
    )
    assert [(remark.file, remark.line, remark.tag) for remark in remarks] == [
        ("f.cif", 2, "_cell_length_a"),
        ("f.cif", 3, "_cell_angle_beta"),
        ("f.cif", 4, "_space_group_crystal_system"),
        ("f.cif", 5, "_space_group_IT_number"),
        ("f.cif", 10, "_atom_site_occupancy"),
        ("f.cif", 11, "_atom_site_occupancy"),
    ]
    assert "greatest value allowed, 180 degrees" in remarks[1].what
    assert "triclinic" in remarks[2].what


def test_right_values_are_not_remarked_on() -> None:
    remarks = check(
        "data_x\n_cell_length_a 10.1(2)\n_cell_length_b ?\n_cell_length_c .\n_space_group_crystal_system Monoclinic\n"
        "_my_thing anything\nloop_\n_atom_site_label\n_atom_site_adp_type\n_atom_site_refinement_flags\nC1 Uani PR\nH1 Uiso R\n"
    )
    assert remarks == []


def test_column_of_wrong_values_gives_a_few_remarks() -> None:
    rows = "\n".join(f"C{n} -1" for n in range(5000))
    remarks = check(f"data_x\nloop_\n_atom_site_label\n_atom_site_occupancy\n{rows}\n")
    assert len(remarks) == 11
    assert "4990 more values" in remarks[-1].what


def test_what_the_reader_found_comes_first_and_long_lines_are_named() -> None:
    remarks = check(b"\xef\xbb\xbfdata_x\n_a 1\n_a 2\n_b " + b"x" * 3000 + b"\n")
    assert [remark.code for remark in remarks] == ["byte-order-mark", "duplicate-item", "long-line"]
    assert remarks[-1].line == 4


# Console

SPEC = """
name: "program"
commands:
  - name: "refine"
    parameters:
      - {name: "structure", dtype: "QCrBox.cif_data_file", required_entry_sets: ["cell"], required_entries: ["_atom_site_label"], merge_su: true}
    outputs:
      - {name: "refined", dtype: "QCrBox.output_cif", required_entries: ["_cell_length_a"], invalidated_entries: ["_geom.*"], output_block: "second"}
  - name: "old"
    merge_cif_su: true
    required_cif_entries: ["_cell_length_a"]
    parameters:
      - {name: "input_cif_path", type: "str"}
cif_entry_sets:
  - {name: "cell", required: ["_cell_length_a"]}
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "in.cif").write_text(
        "data_x\n_cell_length_a 10.1(2)\n_geom_special_details x\n_shelx_res_file y\nloop_\n_atom_site_label\nC1\n"
    )
    (tmp_path / "out.cif").write_text("data_a\n_x 1\ndata_second\n_cell_length_a 11.0(1)\n")
    (tmp_path / "spec.yml").write_text(SPEC)
    return tmp_path


def written(files) -> str:
    return (files / "result.cif").read_text()


def run(files, *arguments: str) -> int:
    paths = [str(files / word) if word.endswith((".cif", ".yml")) else word for word in arguments]
    return main(paths)


def test_to_unified(files) -> None:
    assert run(files, "to_unified", "in.cif", "result.cif") == 0
    assert read(written(files)).sole_block().tags == [
        "_cell.length_a", "_cell.length_a_su", "_geom.special_details", "_shelx.res_file", "_atom_site.label",
    ]  # fmt: skip
    assert run(files, "to_unified", "in.cif", "result.cif", "--no_split_sus", "--no_convert_keywords") == 0
    assert read(written(files)).sole_block()["_cell_length_a"] == "10.1(2)"
    assert "_cell_length_a " in written(files)


def test_to_specific(files) -> None:
    arguments = ["--required_entries", "_cell_length_a", "--optional_entries", "_no", "--merge_su"]
    assert run(files, "to_specific", "in.cif", "result.cif", *arguments) == 0
    block = read(written(files)).sole_block()
    assert [(item.tag, item.raw) for item in block.items] == [("_cell_length_a", "10.1(2)")]


def test_specific_by_yml_reads_new_and_old_specs(files) -> None:
    assert run(files, "specific_by_yml", "in.cif", "result.cif", "spec.yml", "refine", "structure") == 0
    assert read(written(files)).sole_block().tags == ["_cell_length_a", "_atom_site_label"]
    assert run(files, "specific_by_yml", "in.cif", "result.cif", "spec.yml", "old", "input_cif_path") == 0
    assert read(written(files)).sole_block()["_cell_length_a"] == "10.1(2)"


def test_switches_of_older_tools_are_known_in_both_senses(files) -> None:
    assert run(files, "to_unified", "in.cif", "result.cif", "--convert_keywords", "--split_sus") == 0
    assert read(written(files)).sole_block()["_cell.length_a_su"] == "0.2"
    assert run(files, "to_unified", "in.cif", "result.cif", "--no_split_sus", "--convert_keywords") == 0
    assert "_cell.length_a " in written(files)
    assert "10.1(2)" in written(files)
    merged = ["--required_entries", "_cell_length_a", "--merge_su", "--no_merge_su"]
    assert run(files, "to_specific", "in.cif", "result.cif", *merged) == 0
    assert read(written(files)).sole_block()["_cell_length_a"] == "10.1"


def test_to_specific_spells_the_whole_file_classically(files) -> None:
    arguments = ["--optional_entries", "all_unified", "--merge_su", "--dialect", "ddl1"]
    assert run(files, "to_specific", "in.cif", "result.cif", *arguments) == 0
    assert read(written(files)).sole_block().tags == [
        "_cell_length_a", "_geom_special_details", "_shelx_res_file", "_atom_site_label",
    ]  # fmt: skip


def test_by_yml_without_a_parameter_takes_the_commands_cif(files) -> None:
    """Scripts of the oldest tools name spec and command alone."""
    assert run(files, "specific_by_yml", "in.cif", "result.cif", "spec.yml", "refine") == 0
    assert read(written(files)).sole_block().tags == ["_cell_length_a", "_atom_site_label"]
    assert run(files, "unified_by_yml", "out.cif", "result.cif", "spec.yml", "refine") == 0
    assert read(written(files)).sole_block().name == "second"
    assert run(files, "unified_by_yml", "out.cif", "result.cif", "in.cif", "spec.yml", "refine") == 0
    assert read(written(files)).sole_block().name == "x"


def test_unified_by_yml_merges_the_output(files) -> None:
    assert (
        run(files, "unified_by_yml", "out.cif", "result.cif", "in.cif", "spec.yml", "refine", "refined") == 0
    )
    block = read(written(files)).sole_block()
    assert (block.name, block["_cell.length_a"], block["_cell.length_a_su"]) == ("x", "11.0", "0.1")
    assert "_geom_special_details" not in block


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["to_unified", "nothing.cif", "result.cif"], "cannot be read"),
        (["to_specific", "in.cif", "result.cif", "--required_entries", "_no"], "_no"),
        (["specific_by_yml", "in.cif", "result.cif", "spec.yml", "nope", "structure"], "refine, old"),
        (["specific_by_yml", "in.cif", "result.cif", "spec.yml", "refine", "nope"], "structure, refined"),
    ],
)
def test_console_says_what_is_wrong_and_writes_nothing(
    files, capsys, arguments: list[str], word: str
) -> None:
    assert run(files, *arguments) == 1
    assert word in capsys.readouterr().err
    assert not (files / "result.cif").exists()


def test_commands_run_as_a_program(files) -> None:
    command = [
        sys.executable,
        "-m",
        "qcrbox.cif",
        "to_unified",
        str(files / "in.cif"),
        str(files / "result.cif"),
    ]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0
    assert "_cell.length_a" in written(files)
