"""Sessions on records of a small server: found by the end of their id, shown with times of the reader, ended as asked."""

from __future__ import annotations

import pytest
from qcrbox.api.sessions import Session
from qcrbox.contract.errors import NotFound, UserInputError

from .records import calculation_record

IDS = ("a" * 31 + "1", "b" * 31 + "1", "c" * 31 + "2")


def session_record(session_id, **more):
    return {"session_id": session_id, "application_slug": "olex2", "state": "open", "owner": "eva", **more}


@pytest.fixture
def sessions(stored, server):
    records = [session_record(each, opened_at="2026-11-29T12:30:00Z") for each in IDS]
    server["GET /api/interactive-sessions"] = {"interactive_sessions": records}
    for record in records:
        server[f"GET /api/interactive-sessions/{record['session_id']}"] = {"interactive_sessions": [record]}
    return stored.sessions


@pytest.mark.parametrize("key", [IDS[2], "c2", "2"])
def test_a_session_is_found_by_its_id_and_by_its_end(sessions, key):
    assert sessions[key].id == IDS[2]


def test_an_end_that_several_have_chooses_none(sessions):
    with pytest.raises(
        UserInputError, match=r"2 sessions end with '1'. Give more of the id: aaaaaaa1, bbbbbbb1"
    ):
        sessions["1"]


@pytest.mark.parametrize("key", ["", "zz"])
def test_what_is_not_open_is_said(sessions, key):
    with pytest.raises(NotFound, match="no open session"):
        sessions[key]


@pytest.mark.parametrize("key", [0, None], ids=repr)
def test_a_number_is_no_id(sessions, key):
    with pytest.raises(UserInputError, match="by name"):
        sessions[key]


def test_ids_are_asked_for_with_in(sessions):
    assert "c2" in sessions
    assert "1" in sessions
    assert "zz" not in sessions
    assert len(sessions) == 3


def test_the_table_has_the_time_on_the_clock_of_its_reader(sessions):
    table = sessions.table()
    assert "datetime='2026-11-29T12:30:00Z'" in table.html()
    assert table["ends if unused"] == ["", "", ""]


def test_without_sessions_the_table_says_so(stored, server):
    server["GET /api/interactive-sessions"] = {"interactive_sessions": []}
    assert "No program is open." in repr(stored.sessions)


def test_a_session_is_shown_as_a_button_and_as_text(sessions):
    session = sessions["c2"]
    session.record["reason"] = "<b>waits</b>"
    shown = session._repr_mimebundle_()
    assert shown["application/vnd.qcrbox.session+json"] == {"session_id": IDS[2], "name": "olex2"}
    assert "<b>" not in shown["text/html"]
    assert shown["text/plain"].startswith("<Session ccc2 of olex2: open (<b>waits</b>)>")


@pytest.mark.parametrize(("act", "keep"), [("finish", True), ("discard", False)])
def test_ending_says_whether_files_are_kept(sessions, server, store, act, keep):
    store.calculation(IDS[2])
    server[f"POST /api/interactive-sessions/{IDS[2]}/close"] = {}
    result = getattr(sessions["c2"], act)()
    assert server.sent(f"POST /api/interactive-sessions/{IDS[2]}/close")[0].json == {"keep": keep}
    assert (result is not None) == keep


def test_leaving_a_with_block_ends_nothing(sessions, server):
    with sessions["c2"] as session:
        pass
    assert isinstance(session, Session)
    assert not [request for request in server.requests if request.method == "POST"]


def test_a_program_is_waited_for_until_its_window_is_open(sessions, server):
    starting, opened = session_record(IDS[0], state="starting"), session_record(IDS[0])
    server[f"GET /api/interactive-sessions/{IDS[0]}"] = [
        {"interactive_sessions": [starting]},
        {"interactive_sessions": [opened]},
    ]
    assert sessions[IDS[0]].wait_until_open(10).record["state"] == "open"


def test_a_window_that_does_not_come_in_time_is_still_running(sessions, server):
    server[f"GET /api/interactive-sessions/{IDS[0]}"] = {
        "interactive_sessions": [session_record(IDS[0], state="starting")]
    }
    with pytest.raises(TimeoutError, match="olex2 has no window after 0 s; it is still starting"):
        sessions[IDS[0]].wait_until_open(0)


def test_viewing_is_allowed_and_taken_back(sessions, server):
    address = f"/api/interactive-sessions/{IDS[2]}"
    server[f"PATCH {address}"] = lambda request: {
        "interactive_sessions": [session_record(IDS[2], **request.json)]
    }
    session = sessions["c2"]
    assert session.allow_view().record["view_only_allowed"] is True
    assert session.allow_view(False).record["view_only_allowed"] is False


def test_opening_sends_the_checked_arguments(stored, server, store):
    store.dataset("azu", {"azu.cif": ""})
    server["POST /api/interactive-sessions"] = {"interactive_session_id": IDS[0]}
    server[f"GET /api/interactive-sessions/{IDS[0]}"] = {"interactive_sessions": [session_record(IDS[0])]}
    session = stored.sessions.open(stored.refine.refine_iam, "azu", ls_cycles="3")
    assert session.id == IDS[0]
    sent = server.sent("POST /api/interactive-sessions")[0].json
    assert sent["command_arguments"] == {"input_cif": {"data_file_id": "file-azu.cif"}, "ls_cycles": 3}


def test_the_calculation_of_a_session_has_its_result(sessions, store):
    store.calculation(IDS[2])
    assert sessions["c2"].result.calculation.id == calculation_record(IDS[2])["calculation_id"]
