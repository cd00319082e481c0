"""HKLF with scale, matrix and weight: statistics of embedded reflections belong to the setting of the structure."""

from __future__ import annotations

import numpy as np
import pytest
from qcrbox.analysis.quality import quality_indicators
from qcrbox.cif import read
from qcrbox.crystallography.reflections import find_reflections, unique_reflections
from qcrbox.crystallography.reflections.data import Reflections
from qcrbox.crystallography.reflections.hklf import write_hkl
from qcrbox.crystallography.shelx import export_hkl, export_ins
from qcrbox.crystallography.structure import Structure

from ..conftest import symops, write_cif

# A monoclinic crystal; its data were integrated with the axes c, a, b: h' = l, k' = h, l' = k.
CELL = (7.1, 9.2, 11.3, 90, 103, 90)
CYCLED = "0 1 0 0 0 1 1 0 0"
ROWS = "   1   2   3  100.00    2.00\n  -4   0   5   50.00    1.00\n   0   0   6    8.00    4.00\n"


def block_with(card: str, rows: str = ROWS, more: str = ""):
    text = write_cif(
        CELL,
        [("C1", "C", 0.1, 0.2, 0.3)],
        group=symops("x,y,z", "-x,y+1/2,-z", "-x,-y,-z", "x,-y+1/2,z"),
        more=f"{more}\n_diffrn_radiation_wavelength 0.71073\n_shelx_res_file\n;\nTITL x\n{card}\nEND\n;\n_shelx_hkl_file\n;\n{rows};\n",
    )
    return read(text.encode()).blocks[0]


def test_hklf_4_alone_changes_nothing() -> None:
    data = find_reflections(block_with("HKLF 4"))
    assert data.hkl.tolist() == [[1, 2, 3], [-4, 0, 5], [0, 0, 6]]
    assert (data.intensity.tolist(), data.sigma.tolist()) == ([100, 50, 8], [2, 1, 4])


@pytest.mark.parametrize(
    "card", [f"HKLF 4 1 {CYCLED}", "HKLF 4 1.0 0 1 0 =\n   0 0 1 1 0 0", f"hklf -4 1 {CYCLED} 1 0"]
)
def test_the_matrix_turns_the_indices(card: str) -> None:
    """h' = R h with R written by rows."""
    assert find_reflections(block_with(card)).hkl.tolist() == [[2, 3, 1], [0, 5, -4], [0, 6, 0]]


def test_scale_and_weight_act_on_values_and_su() -> None:
    data = find_reflections(block_with("HKLF 4 0.1 1 0 0 0 1 0 0 0 1 4"))
    assert data.intensity == pytest.approx([10, 5, 0.8])
    assert data.sigma == pytest.approx([0.1, 0.05, 0.2])


def test_indices_that_do_not_become_whole_are_left_out_with_a_note() -> None:
    """h/2 of a doubled axis; thirds of a rhombohedral setting are whole within their digits."""
    data = find_reflections(block_with("HKLF 4 1 0.5 0 0 0 1 0 0 0 1"))
    assert data.hkl.tolist() == [[-2, 0, 5], [0, 0, 6]]
    assert any("1 reflections have no whole indices after the matrix of HKLF" in note for note in data.notes)
    thirds = find_reflections(
        block_with("HKLF 4 1 0.6667 0.3333 0.3333 0 1 0 0 0 1", "   1   2   2   10.00    1.00\n")
    )
    assert thirds.hkl.tolist() == [[2, 2, 2]]


@pytest.mark.parametrize(
    ("kind", "twin", "is_f"), [(3, False, True), (4, False, False), (5, True, False), (6, True, False)]
)
def test_the_kind_of_data(kind: int, twin: bool, is_f: bool) -> None:
    data = find_reflections(block_with(f"HKLF {kind}"))
    assert (data.twin, data.is_f) == (twin, is_f)


def test_without_instructions_the_item_of_shelx_counts() -> None:
    text = f"data_x\n_shelx_hklf 5\n_shelx_hkl_file\n;\n{ROWS};\n"
    assert find_reflections(read(text.encode()).blocks[0]).twin


@pytest.mark.parametrize("card", ["HKLF", "HKLF x", "HKLF 9", "HKLF 4 1 1 0 0", "HKLF nan"])
def test_a_damaged_card_leaves_the_list_as_it_is(card: str) -> None:
    assert find_reflections(block_with(card)).hkl.tolist()[0] == [1, 2, 3]


