"""How the difference of two CIFs is shown: what it leaves out, and what is behind a click."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox.api.difference import Difference, difference
from qcrbox.api.files import Files
from qcrbox.api.stored_files import CifFile

from ..conftest import write_cif


@pytest.fixture
def stored():
    """Makes a stored CIF of a text."""
    box: Any = SimpleNamespace()
    box.files = Files(box)

    def make(text: str) -> CifFile:
        number = str(len(box.files._content))
        for form in ("original", "written"):
            box.files._content[number, form] = text.encode()
        return CifFile(box, {"qcrbox_file_id": number, "filename": f"{number}.cif"})

    return make


@pytest.fixture
def cif(stored):
    """Makes a stored CIF of 30 atoms on a grid; the first `moved` of them lie 0.002 (5 s.u.) further on."""

    def make(a: str = "10.000(3)", moved: int = 0) -> CifFile:
        rows = [
            (
                f"C{n}",
                "C",
                f"{0.3 * (n % 3) + 0.1:.4f}(3)",
                f"{0.1 * (n // 3) + (0.002 if n < moved else 0):.4f}(3)",
                0.25,
            )
            for n in range(30)
        ]
        return stored(write_cif((a, 20, 12, 90, 90, 90), rows))

    return make


def html(found: Difference) -> str:
    return found._repr_mimebundle_()["text/html"]


def test_a_cell_within_three_su_is_no_difference_and_beyond_is_told_with_both_su(cif) -> None:
    assert not difference(cif(), cif("10.009(3)"))
    found = difference(cif(), cif("10.020(3)"))
    assert found
    assert "cell a: 10.000(3) → 10.020(3) (4.7 s.u.)" in repr(found)


def test_atoms_that_hardly_changed_are_behind_a_click(cif) -> None:
    shown, folded = html(difference(cif(), cif(moved=2))).split("<details>")
    assert shown.count("<tr>") == 1 + 2
    assert "28 atoms changed by no more than 3 s.u." in folded
    assert folded.count("<tr>") == 1 + 30


def test_changes_of_meaning_are_all_in_the_table_and_what_is_left_out_is_said(stored) -> None:
    rows = [f"C{number} 0.{number:04d}(2)" for number in range(1, 601)]
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n"
    one = stored("data_a\n_audit_creation_date 2026-01-01\n" + loop + "\n".join(rows) + "\n")
    moved = [*(f"C{number} 0.{number + 3000:04d}(2)" for number in range(1, 600)), "C600 0.0601(2)"]
    other = stored("data_a\n_audit_creation_date 2026-01-02\n" + loop + "\n".join(moved) + "\n")
    found = difference(one, other, mode="semantic", ignore=["_audit_*"])
    table = found.changes()
    assert len(table) == 599
    assert table.caption == (
        "1 numbers changed by no more than 3 s.u. and are left out. 1 changes of ignored items are left out."
    )
    for shown in (html(found), repr(found)):
        assert "99 more rows are not shown here" in shown
        assert "are left out" in shown
    same = difference(one, one, mode="semantic")
    assert repr(same) == "No difference of meaning."


def test_rows_after_the_twentieth_are_behind_a_click(cif) -> None:
    shown, folded = html(difference(cif(), cif(moved=30))).split("<details>")
    assert shown.count("<tr>") == 1 + 20
    assert "10 more rows" in folded
    assert folded.count("<tr>") == 1 + 10
