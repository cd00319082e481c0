"""Reflections in SHELX format: columns, blanks, ends, damage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import UserInputError
from qcrbox_refine.hkl_file import HklText


def fixed(h, k, l, value, sigma, batch=None, wavelength=None):  # noqa: E741
    line = f"{h:4d}{k:4d}{l:4d}{value:8.2f}{sigma:8.2f}"
    line += "" if batch is None else f"{batch:4d}"
    return line + ("" if wavelength is None else f"{wavelength:8.4f}")


ROWS = [(1, 0, 0, 12.34, 0.56), (-12, -10, -9, 99999.99, 1234.5), (0, 2, -1, -3.2, 0.7)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_columns_are_read_also_where_they_touch(end):
    rows = HklText.split(end.join(fixed(*row) for row in ROWS)).rows("x.hkl")
    assert rows.indices.tolist() == [list(row[:3]) for row in ROWS]
    assert rows.values.tolist() == [row[3] for row in ROWS]
    assert rows.sigmas.tolist() == [row[4] for row in ROWS]
    assert (rows.batches.tolist(), rows.wavelengths.tolist(), rows.fixed) == ([0] * 3, [0.0] * 3, True)


@given(
    st.lists(
        st.tuples(
            st.integers(-99, 99),
            st.integers(-99, 99),
            st.integers(-99, 99),
            st.integers(-999_999, 9_999_999).map(lambda n: n / 100),
            st.integers(1, 999_999).map(lambda n: n / 100),
            st.integers(-9, 99),
        ).filter(lambda row: any(row[:3])),
        min_size=1,
        max_size=12,
    )
)
def test_what_fits_the_columns_reads_back(rows):
    text = "\n".join(fixed(*row) for row in rows) + "\n" + fixed(0, 0, 0, 0, 0, 0)
    found = HklText.split(text).rows("x.hkl")
    read = zip(found.indices, found.values, found.sigmas, found.batches, strict=True)
    assert [(*(int(x) for x in h), v, s, int(b)) for h, v, s, b in read] == rows


@pytest.mark.parametrize(
    "end",
    [
        "   0   0   0    0.00    0.00",
        "   0   0   0    0.00    0.00   0",
        "   0   0   0",
        "  -0   0   0    0.00    0.00",
        "   0   0   0   12.30    0.50",
        "0 0 0 0 0",
        "0 0 0 0.00 0.00",
        "  0  0  0  0.0  0.0",
        "  0  0  0  7.5  0.5",
        "0.0 0.0 0.0 0.0 0.0",
    ],
)
@pytest.mark.parametrize("free", [False, True], ids=["columns", "blanks"])
def test_nothing_after_0_0_0_counts_however_it_is_spaced(end, free):
    first = "1 0 0 12.3 0.5" if free else fixed(1, 0, 0, 12.3, 0.5)
    after = "2 0 0 99.9 0.1" if free else fixed(2, 0, 0, 99.9, 0.1)
    rows = HklText.split("\n".join([first, end, after, "TITL remark"])).rows("x.hkl")
    assert rows.values.tolist() == [12.3]


@pytest.mark.parametrize(
    "line", ["   0   0  10    5.00    0.10", "   0   0-10    5.00    0.10", "0 0 -10 5.0 0.1"]
)
def test_a_reflection_on_an_axis_is_no_end(line):
    assert len(HklText.split(line).rows("x.hkl")) == 1


@pytest.mark.parametrize(
    ("line", "batch", "wavelength"),
    [
        (fixed(1, 2, 3, 4.5, 0.1, 2), 2, 0.0),
        (fixed(1, 2, 3, 4.5, 0.1, -2), -2, 0.0),
        (fixed(1, 2, 3, 4.5, 0.1, 1, 0.7107), 1, 0.7107),
        ("   1   2   3    4.50    0.10   1   15418", 1, 1.5418),  # FORMAT(F8.4) without a point
        ("   1   2   3    4.50    0.10      0.7107", 0, 0.7107),
        ("   1   2   3    4.50    0.10  rejected", 0, 0.0),
        ("1 2 3 4.5 0.1 2", 2, 0.0),
        ("1 2 3 4.5 0.1 2 0.71", 2, 0.71),
    ],
)
def test_batch_and_wavelength_follow_the_sigma(line, batch, wavelength):
    rows = HklText.split(line).rows("x.hkl")
    assert (rows.values[0], rows.sigmas[0]) == (4.5, 0.1)
    assert (rows.batches[0], rows.wavelengths[0]) == (batch, wavelength)


def test_numbers_that_the_columns_would_cut_are_read_at_their_blanks():
    rows = HklText.split("1 0 0 123456.789 12.345\n-10 11 -12 5.5 0.25").rows("x.hkl")
    assert rows.values.tolist() == [123456.789, 5.5]
    assert rows.indices.tolist() == [[1, 0, 0], [-10, 11, -12]]
    assert not rows.fixed


def test_whole_numbers_are_not_hundredths():
    """FORMAT(F8.2) of Fortran would read 1.23; SHELXL does not."""
    assert HklText.split("   1   0   0     123      12").rows("x.hkl").values.tolist() == [123.0]


@pytest.mark.parametrize(
    ("lines", "number", "shown"),
    [
        (["data_x", fixed(1, 0, 0, 1, 1)], 1, "data_x"),
        ([fixed(1, 0, 0, 1, 1), "   1   0   a    1.00    1.00"], 2, "a"),
        ([fixed(1, 0, 0, 1, 1), "1 0 0 5.0"], 2, "1 0 0 5.0"),
        (["1 0 0 5.0 1.0", "1 0 0.5 5.0 1.0"], 2, "0.5"),
    ],
)
def test_the_first_line_that_is_no_reflection_is_named(lines, number, shown):
    with pytest.raises(UserInputError) as refused:
        HklText.split("\n".join(lines)).rows("data.hkl")
    assert refused.value.where == "data.hkl"
    assert f"Reflection {number} reads" in refused.value.why
    assert shown in refused.value.why


@pytest.mark.parametrize("text", ["", "\n\n  \n", "   0   0   0    0.00    0.00\n"])
def test_a_file_without_reflections_has_no_rows(text):
    rows = HklText.split(text).rows("x.hkl")
    assert len(rows) == 0
    assert rows.indices.shape == (0, 3)


def test_reflections_are_written_with_one_end_and_without_remarks():
    text = "\n".join([fixed(1, 0, 0, 1, 1), "", fixed(0, 0, 0, 0, 0), "TITL x", fixed(2, 0, 0, 1, 1)])
    again = HklText.split(text).up_to_end()
    assert again == fixed(1, 0, 0, 1, 1) + "\n   0   0   0    0.00    0.00\n"
    assert HklText.split(again).up_to_end() == again
    assert HklText.split(again).lines == [fixed(1, 0, 0, 1, 1)]


def test_blank_lines_between_reflections_do_not_count():
    assert len(HklText.split("\n\n".join(fixed(*row) for row in ROWS)).rows("x.hkl")) == 3
    assert np.isfinite(HklText.split(fixed(*ROWS[0])).rows("x.hkl").values).all()


def test_four_indices_of_a_modulated_structure_are_refused():
    with pytest.raises(UserInputError, match="not in SHELX format"):
        HklText.split("   1   2   3   1   10.00    1.00\n   1   2   3   0  105.00    1.00\n").rows("x.hkl")
