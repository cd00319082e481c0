"""The CIF for a journal: whole, checked by its own sums, and honest about what it lacks."""

from __future__ import annotations

import gemmi
import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx.checksum import checksum, wrong_checksums


@pytest.fixture(scope="module")
def publication(refined):
    return refined.publish_cif()


@pytest.fixture(scope="module")
def published(publication, tmp_path_factory):
    return publication.save(tmp_path_factory.mktemp("published") / "final.cif")


def test_reflections_model_and_structure_factors_are_embedded_with_their_checksums(publication, published):
    assert publication.embedded == ["hkl", "res", "fcf"]
    block = read(published).sole_block()
    for kind in publication.embedded:
        text = block.text(f"_shelx_{kind}_file")
        assert int(block.number(f"_shelx_{kind}_checksum").value) == checksum(text)
    assert wrong_checksums(block) == []


def test_embedded_model_and_reflections_are_those_of_the_result(refined, published):
    block = gemmi.cif.read(str(published)).sole_block()
    model = gemmi.cif.as_string(block.find_value("_shelx_res_file"))
    assert model.split() == str(refined.files["refined.res"].text).split()


def test_missing_items_are_listed_with_the_most_needed_first(publication):
    items, needed = publication.missing["item"], publication.missing["needed"]
    assert "_diffrn_ambient_temperature" in items
    assert "_refine_ls_R_factor_gt" not in items
    assert needed == sorted(needed, key=_order)


def _order(words):
    return ["every", "most", "usual", "no"].index(words.split()[0])


def test_programs_of_the_lineage_are_cited(publication, published):
    rows = [(row["program"], row["command"]) for row in publication.citations]
    assert ("Refine", "refine_iam") in rows
    assert "10.1107/S2053273314022207" in publication.citations["doi"][0]
    references = read(published).sole_block().text("_publ_section_references")
    assert "Refine 1.0, doi:10.1107/S2053273314022207" in references


@pytest.mark.slow
def test_all_programs_on_the_way_are_cited(live_box, refined):
    edited = live_box.refine.edit_model(refined, edits="iso C7A").result(120)
    again = live_box.refine.refine_iam(edited, cycles=0, weighting="keep").result(120)
    commands = set(again.publish_cif().citations["command"])
    assert commands == {"refine_iam", "edit_model"}


def test_file_is_ascii_in_conventional_names_and_overwrites_nothing(publication, published):
    assert published.read_bytes().isascii()
    assert not [tag for tag in read(published).sole_block().tags if "." in tag]
    with pytest.raises(UserInputError, match="exists already"):
        publication.save(published)


def test_local_checks_are_counted_without_the_missing_items(publication):
    assert all(alert.level in "AB" and alert.test != "MISSING" for alert in publication.serious)
    assert "items missing" in repr(publication)
