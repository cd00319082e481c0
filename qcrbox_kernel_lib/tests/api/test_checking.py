"""Alerts of a stored CIF: chosen by level, shown, answered."""

from __future__ import annotations

import pytest
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError

from ..conftest import write_cif
from .records import file_record


@pytest.fixture
def checked(stored, store):
    store.dataset(
        "azu", {"azu.cif": write_cif(more="_refine_ls_R_factor_gt 0.25\n_chemical_formula_sum 'C2'")}
    )
    return stored["azu"].cif.validate()


def test_levels_are_chosen_and_the_others_left_out(checked):
    serious = checked.show("A")
    assert {alert.level for alert in serious} == {"A"}
    assert len(checked.show("A", "B", "C", "G")) == len(checked)
    assert len(checked.show()) == 0


@pytest.mark.parametrize("level", ["D", "a", "", 1])
def test_an_unknown_level_is_refused_with_those_there_are(checked, level):
    with pytest.raises(UserInputError, match=r"There is no level .* Levels: A, B, C, G"):
        checked.show(level)


def test_checks_without_an_alert_are_checks_all_the_same(checked):
    assert checked.show()
    assert "subset" in repr(checked.show())


def test_the_table_has_number_level_in_words_and_what_could_not_run(checked):
    row = next(row for row in checked.table if row["test"] == "R1")
    assert row["level"] == "A – serious"
    assert "Not run: merging" in checked.table.caption
    assert checked.alerts[row[""]].test == "R1"


def test_an_answer_is_stored_as_a_new_file_and_the_old_one_stays(checked, store):
    sent = []

    def keep(request):
        sent.append(request.body)
        return {"data_files": [file_record("azu.cif", qcrbox_file_id="new")]}

    store.server["POST /api/data-files"] = keep
    number = next(n for n, alert in enumerate(checked) if alert.test == "R1")
    assert checked.respond(number, "  Weak data.\n").id == "new"
    body = sent[0].decode()
    assert "_vrf_R1_made" in body
    assert "PROBLEM: R1 is 0.2500.\nRESPONSE: Weak data.\n" in body
    assert "_vrf_R1_made" not in checked.cif.text


def test_an_alert_that_is_not_there_cannot_be_answered(checked):
    with pytest.raises(UserInputError, match=rf"There is no alert 999; there are 0 to {len(checked) - 1}"):
        checked.respond(999, "x")


def test_an_answer_that_would_end_the_text_field_is_kept_whole(checked, store):
    sent = []

    def keep(request):
        sent.append(request.body)
        return {"data_files": [file_record("azu.cif", qcrbox_file_id="new")]}

    store.server["POST /api/data-files"] = keep
    checked.respond(0, "first\n;\n_cell_length_a 99")
    content = sent[0].partition(b"\r\n\r\n")[2].rpartition(b"\r\n--")[0]
    block = read(content)[0]
    assert float(block.number("_cell_length_a").value) == 10
    (tag,) = (tag for tag in block.tags if tag.startswith("_vrf"))
    assert "_cell_length_a 99" in block.text(tag)
