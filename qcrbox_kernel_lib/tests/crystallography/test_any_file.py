"""Arbitrary files: readers return data or raise an error of this package that says what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import read
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.reflections import find_reflections, read_hkl, write_hkl
from qcrbox.crystallography.shelx import export_ins
from qcrbox.crystallography.shelx.instructions import read_instructions
from qcrbox.crystallography.shelx.structure import structure_of_instructions
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.tsc import read_tsc

ODD = st.sampled_from(
    [
        "?",
        ".",
        "''",
        "0",
        "-1",
        "1",
        "0.5",
        "1e3",
        "1e999",
        "-1e5",
        "nan",
        "inf",
        "1_0",
        "²",
        "٣",
        "9" * 400,
        "1/3",
        "x",
        "0.1(",
        "0.1()",
        "1.5(2)",
        "'a b'",
        "Fe3+",
        "Q1",
        "D",
        "Xx",
        "C1",
        "Uani",
        "-99999999999999999999",
        "1.0E+5",
    ]
)
GROUPS = st.sampled_from(["'P 1'", "'P 21/c'", "'R -3 m'", "'F d -3 m'", "?", "'no group'", "14", "''"])
OPERATIONS = st.lists(
    st.sampled_from(
        ["x,y,z", "-x,-y,-z", "x+1/2,y,z", "-y,x-y,z+.333", "2x,y,z", "x,y", "?", "x1,x2,x3,x4", "x+1e9,y,z"]
    ),
    max_size=4,
)
ITEMS = [
    "_cell_length_a",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_formula_units_Z",
    "_chemical_formula_sum",
    "_diffrn_radiation_wavelength",
    "_diffrn_ambient_temperature",
    "_space_group_IT_number",
    "_exptl_crystal_size_max",
    "_refine_ls_extinction_coef",
]
COLUMNS = [
    "type_symbol",
    "fract_x",
    "fract_y",
    "fract_z",
    "occupancy",
    "U_iso_or_equiv",
    "adp_type",
    "disorder_group",
    "disorder_assembly",
    "calc_flag",
    "refinement_flags",
    "site_symmetry_multiplicity",
]


@st.composite
def cifs(draw: st.DrawFn) -> str:
    """A crystal of three atoms with odd values in some places."""
    items = dict.fromkeys(("_cell_length_a", "_cell_length_b", "_cell_length_c"), "5.0")
    items |= {f"_cell_angle_{name}": "90" for name in ("alpha", "beta", "gamma")}
    items |= {"_space_group_name_H-M_alt": draw(GROUPS), "_diffrn_radiation_wavelength": "0.71073"}
    items |= draw(st.dictionaries(st.sampled_from(ITEMS), ODD, max_size=3))
    cells = {"label": ["C1", "O1", "H1"], "type_symbol": ["C", "O", "H"]}
    cells |= {f"fract_{axis}": [f"0.{n}{k}" for n in (1, 3, 6)] for k, axis in enumerate("xyz")}
    for name in draw(st.lists(st.sampled_from(COLUMNS), max_size=4, unique=True)):
        cells.setdefault(name, ["."] * 3)
        cells[name] = [draw(st.one_of(st.just(cell), ODD)) for cell in cells[name]]
    text = "data_x\n" + "".join(f"{tag} {value}\n" for tag, value in items.items())
    operations = draw(OPERATIONS)
    if operations:
        text += "loop_\n_space_group_symop_operation_xyz\n" + "".join(
            f"'{operation}'\n" for operation in operations
        )
    text += "loop_\n" + "".join(f"_atom_site_{name}\n" for name in cells)
    return text + "".join(" ".join(row) + "\n" for row in zip(*cells.values(), strict=True))


@settings(max_examples=30, deadline=None)
@given(cifs())
def test_any_crystal_is_read_or_refused_with_words(text: str) -> None:
    try:
        structure = Structure.from_cif(text)
        lengths = [bond.length.value for bond in structure.bonds()]
        structure.hydrogen_bond_table()
        assert structure.formula is not None
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert np.isfinite(lengths).all()
    assert all(np.isfinite(count) for count in structure.cell_content.values())
    assert all(note for note in structure.notes)
    try:
        ins, _ = export_ins(read(text).sole_block())
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert max(map(len, ins.splitlines())) <= 80
    assert "nan" not in ins
    assert "inf" not in ins.lower().replace("info", "")


INS_WORDS = st.sampled_from(
    [
        "C1",
        "H1A",
        "Q1",
        "1",
        "2",
        "0.1",
        "10.5",
        "21",
        "-1.2",
        "1e999",
        "nan",
        "=",
        "!",
        "C H",
        "9" * 400,
        "-x,-y,-z",
        "$H",
        ">",
        "²",
        "1/0",
    ]
)
CARDS = st.sampled_from(
    [
        "CELL 0.71 5 6 7 90 90 90",
        "ZERR 4 0 0 0 0 0 0",
        "LATT -1",
        "LATT 9",
        "SYMM -x,y+1/2,-z",
        "SFAC C H O",
        "UNIT 4 4 4",
        "FVAR 1 0.5",
        "C1 1 0.1 0.2 0.3 11 0.05",
        "O1 3 0.2 0.3 0.4 10.5 0.05",
        "H1 2 0.1 0.2 0.4 11 -1.2",
        "HKLF 4",
        "END",
        "AFIX 43",
        "AFIX 0",
        "PART 1 21",
        "PART -1",
        "RESI 1 ABC",
        "MOVE 1 1 1 -1",
        "FRAG 17",
        "FEND",
        "EXYZ C1 O1",
        "EADP C1 O1",
    ]
)
NAMES = st.sampled_from(
    ["CELL", "ZERR", "LATT", "SFAC", "FVAR", "PART", "AFIX", "RESI", "MOVE", "EXYZ", "C1", "EADP_1", "EXYZ_*"]
)
LINES = st.one_of(
    CARDS, st.builds(lambda name, words: " ".join([name, *words]), NAMES, st.lists(INS_WORDS, max_size=8))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_any_shelx_text_is_read_or_refused_with_words(lines: list[str]) -> None:
    text = "TITL x\nCELL 0.71 5 6 7 90 90 90\nSFAC C H O\nFVAR 1 0.5\n" + "\n".join(lines) + "\n"
    try:
        found = read_instructions(text)
        structure = structure_of_instructions(text)
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert len(structure.sites) == len(found.atoms)
    assert structure.sites.label


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(st.sampled_from(list(" -+.0123456789eEnaif\t²")), max_size=40), min_size=1, max_size=5)
)
def test_any_list_of_reflections_is_finite_or_refused(lines: list[str]) -> None:
    try:
        found = read_hkl("\n".join(lines))
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert np.isfinite(found.intensity).all()
    assert np.isfinite(found.sigma).all()
    if (
        len(found)
        and np.abs(found.hkl).max() <= 999
        and (found.batch is None or np.abs(found.batch).max() < 999)
        and found.hkl.any(axis=1).all()
    ):
        assert read_hkl(write_hkl(found)).hkl.tolist() == found.hkl.tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(ODD, min_size=5, max_size=5), max_size=4), st.sampled_from(["_refln", "_diffrn_refln"])
)
def test_any_loop_of_reflections_is_finite_or_refused(rows: list[list[str]], category: str) -> None:
    value = "F_squared_meas" if category == "_refln" else "intensity_net"
    names = [
        "index_h",
        "index_k",
        "index_l",
        value,
        f"{value.replace('_meas', '')}_sigma" if category == "_refln" else "intensity_u",
    ]
    text = "data_x\nloop_\n" + "".join(f"{category}_{name}\n" for name in names)
    text += "".join(" ".join(row) + "\n" for row in rows)
    try:
        found = find_reflections(read(text, on_error="keep").sole_block())
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert np.isfinite(found.intensity).all()
    assert len(found) <= len(rows)


@pytest.mark.parametrize("head", [b"", b"SCATTERERS: C1\nDATA:\n"])
@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=80))
def test_any_bytes_are_a_table_of_form_factors_or_refused(head: bytes, body: bytes) -> None:
    try:
        table = read_tsc(head + body)
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    assert np.isfinite(table.values).all()
