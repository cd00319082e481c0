"""How the difference of two CIFs is shown: what it leaves out, and what is behind a click."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox.api.comparison import Comparison
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


def test_atoms_that_were_only_renamed_are_a_difference(stored) -> None:
    """They were "the same crystal structure", and the new names were lost."""
    cell, rows = (10, 20, 12, 90, 90, 90), [("C1", "C", 0.1, 0.2, 0.3), ("O1", "O", 0.2, 0.2, 0.3)]
    one, other = stored(write_cif(cell, rows)), stored(write_cif(cell, [("C1A", *rows[0][1:]), rows[1]]))
    found = difference(one, other)
    assert found
    assert "renamed (by geometry): C1 → C1A" in repr(found)


def test_hydrogen_bond_lengths_pair_up_whatever_the_order_of_the_atoms(stored) -> None:
    """C–H in one file and H–C in the other were two rows, each with one empty cell."""
    cell = (10, 10, 10, 90, 90, 90)
    rows = [
        ("C1", "C", 0.1, 0.1, 0.1),
        ("H1", "H", 0.1, 0.1, 0.2),
        ("O2", "O", 0.6, 0.6, 0.6),
        ("H2", "H", 0.6, 0.6, 0.7),
    ]
    table = Comparison(stored(write_cif(cell, rows)), stored(write_cif(cell, rows[::-1]))).bonds_to_hydrogen
    assert sorted(table.rows) == [("C1–H1", "1.0000", "1.0000"), ("O2–H2", "1.0000", "1.0000")]
