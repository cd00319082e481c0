"""What holds for every document: writing and reading are inverse, conversions lose nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import Document, names, raw_of, read, text_of
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify

sys.path.insert(0, str(Path(__file__).parent))

from cif_strategies import TEXT, content, documents

BOUNDED = settings(max_examples=60, deadline=None)


@BOUNDED
@given(documents())
def test_written_document_reads_back_equal(document: Document) -> None:
    again = read(document.to_bytes())
    assert content(again) == content(document)
    assert read(Document(again.blocks, cif2=again.cif2).to_bytes()).to_bytes() == document.to_bytes()


@BOUNDED
@given(TEXT)
def test_every_text_survives_quoting(text: str) -> None:
    for cif2 in (False, True):
        assert text_of(raw_of(text, cif2=cif2), cif2=cif2) == text


@BOUNDED
@given(documents(), TEXT)
def test_changing_one_item_changes_nothing_else(document: Document, text: str) -> None:
    read_back = read(document.to_bytes())
    block = read_back.sole_block()
    before = content(read_back)[0][1]
    block.set("_zz_new", text)
    after = content(read(read_back.to_bytes()))[0][1]
    assert [entry for entry in after if entry[0] != "_zz_new"] == before
    assert read_back.sole_block().text("_zz_new") in (text, None)
    assert read(read_back.to_bytes()).sole_block()["_zz_new"] == raw_of(text, cif2=read_back.cif2)
    assert len(after) == len(before) + 1


@BOUNDED
@given(documents())
def test_unifying_loses_no_item_and_is_done_once(document: Document) -> None:
    conversion = unify(document)
    assert {names.key(tag) for tag in document.blocks[0].tags} <= {
        names.key(tag) for tag in conversion.block.tags
    }
    assert unify(conversion.bytes).bytes == conversion.bytes


@BOUNDED
@given(documents())
def test_asking_for_every_name_gives_every_value(document: Document) -> None:
    block = document.blocks[0]
    unified = unify(document).block
    asked = specific(document, InputEntries(required=block.tags)).block
    assert sorted(asked.tags) == sorted(block.tags)
    for tag in block.tags:
        assert asked.column(tag) == unified.column(tag)


@BOUNDED
@given(documents(), documents())
def test_everything_in_the_output_is_in_the_merged_file(source: Document, output: Document) -> None:
    merged = merge_back(output, source, OutputEntries()).block
    unified = unify(output).block
    for entry in unified.items:
        if entry.raw != "?" and not entry.tag.endswith("_su"):
            assert text_of(entry.raw) in [text_of(raw, cif2=merged.cif2) for raw in merged.column(entry.tag)]
    assert merged.name == "x"


TABLES = st.dictionaries(st.sampled_from([f"C{n}" for n in range(8)]), st.integers(0, 99), min_size=1)


@BOUNDED
@given(TABLES, TABLES)
def test_atoms_are_merged_as_a_dictionary_is_updated(source: dict[str, int], output: dict[str, int]) -> None:
    """Same key: the output's value. Source rows first and in their order, then the output's new ones."""

    def file(name: str, rows: dict[str, int], column: str) -> str:
        cells = "".join(f"{label} {value} {value}\n" for label, value in rows.items())
        return f"data_{name}\nloop_\n_atom_site_label\n_atom_site_occupancy\n_atom_site_{column}\n{cells}"

    merged = merge_back(file("o", output, "new"), file("s", source, "old"), OutputEntries()).block.loop(
        "_atom_site"
    )
    expected = source | output
    assert merged.column("_atom_site_label") == list(expected)
    assert merged.column("_atom_site_occupancy") == [str(value) for value in expected.values()]
    assert merged.column("_atom_site_old") == [str(source.get(label, "?")) for label in expected]
    assert merged.column("_atom_site_new") == [str(output.get(label, "?")) for label in expected]


@pytest.mark.parametrize("tag", ["_cell_length_a", "_symmetry_equiv_pos_as_xyz", "_refine_ls_shift/esd_max"])
def test_alias_leads_to_the_canonical_name_and_back(tag: str) -> None:
    source = read(f"data_x\n{tag} 1\n")
    unified = unify(source)
    assert specific(unified.document, InputEntries(required=[tag])).block.tags == [tag]
