"""What a form offers for a file, and the code of what was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.api.datasets import Dataset
from qcrbox.api.form_source import as_code, file_choices, lacking
from qcrbox.client.parameters import Parameter

from .records import dataset_record, file_record

CIF = Parameter("input_cif", "QCrBox.cif_data_file")
HKL = Parameter("hkl", "QCrBox.data_file", endings=(".hkl", ".fcf"))
ANY = Parameter("any", "QCrBox.data_file")


@pytest.fixture
def labels(stored, store):
    store.dataset("azu", {"azu.cif": "", "azu.hkl": ""})
    store.dataset("shown", {"shown.cif": ""}, kind="example")
    store.dataset("data", {"data.hkl": "", "DATA.FCF": ""})
    return lambda parameter: [label for label, _ in file_choices(stored, parameter)]


def test_a_cif_field_offers_datasets_with_a_cif_and_says_what_kind_they_are(labels):
    assert labels(CIF) == ["–", "azu", "shown (example)"]


def test_a_field_of_files_offers_those_that_fit_it(labels):
    assert labels(HKL) == ["–", "azu: azu.hkl", "data: data.hkl", "data: DATA.FCF"]
    assert len(labels(ANY)) == 6


def test_while_the_registry_is_away_only_nothing_is_offered(stored, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    stored.client.url = "http://127.0.0.1:9"
    stored.client.close()
    assert file_choices(stored, CIF) == [("–", None)]


def described(index=None, *others):
    indexed = {} if index is None else {"index": index}
    return dataset_record("azu", file_record("azu.cif", **indexed), *others)


@pytest.mark.parametrize(
    ("needs", "index", "others", "lack"),
    [
        ({}, {"kind": "structure"}, (), ""),
        ({"needs_atoms": True}, {"kind": "structure"}, (), ""),
        ({"needs_atoms": True}, {"kind": "powder"}, (), " (no structure: powder)"),
        ({"needs_atoms": True}, None, (), ""),
        ({"required_entries": ("_shelx_hkl_file",)}, {"has_hkl": False}, (), " (no reflections)"),
        ({"required_entries": ("_shelx_hkl_file",)}, {"has_hkl": True}, (), ""),
        ({"required_entries": ("_refln_index_h",)}, {"has_hkl": False}, ("azu.hkl",), ""),
        ({"required_entries": ("_refln_index_h",)}, None, (), ""),
    ],
    ids=[
        "nothing needed",
        "structure",
        "powder",
        "not indexed",
        "no hkl",
        "embedded",
        "beside it",
        "not known",
    ],
)
def test_what_a_dataset_lacks_for_a_field_is_said(stored, needs, index, others, lack):
    parameter = Parameter("input_cif", "QCrBox.cif_data_file", **needs)
    assert lacking(parameter, Dataset(stored, described(index, *others))) == lack


def test_a_dataset_without_a_cif_does_not_fit(stored):
    assert lacking(CIF, Dataset(stored, dataset_record("a", "a.fcf"))) is None


@pytest.mark.parametrize("value", [5, "a'b", b"x", None, Path("/tmp/a b.cif"), [1, "x"]], ids=repr)
def test_the_code_of_a_value_gives_the_value(value):
    assert eval(as_code(value), {"Path": Path}) == value


@pytest.mark.parametrize("name", ["azu", 'a"b', "a\\b", "ä"])
def test_the_code_of_a_dataset_finds_it_whatever_its_name(stored, store, name):
    store.dataset(name, qcrbox_dataset_id="d1")
    assert eval(as_code(stored[name]), {"qc": stored}).name == name
