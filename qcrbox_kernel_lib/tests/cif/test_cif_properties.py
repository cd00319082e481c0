"""What holds for every document: writing and reading are inverse, conversions lose nothing."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import Document, merge_su, names, parse_number, raw_of, read, split_su, su_order, text_of
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.cif.convert.classic_names import classic_name
from qcrbox.cif.convert.journal_cif import conventional_document
from qcrbox.cif.convert.su import as_written, bracketed, tidy_brackets

sys.path.insert(0, str(Path(__file__).parent))

from cif_strategies import TEXT, content, documents

BOUNDED = settings(max_examples=60, deadline=None)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


# Names there and back

EVERY_NAME = names.all_names()


def test_every_spelling_leads_to_its_canonical_name() -> None:
    for name in EVERY_NAME:
        assert {names.canonical(alias) for alias in names.aliases(name)} == {name}


def test_classic_names_are_distinct_and_lead_back() -> None:
    classic = [classic_name(name) for name in EVERY_NAME]
    assert [names.canonical(spelling) for spelling in classic] == EVERY_NAME
    assert len({spelling.lower() for spelling in classic}) == len(classic)


@BOUNDED
@given(st.lists(st.sampled_from(EVERY_NAME), min_size=1, max_size=12, unique=True), st.randoms())
def test_a_file_in_any_spelling_unifies_to_the_same_file(tags: list[str], random) -> None:
    """Unified, classic, or any alias in any letter case: the same unified file."""

    def spelled(tag: str) -> str:
        alias = random.choice(names.aliases(tag))
        return random.choice([alias, alias.upper(), alias.title()])

    def file(spelling) -> str:
        return "data_x\n" + "".join(f"{spelling(tag)} text{n}\n" for n, tag in enumerate(tags))

    wanted = unify(file(str)).bytes
    assert unify(file(spelled)).bytes == wanted
    given_out = specific(wanted, InputEntries(optional=["all_unified"], dialect="ddl1"))
    assert not any("." in tag for tag in given_out.block.tags if not tag.startswith(("_aspheric", "_wfn")))
    assert unify(given_out.document).bytes == wanted


# Standard uncertainties there and back

WHOLE = st.integers(0, 10**6)


@st.composite
def measured(draw: st.DrawFn) -> str:
    """A number with s.u. as authors write them."""
    decimals = draw(st.integers(0, 6))
    digits = str(draw(WHOLE)).zfill(decimals + 1)
    value = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"{draw(st.sampled_from(['', '-']))}{value}({draw(st.integers(1, 999))})"


@BOUNDED
@given(measured())
def test_brackets_split_and_join_to_the_same_text(text: str) -> None:
    value, su = split_su(text)  # type: ignore[misc]
    assert bracketed(value, su) == as_written(value, su) == tidy_brackets(text) == text
    assert (float(value), float(su)) == (parse_number(text).value, parse_number(text).su)  # type: ignore[union-attr]


@BOUNDED
@given(measured())
def test_rounding_by_the_rule_of_19_changes_less_than_half_its_last_digit(text: str) -> None:
    value, su = split_su(text)  # type: ignore[misc]
    rounded = parse_number(merge_su(value, su))
    unit = Decimal(10) ** su_order(su)
    assert rounded is not None
    assert abs(rounded.decimal - Decimal(value)) <= unit / 2
    assert abs(Decimal(str(rounded.su)) - Decimal(su)) <= unit / 2


ROWS = st.dictionaries(
    st.sampled_from([f"C{n}" for n in range(9)]), st.tuples(measured(), measured()), min_size=1
)


def atoms_file(rows: dict[str, tuple[str, str]], cell: str, note: str) -> str:
    cells = "".join(f"{label} {x} {y} 1.0\n" for label, (x, y) in rows.items())
    return (
        f"data_x\n_cell_length_a {cell}\n_my_note\n{raw_of(note)}\n_cell_measurement_temperature 293(2)\nloop_\n"
        f"_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_occupancy\n{cells}"
    )


@BOUNDED
@given(ROWS, measured(), TEXT)
def test_a_file_that_a_program_hands_back_is_unchanged(rows: dict, cell: str, note: str) -> None:
    """Split, rounded into brackets, read, written, split again, merged: no digit of the stored file changes."""
    stored = unify(atoms_file(rows, cell, note))
    for entries in (
        InputEntries(optional=["all_unified"], merge_su=True),
        InputEntries(optional=["all_unified"]),
        InputEntries(optional=["all_unified"], merge_su=True, dialect="ddl1"),
        InputEntries(required=["_atom_site_label", "_atom_site_fract_x", "_cell_length_a"], merge_su=True),
    ):
        given_out = specific(stored.document, entries).bytes
        assert merge_back(given_out, stored.bytes, OutputEntries()).bytes == stored.bytes


@BOUNDED
@given(ROWS, measured(), TEXT, st.sampled_from(["0.5(1)", "0.25", "?"]))
def test_one_refined_value_changes_nothing_else(rows: dict, cell: str, note: str, new: str) -> None:
    stored = unify(atoms_file(rows, cell, note)).block
    label = next(iter(rows))
    output = f"data_o\nloop_\n_atom_site_label\n_atom_site_fract_x\n{label} {new}\n"
    merged = merge_back(output, Document([stored]), OutputEntries()).block
    assert [entry.raw for entry in merged.items] == [entry.raw for entry in stored.items]
    for tag in ("label", "fract_y", "fract_y_su", "occupancy"):
        assert merged.column(f"_atom_site.{tag}") == stored.column(f"_atom_site.{tag}")
    assert merged.column("_atom_site.fract_x")[1:] == stored.column("_atom_site.fract_x")[1:]


@BOUNDED
@given(ROWS, measured(), TEXT)
def test_an_export_has_the_digits_of_its_author(rows: dict, cell: str, note: str) -> None:
    source = read(atoms_file(rows, cell, note))
    for stored in (source, unify(source).document):
        exported = read(conventional_document(stored.sole_block()).to_bytes()).sole_block()
        assert exported["_cell_length_a"] == cell
        assert exported.column("_atom_site_fract_x") == [x for x, _ in rows.values()]
        assert exported.text("_my_note") == source.sole_block().text("_my_note")
