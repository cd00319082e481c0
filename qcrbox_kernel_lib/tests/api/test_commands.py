from __future__ import annotations

import inspect
import typing

import pytest
from qcrbox.api.completion import commands_first
from qcrbox.client.parameters import CifInput, Parameter
from qcrbox.contract.errors import NotFound, UserInputError


def test_signature_is_that_of_the_spec(refine_iam):
    parameters = inspect.signature(refine_iam).parameters
    assert list(parameters) == ["input_cif", "hkl", "ls_cycles", "hydrogens", "gridspacing", "anharmonic"]
    assert parameters["input_cif"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["input_cif"].annotation is CifInput
    assert parameters["ls_cycles"].default == 10
    assert parameters["ls_cycles"].annotation is int
    assert typing.get_args(parameters["hydrogens"].annotation) == ("riding", "free", "none")


def test_bound_call_has_the_same_signature_for_completion(refine_iam):
    assert list(inspect.signature(refine_iam.__call__).parameters) == list(
        inspect.signature(refine_iam).parameters
    )


def test_docstring_names_unit_range_choices_and_default(refine_iam):
    doc = refine_iam.__doc__
    assert "gridspacing : length in Å between 0.05 and 0.5, default 0.2" in doc
    assert "ls_cycles : whole number ≥ 0, default 10" in doc
    assert "hydrogens : one of 'riding', 'free', 'none', default 'riding'" in doc


def test_misspelt_option_is_named_with_the_one_meant(refine_iam):
    with pytest.raises(UserInputError) as caught:
        refine_iam("azu", ls_cycle=20)
    assert str(caught.value) == (
        "refine_iam() has no option 'ls_cycle'. Did you mean 'ls_cycles'? (whole number ≥ 0, default 10)"
    )


def test_slip_of_the_decimal_point_is_guessed(refine_iam):
    with pytest.raises(UserInputError) as caught:
        refine_iam("azu", gridspacing=20)
    assert str(caught.value) == (
        "gridspacing must be a length in Å between 0.05 and 0.5; you gave 20. Did you mean 0.20?"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("ls_cycles", -1),
        ("ls_cycles", 2.5),
        ("ls_cycles", "many"),
        ("ls_cycles", True),
        ("hydrogens", "ridin"),
        ("gridspacing", float("nan")),
        ("anharmonic", "perhaps"),
    ],
)
def test_value_that_cannot_be_used_is_refused_before_any_network_call(refine_iam, option, value):
    with pytest.raises(UserInputError, match=option):
        refine_iam("azu", **{option: value})


def test_missing_arguments_are_all_named(refine_iam):
    with pytest.raises(UserInputError, match="needs 'input_cif'"):
        refine_iam()


def test_too_many_positions_are_refused(refine_iam):
    with pytest.raises(UserInputError, match="takes 2 arguments by position"):
        refine_iam("azu", "azu.hkl", 20)


@pytest.mark.parametrize(
    ("dtype", "value", "made"),
    [
        ("int", "5", 5),
        ("int", 5.0, 5),
        ("float", 1, 1.0),
        ("float", "1e-3", 1e-3),
        ("bool", "no", False),
        ("bool", 1, True),
        ("str", 5, "5"),
    ],
)
def test_values_are_converted_as_the_registry_would(dtype, value, made):
    checked = Parameter("x", dtype).check(value)
    assert checked == made
    assert type(checked) is type(made)


def test_unknown_command_and_application_say_what_was_meant(box):
    with pytest.raises(AttributeError, match="Did you mean 'refine_iam'"):
        _ = box.refine.refine_iamm
    with pytest.raises(NotFound, match="Did you mean 'solve_it'"):
        _ = box.refine["solve_itt"]


def test_names_that_are_no_identifiers_are_reachable_both_ways(box):
    assert box.refine.solve_it is box.refine["solve-it"]
    assert box.apps["Refine"] is box.refine


def test_completion_lists_commands_and_own_names(box):
    assert {"refine_iam", "solve_it"} <= set(dir(box.refine))
    assert {"refine", "add", "apps"} <= set(dir(box))


def test_commands_are_found_by_need(box):
    assert box.find("independent-atom")["command"] == ["qc.refine.refine_iam"]
    assert "No command matches" in box.find("teapot").caption


def test_text_from_outside_is_escaped_in_html(box):
    html = box.refine._repr_mimebundle_()["text/html"]
    assert "<b>it</b>" not in html
    assert "&lt;b&gt;it&lt;/b&gt;" in html


def test_parameter_table_has_a_row_per_option(refine_iam):
    table = refine_iam.params
    assert table["option"] == list(inspect.signature(refine_iam).parameters)
    assert table["default"][0] == "required"


def test_stubs_are_python_and_name_every_option(box):
    text = str(box.stubs())
    compile(text, "stubs.pyi", "exec")
    assert "hydrogens: Literal['riding', 'free', 'none'] = 'riding'" in text


def test_the_table_of_applications_says_what_is_not_installed(box, monkeypatch):
    text = "olex2 is not installed on this machine. An administrator can install it."
    (application,) = box.apps
    (head,) = {name for name in application.commands if name == "refine_iam"}
    assert text not in box.apps.table().text()
    monkeypatch.setitem(application.commands[head].record, "missing", text)
    assert "not installed: refine_iam" in str(box.apps.table().rows)
    assert box.apps.table().caption == f"Refine: {text}"
    monkeypatch.setitem(application.record, "missing", text)
    assert [row[3] for row in box.apps.table().rows] == ["not installed"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("box.refine.", "refine_iam"),
        ("x = box.refine.ref", "refine_iam"),
        ("f(box.apps['Refine'].", None),
        ("other.refine.", None),
        ("'box.refine.", None),
        ("box.refine", None),
    ],
)
def test_tab_offers_the_commands_of_an_application_first(box, text, first):
    found = commands_first(text, {"box": box, "other": object()})["completions"]
    assert (found[0].text if found else None) == first
    if found:
        assert found[0].type == "function"
        assert not any(each.text.startswith("_") for each in found)
