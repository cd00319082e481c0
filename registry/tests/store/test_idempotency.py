"""The same request again gets the same answer."""

from __future__ import annotations

import pytest
from qcrbox_registry.store import idempotency
from qcrbox_registry.store.idempotency import KEPT_S, Answered

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def test_an_answer_is_remembered_for_a_day_and_for_one_person(world):
    ada, bob = world.person["ada"], world.person["bob"]
    world.do(idempotency.remember, Answered(ada, "key", "hash", {"id": 7}), NOW)
    assert world.ask(idempotency.find, ada, "key") == Answered(ada, "key", "hash", {"id": 7})
    assert world.ask(idempotency.find, bob, "key") is None
    assert world.do(idempotency.forget_old, NOW + KEPT_S) == 0
    assert world.do(idempotency.forget_old, NOW + KEPT_S + 1) == 1
    assert world.ask(idempotency.find, ada, "key") is None
