"""Geometry tables of a report: symmetry in footnotes, hydrogen bonds, s.u. as they come."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.api.box import Box
from qcrbox.api.stored_files import CifFile
from qcrbox.cif import read
from qcrbox.display.report import Report

UREA = Path(__file__).parents[3] / "app_images" / "qcrboxtools" / "examples" / "urea.cif"


class Unconnected:
    url = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def report():
    cif = CifFile(Box(Unconnected()), {"qcrbox_file_id": "x", "filename": "urea.cif", "filetype": "cif"})
    cif._document = read(UREA)
    return Report([cif], ["urea"])


def test_hydrogen_bonds_have_lengths_angle_and_the_place_of_the_acceptor(report):
    table = report.hydrogen_bonds()
    assert {row[0].split("…")[1][:2] for row in table.rows} == {"O1"}
    contact = report.models[0].structure.hydrogen_bond_table()[0]
    assert table.rows[0][1:] == tuple(map(str, (contact.d_h, contact.h_a, contact.d_a, contact.angle)))
    assert "(i)" in table.rows[0][0]
    assert table.caption.startswith("Symmetry codes: (i) ")
    assert "x" in table.caption


def test_footnotes_of_angles_are_operations_not_numbers(report):
    table = report.angles()
    assert "_555" not in table.caption
    assert any("(i" in row[0] for row in table.rows)


def test_hydrogen_bonds_are_part_of_the_whole_report(report):
    assert [table.title.split(",")[0] for table in report.tables] == [
        "Crystal data and refinement",
        "Bond lengths / Å",
        "Angles / °",
        "Hydrogen bonds",
    ]


def model_with(*lines):
    cif = CifFile(Box(Unconnected()), {"qcrbox_file_id": "x", "filename": "x.cif", "filetype": "cif"})
    cif._document = read("data_x\n" + "\n".join(lines) + "\n")
    return cif


def test_residual_density_has_the_unit_of_the_radiation():
    neutrons = model_with("_refine_diff_density_max 0.31", "_diffrn_radiation_probe neutron")
    xrays = model_with("_refine_diff_density_max 0.25", "_diffrn_radiation_type 'Mo K\\a'")
    assert ("Δρmax / fm Å⁻³", "0.31") in Report([neutrons], ["n"]).table_1.rows
    assert ("Δρmax / e Å⁻³", "0.25") in Report([xrays], ["x"]).table_1.rows
    both = Report([neutrons, xrays], ["n", "x"]).table_1.rows
    assert ("Δρmax", "0.31 fm Å⁻³", "0.25 e Å⁻³") in both


def test_the_space_group_of_an_older_file_is_shown():
    report = Report([model_with("_symmetry_space_group_name_H-M 'P 21/c'")], ["x"])
    assert ("Space group", "P 21/c") in report.table_1.rows


def test_all_wavelengths_of_a_doublet_are_shown():
    """A table of two wavelengths was shown as unknown."""
    doublet = model_with(
        "_diffrn_radiation_type ?",
        "loop_ _diffrn_radiation_wavelength_id _diffrn_radiation_wavelength",
        "1 1.54056 2 1.54439",
    )
    rows = Report([doublet], ["x"]).table_1.rows
    assert ("Wavelength / Å", "1.54056, 1.54439") in rows
    assert ("Radiation", "?") in rows


def test_an_unknown_residual_has_no_unit():
    neutrons, xrays = (
        model_with("_diffrn_radiation_probe neutron"),
        model_with("_refine_diff_density_max -1.5"),
    )
    assert ("Δρmax", "?", "−1.5 e Å⁻³") in Report([neutrons, xrays], ["n", "x"]).table_1.rows
