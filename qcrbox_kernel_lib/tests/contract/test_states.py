"""The table of states of a calculation."""

from __future__ import annotations

import pytest
from qcrbox.contract.states import FINAL, NEXT, State, Step, may_become, state_word


@pytest.mark.parametrize("state", State, ids=str)
def test_final_states_are_those_without_a_next_one(state):
    assert (state in FINAL) == (not NEXT.get(state, set()))


def test_every_state_can_be_reached_from_submission():
    reached, new = {State.SUBMITTED}, {State.SUBMITTED}
    while new:
        new = {after for state in new for after in NEXT.get(state, ())} - reached
        reached |= new
    assert reached == set(NEXT) - {State.UNKNOWN}


def test_states_are_their_names_on_the_wire():
    assert [str(state) for state in FINAL] == [state.value for state in FINAL]
    assert State("running") is State.RUNNING


def test_lost_agent_puts_a_calculation_back_into_the_queue():
    assert may_become(State.RUNNING, State.SUBMITTED)
    assert not may_become(State.SUCCESSFUL, State.SUBMITTED)


# Every pair by hand; "running → submitted" is the lost agent.
ALLOWED = {
    State.SUBMITTED: {State.RUNNING, State.CANCELLED, State.FAILED},
    State.RUNNING: {State.SUBMITTED, State.SUCCESSFUL, State.FAILED, State.CANCELLED},
    State.UNKNOWN: {State.SUBMITTED, State.FAILED},
}


@pytest.mark.parametrize("new", State, ids=str)
@pytest.mark.parametrize("old", State, ids=str)
def test_changes_of_a_state_that_are_allowed(old, new):
    assert may_become(old, new) is (new in ALLOWED.get(old, set()))


@pytest.mark.parametrize("state", State, ids=str)
def test_no_state_becomes_itself_or_unknown(state):
    assert not may_become(state, state)
    assert not may_become(state, State.UNKNOWN)


def test_words_of_the_steps_on_the_wire():
    assert [str(step) for step in Step] == [
        "queued", "starting", "fetching", "converting", "preparing", "running", "open", "finalising", "uploading",
        "cancelling", "done",
    ]  # fmt: skip


def test_people_read_one_word_for_each_state():
    words = [state_word(state) for state in (*State, "of tomorrow")]
    assert words == ["queued", "running", "done", "failed", "cancelled", "unknown", "of tomorrow"]
