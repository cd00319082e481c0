"""Arbitrary CIFs with known items and odd values are checked, converted and written without loss or a Python error."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qcrbox.cif import Document, read
from qcrbox.cif.check import check
from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.cif.convert.journal_cif import ascii_document, conventional_document
from qcrbox.cif.convert.written_names import as_written
from qcrbox.contract.errors import QcError

VALUES = st.sampled_from(
    [
        "?",
        ".",
        "''",
        "'?'",
        "0",
        "-1",
        "0.50",
        "1.5(2)",
        "1.5(2.5)",
        "1.0(0)",
        "'1.5(2)'",
        ".5(2)",
        "+1(2)",
        "1E3(4)",
        "1e999",
        "1e999(2)",
        "nan",
        "1_0",
        "٣(٢)",
        "9" * 310,
        "1(2)3",
        "'a b'",
        '"it\'s"',
        "text",
        "Uani",
        "C1",
        "1/3",
        "90.0()",
        "é",
        "'−1'",
        "-0.0",
        "0(12)",
    ]
)
ITEMS = [
    "_cell_length_a",
    "_cell.length_a",
    "_cell_length_b",
    "_cell.length_b_su",
    "_cell_angle_beta",
    "_chemical_formula_sum",
    "_refine_ls_shift/su_max",
    "_refine_ls_R_factor_gt",
    "_space_group_IT_number",
    "_symmetry_Int_Tables_number",
    "_space_group_crystal_system",
    "_my_own",
    "_my_own_su",
    "_shelx_res_checksum",
]
COLUMNS = [
    f"_atom_site_{name}"
    for name in ("label", "fract_x", "fract_x_su", "occupancy", "adp_type", "B_iso_or_equiv")
] + [
    "_atom_site.fract_x",
    "_atom_site.fract_y",
    "_atom_site_my_own",
]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A block with some items and a table of atoms."""
    items = draw(st.dictionaries(st.sampled_from(ITEMS), VALUES, max_size=6))
    columns = draw(st.lists(st.sampled_from(COLUMNS), max_size=5, unique=True))
    text = "data_x\n" + "".join(f"{tag} {value}\n" for tag, value in items.items())
    if columns:
        rows = draw(
            st.lists(st.lists(VALUES, min_size=len(columns), max_size=len(columns)), min_size=1, max_size=4)
        )
        text += (
            "loop_\n" + "".join(f"{tag}\n" for tag in columns) + "".join(" ".join(row) + "\n" for row in rows)
        )
    return text


def items_of(document: Document) -> list[tuple[str, object]]:
    block = document.blocks[0]
    return sorted((tag.lower(), tuple(block.column(tag))) for tag in block.tags)


@settings(max_examples=60, deadline=None)
@given(texts())
def test_any_values_are_checked_and_each_remark_has_its_place(text: str) -> None:
    for remark in check(text, filename="f.cif"):
        assert remark.what
        assert remark.file == "f.cif"
        assert remark.line or remark.code == "long-name"


@settings(max_examples=60, deadline=None)
@given(texts())
def test_any_values_are_unified_once_and_read_back(text: str) -> None:
    once = unify(text)
    assert items_of(unify(once.bytes).document) == items_of(once.document)
    assert items_of(read(once.bytes)) == items_of(once.document)


@settings(max_examples=60, deadline=None)
@given(texts(), st.booleans())
def test_the_whole_file_in_any_dialect_is_read_back(text: str, merge_su: bool) -> None:
    for dialect in ("unified", "ddl1"):
        made = specific(text, InputEntries(merge_su=merge_su, dialect=dialect))
        assert items_of(read(made.bytes)) == items_of(made.document)


@settings(max_examples=60, deadline=None)
@given(texts(), texts())
def test_any_output_is_merged_into_any_source(source: str, output: str) -> None:
    # With two spellings of one item the second merge may choose the other one.
    assume(
        not any(
            remark.code == "two-spellings" for text in (source, output) for remark in unify(text).warnings
        )
    )
    try:
        made = merge_back(output, source, OutputEntries())
    except QcError as error:
        assert error.what  # noqa: PT017 - either outcome is right
        return
    again = merge_back(output, made.bytes, OutputEntries())
    # A column of unknown s.u. is lost when the values beside it are replaced.
    first, second = (
        [item for item in items_of(each.document) if set(item[1]) != {"?"}] for each in (made, again)
    )
    assert first == second


@settings(max_examples=60, deadline=None)
@given(texts())
def test_merging_a_file_into_itself_changes_nothing(text: str) -> None:
    stored = unify(text)
    assert items_of(merge_back(stored.bytes, stored.bytes, OutputEntries()).document) == items_of(
        stored.document
    )


@settings(max_examples=60, deadline=None)
@given(texts())
def test_names_of_the_author_and_of_journals_lose_no_value(text: str) -> None:
    stored = unify(text)
    written = as_written(stored.bytes, [text.encode()])
    assert sorted(
        tag.lower() for tag in unify(written).block.tags if not tag.lower().endswith("_su")
    ) == sorted(tag.lower() for tag in stored.block.tags if not tag.lower().endswith("_su"))
    journal = conventional_document(stored.block)
    assert read(ascii_document(journal)).blocks[0].tags == journal.blocks[0].tags
