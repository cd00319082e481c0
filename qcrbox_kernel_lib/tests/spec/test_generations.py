"""Spec files as each generation of registries took them, row by row of what changed between them."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.contract.errors import SpecError, UserInputError
from qcrbox.spec import DType, Implementation, check, load, loads

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def first():
    return load(DATA / "first.yaml")


@pytest.fixture(scope="module")
def mixed():
    return load(DATA / "mixed.yaml")


# ---------------------------------------------------------------- the first generation


def test_commands_without_any_call_are_left_out_and_named(first):
    assert [command.name for command in first.commands] == [
        "integrate", "by_hand", "by_hand__toparams", "by_hand__repeat",
    ]  # fmt: skip
    assert [text.split(":")[0] for text in first.left_out] == [
        "command 'interactive' is left out", "command 'replace' is left out",
    ]  # fmt: skip
    assert "add call_pattern" in first.left_out[1]
    assert all(any(text in note for note in first.notes) for text in first.left_out)


def test_a_callable_without_import_path_is_looked_for_where_it_used_to_be(first):
    call = first.command("integrate").call
    assert (call.import_path, call.callable_name) == ("configure_first-integrator", "integrate")
    assert any("has no import_path" in note for note in first.notes)


def test_later_files_must_name_the_module(spec):
    with pytest.raises(SpecError, match="needs import_path"):
        spec("- {name: c, implemented_as: python_callable, parameters: [{name: x, dtype: int}]}")


def test_types_of_the_first_generation(first):
    parameters = {p.name: p for p in first.command("integrate").parameters}
    assert {name: p.dtype for name, p in parameters.items()} == {
        "work_folder": DType.INPUT_FOLDER,
        "rmat": DType.DATA_FILE,
        "output_cif_path": DType.OUTPUT_CIF,
        "log_path": DType.OUTPUT_FILE,
        "box_size": DType.FLOAT,
        "weighting": DType.STR,
    }
    assert not parameters["box_size"].optional
    assert parameters["weighting"].default == "none"


def test_a_plain_output_file_has_the_word_that_older_clients_know(first):
    shown = first.command("integrate").to_rest(first)["parameters"]
    assert shown["log_path"]["dtype"] == "QCrBox.output_path"


def test_an_output_file_with_cif_keys_is_the_output_cif(first):
    output = first.command("integrate").output_cif
    assert (output.name, output.cif.required_entry_sets, output.cif.merge_su) == (
        "output_cif_path", ["structure"], True,
    )  # fmt: skip
    assert any("'output_cif_path' is taken as the output CIF" in note for note in first.notes)


def test_steps_of_a_session_say_what_they_are_by_their_keys(first):
    steps = dict(first.command("by_hand").lifecycle.steps())
    assert {name: step.implemented_as for name, step in steps.items()} == {
        "prepare": Implementation.PYTHON,
        "run": Implementation.CLI,
        "finalise": Implementation.PYTHON,
    }
    assert steps["finalise"].uses == []


def test_toparams_inside_the_lifecycle_becomes_a_hidden_command(first):
    command = first.command("by_hand")
    assert (command.toparams, command.repeats) == ("by_hand__toparams", "by_hand__repeat")
    hidden = first.command("by_hand__toparams")
    assert hidden.call.uses == ["output_cif_path", "parameter_json_path"]
    assert command.to_rest(first)["repeat_command"] == "by_hand__repeat"
    assert not any("toparams" in note for note in first.notes)


def test_what_a_session_wrote_down_is_read_by_the_command_that_repeats_it(first):
    repeat = first.command("by_hand__repeat")
    assert {p.name: p.dtype for p in repeat.parameters} == {
        "redo_input_cif_path": DType.CIF_DATA_FILE,
        "redo_output_cif_path": DType.OUTPUT_CIF,
        "parameter_json_path": DType.DATA_FILE,
    }
    assert [output.name for output in repeat.outputs] == ["redo_output_cif_path"]
    assert not repeat.parameter("parameter_json_path").optional


def test_an_optional_output_is_not_missed(first):
    output = first.command("by_hand").output_cif
    assert (output.required_output, output.cif.output_block) == (False, "0")


def test_a_file_that_only_has_left_out_commands_is_still_read():
    made = loads("name: A\nslug: a\nversion: 1\ncommands: [{name: run, implemented_as: GUI}]\n")
    assert made.commands == []
    assert len(made.left_out) == 1


# ---------------------------------------------------------------- generations in one file


def test_each_command_of_a_mixed_file_is_read_by_its_own_keys(mixed):
    assert mixed.left_out == []
    old = mixed.command("first_way")
    assert old.parameter("input_cif_path").dtype is DType.CIF_DATA_FILE
    assert old.source_cif.cif.required_entries == [
        "_cell_length_a",
        {"one_of": ["_cell_length_b", ["_cell_length_c", "_cell_volume"]]},
    ]
    middle = mixed.command("second_way")
    assert middle.source_cif.name == "structure"  # the additional one is declared first
    assert middle.source_cif.cif.merge_su
    assert middle.output_cif.cif.output_block == "second"
    newest = mixed.command("third_way")
    assert newest.parameter("way").default == "none"
    assert newest.output("report").filename == "report.html"


def test_version_and_older_versions_are_texts(mixed):
    assert (mixed.version, mixed.older_versions) == ("2022.07", ["2021.1", "2021.10"])


def test_a_version_cannot_stand_for_itself():
    with pytest.raises(SpecError, match="names the version 1 itself"):
        loads("name: A\nslug: a\nversion: 1\nolder_versions: [1]\n")


def test_the_address_of_an_application_is_never_null(mixed):
    assert mixed.to_rest()["url"] == ""
    assert loads("name: A\nslug: a\nversion: 1\n").to_rest()["url"] == ""


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    "given", ["input_cif_path", "input_cif", "input_cif_file", "input_cif_name", "input_cif_file_path"]
)
def test_a_file_is_known_with_any_ending(mixed, given):
    arguments = check(mixed.command("first_way"), {given: "f1", "out": "a.txt"})
    assert arguments == {"input_cif_path": {"data_file_id": "f1"}, "out": "a.txt"}


@pytest.mark.parametrize(
    "given", ["written", "written_name", "output_cif", "output_cif_name", "output_cif_path"]
)
def test_an_output_cif_takes_a_wished_file_name(mixed, given):
    arguments = check(mixed.command("third_way"), {"structure": "f1", given: "folder/model.cif"})
    assert arguments["written"] == "folder_model.cif"


@pytest.mark.parametrize("given", [None, "None", ""])
def test_no_wish_is_no_argument(mixed, given):
    assert "written" not in check(mixed.command("third_way"), {"structure": "f1", "output_cif_name": given})


def test_names_of_earlier_versions_are_those_of_the_spec(mixed):
    arguments = check(mixed.command("third_way"), {"model": "f1", "html_path": "r.html"})
    assert arguments == {"structure": {"data_file_id": "f1"}, "way": "none", "report": "r.html"}


@pytest.mark.parametrize(
    ("arguments", "unknown"),
    [
        ({"structure": "f1", "model": "f2"}, ["model"]),
        ({"structure": "f1", "report": "a.html"}, ["report"]),  # outputs are no arguments
        ({"structure": "f1", "way_name": "full"}, ["way_name"]),  # only files have endings
        ({"structure": "f1", "output_html_path": "a"}, ["output_html_path"]),
    ],
)
def test_what_is_not_clear_stays_unknown(mixed, arguments, unknown):
    with pytest.raises(UserInputError) as caught:
        check(mixed.command("third_way"), arguments)
    assert caught.value.fields["unknown"] == unknown


@pytest.mark.parametrize("wish", [5, {"a": 1}, ".."])
def test_a_wish_that_is_no_file_name_is_refused(mixed, wish):
    with pytest.raises(UserInputError, match="written must be a file name"):
        check(mixed.command("third_way"), {"structure": "f1", "written": wish})


def test_checked_arguments_with_a_wish_pass_again_unchanged(mixed):
    command = mixed.command("third_way")
    once = check(command, {"structure": "f1", "output_cif_name": "m.cif"})
    assert check(command, once) == once


def test_the_output_cif_is_seen_among_the_parameters(mixed):
    shown = mixed.command("third_way").to_rest(mixed)
    parameter = shown["parameters"]["written"]
    assert {key: parameter[key] for key in ("dtype", "default_value", "required", "is_output")} == {
        "dtype": "QCrBox.output_cif",
        "default_value": "new.cif",
        "required": False,
        "is_output": True,
    }
    assert parameter["optional_entries"] == shown["outputs"]["written"]["optional_entries"] == ["all_unified"]
    assert "report" not in shown["parameters"]


def test_an_older_name_must_be_free(spec):
    with pytest.raises(SpecError, match="older name 'b' of 'a'"):
        spec(
            "- {name: c, implemented_as: cli_command, call_pattern: 'true', parameters: "
            "[{name: a, dtype: int, older_names: [b]}, {name: b, dtype: int}]}"
        )
