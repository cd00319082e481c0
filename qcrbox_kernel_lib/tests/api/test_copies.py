"""Copies and pickles of what a registry holds: found again by the process that reads them, never with the token."""

from __future__ import annotations

import copy
import pickle

import pytest
from qcrbox.api import connection
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import Unreachable

from ..conftest import write_cif
from ..small_server import Raw


@pytest.fixture
def things(stored, store, monkeypatch):
    """One of each kind of object, on the registry of this kernel."""
    monkeypatch.setattr(connection, "_current", stored)
    monkeypatch.setattr(Box, "found_at", connection.box_at)
    stored.client._token = "secret-token"
    record = store.dataset("azu", {"azu.cif": write_cif()})
    store.calculation("0aa1", output_dataset_id=record["qcrbox_dataset_id"])
    calculation = stored.calculations["0aa1"]
    return {
        "box": stored,
        "dataset": stored["azu"],
        "file": stored["azu"].cif,
        "calculation": calculation,
        "result": calculation.result(),
        "application": stored.refine,
        "command": stored.refine.refine_iam,
    }


KINDS = ("box", "dataset", "file", "calculation", "result", "application", "command")


def same(one, other):
    """Whether both stand for the same thing of the same registry."""
    if hasattr(one, "_code"):
        return one._code() == other._code()
    return repr(one) == repr(other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))], ids=["copy", "deepcopy", "pickle"])  # fmt: skip
def test_a_copy_stands_for_the_same_thing(things, kind, how):
    made = how(things[kind])
    assert type(made).__name__ == type(things[kind]).__name__
    assert same(things[kind], made)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_never_holds_the_token(things, kind):
    assert b"secret-token" not in pickle.dumps(things[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_copies_share_the_connection(things, kind):
    for how in (copy.deepcopy, lambda thing: pickle.loads(pickle.dumps(thing))):
        made = how({"kept": [things[kind]]})["kept"][0]
        box = made if kind == "box" else getattr(made, "box", None) or made.application.box
        assert box is things["box"]


def test_a_pickle_of_another_registry_says_where_it_is_from(things, monkeypatch):
    text = pickle.dumps(things["dataset"])
    monkeypatch.setattr(things["box"].client, "url", "https://other.example")
    with pytest.raises(
        Unreachable,
        match=r"from the registry at http://127.0.0.1.*connected to https://other.example.*qc.connect",
    ):
        pickle.loads(text)


def test_a_copied_dataset_answers_as_the_first_does(things):
    made = copy.deepcopy(things["dataset"])
    assert made["_cell_length_a"] == things["dataset"]["_cell_length_a"]
    assert made.name == "azu"


def test_a_copied_calculation_follows_the_same_events(things):
    assert copy.deepcopy(things["calculation"]) is things["calculation"]
    assert pickle.loads(pickle.dumps(things["calculation"])) is things["calculation"]


def test_a_connected_box_can_be_pickled_and_one_made_by_hand_says_why_not(server, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setattr(Box, "found_at", None)
    server["GET /api/healthz"] = Raw('{"status": "ok"}')
    server["GET /api/applications"] = {"applications": []}
    with pytest.raises(TypeError, match=r"qc.connect did not make cannot be pickled"):
        pickle.dumps(Box(RegistryClient(server.url)))
    box = connection.connect(server.url)
    assert pickle.loads(pickle.dumps(box)) is box
    connection.forget()
