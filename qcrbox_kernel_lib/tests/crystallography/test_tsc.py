from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.contract.errors import CifError
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc, write_tscb

TSC = b"""TITLE: made by hand
SYMM: expanded
AD: FALSE
SCATTERERS: C1 H1A
DATA:
1 0 0 4.5,0.25 0.5,-0.125
0 -2 3 3.5,0.0 0.25,1e-3
"""


def test_a_text_table_is_read() -> None:
    table = read_tsc(TSC)
    assert table.scatterers == ["C1", "H1A"]
    assert table.hkl.tolist() == [[1, 0, 0], [0, -2, 3]]
    assert table.of("H1A").tolist() == [0.5 - 0.125j, 0.25 + 0.001j]
    assert table.header == {"TITLE": "made by hand", "SYMM": "expanded", "AD": "FALSE"}


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(0, 20), st.integers(0, 2**31))
def test_tables_read_back_equal_in_both_forms(scatterers: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, scatterers)) + 1j * rng.normal(size=(count, scatterers))
    hkl = rng.integers(-40, 40, (count, 3)).astype(np.int32)
    table = FormFactorTable([f"C{n}" for n in range(scatterers)], hkl, values, {"SYMM": "expanded"})
    binary, text = read_tsc(write_tscb(table)), read_tsc(write_tsc(table))
    assert np.array_equal(binary.values, values)
    assert np.array_equal(binary.hkl, hkl)
    assert text.values == pytest.approx(values, rel=1e-7, abs=1e-9)
    assert binary.header == text.header == table.header
    assert binary.scatterers == text.scatterers == table.scatterers


def test_the_binary_form_has_the_documented_layout() -> None:
    data = write_tscb(read_tsc(TSC))
    (head,) = struct.unpack_from("<i", data, 0)
    (names,) = struct.unpack_from("<i", data, 4 + head)
    assert data[8 + head : 8 + head + names] == b"C1 H1A"
    start = 8 + head + names
    assert struct.unpack_from("<i", data, start) == (2,)
    assert struct.unpack_from("<3i4d", data, start + 4) == (1, 0, 0, 4.5, 0.25, 0.5, -0.125)
    assert len(data) == start + 4 + 2 * (12 + 2 * 16)


def test_scatterers_over_several_lines_are_one_list() -> None:
    table = read_tsc(TSC.replace(b"SCATTERERS: C1 H1A", b"SCATTERERS: C1\nH1A"))
    assert table.scatterers == ["C1", "H1A"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"TITLE: x\n", "no line DATA"),
        (b"SYMM: expanded\nDATA:\n1 0 0 1,1\n", "no scatterers"),
        (TSC[:-6], "not a multiple"),
        (TSC.replace(b"4.5", b"abc"), "not a number"),
        (write_tscb(read_tsc(TSC))[:-5], "cut off"),
        (write_tscb(read_tsc(TSC)) + bytes(32), "32 bytes more than 2 reflections of 2 scatterers"),
        (struct.pack("<iii", 100, 5, 5), "cut off"),
    ],
)
def test_damaged_tables_are_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(CifError, match=words):
        read_tsc(data)


def test_a_table_that_does_not_fit_its_labels_is_refused() -> None:
    with pytest.raises(CifError, match="do not fit"):
        FormFactorTable(["C1"], np.zeros((2, 3), np.int32), np.zeros((2, 2), complex))


def test_an_unknown_scatterer_is_named() -> None:
    with pytest.raises(CifError, match="N9"):
        read_tsc(TSC).of("N9")


@pytest.mark.parametrize("index", [b"0.5", b"nan", b"inf"])
def test_indices_that_are_no_whole_numbers_are_refused(index: bytes) -> None:
    with pytest.raises(CifError, match="not whole numbers"):
        read_tsc(TSC.replace(b"1 0 0 4.5", index + b" 0 0 4.5"))


DISCAMB = b"""TITLE: X-ray form factors for urea generated with discamb2tsc
AD: FALSE
SYMM: expanded
SCATTERERS: C1 H1A
FORM FACTORS SOURCE:
    SOFTWARE - discambMATTS2tsc
    MODEL - TAAM
DATA:
1 0 0 4.50000000e+00,2.50000000e-01 5.00000000e-01,-1.25000000e-01
0 -2 3 3.50000000e+00,0.00000000e+00 2.50000000e-01,1.00000000e-03"""
CCTBX = b"""Title: generated from isotropic AFF
Scatterers: C1 H1A
Symm: expanded
Data:
1 0 0 4.5,0.25 0.5,-0.125
0 -2 3 3.5,0.0 0.25,0.001"""


