from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import UserInputError
from qcrbox.spec import check
from qcrbox.spec.arguments import describe, safe_file_name, value_of
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


@pytest.mark.parametrize(
    ("keys", "default"),
    [
        ("dtype: float, default_value: 0.5", 0.5),
        ("dtype: int, default_value: 7", 7),
        ("dtype: bool, default_value: true", True),
        ("dtype: bool, default_value: false", False),
        ("dtype: str, default_value: gentle", "gentle"),
        ("dtype: float, required: false", None),
    ],
)
def test_nothing_given_is_the_default_with_its_own_type(parameter, keys, default):
    """A number became a text on the way: a Python function got '0.5', and False became the true 'False'."""
    made = value_of(parameter(keys), None)
    assert made == default
    assert type(made) is type(default)


@pytest.mark.parametrize("name", ["grit", "way", "mask", "note"])
def test_nothing_given_is_the_same_as_left_out(polish, name):
    assert check(polish, {"model": "f1", name: None}) == check(polish, {"model": "f1"})


@pytest.mark.parametrize(
    ("given", "file_id"),
    [
        ("f1", "f1"),
        (" f1 ", "f1"),
        ({"data_file_id": "f1"}, "f1"),
        ({"qcrbox_file_id": "f1"}, "f1"),
        ({"dataset_id": "d1"}, "d1"),
        ({"qcrbox_dataset_id": "d1"}, "d1"),
        ({"dataset_id": "d1", "data_file_id": "f1"}, "f1"),
        ("qcrbox_df_0x" + "ab" * 16, "qcrbox_df_0x" + "ab" * 16),
        ("x" * 200, "x" * 200),
    ],
    ids=str,
)
def test_a_file_is_given_by_the_id_of_file_or_dataset(polish, given, file_id):
    assert check(polish, {"model": given})["model"] == {"data_file_id": file_id}


@pytest.mark.parametrize(
    "given",
    [
        "a b",
        "a/b",
        "x" * 201,
        "é",
        "a\nb",
        5,
        True,
        ["f1"],
        {},
        {"data_file_id": 5},
        {"data_file_id": {"a": 1}},
    ],
    ids=repr,
)
def test_what_is_no_id_of_a_file_is_refused_with_the_form_of_one(polish, given):
    text = refusal(polish, {"model": given}).what
    assert text.startswith('model must be a stored CIF, given as {"data_file_id": id}; you gave ')


@pytest.mark.parametrize(
    "given", [None, "", "None", "null", {"data_file_id": None}, {"data_file_id": ""}], ids=repr
)
def test_no_file_is_nothing_for_an_optional_input_and_refused_for_another(polish, given):
    assert check(polish, {"model": "f1", "mask": given})["mask"] is None
    assert refusal(polish, {"model": given}).what == "model must be a stored CIF; you gave nothing."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 500, "'" + "x" * 78 + "…"),
        ("a\x00b", r"'a\x00b'"),
        ([1, "é"], '[1, "é"]'),
        ({"a": None}, '{"a": null}'),
        (object, "type"),
        (float("nan"), "NaN"),
    ],
    ids=["long", "control character", "list", "mapping", "no JSON", "NaN"],
)
def test_a_wrong_value_is_shown_in_a_bounded_readable_form(polish, value, shown):
    assert refusal(polish, {"model": "f", "grit": value}).what.endswith(f"you gave {shown}.")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (5, " Did you mean 0.5?"),
        (50, " Did you mean 0.5?"),
        (500, " Did you mean 0.5?"),
        (5000, ""),
        (-1, ""),
        (1.0000001, " Did you mean 0.1?"),
    ],
)
def test_a_percentage_or_a_slipped_point_is_suggested(polish, value, hint):
    assert refusal(polish, {"model": "f", "grit": value}).what.endswith(f"you gave {value}.{hint}")


def test_a_default_outside_of_its_own_rule_may_be_given(spec):
    command = spec(
        "- {name: c, implemented_as: python_callable, import_path: m, parameters: "
        "[{name: x, dtype: int, default_value: 9, valid_value: {numeric_range: [0, 5]}}]}"
    ).command("c")
    assert check(command, {}) == check(command, {"x": 9}) == {"x": 9}
    assert refusal(command, {"x": 8}).fields["wrong"] == ["x"]


def test_the_order_of_the_given_arguments_does_not_matter(polish):
    given = {"note": "n", "way": "hard", "grit": 1, "model": "f"}
    once = check(polish, given)
    assert list(once) == ["model", "grit", "way", "mask", "note"]
    assert list(check(polish, dict(reversed(given.items()))).items()) == list(once.items())


def test_an_argument_that_is_named_by_no_text_is_unknown(polish):
    assert refusal(polish, {"model": "f", 5: 1}).fields["unknown"] == ["5"]


def test_a_very_long_unknown_name_does_not_fill_the_message(polish):
    error = refusal(polish, {"model": "f", "g" * 100_000: 1})
    assert len(error.what) < 400


def test_one_fault_names_no_further_ones(polish):
    assert refusal(polish, {"model": "f", "way": "x"}).why == ""
    assert refusal(polish, {"way": "x"}).why == "(1 more: see details)"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("dtype: int, default_value: 3", "whole number, default 3"),
        ("dtype: int, required: false", "whole number, optional"),
        ("dtype: int", "whole number"),
        ("dtype: bool, default_value: true", "true or false, default True"),
        ("dtype: str, valid_value: {choices: [a, b]}", "one of: a, b"),
        ("dtype: QCrBox.data_file", "stored file"),
        ("dtype: QCrBox.output_cif", "file name, optional"),
    ],
)
def test_a_parameter_in_a_few_words(parameter, keys, words):
    assert describe(parameter(keys)) == words


NAMES = st.text(
    st.one_of(st.sampled_from(list("-./\\ \t\n\0\x7f\x85é東")), st.characters(exclude_categories=())),
    max_size=400,
)


@given(NAMES)
def test_a_safe_name_is_one_short_name_that_is_no_option_whatever_the_text(text):
    """A cut made the next dash the first character, and a lone surrogate ended the request with status 500."""
    name = safe_file_name(text)
    assert len(name.encode()) <= 200
    assert name == name.strip()
    assert not name.startswith("-")
    assert name.strip(".") or not name
    assert not {"/", "\\", "\0", "\n", "\x7f", "\x85"} & set(name)
    assert safe_file_name(name) == name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("- -rf", "rf"),
        ("  -- x.cif ", "x.cif"),
        ("a" * 30 + "-" + "y" * 199, "y" * 199),
        ("a" * 30 + " " + "y" * 199, "y" * 199),
        ("a\ud800b", "ab"),
        ("a\x85b", "ab"),
        (".hidden", ".hidden"),
        ("...", ""),
        ("\0", ""),
        ("", ""),
        ("name.tar.gz", "name.tar.gz"),
        ("東" * 100 + ".cif", "東" * 65 + ".cif"),
    ],
    ids=repr,
)
def test_safe_names_by_hand(given, safe):
    assert safe_file_name(given) == safe


def test_a_very_long_name_is_cut_at_once():
    assert safe_file_name("é" * 2_000_000 + ".cif") == "é" * 98 + ".cif"


@pytest.mark.parametrize("wish", ["\ud800", "\x00", "-", "...", " "], ids=repr)
def test_a_wish_of_which_no_name_is_left_is_nothing_or_refused(polish, wish):
    if wish.strip():
        assert refusal(polish, {"model": "f", "polished": wish}).fields["wrong"] == ["polished"]
    else:
        assert "polished" not in check(polish, {"model": "f", "polished": wish})
