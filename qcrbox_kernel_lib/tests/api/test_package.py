"""`import qcrbox as qc` itself: brackets, `in`, and completion that never fails."""

from __future__ import annotations

import pytest
import qcrbox as qc
from qcrbox.api import connection
from qcrbox.contract.errors import UserInputError


@pytest.fixture
def connected(stored, store, monkeypatch):
    monkeypatch.setattr(connection, "_current", stored)
    store.dataset("azu", {"azu.cif": ""})
    return store


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """No registry anywhere."""
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("QCRBOX_URL", "QCRBOX_DATA", "XDG_DATA_HOME", "QCRBOX_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_the_package_is_asked_as_a_box(connected):
    assert qc["azu"].name == "azu"
    assert "azu" in qc
    assert "urea" not in qc
    assert qc.refine.slug == "refine"
    assert qc._ipython_key_completions_() == ["azu"]
    with pytest.raises(UserInputError, match="by name"):
        qc[0]


def test_completion_offers_what_needs_no_registry_where_there_is_none(alone):
    assert "connect" in dir(qc)
    assert "datasets" not in dir(qc)
    assert qc._ipython_key_completions_() == []
    assert "not connected" in repr(qc)


def test_a_token_that_cannot_be_read_does_not_break_completion(alone, monkeypatch, tmp_path):
    monkeypatch.setenv("QCRBOX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("QCRBOX_TOKEN_FILE", str(tmp_path / "gone"))
    assert "connect" in dir(qc)
    assert qc._ipython_key_completions_() == []
    assert repr(qc).startswith("<QCrBox ")


def test_a_registry_that_is_away_does_not_break_completion(alone, monkeypatch):
    monkeypatch.setenv("QCRBOX_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    assert {"connect", "datasets"} <= set(dir(qc))
    assert qc._ipython_key_completions_() == []
    connection.forget()