@pytest.mark.parametrize(
    "data",
    [
        DISCAMB,
        CCTBX,
        TSC.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + TSC,
        TSC.replace(b"made by hand", b"RAW DATA: of urea"),
        TSC.replace(b"1e-3\n", b"1e-3 \n\n").replace(b"-0.125\n", b"-0.125 \n"),
        TSC.replace(b",", b" , "),
    ],
    ids=["DiSCaMB", "cctbx", "CRLF", "byte order mark", "DATA: in the title", "blanks and empty lines", "blanks at commas"],
)  # fmt: skip
def test_tables_as_other_programs_write_them_are_read(data: bytes) -> None:
    table, same = read_tsc(data), read_tsc(TSC)
    assert table.scatterers == same.scatterers
    assert np.array_equal(table.hkl, same.hkl)
    assert np.array_equal(table.values, same.values)
    assert table.header["SYMM"] == "expanded"


@pytest.mark.parametrize(
    "data",
    [
        TSC.replace(b"SCATTERERS: C1 H1A", b"SCATTERER_IDS: 0ccccccc19999999266666660000 0700"),
        struct.pack("<i13si", 13, b"SCATTERER_IDS", 2) + bytes(32) + struct.pack("<i", 0),
    ],
    ids=["text", "binary"],
)
def test_atoms_named_by_identifiers_are_refused_with_the_way_out(data: bytes) -> None:
    with pytest.raises(CifError, match="instead of labels") as error:
        read_tsc(data)
    assert "-tsc_labels" in error.value.next


@pytest.mark.parametrize("value", [b"nan", b"inf", b"-inf", b"1e999"])
@pytest.mark.parametrize("place", [b"4.5", b"0.25"])
def test_a_form_factor_that_is_no_number_is_refused(value: bytes, place: bytes) -> None:
    """With it every structure factor would be NaN."""
    with pytest.raises(CifError, match="a value that is not a number"):
        read_tsc(TSC.replace(place, value, 1))


def test_a_binary_form_factor_that_is_no_number_is_refused() -> None:
    data = bytearray(write_tscb(read_tsc(TSC)))
    data[-8:] = struct.pack("<d", float("nan"))
    with pytest.raises(CifError, match="a value that is not a number"):
        read_tsc(bytes(data))


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (b"TITLE: a: b\nSCATTERERS: C1\nDATA:\n", {"TITLE": "a: b"}),
        (b"TITLE:\nSCATTERERS: C1\nDATA:\n", {"TITLE": ""}),
        (b"no name\nTITLE: x\nSCATTERERS: C1\nDATA:\n", {"TITLE": "x"}),
        (b"TITLE: x\r\nSCATTERERS: C1\r\nDATA:\r\n", {"TITLE": "x"}),
        (b"SCATTERERS: C1\nTITLE: x\nDATA:\n", {"TITLE": "x"}),
    ],
    ids=["colon", "empty", "line without name", "CRLF", "other order"],
)
def test_lines_of_the_header(text: bytes, header: dict[str, str]) -> None:
    table = read_tsc(text)
    assert table.header == header
    assert table.scatterers == ["C1"]
    assert len(table.hkl) == 0


def test_rows_may_be_broken_and_parted_by_blanks_or_commas() -> None:
    broken = TSC.replace(b"4.5,0.25 0.5,-0.125", b"4.5 0.25\n 0.5 , -0.125")
    assert np.array_equal(read_tsc(broken).values, read_tsc(TSC).values)


@pytest.mark.parametrize("cut", [4, 12, 20, 40])
def test_a_binary_table_that_is_cut_anywhere_is_refused(cut: int) -> None:
    with pytest.raises(CifError):
        read_tsc(write_tscb(read_tsc(TSC))[:cut])


def test_a_binary_table_that_announces_too_much_is_refused_before_memory_is_taken() -> None:
    data = bytearray(write_tscb(read_tsc(TSC)))
    (head,) = struct.unpack_from("<i", data, 0)
    (names,) = struct.unpack_from("<i", data, 4 + head)
    struct.pack_into("<i", data, 8 + head + names, 2**31 - 1)
    with pytest.raises(CifError, match=r"not a binary table|cut off"):
        read_tsc(bytes(data))
