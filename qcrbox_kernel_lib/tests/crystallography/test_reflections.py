"""Reflections: edge cases 19 (columns), 20 (twins, F, negative I) and 24 (FCF), merging against cctbx."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from cctbx import crystal, miller, sgtbx
from cctbx.array_family import flex
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.analysis.quality import NAMES, quality_indicators
from qcrbox.cif import read
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.cell import UnitCell
from qcrbox.crystallography.reflections import (
    Reflections,
    agreement,
    centric,
    find_reflections,
    has_reflections,
    merging_statistics,
    read_hkl,
    systematically_absent,
    unique_reflections,
    wilson,
    write_hkl,
)
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox.crystallography.structure import Structure

from ..conftest import distributed


@pytest.fixture(scope="module")
def thpp_hkl() -> bytes:
    return distributed("smtbx", "regression/test_data/thpp.hkl").read_bytes()


LINES = "   1   0   0    5.00    1.00\n   0   2   0   -3.50    0.40\n"


# Reading and writing


def test_columns_that_touch_are_read_by_their_places() -> None:
    data = read_hkl(" -12 -10  -9 1234.56   12.34   1\n-123-100 -9999999.99  999.99  -1\n")
    assert data.hkl.tolist() == [[-12, -10, -9], [-123, -100, -99]]
    assert data.intensity.tolist() == [1234.56, 99999.99]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_list_ends_at_zeros_and_what_follows_is_kept_apart(end: str) -> None:
    text = (LINES + "   0   0   0    0.00    0.00\n_cell_length_a 10\n").replace("\n", end)
    data = read_hkl(text)
    assert len(data) == 2
    assert data.trailer == "_cell_length_a 10"


def test_a_list_without_its_last_zeros_is_read_whole() -> None:
    assert len(read_hkl(LINES)) == 2


def test_negative_intensities_stay_negative() -> None:
    assert read_hkl(LINES).intensity.tolist() == [5.0, -3.5]


@pytest.mark.parametrize(
    ("line", "expected", "noted"),
    [
        ("   1   2   3      123.45        1.25\n", (123.45, 1.25), True),
        ("   1   2   3   12345.678       1.250\n", (12345.678, 1.25), True),
        ("   1   2   399999.99 1234.56\n", (99999.99, 1234.56), False),
        ("   1   2   3-1234.56    1.25\n", (-1234.56, 1.25), False),
    ],
    ids=["columns of 12", "three decimals", "touching", "sign"],
)
def test_numbers_across_the_end_of_a_column_are_not_cut(line: str, expected: tuple, noted: bool) -> None:
    data = read_hkl(line)
    assert (data.intensity[0], data.sigma[0]) == expected
    assert data.hkl.tolist() == [[1, 2, 3]]
    assert bool(data.notes) is noted


def test_files_in_words_are_read_and_noted() -> None:
    data = read_hkl("1 0 0 5.00 1.00\n-10 2 0 3.5 0.4\n0 0 0 0 0\n")
    assert data.hkl.tolist() == [[1, 0, 0], [-10, 2, 0]]
    assert "read as words" in data.notes[0]


def test_a_line_that_is_no_reflection_is_named_by_its_number() -> None:
    with pytest.raises(CifError, match="line 3"):
        read_hkl(LINES + "   1   x   0    5.00    1.00\n")


@pytest.mark.parametrize("text", ["", "\n\n", "   0   0   0    0.00    0.00\n"])
def test_an_empty_list_is_refused(text: str) -> None:
    with pytest.raises(CifError, match="no reflections"):
        read_hkl(text)


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ([5.0, 0.5], ["    5.00", "    0.50"]),
        ([12345.67, 1.0], [" 12345.7", "    1.00"]),
        ([123456.0, 1.0], [" 123456.", "    1.00"]),
    ],
)
def test_large_intensities_lose_decimals_not_digits(values: list[float], cells: list[str]) -> None:
    data = Reflections(np.array([[1, 2, 3]]), np.array(values[:1]), np.array(values[1:]))
    line = write_hkl(data).splitlines()[0]
    assert [line[12:20], line[20:28]] == cells


def test_intensities_beyond_the_columns_are_scaled_together() -> None:
    data = Reflections(np.array([[1, 0, 0], [0, 1, 0]]), np.array([2.5e9, 5e8]), np.array([1e6, 2e6]))
    back = read_hkl(write_hkl(data))
    assert back.intensity[0] / back.intensity[1] == pytest.approx(5)
    assert back.intensity.max() < 1e7


def test_indices_beyond_the_columns_are_refused() -> None:
    with pytest.raises(CifError, match="999"):
        write_hkl(Reflections(np.array([[1000, 0, 0]]), np.ones(1), np.ones(1)))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-99, 99),
            st.integers(-99, 99),
            st.integers(-99, 99),
            st.integers(-9999, 999999),
            st.integers(1, 9999),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_written_reflections_read_back_equal(rows: list[tuple[int, ...]]) -> None:
    rows = [row for row in rows if any(row[:3])] or [(1, 0, 0, 1, 1)]
    table = np.array(rows)
    data = Reflections(table[:, :3], table[:, 3] / 100, table[:, 4] / 100)
    back = read_hkl(write_hkl(data))
    assert back.hkl.tolist() == data.hkl.tolist()
    assert back.intensity == pytest.approx(data.intensity, abs=0.0051)
    assert back.sigma == pytest.approx(data.sigma, abs=0.0051)


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 0.01, 1, 1e3, 1e9])
def test_written_numbers_keep_the_ratios_and_the_digits_of_small_s_u(scale: float) -> None:
    """F² of electrons and neutrons are small: with two decimals their s.u. would become 0.00."""
    intensity, sigma = np.array([1.234, -0.5, 876.5]), np.array([0.0123, 0.2, 5.5])
    hkl = np.array([[1, 0, 0], [0, -12, 3], [100, 2, -3]])
    back = read_hkl(write_hkl(Reflections(hkl, scale * intensity, scale * sigma)))
    factor = back.intensity[2] / intensity[2]
    assert back.intensity / factor == pytest.approx(intensity, rel=2e-3)
    assert back.sigma / factor == pytest.approx(sigma, rel=0.01)


# Twins


HKLF5 = (
    "   1   0   0    5.00    1.00  -2\n   1   0   1    5.00    1.00   1\n   2   0   0    7.00    1.00   1\n"
)


def test_component_numbers_with_signs_are_those_of_a_twin() -> None:
    data = read_hkl(HKLF5)
    assert data.twin
    assert data.components == [1, 2]
    assert data.batch is not None
    assert read_hkl(write_hkl(data)).batch.tolist() == [-2, 1, 1]  # type: ignore[union-attr]


def test_two_component_data_are_never_merged() -> None:
    with pytest.raises(UserInputError, match="must not be merged"):
        merging_statistics(
            read_hkl(HKLF5), UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P 1")
        )


def test_negative_batch_numbers_of_a_free_set_make_no_twin() -> None:
    # The next row of an overlap (HKLF 5) repeats the intensity; that of a free R set is another reflection.
    rows = [
        "   1   0   0    5.00    1.00   1",
        "   1   0   1    7.00    1.50  -1",
        "   1   0   2    9.00    1.10   1",
    ]
    assert not read_hkl("\n".join(rows)).twin
    assert not read_hkl("\n".join(rows[:2])).twin


def test_batch_numbers_without_sign_are_no_twin() -> None:
    assert not read_hkl("   1   0   0    5.00    1.00   1\n   1   0   1    5.00    1.00   2\n").twin


def test_hklf_5_of_the_embedded_instructions_makes_a_twin_of_positive_components() -> None:
    text = "data_x\n_shelx_res_file\n;\nBASF 0.3\nHKLF 5\n;\n_shelx_hkl_file\n;\n   1   0   0    5.00    1.00   1\n;\n"
    assert find_reflections(read(text)[0]).twin


def test_quality_indicators_of_a_twin_say_why_there_is_no_rint() -> None:
    cell = (
        "\n".join(f"_cell_length_{name} 10" for name in "abc")
        + "\n"
        + "\n".join(f"_cell_angle_{name} 90" for name in ("alpha", "beta", "gamma"))
    )
    quality = quality_indicators(read(f"data_x\n{cell}\n_shelx_hkl_file\n;\n{HKLF5};\n")[0])
    assert quality["r_int"] is None
    assert "must not be merged" in next(one.note for one in quality.indicators if one.name == "r_int")


# In CIFs


def test_embedded_reflections_come_before_loops() -> None:
    loop = "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n_refln_F_squared_sigma\n1 2 3 4.0 0.5\n2 0 0 ? ?\n"
    embedded = f"_shelx_hkl_file\n;\n{LINES};\n"
    assert len(find_reflections(read(f"data_x\n{loop}{embedded}")[0])) == 2
    data = find_reflections(read(f"data_x\n{loop}{embedded}")[0], prefer="loop")
    assert (data.hkl.tolist(), data.intensity.tolist(), data.sigma.tolist()) == ([[1, 2, 3]], [4.0], [0.5])
    assert "1 rows without indices or value" in data.notes[0]


def _loop(columns: str, *rows: str) -> Reflections:
    header = "\n".join(f"_refln_{name}" for name in ("index_h index_k index_l " + columns).split())
    body = "\n".join(rows)
    return find_reflections(read(f"data_x\nloop_\n{header}\n{body}\n")[0], prefer="loop")


def test_satellites_of_a_modulated_structure_are_not_taken_for_main_reflections() -> None:
    found = _loop("index_m_1 F_squared_meas F_squared_sigma", "1 0 0 0 10 1", "1 0 0 1 5 1", "1 0 0 -1 5 1")
    assert (found.hkl.tolist(), found.intensity.tolist()) == ([[1, 0, 0]], [10.0])
    assert any("2 reflections that are satellites" in note for note in found.notes)


def test_fractional_indices_are_not_cut() -> None:
    found = _loop("F_squared_meas F_squared_sigma", "0.5 0 0 10 1", "1 0 0 5 1")
    assert found.hkl.tolist() == [[1, 0, 0]]
    assert any("no whole numbers" in note for note in found.notes)


def test_a_column_of_unknown_values_does_not_hide_another() -> None:
    found = _loop("F_squared_meas F_squared_sigma F_meas F_sigma", "1 0 0 ? ? 10 1")
    assert (found.is_f, found.intensity.tolist()) == (True, [10.0])


@pytest.mark.parametrize(
    ("columns", "row", "calculated"),
    [
        ("F_meas F_sigma A_calc B_calc", "5 1 3 4", 5.0),
        ("F_squared_meas F_squared_sigma A_calc B_calc", "25 1 3 4", 25.0),
        ("intensity_meas intensity_sigma intensity_calc", "25 1 24", 24.0),
        ("F_squared_meas F_squared_sigma F_calc F_squared_calc", "25 1 5 ?", 25.0),
    ],
)
def test_calculated_values_are_found_in_every_form(columns: str, row: str, calculated: float) -> None:
    found = _loop(columns, f"1 0 0 {row}").calculated
    assert found is not None
    assert found.tolist() == [calculated]


def test_weak_f_do_not_get_the_highest_weights() -> None:
    squares = _loop("F_meas F_sigma", "1 0 0 100 5", "2 0 0 0.01 5", "3 0 0 0 5", "4 0 0 -3 5").as_f_squared()
    # The variance of the square of a normal variable at 0 is 2 σ⁴.
    np.testing.assert_allclose(squares.sigma, [1000, 50 / 2**0.5, 50 / 2**0.5, 50 / 2**0.5], rtol=1e-12)
    np.testing.assert_allclose(squares.intensity, [1e4, 1e-4, 0, -9])


def test_four_indices_are_not_read_as_three_and_an_intensity() -> None:
    with pytest.raises(CifError, match="line 1"):
        read_hkl("   1   2   3   1   10.00    1.00\n   1   2   3   0    5.00    1.00\n")


def test_su_in_brackets_of_a_loop_are_read() -> None:
    loop = "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_meas\n1 2 3 4.0(5)\n"
    data = find_reflections(read(f"data_x\n{loop}")[0])
    assert data.is_f
    assert data.sigma.tolist() == [0.5]
    squared = data.as_f_squared()
    assert (squared.intensity[0], squared.sigma[0]) == (16.0, 4.0)


def test_a_block_without_reflections_says_what_to_give() -> None:
    block = read("data_x\n_cell_length_a 10\n")[0]
    assert not has_reflections(block)
    with pytest.raises(MissingItemsError, match=r"\.hkl file"):
        find_reflections(block)


FCF = {
    "list 4": (
        "_refln_F_squared_calc\n_refln_F_squared_meas\n_refln_F_squared_sigma\n_refln_observed_status",
        "1 0 0 100.0 104.0 1.0 o\n2 0 0 50.0 48.0 1.0 o\n3 0 0 9.0 1.0 0.5 <\n4 0 0 9.0 90.0 0.5 x\n",
    ),
    "list 6": (
        "_refln_F_squared_meas\n_refln_F_squared_sigma\n_refln_F_calc\n_refln_phase_calc",
        "1 0 0 104.0 1.0 10.0 0.0\n2 0 0 48.0 1.0 7.0710678 180.0\n3 0 0 1.0 0.5 3.0 0.0\n",
    ),
    "list 8": (
        "_refln_F_squared_meas\n_refln_F_squared_sigma\n_refln_F_calc\n_refln_phase_calc\n_refln_d_spacing",
        "1 0 0 104.0 1.0 10.0 0.0 9.0\n2 0 0 48.0 1.0 7.0710678 180.0 4.5\n3 0 0 1.0 0.5 3.0 0.0 3\n",
    ),
}


@pytest.mark.parametrize("kind", FCF)
def test_fcf_files_of_each_list_code_give_the_same_r_factors(kind: str) -> None:
    columns, rows = FCF[kind]
    text = f"data_other_name\nloop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n{columns}\n{rows}"
    found = agreement(find_reflections(read(text)[0], prefer="loop"), parameters=1)
    observed, calculated = np.array([104.0, 48.0, 1.0]), np.array([100.0, 50.0, 9.0])
    weight = 1 / np.array([1.0, 1.0, 0.5]) ** 2
    difference = np.abs(np.sqrt(observed) - np.sqrt(calculated))
    assert found.n_all == 3
    assert found.r1_all == pytest.approx(difference.sum() / np.sqrt(observed).sum(), rel=1e-6)
    assert found.r1_gt == pytest.approx(difference[:2].sum() / np.sqrt(observed[:2]).sum(), rel=1e-6)
    expected = np.sqrt((weight * (observed - calculated) ** 2).sum() / (weight * observed**2).sum())
    assert found.wr2 == pytest.approx(expected, rel=1e-6)
    assert found.goof == pytest.approx(np.sqrt((weight * (observed - calculated) ** 2).sum() / 2), rel=1e-6)


def test_a_fitted_scale_brings_fc_to_fo() -> None:
    data = Reflections(
        np.array([[1, 0, 0], [2, 0, 0]]), np.array([8.0, 4.0]), np.ones(2), calculated=np.array([2.0, 1.0])
    )
    assert agreement(data, scale=None).r1_all == pytest.approx(0, abs=1e-12)
    assert agreement(data, scale=None).scale == pytest.approx(4.0)


def test_r_factors_need_calculated_values() -> None:
    with pytest.raises(MissingItemsError):
        agreement(read_hkl(LINES))


# Symmetry and merging


ENTRIES = list(gemmi.spacegroup_table())
INDICES = np.array([index for index in product(range(-4, 5), repeat=3) if any(index)])


@pytest.mark.parametrize("entry", ENTRIES[::11], ids=lambda entry: entry.xhm())
def test_absences_and_centric_reflections_agree_with_cctbx(entry: gemmi.SpaceGroup) -> None:
    group, reference = SpaceGroup.from_hall(entry.hall), sgtbx.space_group(entry.hall)
    indices = flex.miller_index([tuple(map(int, row)) for row in INDICES])
    assert systematically_absent(INDICES, group).tolist() == list(reference.is_sys_absent(indices))
    assert centric(INDICES, group).tolist() == list(reference.is_centric(indices))


@pytest.mark.parametrize(
    "hall", ["P 1", "-P 2ybc", "P 2ac 2ab", '-R 3 2"', "P 61", "-F 4 2 3", "I 4bw 2aw -1bw"]
)
@pytest.mark.parametrize("friedel", [True, False])
def test_unique_reflections_are_as_many_as_cctbx_lists(hall: str, friedel: bool) -> None:
    group = SpaceGroup.from_hall(hall)
    cells = {
        "triclinic": (6, 7, 8, 80, 85, 95),
        "monoclinic": (6, 7, 8, 90, 95, 90),
        "orthorhombic": (6, 7, 8, 90, 90, 90),
    }
    cells |= {
        "trigonal": (7, 7, 9, 90, 90, 120),
        "hexagonal": (7, 7, 9, 90, 90, 120),
        "cubic": (7, 7, 7, 90, 90, 90),
        "tetragonal": (7, 7, 9, 90, 90, 90),
    }
    cell = cells[group.crystal_system]
    symmetry = crystal.symmetry(cell, space_group=sgtbx.space_group(hall))
    expected = miller.build_set(symmetry, anomalous_flag=not friedel, d_min=0.9)
    ours = unique_reflections(UnitCell.from_values(cell), group, 0.9, friedel=friedel)
    assert len(ours) == expected.size()


def test_merging_statistics_of_real_data_agree_with_cctbx(thpp: Structure, thpp_hkl: bytes) -> None:
    data = read_hkl(thpp_hkl)
    ours = merging_statistics(data, thpp.cell, thpp.space_group)
    symmetry = crystal.symmetry(tuple(thpp.cell.parameters), "P 1 21/n 1")
    indices = flex.miller_index([tuple(map(int, row)) for row in data.hkl])
    array = miller.array(
        miller.set(symmetry, indices, anomalous_flag=False),
        flex.double(data.intensity),
        flex.double(data.sigma),
    )
    array = array.set_observation_type_xray_intensity()
    absent = array.select_sys_absent()
    merged = array.remove_systematic_absences().merge_equivalents(use_internal_variance=False)
    assert ours.unique == merged.array().size()
    assert ours.absences == absent.size()
    assert ours.r_int == pytest.approx(merged.r_int(), rel=2e-3)
    assert ours.r_sigma == pytest.approx(merged.r_sigma(), rel=2e-3)
    assert ours.completeness == pytest.approx(merged.array().completeness(), abs=1e-3)
    theirs = dict(zip(map(tuple, merged.array().map_to_asu().indices()), merged.array().data(), strict=True))
    mapped = miller.set(
        symmetry, flex.miller_index([tuple(map(int, row)) for row in ours.merged.hkl]), anomalous_flag=False
    ).map_to_asu()
    for index, value in list(zip(mapped.indices(), ours.merged.intensity, strict=True))[::50]:
        assert value == pytest.approx(theirs[index], rel=1e-6)


def test_shells_add_up_to_the_whole(thpp: Structure, thpp_hkl: bytes) -> None:
    statistics = merging_statistics(read_hkl(thpp_hkl), thpp.cell, thpp.space_group, shells=7)
    assert len(statistics.shells) == 7
    assert sum(shell.unique for shell in statistics.shells) == statistics.unique
    assert sum(shell.observations for shell in statistics.shells) == statistics.observations
    assert all(shell.d_max > shell.d_min for shell in statistics.shells)
    assert statistics.shells[0].mean_i_over_sigma > statistics.shells[-1].mean_i_over_sigma  # type: ignore[operator]


def test_identical_equivalents_have_no_spread() -> None:
    data = Reflections(np.array([[1, 2, 3], [-1, -2, -3], [2, 0, 0]]), np.array([5.0, 5.0, 7.0]), np.ones(3))
    statistics = merging_statistics(
        data, UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P -1")
    )
    assert statistics.r_int == 0
    assert (statistics.unique, statistics.observations) == (2, 3)


def test_rint_of_two_equivalents_by_hand() -> None:
    data = Reflections(np.array([[1, 2, 3], [-1, -2, -3]]), np.array([4.0, 6.0]), np.ones(2))
    statistics = merging_statistics(
        data, UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P -1")
    )
    assert statistics.r_int == pytest.approx(2 / 10)
    assert statistics.merged.sigma[0] == pytest.approx(1 / np.sqrt(2))


def test_friedel_mates_stay_apart_when_asked() -> None:
    data = Reflections(np.array([[1, 2, 3], [-1, -2, -3]]), np.array([4.0, 6.0]), np.ones(2))
    cell, group = UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P 1")
    assert merging_statistics(data, cell, group, friedel=False).unique == 2


def test_reflections_without_su_are_left_out_and_counted() -> None:
    data = Reflections(np.array([[1, 2, 3], [2, 2, 3]]), np.array([4.0, 6.0]), np.array([1.0, 0.0]))
    statistics = merging_statistics(
        data, UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P 1")
    )
    assert statistics.rejected == 1
    assert "without positive s.u." in statistics.notes[0]


def test_indices_that_cannot_be_right_are_refused() -> None:
    data = Reflections(np.array([[5000, 0, 0]]), np.ones(1), np.ones(1))
    with pytest.raises(UserInputError, match="Indices reach 5000"):
        merging_statistics(data, UnitCell.from_values((10, 11, 12, 90, 90, 90)), SpaceGroup.from_hm("P 1"))
    rows = "1e300 0 0 5 1\n1 0 0 5 1\n"
    loop = f"loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n_refln_F_squared_sigma\n{rows}"
    assert len(find_reflections(read(f"data_x\n{loop}")[0])) == 1


def test_an_endless_list_of_reflections_is_refused() -> None:
    with pytest.raises(UserInputError, match="too many reflections"):
        unique_reflections(UnitCell.from_values((100, 100, 100, 90, 90, 90)), SpaceGroup.from_hm("P 1"), 0.3)


# Wilson


def test_wilson_plot_finds_the_b_and_scale_of_made_data() -> None:
    cell, group = UnitCell.from_values((9, 10, 11, 90, 90, 90)), SpaceGroup.from_hm("P 1")
    hkl = unique_reflections(cell, group, 0.8)
    rng = np.random.default_rng(2)
    stol2 = 1 / (4 * cell.d_spacing(hkl) ** 2)
    coefficients = gemmi.Element("C").it92
    f = (np.array(coefficients.a) * np.exp(-np.outer(stol2, coefficients.b))).sum(axis=1) + coefficients.c
    intensity = 3.0 * 20 * f**2 * np.exp(-2 * 2.5 * stol2) * rng.exponential(size=len(hkl))
    data = Reflections(hkl, intensity, np.ones(len(hkl)))
    found = wilson(merging_statistics(data, cell, group).merged, cell, group, {"C": 20})
    assert found.b == pytest.approx(2.5, abs=0.3)
    assert found.scale == pytest.approx(3.0, rel=0.15)
    assert found.mean_e2_1 == pytest.approx(0.736, abs=0.02)


def test_wilson_needs_the_content_of_the_cell(thpp: Structure, thpp_hkl: bytes) -> None:
    merged = merging_statistics(read_hkl(thpp_hkl), thpp.cell, thpp.space_group).merged
    with pytest.raises(UserInputError, match="content of the cell"):
        wilson(merged, thpp.cell, thpp.space_group, {})
    assert 1 < wilson(merged, thpp.cell, thpp.space_group, thpp.cell_content).b < 3


# Indicators


def test_the_list_of_indicators_is_finite_and_each_says_what_it_is(thpp_path: Path) -> None:
    quality = quality_indicators(read(thpp_path)[0])
    assert tuple(indicator.name for indicator in quality.indicators) == NAMES
    assert all(indicator.meaning for indicator in quality.indicators)
    assert all(indicator.note for indicator in quality.indicators if indicator.value is None)
    with pytest.raises(KeyError):
        quality["beauty"]


def test_stated_values_are_among_the_indicators(cu_path: Path) -> None:
    quality = quality_indicators(read(cu_path, on_error="keep")["I"])
    assert (quality["r1_gt"], quality["residual_min"]) == (0.0453, -0.314)
    assert quality["data_to_parameter_ratio"] == pytest.approx(4528 / 473)


def test_reflections_marked_as_not_to_be_used_are_left_out_and_counted():
    names = "_refln_index_h _refln_index_k _refln_index_l _refln_F_squared_meas _refln_F_squared_sigma _refln_observed_status"
    rows = ["1 0 0 100 2 o", "0 1 0 50 1 x", "0 0 1 -3 1 <", "1 1 0 9 1 h", "1 1 1 8 1 L", "2 0 0 5 1 f"]
    block = read("data_a\nloop_\n" + "\n".join([*names.split(), *rows]) + "\n").sole_block()
    found = find_reflections(block)
    assert found.hkl.tolist() == [[1, 0, 0], [0, 0, 1], [2, 0, 0]]
    assert found.notes == ["3 reflections marked as not to be used (status x, h, l) were left out."]


@pytest.mark.parametrize("name", ["scale_group_code", "wavelength"])
def test_reflections_of_several_scales_or_wavelengths_say_so(name):
    names = f"_refln_index_h _refln_index_k _refln_index_l _refln_F_squared_meas _refln_F_squared_meas_sigma _refln_{name}"
    rows = ["1 0 0 100 2 1", "0 1 0 50 1 2", "0 0 1 50 1 ?"]
    block = read("data_a\nloop_\n" + "\n".join([*names.split(), *rows]) + "\n").sole_block()
    found = find_reflections(block)
    assert found.sigma.tolist() == [2, 1, 1]
    assert len(found.notes) == 1
    assert f"_refln_{name}" in found.notes[0]