def test_indicators_of_data_in_another_setting_are_those_of_the_structure() -> None:
    """The same measurement written in both settings: R(int), absences and completeness must not differ."""
    structure = Structure.from_block(block_with("HKLF 4"))
    unique = unique_reflections(structure.cell, structure.space_group, 1.2)
    rng = np.random.default_rng(7)
    rotations = structure.space_group.rotations
    hkl = np.concatenate([unique @ rotation for rotation in rotations[:2]])
    intensity = np.tile(rng.exponential(100, len(unique)), 2) + rng.normal(size=len(hkl))
    matrix = np.array([float(x) for x in CYCLED.split()]).reshape(3, 3)
    # What is written must become hkl by the matrix.
    written = np.rint(hkl @ np.linalg.inv(matrix).T).astype(int)
    found = []
    for card, indices in (("HKLF 4", hkl), (f"HKLF 4 1 {CYCLED}", written)):
        rows = write_hkl(Reflections(indices, intensity, np.ones(len(hkl))))
        rows = "\n".join(line for line in rows.splitlines() if line.split()[:3] != ["0", "0", "0"]) + "\n"
        found.append(quality_indicators(block_with(card, rows)))
    plain, turned = found
    for name in ("r_int", "completeness", "redundancy", "d_min"):
        assert turned[name] == pytest.approx(plain[name]), name
    assert plain["completeness"] == pytest.approx(1.0)


def test_exported_instructions_fit_the_exported_list() -> None:
    """The list goes out as it is embedded; rewritten instructions said HKLF 4 whatever it was."""
    block = block_with(f"HKLF 4 1 {CYCLED}")
    instructions, _ = export_ins(block, embedded=False)
    assert f"\nHKLF 4 1 {CYCLED}\nEND\n" in instructions
    assert export_hkl(block).startswith("   1   2   3")


def test_a_twin_stays_a_twin_when_its_instructions_are_rewritten() -> None:
    instructions, notes = export_ins(block_with("BASF 0.3\nHKLF 5"), embedded=False)
    assert "\nBASF 0.3\nHKLF 5\nEND\n" in instructions
    assert "BASF of the embedded instructions kept." in notes


def test_an_atom_without_displacement_parameter_is_noted() -> None:
    _, notes = export_ins(block_with("HKLF 4"), embedded=False)
    assert notes == ["C1 has no displacement parameter: U = 0.05 Å² is written."]


@pytest.mark.parametrize(("column", "card"), [("F", "HKLF 3"), ("F_squared", "HKLF 4")])
def test_f_of_a_loop_goes_out_as_f_with_its_card(column: str, card: str) -> None:
    """The list held F, the instructions said F²."""
    names = ("index_h", "index_k", "index_l", f"{column}_meas", f"{column}_sigma")
    loop = "loop_\n" + "".join(f"_refln_{name}\n" for name in names) + "1 2 3 20.0 0.5\n"
    text = write_cif(CELL, [("C1", "C", 0.1, 0.2, 0.3)], more=f"_diffrn_radiation_wavelength 0.71073\n{loop}")
    block = read(text.encode()).blocks[0]
    assert export_hkl(block).splitlines()[0] == "   1   2   3   20.00    0.50"
    assert f"\n{card}\nEND\n" in export_ins(block)[0]


def test_a_kind_that_only_the_item_states_is_written() -> None:
    text = write_cif(
        CELL, more=f"_diffrn_radiation_wavelength 0.71073\n_shelx_hklf 5\n_shelx_hkl_file\n;\n{ROWS};\n"
    )
    assert "\nHKLF 5\nEND\n" in export_ins(read(text.encode()).blocks[0])[0]


def test_without_reflections_the_usual_card_is_written() -> None:
    text = write_cif(CELL, more="_diffrn_radiation_wavelength 0.71073\n")
    assert "\nHKLF 4\nEND\n" in export_ins(read(text.encode()).blocks[0])[0]


@pytest.mark.parametrize(
    ("cards", "on_one_scale"),
    [
        ("BASF 0.5\nHKLF 4", True),
        ("BASF 10.5\nHKLF 4", True),
        ("BASF 0.25\nHKLF 3", True),
        ("HKLF 4", False),
        ("TWIN\nBASF 0.5\nHKLF 4", False),
    ],
    ids=["refined", "fixed", "amplitudes", "no scale factors", "a twin"],
)
def test_batches_with_scale_factors_are_on_the_scale_of_the_first(cards: str, on_one_scale: bool) -> None:
    """Every reflection stands in both batches, 1 and 0.5. Their mean by 1/σ² is (1 + 4 · 0.5)/5 = 0.6, and
    R(int) = (0.4 + 0.1)/1.5 = 1/3; on one scale they are equal.
    """
    lines = [
        f"{h:4d}{k:4d}{l:4d}{value * scale:8.2f}{0.02 * value * scale:8.3f}{batch:4d}"
        for batch, scale in ((1, 1.0), (2, 0.5))
        for h, k, l, value in ((1, 2, 3, 100.0), (-4, 0, 5, 50.0), (0, 2, 6, 8.0))  # noqa: E741
    ]
    block = block_with(cards, "\n".join([*lines, ""]))
    assert quality_indicators(block)["r_int"] == pytest.approx(0.0 if on_one_scale else 1 / 3, abs=1e-6)
    assert any("scale of the first" in note for note in find_reflections(block).notes) is on_one_scale
