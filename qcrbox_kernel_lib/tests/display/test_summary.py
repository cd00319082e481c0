"""Cards of datasets and results: what they show, and that nothing of a file becomes HTML."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.display.summary import DatasetSummary, dataset_html, dataset_text, flags_of, items_of, result_html
from qcrbox.markup.said import Said

HOSTILE = "<img src=x onerror=alert(1)>"


def items(*lines: str) -> dict[str, str]:
    return dict(items_of(read(("data_a\n" + "\n".join(lines) + "\n").encode())[0]))


@pytest.mark.parametrize(
    ("line", "label", "shown"),
    [
        ("_cell_length_a 10.123(2)", "a / Å", "10.123(2)"),
        ("_refine_diff_density_min -0.31", "Δρ min / e Å⁻³", "−0.31"),
        ("_refine_ls_abs_structure_Flack -0.02(3)", "Flack", "−0.02(3)"),
        ("_space_group_name_H-M_alt 'P -1'", "space group", "P 1̅"),
        ("_space_group_name_H-M_alt 'F d -3 m'", "space group", "F d 3̅ m"),
        ("_symmetry_space_group_name_H-M 'P 21/c'", "space group", "P 21/c"),
        ("_space_group_name_Hall '-P 2ybc'", "Hall", "-P 2ybc"),
        ("_cell_measurement_temperature 100(2)", "T / K", "100(2)"),
        ("_chemical_formula_sum\n;\nC10 H8\nN2\n;", "formula", "C10 H8 N2"),
    ],
)
def test_an_item_is_shown_as_it_is_printed(line, label, shown):
    assert items(line) == {label: shown}


@pytest.mark.parametrize("value", ["?", ".", "''"])
def test_what_is_unknown_is_left_out(value):
    assert items(f"_cell_length_a {value}") == {}


def test_the_first_known_of_two_names_is_taken():
    found = items("_diffrn_ambient_temperature ?", "_cell_measurement_temperature 150")
    assert found == {"T / K": "150"}


@pytest.mark.parametrize(
    ("block", "files", "flags"),
    [
        ("_shelx_hkl_file\n;\n1\n;", [], ["embedded reflections ✓"]),
        ("loop_\n_refln_index_h\n1\n2", [], ["embedded reflections ✓"]),
        ("_shelx_res_file\n;\nTITL\n;", ["a.cif"], ["embedded res ✓"]),
        ("_cell_length_a 1", ["A.HKL"], ["hkl ✓"]),
        ("_cell_length_a 1", ["hkl.txt"], []),
    ],
)
def test_what_is_embedded_or_beside_it_is_told(block, files, flags):
    assert flags_of(read(f"data_a\n{block}\n".encode())[0], files) == flags


def test_without_a_readable_block_the_files_are_looked_at_all_the_same():
    assert flags_of(None, ["a.hkl"]) == ["hkl ✓"]


def test_a_dataset_as_text_names_everything():
    summary = DatasetSummary("azu", ["a.cif", "a.hkl"], ["t1", "t2"], [("R1", "0.04")], ["hkl ✓"])
    assert dataset_text(summary).splitlines() == [
        "Dataset 'azu': a.cif, a.hkl",
        "  R1: 0.04",
        "  hkl ✓",
        "  tags: t1, t2",
    ]


def test_an_empty_dataset_says_that_it_has_no_files():
    assert dataset_text(DatasetSummary("azu", [], [], [], [])) == "Dataset 'azu': no files"


def test_no_text_of_a_dataset_is_html():
    shown = dataset_html(DatasetSummary(HOSTILE, [HOSTILE], [HOSTILE], [(HOSTILE, HOSTILE)], [HOSTILE]))
    assert "<img" not in shown
    assert shown.count("&lt;img") == 6


def test_no_text_of_a_result_is_html():
    said = Said([HOSTILE], [HOSTILE], [HOSTILE])
    shown = result_html(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)], said, [HOSTILE])
    assert "<img" not in shown
    assert shown.count("&lt;img") == 8


@pytest.mark.parametrize(
    ("said", "sign"), [(Said(), "✓"), (Said(warnings=["w"]), "⚠"), (Said(notes=["n"]), "✓")]
)
def test_warnings_alone_make_a_result_amber(said, sign):
    assert f"{sign}" in result_html("t", "id", [], said, [])
    assert ("⚠" in result_html("t", "id", [], said, [])) == (sign == "⚠")
