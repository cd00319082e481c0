"""Geometry tables of a report: symmetry in footnotes, hydrogen bonds, s.u. as they come."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.api.box import Box
from qcrbox.api.files import CifFile
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
