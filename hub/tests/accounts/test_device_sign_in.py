"""Programs that wait for a person to type their code. Time is given, not slept."""

from __future__ import annotations

import pytest
from qcrbox_hub.accounts.device_sign_in import LIFE_S, MOST_WAITING, Answer, PendingSignIns


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def waiting(now: list[float]) -> PendingSignIns:
    return PendingSignIns(clock=lambda: now[0])


def begin(waiting: PendingSignIns):
    begun = waiting.begin("a notebook", "127.0.0.1")
    assert begun is not None
    return begun


@pytest.mark.parametrize("typed", ["{0}", "{0} ", "  {1}", "{2}"])
def test_code_is_found_however_it_is_typed(waiting: PendingSignIns, typed: str) -> None:
    _, pending = begin(waiting)
    plain = pending.code.replace("-", "")
    assert waiting.find(typed.format(pending.code.lower(), plain, f"{plain[:2]} {plain[2:]}")) is pending


@pytest.mark.attack(6)
@pytest.mark.parametrize("typed", ["", "-", "BCDF", "B" * 200, "é" * 8, "%"])
def test_anything_else_finds_nothing(waiting: PendingSignIns, typed: str) -> None:
    begin(waiting)
    assert waiting.find(typed) is None


def test_program_waits_until_there_is_an_answer_and_gets_it_once(waiting: PendingSignIns) -> None:
    secret, pending = begin(waiting)
    assert waiting.take(secret) is pending
    pending.answer, pending.person = Answer.ALLOWED, "ada"
    taken = waiting.take(secret)
    assert taken is not None
    assert taken.person == "ada"
    assert waiting.take(secret) is None, "a second program with the same secret gets no token"


@pytest.mark.attack(6)
def test_code_that_was_answered_is_used_up(waiting: PendingSignIns) -> None:
    _, pending = begin(waiting)
    pending.answer = Answer.REFUSED
    assert waiting.find(pending.code) is None


@pytest.mark.attack(6)
def test_code_opens_nothing_to_a_program_and_secret_nothing_to_a_person(waiting: PendingSignIns) -> None:
    secret, pending = begin(waiting)
    assert waiting.take(pending.code) is None
    assert waiting.find(secret) is None


def test_old_sign_ins_are_forgotten(waiting: PendingSignIns, now: list[float]) -> None:
    secret, pending = begin(waiting)
    now[0] += LIFE_S - 1
    assert waiting.find(pending.code) is pending
    now[0] += 1
    assert waiting.find(pending.code) is None
    assert waiting.take(secret) is None


def test_so_many_wait_and_no_more(waiting: PendingSignIns, now: list[float]) -> None:
    for _ in range(MOST_WAITING):
        begin(waiting)
    assert waiting.begin("one more", "127.0.0.1") is None
    now[0] += LIFE_S
    assert waiting.begin("one more", "127.0.0.1") is not None


def test_codes_and_secrets_differ_and_spell_no_words(waiting: PendingSignIns) -> None:
    begun = [begin(waiting) for _ in range(200)]
    assert len({secret for secret, _ in begun}) == len({pending.code for _, pending in begun}) == 200
    assert not set("".join(pending.code for _, pending in begun)) & set("AEIOU01")
