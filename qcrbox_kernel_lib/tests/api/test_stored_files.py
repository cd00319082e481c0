"""Stored files and CIFs: their bytes, items, blocks, first lines, and what they are called."""

from __future__ import annotations

import pytest
from qcrbox.api.stored_files import CifFile, DataFile, cif_of, size_words
from qcrbox.contract.errors import CifError, UserInputError

from ..conftest import write_cif
from ..small_server import Raw
from .records import file_record

CRYSTAL = write_cif(more="_cell_volume 1320(2)\n_exptl_crystal_colour ?\n_refine_ls_R_factor_gt 0.0412")


@pytest.fixture
def file_of(stored, store):
    """`file_of("a.cif", content)`: the object of a stored file."""

    def make(name: str, content: bytes | str, **more) -> DataFile:
        store.server[f"GET /api/data-files/file-{name}/download"] = Raw(content, kind="text/plain")
        return stored.files.made(file_record(name, **more))

    return make


@pytest.mark.parametrize(
    ("name", "more", "is_cif"),
    [
        ("a.cif", {}, True),
        ("a.CIF", {}, True),
        ("a.fcf", {}, True),
        ("a.mcif", {}, True),
        ("noname", {"filetype": "cif"}, True),
        ("a.hkl", {}, False),
        ("a.txt", {"filetype": "unknown"}, False),
    ],
)
def test_type_or_suffix_makes_a_file_a_cif(file_of, name, more, is_cif):
    assert isinstance(file_of(name, "", **more), CifFile) == is_cif


def test_bytes_are_fetched_once(file_of, store):
    file = file_of("a.bin", b"\x00\xff")
    assert file.bytes == file.bytes == b"\x00\xff"
    assert len(store.server.sent("GET /api/data-files/file-a.bin/download")) == 1


def test_bytes_that_are_no_text_are_replaced_in_the_text(file_of):
    assert file_of("a.txt", b"5 \xc5").text == "5 \N{REPLACEMENT CHARACTER}"


def test_a_file_is_written_once_under_its_own_name(file_of, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = file_of("a.log", "text")
    assert file.save().read_text() == "text"
    with pytest.raises(UserInputError, match=r"a.log exists already"):
        file.save()


def test_a_folder_takes_a_file_under_its_own_name(file_of, tmp_path):
    assert file_of("a.log", "text").save(tmp_path) == tmp_path / "a.log"


def test_a_name_with_folders_never_leads_out_of_the_folder(file_of, tmp_path, store):
    file = file_of("a.log", "text")
    file.filename = "../../evil.log"
    assert file.save(tmp_path) == tmp_path / "evil.log"


@pytest.mark.parametrize(
    "target",
    ["nowhere/a.log", "a\0b"],
    ids=["folder is missing", "name is none"],
)
def test_a_place_that_cannot_be_written_is_named(file_of, tmp_path, target):
    with pytest.raises(UserInputError, match="cannot be written"):
        file_of("a.log", "text").save(f"{tmp_path}/{target}")


def test_two_objects_of_one_file_are_equal_and_one_key(file_of):
    one, same, other = file_of("a.log", ""), file_of("a.log", ""), file_of("b.log", "")
    assert one == same
    assert one != other
    assert one != one.id
    assert len({one, same, other}) == 2


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_960, "1.0 MB"),
        (2_500_000, "2.5 MB"),
        (999_990_000, "1.0 GB"),
        (12_345_000_000_000, "12345.0 GB"),
    ],
)
def test_sizes_have_decimal_units(size, words):
    assert size_words(size) == words


def test_the_first_lines_are_shown_and_escaped(file_of):
    shown = file_of("a.txt", "<script>1</script>\n" * 10)._repr_mimebundle_()
    assert shown["text/plain"].count("script") == 16
    assert shown["text/plain"].endswith("…")
    assert "<script>" not in shown["text/html"]


def test_a_binary_file_shows_no_lines(file_of):
    assert file_of("a.bin", b"ab\0cd")._repr_mimebundle_()["text/plain"] == "<DataFile a.bin (?)>"


