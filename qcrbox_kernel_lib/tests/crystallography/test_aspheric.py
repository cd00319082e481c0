"""Aspherical form factors inside CIF: read, written, kept by conversions, to and from tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import Block, Document, read
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.contract.errors import CifError, MissingItemsError
from qcrbox.crystallography.aspheric import (
    AsphericalFormFactors,
    MoietyAtoms,
    Partitioning,
    atoms_of_structure,
    form_factor_document,
    has_form_factors,
    read_form_factors,
    remove_form_factors,
    write_form_factors,
)
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc, write_tscb

STRUCTURE = """data_water
_cell_length_a 4.0(1)
_cell_length_b 5.0
_cell_length_c 6.0
_cell_angle_alpha 90
_cell_angle_beta 100
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1 21/c 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
O1 O 0.10 0.20 0.30
H1 H 0.25 0.30 0.35
H2 H 0.05 0.15 0.45
"""
# As the programs in use write them: quoted lists, the moiety loop first.
WRITTEN = """data_ff
loop_
_wfn_moiety.id
_wfn_moiety.atom_id
_wfn_moiety.asu_atom_site_label
_wfn_moiety.atom_type_symbol
_wfn_moiety.symm_code
_wfn_moiety.cartn_x
_wfn_moiety.cartn_y
_wfn_moiety.cartn_z
_wfn_moiety.aff_index
1 1 O1 O 1_555 0.1 0.2 0.3 2
1 2 H1 H 1_555 0.4 0.5 0.6 1
1 3 H2 H 1_555 0.7 0.8 0.9 3
_aspheric_ffs.source 'B3LYP/def2-TZVP density'
_aspheric_ffs_partitioning.name Hirshfeld
_aspheric_ffs_partitioning.software 'some program'
loop_
_aspheric_ff.index_h
_aspheric_ff.index_k
_aspheric_ff.index_l
_aspheric_ff.form_factor_real
_aspheric_ff.form_factor_imag
1 0 -2 '[0.50000000  7.25000000
0.75 ]' '[ 0.01 -0.02 0.03]'
0 1 0 '[0.25 6.5 0.125]' '[0 1e-3 -0.5]'
""".replace("'[0.50000000  7.25000000\n0.75 ]'", "\n;[0.50000000  7.25000000\n0.75 ]\n;\n")


def test_columns_are_named_by_aff_index_not_by_the_order_of_rows() -> None:
    found = read_form_factors(read(WRITTEN).sole_block())
    assert found.table.scatterers == ["H1", "O1", "H2"]
    assert found.table.hkl.tolist() == [[1, 0, -2], [0, 1, 0]]
    assert found.table.of("O1").tolist() == [7.25 - 0.02j, 6.5 + 0.001j]
    assert found.table.of("H2").tolist() == [0.75 + 0.03j, 0.125 - 0.5j]
    assert found.partitioning == Partitioning("Hirshfeld", "some program", "B3LYP/def2-TZVP density")
    assert found.atoms is not None
    assert found.atoms.cartesian[1].tolist() == [0.4, 0.5, 0.6]
    assert found.table.header == {"TITLE": "B3LYP/def2-TZVP density", "SYMM": "expanded"}


def test_lists_of_cif_2_are_read() -> None:
    text = WRITTEN.replace("'[", "[").replace("]'", "]").replace("\n;[", "\n[").replace("]\n;\n", "]\n")
    two = read("#\\#CIF_2.0\n" + text).sole_block()
    one = read(WRITTEN).sole_block()
    assert np.array_equal(read_form_factors(two).table.values, read_form_factors(one).table.values)


def test_without_moiety_loop_the_scatterers_must_be_named() -> None:
    block = read(WRITTEN).sole_block()
    block.remove_entry(block.loop("_wfn_moiety"))  # type: ignore[arg-type]
    with pytest.raises(MissingItemsError, match=r"3 form factors .* not name"):
        read_form_factors(block)
    assert read_form_factors(block, ["H1", "O1", "H2"]).table.of("O1")[0] == 7.25 - 0.02j
    with pytest.raises(CifError, match="3 form factors, but 2"):
        read_form_factors(block, ["H1", "O1"])


def test_rows_without_aff_index_stand_in_the_order_of_the_lists() -> None:
    block = read(WRITTEN).sole_block()
    block.remove("_wfn_moiety.aff_index")
    assert read_form_factors(block).table.scatterers == ["O1", "H1", "H2"]


def test_of_symmetry_images_the_own_place_gives_the_form_factor() -> None:
    """Water on an axis: both hydrogens of the molecule are H1, the second one by symmetry."""
    text = WRITTEN.replace("1 3 H2 H 1_555", "1 3 O1 O 2_655")
    table = read_form_factors(read(text).sole_block()).table
    assert table.scatterers == ["H1", "O1"]
    assert table.of("O1")[0] == 7.25 - 0.02j
    with pytest.raises(CifError, match="O1 has two form factors, 2 and 3"):
        read_form_factors(read(WRITTEN.replace("1 3 H2 H", "1 3 O1 O")).sole_block())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("6.5 0.125]", "6.5]", "2 to 3 values"),
        ("6.5 0.125]", "6.5 x]", "not a number"),
        ("6.5 0.125]", "6.5 nan]", "not a number"),
        ("0 1 0 '[", "0 0.5 0 '[", "not whole numbers"),
        ("0.8 0.9 3", "0.8 0.9 4", "aff_index of H2 is 4"),
        ("0.8 0.9 3", "0.8 0.9 .", "No atom .* form factor 3"),
    ],
)
def test_damaged_form_factors_are_refused_with_the_reason(old: str, new: str, words: str) -> None:
    with pytest.raises(CifError, match=words):
        read_form_factors(read(WRITTEN.replace(old, new)).sole_block())


def _factors(seed: int, scatterers: int, rows: int, **header: str) -> AsphericalFormFactors:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 5, (rows, scatterers)) + 1j * rng.normal(0, 1e-4, (rows, scatterers))
    column = rng.permutation(scatterers)
    labels = [f"C{place + 1}" for place in range(scatterers)]
    table = FormFactorTable(labels, rng.integers(-40, 40, (rows, 3)).astype(np.int32), values, dict(header))
    atoms = MoietyAtoms(
        ["1"] * scatterers,
        [str(n) for n in range(scatterers)],
        [labels[place] for place in column],
        ["C"] * scatterers,
        ["1_555"] * scatterers,
        rng.normal(0, 5, (scatterers, 3)),
        column,
    )
    return AsphericalFormFactors(table, Partitioning("MBIS", "x y", "it's a 'source'"), atoms)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1, 2, 5, 120, 400]), st.integers(1, 6), st.booleans())
def test_what_is_written_reads_back(seed: int, scatterers: int, rows: int, cif2: bool) -> None:
    made = _factors(seed, scatterers, rows)
    block = Block("x", cif2=cif2)
    write_form_factors(block, made, digits=17)
    written = Document([block], cif2=cif2).to_bytes()
    assert max(map(len, written.split(b"\n"))) <= 2048
    back = read_form_factors(read(written).sole_block())
    assert made.atoms is not None
    assert back.atoms is not None
    order = np.argsort(made.atoms.column)
    assert back.table.scatterers == made.table.scatterers
    assert np.array_equal(back.table.values, made.table.values)
    assert np.array_equal(back.table.hkl, made.table.hkl)
    assert back.atoms.cartesian == pytest.approx(made.atoms.cartesian[order], abs=1e-8)
    assert back.partitioning == made.partitioning


def test_a_text_table_comes_back_digit_by_digit_with_its_header() -> None:
    table = _factors(3, 3, 50).table
    table.scatterers[:] = ["O1", "H1", "H2"]
    table.header |= {"TITLE": "made here", "SYMM": "expanded", "AD": "FALSE", "DATE": "2026-01-02"}
    tsc = write_tsc(table)
    document = form_factor_document(read_tsc(tsc), read(STRUCTURE).sole_block(), Partitioning("Hirshfeld"))
    block = read(document.to_bytes()).sole_block()
    assert block["_cell_length_a"] == "4.0(1)"
    assert block.text("_aspheric_ffs.source") == "made here"
    assert write_tsc(read_form_factors(block).table) == tsc
    binary = write_tscb(read_form_factors(block).table)
    assert write_tsc(read_tsc(binary)) == tsc


def test_moiety_atoms_stand_where_the_structure_has_them() -> None:
    structure = Structure.from_cif(STRUCTURE)
    atoms = atoms_of_structure(structure, ["H2", "O1", "Q9"])
    assert atoms.label == ["H2", "O1", "Q9"]
    assert atoms.element == ["H", "O", ""]
    assert atoms.cartesian[1] == pytest.approx(structure.cell.to_cartesian([0.1, 0.2, 0.3]))
    assert np.isnan(atoms.cartesian[2]).all()


def test_tables_that_a_cif_cannot_hold_are_refused() -> None:
    made = _factors(1, 2, 2, SYMM="1 0 0 0 1 0 0 0 1;-1 0 0 0 1 0 0 0 -1")
    with pytest.raises(CifError, match="every symmetry equivalent"):
        write_form_factors(Block("x"), made)
    with pytest.raises(CifError, match="No scatterer of the table"):
        form_factor_document(_factors(1, 2, 2).table, read(STRUCTURE).sole_block())


def test_atoms_that_contradict_the_table_are_refused() -> None:
    made = _factors(1, 3, 2)
    made.table.scatterers[:2] = made.table.scatterers[1::-1]
    with pytest.raises(CifError, match="do not name the columns"):
        write_form_factors(Block("x"), made)


def test_form_factors_come_through_every_conversion() -> None:
    source = STRUCTURE + WRITTEN.removeprefix("data_ff\n")
    wanted = read_form_factors(read(source).sole_block())
    everything = InputEntries(optional=["all_unified"], merge_su=True)
    unified = unify(source)
    listed = InputEntries(required=["_aspheric_ff_form_factor_real"], optional=unified.block.tags)
    merged = merge_back(
        "data_o\n_cell_length_a 4.1\n", source, OutputEntries(optional=["_cell_length_a"])
    ).text
    for text in (unified.text, specific(source, everything).text, specific(source, listed).text, merged):
        found = read_form_factors(read(text).sole_block())
        assert np.array_equal(found.table.values, wanted.table.values)
        assert found.table.scatterers == wanted.table.scatterers
        assert found.partitioning == wanted.partitioning


def test_new_form_factors_replace_the_old_ones_whole() -> None:
    """Rows of another calculation have their own order of atoms: no row of the old table may stay."""
    block = read(STRUCTURE).sole_block()
    output = form_factor_document(
        FormFactorTable(["O1", "H1"], np.array([[5, 5, 5]], np.int32), np.array([[3 + 1j, 0.5j]])), block
    )
    merged = merge_back(
        output.to_bytes(),
        STRUCTURE + WRITTEN.removeprefix("data_ff\n"),
        OutputEntries(optional=["_aspheric.*", "_wfn_moiety.*"]),
    )
    table = read_form_factors(merged.block).table
    assert table.hkl.tolist() == [[5, 5, 5]]
    assert table.scatterers == ["O1", "H1"]


def test_form_factors_can_be_taken_out() -> None:
    block = read(STRUCTURE + WRITTEN.removeprefix("data_ff\n")).sole_block()
    assert has_form_factors(block)
    assert remove_form_factors(block)
    assert not has_form_factors(block)
    assert block.tags == read(STRUCTURE).sole_block().tags
    assert not remove_form_factors(block)
