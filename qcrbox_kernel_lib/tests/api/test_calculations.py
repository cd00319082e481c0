"""`qc.calculations`: found by id, end of an id, title or place."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound, UserInputError


@pytest.fixture
def three(stored, store):
    for number in ("0aa1", "0bb2", "1cc2"):
        store.calculation(number)
    return stored.calculations


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("aa1", "0aa1"),
        ("1cc2", "1cc2"),
        ("0a", "0aa1"),
        ("title of 0bb2", "0bb2"),
        (0, "0aa1"),
        (2, "1cc2"),
        (-1, "1cc2"),
    ],
    ids=["end", "whole", "beginning", "title", "newest", "third", "oldest"],
)
def test_a_calculation_is_found(three, key, found):
    assert three[key].id == found


def test_an_end_that_fits_several_chooses_none(three):
    with pytest.raises(UserInputError, match=r"2 calculations end with '2'. Give more of the id: 0bb2, 1cc2"):
        three["2"]


def test_a_title_that_several_have_lists_them(three, store):
    for number in ("2dd1", "2dd2"):
        store.calculation(number, title="twice")
    with pytest.raises(
        UserInputError, match=r"(?s)2 calculations have the title 'twice'.*2dd2.*2dd1"
    ) as caught:
        three["twice"]
    assert 'qc.calculations["2dd2"]' in caught.value.next


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("zzz", "no calculation 'zzz' among your last 1000"),
        (7, "You have 3 calculations; there is no number 7"),
    ],
)
def test_what_is_not_there_is_said(three, key, message):
    with pytest.raises(NotFound, match=message):
        three[key]


def test_whether_a_calculation_is_there_is_asked_with_in(three):
    assert "0aa1" in three
    assert "title of 0bb2" in three
    assert "zzz" not in three
    assert three["0aa1"] in three


@pytest.mark.parametrize("key", [None, 1.5, b"0aa1"], ids=repr)
def test_what_is_no_key_is_refused(three, key):
    with pytest.raises(UserInputError, match="by id, title or number"):
        three[key]


def test_one_calculation_is_one_object(three):
    assert three["0aa1"] is three[0]


def test_running_and_queued_ones_are_asked_for_by_state(stored, store):
    def listed(request):
        return {"calculations": [dict(store.calculations[0], status=request.query["status"])]}

    store.calculation("0aa1")
    store.server["GET /api/calculations"] = listed
    _ = stored.calculations.running
    asked = [request.query.get("status") for request in store.server.sent("GET /api/calculations")]
    assert asked[:2] == ["running", "submitted"]


def test_the_table_says_state_start_and_error(stored, store):
    store.calculation("0aa1", "failed", error_msg="ValueError: bad <cell>\nmore")
    (row,) = stored.calculations.table()
    assert row["command"] == "refine.refine_iam"
    assert row["status"] == "✗ failed"
    assert row["says"] == "bad <cell>"
    assert "<cell>" not in stored.calculations._repr_mimebundle_()["text/html"]


def test_an_empty_list_says_so(stored, store):
    assert "None yet." in repr(stored.calculations)


def test_each_submission_has_a_key_of_its_own_and_a_given_one_is_kept(stored, store):
    store.dataset("azu", {"azu.cif": ""})
    store.calculation("0aa1", "submitted")
    store.server["POST /api/commands"] = {"calculation_id": "0aa1"}
    for key in (None, None, "mine"):
        stored.refine.refine_iam.submit(stored["azu"], idempotency_key=key)
    keys = [request.headers["idempotency-key"] for request in store.server.sent("POST /api/commands")]
    assert keys[2] == "mine"
    assert len(set(keys)) == 3


def test_a_submission_names_version_and_checked_values(stored, store):
    store.dataset("azu", {"azu.cif": ""})
    store.calculation("0aa1", "submitted")
    store.server["POST /api/commands"] = {"calculation_id": "0aa1"}
    stored.refine.refine_iam.submit("azu", ls_cycles="4", force=True)
    (request,) = store.server.sent("POST /api/commands")
    assert request.json == {
        "application_slug": "refine",
        "application_version": "1.0",
        "command_name": "refine_iam",
        "command_arguments": {"input_cif": {"data_file_id": "file-azu.cif"}, "ls_cycles": 4},
        "force": True,
    }
