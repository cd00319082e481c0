"""The model of an application: what optional means, and the form of it that clients see."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from qcrbox.spec import Application, Command, DType, Output, Parameter, loads

DOES_NOT_FAIL = {
    DType.STR: False,
    DType.INT: False,
    DType.DATA_FILE: False,
    DType.CIF_DATA_FILE: False,
    DType.INPUT_FOLDER: True,
    DType.FOLDER: True,
    DType.WORK_CIF: True,
    DType.OUTPUT_CIF: True,
    DType.OUTPUT_FILE: True,
    DType.OUTPUT_FOLDER: True,
}


@pytest.mark.parametrize(("dtype", "optional"), DOES_NOT_FAIL.items(), ids=str)
def test_folders_and_outputs_may_be_left_out_and_values_and_files_may_not(dtype, optional):
    assert Parameter(name="x", dtype=dtype).optional is optional
    assert Parameter(name="x", dtype=dtype, required=False).optional
    assert Parameter(name="x", dtype=dtype, default="a", has_default=True).optional


@pytest.mark.parametrize(
    ("dtype", "is_file", "is_output", "is_argument"),
    [
        (DType.STR, False, False, True),
        (DType.DATA_FILE, True, False, True),
        (DType.CIF_DATA_FILE, True, False, True),
        (DType.INPUT_FOLDER, True, False, True),
        (DType.OUTPUT_CIF, False, True, True),
        (DType.OUTPUT_FILE, False, True, True),
        (DType.OUTPUT_FOLDER, False, True, True),
        (DType.FOLDER, False, False, True),
        (DType.WORK_CIF, False, False, False),
    ],
    ids=str,
)
def test_what_a_parameter_is(dtype, is_file, is_output, is_argument):
    made = Parameter(name="x", dtype=dtype)
    assert (made.is_input_file, made.is_output, made.is_argument) == (is_file, is_output, is_argument)


def test_parts_of_a_spec_cannot_be_changed(application):
    with pytest.raises(ValidationError):
        application.name = "other"
    with pytest.raises(ValidationError):
        application.commands[0].hidden = True


def test_look_ups_of_what_is_absent_are_none(application, polish):
    assert application.command("nothing") is None
    assert polish.parameter("nothing") is None
    assert polish.output("nothing") is None
    assert polish.output("report").filename == "out/report.html"


def test_an_application_stored_by_another_version_is_read_without_its_new_fields(application):
    stored = application.model_dump(mode="json") | {"from_the_future": 1}
    stored["commands"][0]["also_new"] = True
    assert Application.model_validate(stored) == application


def test_entry_sets_have_the_form_that_the_conversion_takes(application):
    assert application.entry_sets == {
        "cell": {
            "required": ["_cell_length_a", "_cell_length_b"],
            "optional": ["_cell_measurement_temperature"],
        }
    }


def test_an_output_as_clients_see_it(polish):
    assert polish.output("report").to_rest() == {
        "name": "report",
        "dtype": "QCrBox.output_html",
        "description": None,
        "filename": "out/report.html",
        "required_output": False,
    }
    shown = polish.output_cif.to_rest()
    assert shown["invalidated_entries"] == ["_geom.*"]
    assert shown["output_block"] == "0"


def test_older_clients_find_the_output_cif_among_the_parameters_but_cannot_miss_it():
    output = Output(name="o", dtype=DType.OUTPUT_CIF, filename="done.cif")
    shown = output.to_rest_as_parameter()
    assert (shown["required"], shown["is_output"], shown["default_value"]) == (False, True, "done.cif")


def test_a_command_as_clients_see_it(application, polish):
    shown = polish.to_rest(application)
    assert shown["name"] == shown["cmd_name"] == "polish"
    assert (shown["application"], shown["version"]) == ("cell_polisher", "3.0")
    assert list(shown["outputs"]) == ["polished", "report"]
    assert (shown["title"], shown["estimate"], shown["checkpoint"], shown["doi"]) == ("", "", "", None)
    assert "repeat_command" not in shown


def test_an_application_as_clients_see_it_has_only_commands_that_a_person_may_call(spec):
    made = spec(
        "- {name: shown, implemented_as: cli_command, call_pattern: run}\n"
        "- {name: __inner, implemented_as: cli_command, call_pattern: run}\n"
    )
    assert [command["name"] for command in made.to_rest()["commands"]] == ["shown"]
    assert made.command("__inner").hidden


@pytest.mark.parametrize(
    ("keys", "takes"),
    [
        ("dtype: QCrBox.data_file", {"endings": [], "atoms": False}),
        ("dtype: QCrBox.data_file, description: 'Reflections (.hkl)'", {"endings": [".hkl"], "atoms": False}),
        ("dtype: QCrBox.data_file, companion: ['*.hkl']", {"endings": [".hkl"], "atoms": False}),
        ("dtype: QCrBox.cif_data_file", {"endings": [".cif"], "atoms": False}),
        (
            "dtype: QCrBox.cif_data_file, required_entries: [_atom_site_label]",
            {"endings": [".cif"], "atoms": True},
        ),
        ("dtype: QCrBox.cif_data_file, required_entry_sets: [s]", {"endings": [".cif"], "atoms": True}),
        ("dtype: QCrBox.cif_data_file, optional_entry_sets: [s]", {"endings": [".cif"], "atoms": False}),
        ("dtype: QCrBox.input_folder", {"endings": [], "atoms": False}),
    ],
)
def test_which_files_fit_an_input(spec, keys, takes):
    made = spec(
        f"- {{name: c, implemented_as: python_callable, import_path: m, parameters: [{{name: x, {keys}}}]}}",
        "cif_entry_sets:\n  - {name: s, required: [_atom_site.label]}\n",
    )
    assert made.command("c").to_rest(made)["parameters"]["x"]["takes"] == takes


@pytest.mark.parametrize("key", ["url", "licence"])
def test_texts_that_clients_never_see_as_null(key):
    assert loads("name: A\nslug: a\nversion: 1\n").to_rest()[key] == ""


def test_a_command_is_interactive_by_its_implementation():
    assert Command(name="c", implemented_as="interactive_session").is_interactive
    assert not Command(name="interactive_session", implemented_as="cli_command").is_interactive
