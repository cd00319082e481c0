"""A program with a window, from the notebook: opened, looked at, ended."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
from qcrbox.api.sessions import Session
from qcrbox.contract.errors import CalculationFailed, NotFound, UserInputError

needs_shelxle = pytest.mark.skipif(
    not (shutil.which("shelxle") and shutil.which("Xtigervnc")),
    reason="ShelXle or Xtigervnc is not installed",
)


class Closed:
    """A registry whose session has ended before its window was there."""

    def get(self, path):
        return {"interactive_sessions": [{"session_id": "s", "state": "closed", "status": "failed"}]}


class Ended:
    def result(self):
        raise CalculationFailed("Prepare step failed: the wavelength is missing.")


def test_session_that_cannot_start_says_why():
    box = SimpleNamespace(client=Closed(), calculations={"s": Ended()})
    with pytest.raises(CalculationFailed, match="wavelength"):
        Session(box, {"session_id": "s"}).wait_until_open(5)


@pytest.mark.slow
@needs_shelxle
def test_session_is_found_again_and_finishing_gives_a_result(live_box):
    thpp = live_box.examples["thpp"]
    with live_box.shelxle.gui(thpp, wavelength=0.71073) as session:
        bundle = session.show()._repr_mimebundle_()
    assert bundle["application/vnd.qcrbox.session+json"] == {"session_id": session.id, "name": "shelxle"}
    session.wait_until_open(90)
    assert session.id in [one.id for one in live_box.sessions]
    assert live_box.sessions[session.id[-6:]].state == "open"
    (row,) = (row for row in live_box.sessions.table() if session.id.endswith(row["id"]))
    assert (row["application"], row["state"], row["owner"]) == ("shelxle", "open", session.owner)
    assert session.allow_view().record["view_only_allowed"] is True
    assert session.allow_view(False).record["view_only_allowed"] is False
    before = session.record["last_input_at"]
    assert session.stay().record["last_input_at"] > before
    result = session.finish()
    assert any("Nothing was changed" in warning for warning in result.warnings)
    assert session.state == "closed"


@pytest.mark.slow
@needs_shelxle
def test_discarded_session_leaves_nothing(live_box):
    session = live_box.shelxle.gui(live_box.examples["thpp"], wavelength=0.71073).wait_until_open(90)
    session.discard()
    assert session.state in ("finalising", "closed")
    with pytest.raises(NotFound, match="no open session"):
        live_box.sessions["zzzz"]


def test_application_without_a_window_says_so(live_box):
    with pytest.raises(UserInputError, match="no window of its own"):
        live_box.refine.gui(live_box.examples["thpp"])
