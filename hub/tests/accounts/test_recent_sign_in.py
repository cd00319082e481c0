"""How long a password that was just given counts, and for whom."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox_hub.accounts import recent_sign_in
from qcrbox_hub.accounts.recent_sign_in import LIFE_S, RecentSignIns

ADA, BOB = SimpleNamespace(id=1), SimpleNamespace(id=2)


class Clock:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proofs(clock: Clock) -> RecentSignIns:
    made = RecentSignIns(clock=clock)
    made.note(ADA, "browser")
    return made


@pytest.mark.parametrize(("later_s", "holds"), [(0, True), (LIFE_S, True), (LIFE_S + 0.1, False)])
def test_a_proof_counts_for_five_minutes(
    proofs: RecentSignIns, clock: Clock, later_s: float, holds: bool
) -> None:
    clock.now += later_s
    assert proofs.holds(ADA, "browser") is holds


@pytest.mark.parametrize(("user", "session"), [(ADA, "other"), (BOB, "browser"), (ADA, None), (ADA, "")])
def test_a_proof_is_of_one_person_in_one_browser(
    proofs: RecentSignIns, user: SimpleNamespace, session: str | None
) -> None:
    assert not proofs.holds(user, session)


def test_a_request_without_a_session_proves_nothing_for_others_without_one(proofs: RecentSignIns) -> None:
    proofs.note(BOB, None)
    proofs.note(BOB, "")
    assert not proofs.holds(BOB, None)
    assert not proofs.holds(BOB, "")


def test_a_new_password_ends_the_proofs_of_all_browsers_of_that_person(proofs: RecentSignIns) -> None:
    proofs.note(ADA, "laptop")
    proofs.note(BOB, "browser")
    proofs.forget(ADA)
    assert not proofs.holds(ADA, "browser")
    assert not proofs.holds(ADA, "laptop")
    assert proofs.holds(BOB, "browser")


def test_what_is_over_makes_room_and_what_counts_stays(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_sign_in, "_MOST", 2)
    proofs = RecentSignIns(clock=clock)
    proofs.note(ADA, "old")
    clock.now += LIFE_S
    proofs.note(ADA, "new")
    clock.now += 1
    proofs.note(BOB, "newest")
    assert [proofs.holds(*each) for each in ((ADA, "old"), (ADA, "new"), (BOB, "newest"))] == [
        False,
        True,
        True,
    ]
    assert len(proofs._proofs) == 2