def test_a_large_file_is_not_fetched_to_be_shown(file_of, store):
    file = file_of("a.hkl", "1", size=50_000_000)
    assert file._repr_mimebundle_()["text/plain"] == "<DataFile a.hkl (50.0 MB)>"
    assert not store.server.requests


def test_a_deleted_file_is_brought_back_by_undo(file_of, stored, store):
    store.server["DELETE /api/data-files/file-a.log"] = Raw(status=204)
    store.server["POST /api/data-files/file-a.log/restore"] = {}
    file_of("a.log", "").delete()
    assert stored.undo() == "Taken back: a.log was deleted."
    assert store.server.sent("POST /api/data-files/file-a.log/restore")


# ---------------------------------------------------------------- CIFs


def test_a_number_keeps_its_su_and_an_unknown_value_is_unknown(file_of):
    cif = file_of("a.cif", CRYSTAL)
    assert str(cif["_cell_volume"]) == "1320(2)"
    assert float(cif["_cell_volume"]) == 1320
    assert str(cif["_exptl_crystal_colour"]) == "?"


def test_a_column_is_a_list(file_of):
    cif = file_of("a.cif", write_cif(sites=[("C1", "C", 0.1, 0.2, 0.3), ("C2", "C", 0.4, 0.5, 0.6)]))
    assert cif["_atom_site_label"] == ["C1", "C2"]
    assert [float(x) for x in cif["_atom_site_fract_x"]] == [0.1, 0.4]


@pytest.mark.parametrize("spelling", ["_cell_volume", "_CELL_VOLUME", "_cell.volume"])
def test_an_item_is_there_in_any_spelling(file_of, spelling):
    assert spelling in file_of("a.cif", CRYSTAL)


def test_the_first_number_of_several_names_is_taken(file_of):
    cif = file_of("a.cif", CRYSTAL)
    assert cif.number("_exptl_crystal_colour", "_refine_ls_R_factor_all", "_refine_ls_R_factor_gt") == 0.0412
    assert cif.number("_refine_ls_R_factor_all") is None


def test_of_several_blocks_the_one_with_a_cell_is_meant(file_of):
    cif = file_of("a.cif", f"data_global\n_publ_contact_author_name 'A'\n{CRYSTAL}")
    assert cif.block.name == "made"
    assert cif.blocks == ["global", "made"]


def test_an_item_of_another_block_says_which_has_it(file_of):
    cif = file_of("a.cif", f"data_global\n_publ_contact_author_name 'A'\n{CRYSTAL}")
    with pytest.raises(
        CifError, match=r"no _publ_contact_author_name in its block made. Block global has it"
    ):
        cif["_publ_contact_author_name"]


def test_a_file_is_no_sequence(file_of):
    with pytest.raises(TypeError, match="not iterable"):
        iter(file_of("a.cif", CRYSTAL))


def test_a_chosen_block_is_a_file_of_its_own_that_finds_its_items(file_of):
    cif = file_of("a.cif", f"data_global\n_audit_creation_method 'x'\n{CRYSTAL}")
    assert cif["global"]["_audit_creation_method"] == "x"
    assert cif["global"] == cif


def test_a_damaged_cif_is_shown_with_its_fault(file_of):
    shown = file_of("a.cif", "loop_\n_a_b\n1")._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert "a.cif" in shown["text/plain"]


def test_only_cifs_of_the_store_are_cifs():
    with pytest.raises(UserInputError, match=r"A str is not a CIF. Give a CIF, a dataset"):
        cif_of("azu")


def test_a_file_that_is_no_cif_is_no_cif(file_of):
    with pytest.raises(UserInputError, match="DataFile is not a CIF"):
        cif_of(file_of("a.log", ""))


def test_the_atoms_are_found_by_label(file_of):
    atoms = file_of("a.cif", CRYSTAL).atoms
    assert atoms["c1"].element == "C"
    assert "C1" in atoms
    assert "C9" not in atoms


def test_a_structure_remembers_the_file_that_it_was_read_from(file_of, stored):
    cif = file_of("a.cif", CRYSTAL)
    assert stored.files.resolve(cif.structure, cif=True, of="input_cif") == cif
