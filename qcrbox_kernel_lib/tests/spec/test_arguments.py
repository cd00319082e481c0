from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.spec import check
from qcrbox.spec.arguments import safe_file_name, value_of
from qcrbox.spec.values import WrongValue


def refusal(command, arguments) -> UserInputError:
    with pytest.raises(UserInputError) as caught:
        check(command, arguments)
    return caught.value


def test_defaults_are_filled_in(polish):
    assert check(polish, {"model": {"data_file_id": "f1"}}) == {
        "model": {"data_file_id": "f1"},
        "grit": 0.5,
        "way": "gentle",
        "mask": None,
        "note": None,
    }


def test_checked_arguments_pass_the_check_again_unchanged(polish):
    once = check(polish, {"model": "f1", "grit": 1, "note": "hello"})
    assert check(polish, once) == once


def test_unknown_argument_suggests_the_nearest(polish):
    error = refusal(polish, {"model": "f", "grti": 1})
    assert error.message == (
        "polish() has no option 'grti'. Did you mean 'grit'? (number between 0 and 1, default 0.5)"
    )
    assert error.fields["unknown"] == ["grti"]


def test_unknown_argument_far_from_all_lists_the_options(polish):
    assert refusal(polish, {"model": "f", "zzz": 1}).what.endswith(
        "Its options are: model, grit, way, mask, note."
    )


def test_missing_arguments_are_all_listed(spec):
    command = spec(
        "- {name: c, implemented_as: CLI, call_pattern: '{a} {b}', parameters: "
        "[{name: a, dtype: int}, {name: b, dtype: str, valid_value: {choices: [p, q]}}]}"
    ).command("c")
    error = refusal(command, {})
    assert error.what == "c() needs a (whole number); b (one of: p, q)."
    assert error.fields["missing"] == ["a", "b"]


def test_all_faults_are_in_the_details(polish):
    error = refusal(polish, {"grit": "x", "way": "gentel", "colour": 1})
    assert len(error.details) == 4
    assert error.fields["wrong"] == ["grit", "way"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("grit", 20, "grit must be a number between 0 and 1; you gave 20. Did you mean 0.2?"),
        ("grit", "abc", "grit must be a number between 0 and 1; you gave 'abc'."),
        ("grit", -3, "grit must be a number between 0 and 1; you gave -3."),
        ("way", "gentel", "way must be one of: gentle, hard; you gave 'gentel'. Did you mean 'gentle'?"),
        ("mask", 7, 'mask must be a stored file, given as {"data_file_id": id}; you gave 7.'),
    ],
)
def test_wrong_values_name_parameter_value_and_what_is_allowed(polish, name, value, text):
    assert refusal(polish, {"model": "f", name: value}).what == text


@pytest.mark.parametrize(
    ("dtype", "given", "expected"),
    [
        ("int", 5, 5),
        ("int", "5", 5),
        ("int", 5.0, 5),
        ("int", " -5 ", -5),
        ("float", 5, 5.0),
        ("float", "5", 5.0),
        ("float", "1e-3", 0.001),
        ("bool", True, True),
        ("bool", 0, False),
        ("bool", 1.0, True),
        ("bool", "False", False),
        ("bool", "yes", True),
        ("bool", "OFF", False),
        ("bool", "on", True),
        ("str", "a b", "a b"),
        ("str", 5, "5"),
        ("str", 0.1, "0.1"),
        ("str", "two\nlines", "two\nlines"),
        ("str", "", ""),
        ("QCrBox.data_file", "abc", {"data_file_id": "abc"}),
        ("QCrBox.data_file", {"data_file_id": "abc"}, {"data_file_id": "abc"}),
        ("QCrBox.output_cif", "a/b.cif", "a_b.cif"),
        ("QCrBox.output_cif", None, "x.cif"),
    ],
)
def test_values_arrive_as_json_or_text(parameter, dtype, given, expected):
    made = value_of(parameter(f"dtype: {dtype}"), given)
    assert made == expected
    assert type(made) is type(expected)


@pytest.mark.parametrize(
    ("dtype", "given"),
    [
        ("int", 5.5),
        ("int", "5.5"),
        ("int", True),
        ("int", None),
        ("int", [1]),
        ("int", "9" * 5000),
        ("int", 1e999),
        ("float", "nan"),
        ("float", float("inf")),
        ("float", "1_000"),
        ("float", True),
        ("float", {}),
        ("bool", 2),
        ("bool", "maybe"),
        ("bool", None),
        ("str", ["a"]),
        ("str", None),
        ("str", "a\x00b"),
        ("str", "\ud800"),
        ("str", "x" * 200_000),
        ("QCrBox.data_file", {"id": "abc"}),
        ("QCrBox.data_file", "../etc"),
        ("QCrBox.data_file", None),
        ("QCrBox.output_cif", ".."),
        ("QCrBox.output_cif", ["x"]),
    ],
)
def test_values_of_another_type_are_refused(parameter, dtype, given):
    with pytest.raises(WrongValue):
        value_of(parameter(f"dtype: {dtype}"), given)


@pytest.mark.parametrize(
    ("keys", "good", "bad"),
    [
        ("dtype: int, valid_value: {numeric_range: [1, 3]}", [1, 3], [0, 4]),
        ("dtype: int, valid_value: {numeric_range: [1, null]}", [1, 10**9], [0]),
        ("dtype: float, valid_value: {choices: [0.5, 1]}", [0.5, "1"], [0.7]),
        ("dtype: str, valid_value: {choices: [yes, no]}", ["yes"], ["Yes", True]),
        ("dtype: str, valid_value: {regex: '^_'}", ["_a", "_ b"], ["a_"]),
        ("dtype: str, valid_value: {regex: 'a+$'}", ["aa"], ["aab"]),
        ("dtype: str, valid_value: {regex: a, choices: [ab, b]}", ["ab"], ["b", "ac"]),
    ],
)
def test_valid_values_are_always_enforced(parameter, keys, good, bad):
    made = parameter(keys)
    for value in good:
        value_of(made, value)
    for value in bad:
        with pytest.raises(WrongValue):
            value_of(made, value)


def test_work_files_are_no_arguments(spec):
    command = spec(
        "- {name: c, implemented_as: CLI, call_pattern: '{w}', parameters: [{name: w, dtype: QCrBox.work_cif}]}"
    ).command("c")
    assert check(command, {}) == {}
    assert refusal(command, {"w": "x"}).fields["unknown"] == ["w"]


@pytest.mark.parametrize("given", [None, "None", "null", ""])
def test_none_for_an_optional_text_means_nothing_given(polish, given):
    assert check(polish, {"model": "f", "note": given})["note"] is None


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("a.cif", "a.cif"),
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\\b", "a_b"),
        ("-rf", "rf"),
        ("..", ""),
        ("a\nb", "ab"),
        ("é" * 200 + ".cif", "é" * 98 + ".cif"),
    ],
)
def test_file_names_stay_inside_their_folder(given, safe):
    assert safe_file_name(given) == safe


def test_arguments_must_be_a_mapping(polish):
    assert "must be a mapping" in refusal(polish, [1]).what
