"""SHELX reflection files: columns, ends, twins, and what is written reads back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.reflections import Reflections, read_hkl, write_hkl

LINE = "   1   2   3  100.00    5.00"


def table(found: Reflections) -> list[tuple]:
    return [
        (*hkl, intensity, sigma)
        for hkl, intensity, sigma in zip(
            found.hkl.tolist(), found.intensity.tolist(), found.sigma.tolist(), strict=True
        )
    ]


ROWS = {
    "columns": (LINE, (1, 2, 3, 100, 5)),
    "touching indices": (" -12-10  -9  100.00    5.00", (-12, -10, -9, 100, 5)),
    "touching intensity": ("   1   2   399999.99   50.00", (1, 2, 3, 99999.99, 50)),
    "negative intensity": ("   1   2   3  -12.34    5.00", (1, 2, 3, -12.34, 5)),
    "no decimals": ("   1   2   3     100       5", (1, 2, 3, 100, 5)),
    "exponent": ("   1   2   31.00E+03 5.0E+00", (1, 2, 3, 1000, 5)),
    "free format": ("1 2 3 100.0 5.0", (1, 2, 3, 100, 5)),
    "tabs": ("1\t2\t3\t100.0\t5.0", (1, 2, 3, 100, 5)),
    "trailing blanks": (LINE + "        ", (1, 2, 3, 100, 5)),
}


@pytest.mark.parametrize(("line", "row"), ROWS.values(), ids=ROWS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_a_line_in_every_form(line, row, newline):
    found = read_hkl(f"{newline}{line}{newline}{line}{newline}")
    assert table(found) == [row] * 2
    assert found.batch is None


@pytest.mark.parametrize(
    ("end", "trailer"),
    [
        ("   0   0   0    0.00    0.00\nTITL x\n", "TITL x"),
        ("   0   0   0\n", ""),
        ("0 0 0 0 0\n_cell_length_a 5\n", "_cell_length_a 5"),
        ("TITL x\n", "TITL x"),
        ("_cell 5\n", "_cell 5"),
        ("; end\n", "; end"),
        ("# note\n", "# note"),
        ("", ""),
    ],
    ids=repr,
)
def test_the_list_ends_at_zeros_or_at_a_text(end, trailer):
    found = read_hkl(f"{LINE}\n{end}")
    assert len(found) == 1
    assert found.trailer == trailer


def test_zeros_inside_of_indices_do_not_end_the_list():
    text = "   0   0   2  100.00    5.00\n  10   0   0  100.00    5.00\n   0   1   0  100.00    5.00\n"
    assert len(read_hkl(text)) == 3


@pytest.mark.parametrize("text", ["", "\n\n", "   0   0   0    0.00    0.00\n", "TITL x\n"])
def test_a_list_without_reflections_is_refused(text):
    with pytest.raises(CifError, match="There are no reflections"):
        read_hkl(text, "a.hkl")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1 2 3 4", "'1 2 3 4' is not a reflection"),
        ("1 2 3 a b", "'1 2 3 a b' is not a reflection"),
        ("1 2 x 4 5", "'1 2 x 4 5' is not a reflection"),
        ("1 2 3 4 5 6.5", "'1 2 3 4 5 6.5' is not a reflection"),
    ],
)
def test_a_line_that_is_none_is_shown_with_its_number(line, words):
    with pytest.raises(CifError) as caught:
        read_hkl(f"\n{LINE}\n{line}\n", "a.hkl")
    assert words in caught.value.what
    assert (caught.value.where, caught.value.line) == ("a.hkl line 3", 3)


@pytest.mark.parametrize("line", ["1.5 2 3 100.0 5.0", "2000000 2 3 100.0 5.0"])
def test_indices_are_whole_numbers_of_a_sensible_size(line):
    with pytest.raises(CifError, match="not whole numbers"):
        read_hkl(f"{line}\n")


def batches(*numbers: int, intensity: float = 100) -> str:
    return "".join(f"   1   2   3{intensity:8.2f}    5.00{number:4d}\n" for number in numbers)


@pytest.mark.parametrize(
    ("numbers", "twin", "components"),
    [
        ((1, 1), False, [1]),
        ((1, 2), False, [1, 2]),
        ((-2, 1), True, [1, 2]),
        ((-2, 1, -3, 1), True, [1, 2, 3]),
    ],
)
def test_negative_numbers_join_the_components_of_one_spot(numbers, twin, components):
    found = read_hkl(batches(*numbers))
    assert (found.twin, found.components) == (twin, components)


def test_negative_numbers_without_a_partner_mark_a_free_set():
    text = (
        batches(-1, intensity=100)
        + batches(1, intensity=50)
        + batches(-1, intensity=70)
        + batches(1, intensity=20)
    )
    assert not read_hkl(text).twin


def reflections(intensity, sigma, hkl=None, batch=None) -> Reflections:
    count = len(intensity)
    indices = np.column_stack([np.arange(1, count + 1)] * 3) if hkl is None else np.array(hkl)
    return Reflections(
        indices,
        np.array(intensity, float),
        np.array(sigma, float),
        batch=None if batch is None else np.array(batch),
    )


@pytest.mark.parametrize(
    ("intensity", "sigma", "line"),
    [
        (100, 5, "   1   1   1  100.00    5.00"),
        (-12.346, 0.5, "   1   1   1  -12.35    0.50"),
        (0, 1, "   1   1   1    0.00    1.00"),
        (12345.678, 10, "   1   1   1 12345.7   10.00"),
    ],
)
def test_columns_of_what_is_written(intensity, sigma, line):
    assert write_hkl(reflections([intensity], [sigma])).splitlines()[0] == line


def test_the_list_is_ended_by_zeros():
    assert write_hkl(reflections([1], [1])).endswith("\n   0   0   0    0.00    0.00\n")
    assert write_hkl(reflections([1], [1], batch=[2])).endswith("\n   0   0   0    0.00    0.00   0\n")


VALUES = st.floats(-1e6, 1e9, allow_nan=False)
SIGMAS = st.floats(1e-3, 1e5, allow_nan=False)


@given(
    st.lists(
        st.tuples(st.tuples(*[st.integers(-999, 999)] * 3), VALUES, SIGMAS, st.integers(-999, 999)),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_is_read_again_with_one_scale_for_all(rows):
    rows = [row for row in rows if any(row[0])]
    if not rows:
        return
    hkl, intensity, sigma, batch = zip(*rows, strict=True)
    given_ones = reflections(intensity, sigma, hkl, batch)
    again = read_hkl(write_hkl(given_ones))
    assert again.hkl.tolist() == given_ones.hkl.tolist()
    assert (again.batch if again.batch is not None else np.zeros(len(rows))).tolist() == list(batch)
    largest = int(np.argmax(np.abs(given_ones.intensity)))
    if abs(given_ones.intensity[largest]) > 1:
        scale = again.intensity[largest] / given_ones.intensity[largest]
        power = np.log10(scale)
        assert power == pytest.approx(round(power), abs=0.02)
        assert again.intensity == pytest.approx(given_ones.intensity * 10 ** round(power), rel=2e-3, abs=0.06)


@pytest.mark.parametrize("index", [1000, -1000])
def test_indices_that_do_not_fit_are_refused(index):
    with pytest.raises(CifError, match="Indices beyond 999"):
        write_hkl(reflections([1], [1], [[index, 0, 0]]))


@pytest.mark.parametrize("batch", [10_000, -1000])
def test_a_batch_number_that_does_not_fit_is_refused(batch):
    """It would move the end of the line by one column, and SHELXL would read another number."""
    with pytest.raises(CifError, match=r"Batch numbers .* do not fit"):
        write_hkl(reflections([1], [1], batch=[batch]))


def test_batch_numbers_of_four_digits_that_touch_the_su_are_read():
    """`5.001200` is the s.u. 5.00 and the batch 1200."""
    text = f"{LINE}1200\n{LINE} 999\n{LINE}1201\n"
    found = read_hkl(text)
    assert found.batch.tolist() == [1200, 999, 1201]
    assert found.sigma.tolist() == [5, 5, 5]
    assert read_hkl(write_hkl(found)).batch.tolist() == [1200, 999, 1201]


@pytest.mark.parametrize(("intensity", "sigma"), [(np.nan, 1), (1, np.nan), (np.inf, 1), (1, np.inf)])
def test_what_is_no_number_is_not_written(intensity, sigma):
    """No program reads `nan`."""
    with pytest.raises(CifError, match=r"1 reflection has no intensity or no s\.u\."):
        write_hkl(reflections([5, intensity], [1, sigma]))


@pytest.mark.parametrize(
    "line",
    ["1 2 3 nan 5.0", "1 2 3 5.0 inf", "1 2 3 1_0 5.0", "1 2 3 1e999 5.0", "   1   2   3     nan    5.00"],
)
def test_an_intensity_that_is_no_number_is_refused(line):
    """With it all sums over the reflections would be NaN."""
    with pytest.raises(CifError, match="is not a reflection"):
        read_hkl(f"{line}\n")
