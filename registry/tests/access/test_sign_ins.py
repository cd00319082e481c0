"""Browser sign-ins: states are used once, cookies end, nothing grows without end."""

from __future__ import annotations

import pytest
from qcrbox_registry.access.sign_ins import SignIns


@pytest.fixture
def time():
    return [0.0]


@pytest.fixture
def sign_ins(time):
    return SignIns(lambda: time[0])


def test_a_state_leads_back_once(sign_ins):
    state = sign_ins.begin("/datasets?x=1")
    assert sign_ins.finish(state) == "/datasets?x=1"
    assert sign_ins.finish(state) is None


@pytest.mark.parametrize("state", ["", "unknown"])
def test_an_unknown_state_leads_nowhere(sign_ins, state):
    sign_ins.begin("/")
    assert sign_ins.finish(state) is None


@pytest.mark.parametrize(("later", "there"), [(600.0, "/a"), (600.1, None)])
def test_a_state_ends_after_ten_minutes(sign_ins, time, later, there):
    state = sign_ins.begin("/a")
    time[0] += later
    assert sign_ins.finish(state) == there


def test_states_and_cookies_cannot_be_guessed_from_each_other(sign_ins):
    made = {sign_ins.begin("/") for _ in range(100)} | {sign_ins.keep("t") for _ in range(100)}
    assert len(made) == 200
    assert min(map(len, made)) >= 32


def test_old_states_are_dropped(sign_ins, time):
    for _ in range(50):
        sign_ins.begin("/")
    time[0] += 601.0
    sign_ins.begin("/")
    assert len(sign_ins._states) == 1


def test_a_flood_of_sign_ins_drops_the_oldest_and_no_more(sign_ins):
    sign_ins.MOST_STATES = 5
    states = [sign_ins.begin(f"/{number}") for number in range(8)]
    assert [sign_ins.finish(state) for state in states] == [None, None, None, "/3", "/4", "/5", "/6", "/7"]


@pytest.mark.parametrize(("later", "there"), [(12 * 3600.0, "t"), (12 * 3600.0 + 1, None)])
def test_a_cookie_ends_after_half_a_day(sign_ins, time, later, there):
    cookie = sign_ins.keep("t")
    time[0] += later
    assert sign_ins.token(cookie) == there
    assert sign_ins.token(cookie) == there


def test_cookies_that_have_ended_are_dropped_at_the_next_sign_in(sign_ins, time):
    for _ in range(20):
        sign_ins.keep("t")
    time[0] += 13 * 3600.0
    cookie = sign_ins.keep("u")
    assert list(sign_ins._tokens) == [cookie]


def test_signing_out_ends_one_cookie(sign_ins):
    one, other = sign_ins.keep("t"), sign_ins.keep("t")
    sign_ins.forget(one)
    sign_ins.forget(one)
    assert (sign_ins.token(one), sign_ins.token(other)) == (None, "t")
    assert sign_ins.token("") is None
