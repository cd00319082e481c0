"""A refined result, as people see it and take it away: in the spelling of the file that it was refined from."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from qcrbox.cif import read
from qcrbox.cif.convert import unify
from qcrbox.contract.errors import CifError, UserInputError


@pytest.fixture(scope="session")
def author(live_box):
    return live_box.examples["thpp"].cif


def numbers(block):
    """Values by name, as numbers where they are; s.u. that say nothing (0, `.`, `?`) are one thing."""
    found = {}
    for tag in block.tags:
        cells = []
        for cell in block.column(tag):
            shown = "none" if tag.lower().endswith("_su") and cell in ("0", ".", "?") else cell
            try:
                cells.append(float(shown))
            except ValueError:
                cells.append(shown.strip("'\";\n"))
        found[tag] = cells
    return found


def test_a_saved_result_has_the_names_of_its_input_and_every_stored_value(refined, author, tmp_path):
    saved = read(refined.cif.save(tmp_path / "mine.cif"))
    written, stored = saved.sole_block(), refined.cif.block
    assert "_cell.length_b" in stored.tags
    assert "_cell_length_b" in written.tags
    assert not [tag for tag in written.tags if "." in tag]
    in_both = {tag.lower() for tag in written.tags} & {tag.lower() for tag in author.block.tags}
    assert in_both <= set(map(str.lower, author.block.tags))
    assert set(author.block.tags) & set(written.tags) == {
        t for t in author.block.tags if t.lower() in in_both
    }
    assert numbers(unify(saved).block) == numbers(stored)


def test_programs_get_the_stored_file(refined, tmp_path):
    assert refined.cif.save(tmp_path / "stored.cif", names="unified").read_bytes() == refined.cif.bytes
    with pytest.raises(UserInputError, match="There are no names"):
        refined.cif.save(tmp_path / "other.cif", names="mmcif")
    assert not (tmp_path / "other.cif").exists()


def test_a_notebook_shows_a_result_with_the_names_of_its_author(refined):
    html = refined.cif._repr_mimebundle_()["text/html"]
    assert ">_cell_length_b<" in html
    assert "_cell.length_b<" not in html


@pytest.mark.parametrize(
    ("names", "expected"), [("as written", "_cell_length_b"), ("unified", "_cell.length_b")]
)
def test_the_zip_has_the_names_that_are_asked_for(refined, tmp_path, names, expected):
    zipped = refined.dataset.export(tmp_path / "all.zip", names=names)
    with zipfile.ZipFile(io.BytesIO(zipped.read_bytes())) as archive:
        content = archive.read(refined.cif.filename).decode()
    assert expected in read(content).sole_block().tags


def test_differences_name_items_as_their_author(refined, live_box, author):
    found = live_box.diff(author, refined, mode="semantic").changes()
    tags = [row["item"] for row in found]
    assert tags
    assert not [tag for tag in tags if "." in tag]
    lines = live_box.diff(author, refined, mode="text").text.splitlines()
    assert not [line for line in lines if line.startswith(("+_cell.", "-_cell."))]


def test_an_uploaded_file_is_saved_as_it_is(author, tmp_path):
    assert author.save(tmp_path / "own.cif").read_bytes() == author.bytes


def test_the_log_of_a_refinement_has_minus_signs(refined):
    assert re.search(r"residual density \d\.\d+/−\d\.\d+ e", refined.log)


def test_a_name_that_is_nearly_right_is_corrected_in_the_authors_spelling(refined):
    with pytest.raises(CifError, match="Did you mean '_cell_length_b'"):
        refined.cif["_cell.length_bb"]


def test_tab_completes_the_names_of_the_author(refined):
    for offered in (refined._ipython_key_completions_(), refined.dataset._ipython_key_completions_()):
        assert "_cell_length_b" in offered
        assert not [name for name in offered if "." in name]
