"""Examples of the applications: by name, as attributes, asked for with `in`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from qcrbox.contract.errors import NotFound, UserInputError


@pytest.fixture
def examples(stored, store):
    store.dataset("thpp", {"thpp.cif": ""}, kind="example", application="refine")
    store.dataset("a-b", {"a.cif": ""}, kind="example", application="har", qcrbox_dataset_id="second")
    store.dataset("mine", {"mine.cif": ""})
    return stored.examples


def test_only_examples_are_listed(examples):
    assert [each.name for each in examples] == ["thpp", "a-b"]
    assert len(examples) == 2


def test_those_of_one_application(examples):
    assert [each.name for each in examples.of(SimpleNamespace(slug="har"))] == ["a-b"]


@pytest.mark.parametrize(("name", "there"), [("thpp", True), ("mine", False), (0, False)])
def test_whether_an_example_is_there(examples, name, there):
    assert (name in examples) == there


def test_an_example_is_an_attribute_where_its_name_can_be_one(examples):
    assert examples.thpp.name == "thpp"
    assert {"thpp", "all", "table"} <= set(dir(examples))
    assert "a-b" not in dir(examples)
    assert examples._ipython_key_completions_() == ["thpp", "a-b"]


def test_a_slip_is_named_in_brackets_and_as_attribute(examples):
    with pytest.raises(NotFound, match=r"no example 'thp'. Did you mean 'thpp'"):
        examples["thp"]
    with pytest.raises(AttributeError, match="Did you mean 'thpp'"):
        _ = examples.thp
    assert not hasattr(examples, "_private")


def test_before_any_is_stored_it_says_when_they_come(stored, store):
    with pytest.raises(NotFound, match="seconds after the platform has started"):
        stored.examples["thpp"]


def test_a_number_is_no_name(examples):
    with pytest.raises(UserInputError, match="by name"):
        examples[0]


def test_the_table_says_whose_they_are(examples):
    assert examples.table().rows[0][:3] == ("thpp", "refine", "thpp.cif")


def test_without_examples_the_table_says_so(stored, store):
    assert "No application here ships examples" in repr(stored.examples)


def test_an_example_is_called_by_its_code(examples, stored):
    assert eval(examples["thpp"]._code(), {"qc": stored}).id == examples["thpp"].id
