from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec import Application, DType, Implementation, load, loads

DATA = Path(__file__).parent / "data"


def problems(text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        loads(text, "a.yaml")
    return caught.value.fields["problems"]


def test_newest_generation_is_read_without_notes(application):
    assert application.notes == []
    assert [c.name for c in application.commands] == ["polish", "interactive_session"]
    assert application.doi == ["10.0000/polish.1", "10.0000/polish.2"]
    session = application.command("interactive_session")
    assert [name for name, _ in session.lifecycle.steps()] == ["prepare", "run", "finalise"]
    assert session.lifecycle.finalise.uses == ["model", "edited"]


def test_model_survives_being_stored_as_json(application):
    assert Application.model_validate_json(application.model_dump_json()) == application


def test_middle_generation_output_parameter_becomes_an_output():
    command = load(DATA / "middle.yaml").command("refine")
    assert command.parameter("structure").dtype is DType.CIF_DATA_FILE
    assert command.parameter("structure").cif.required_entries == ["_cell_length_a"]
    output = command.output_cif
    assert (output.name, output.filename, output.missing_is_warning) == ("result", "result.cif", True)
    assert output.cif.invalidated_entries == ["_geom.*"]
    assert command.parameter("result").optional


def test_old_generation_words_are_translated():
    application = load(DATA / "old.yaml")
    convert = application.command("convert")
    assert convert.implemented_as is Implementation.CLI
    assert convert.call.call_pattern == "convert {input_cif_path} > {out}"
    source = convert.parameter("input_cif_path")
    assert source.dtype is DType.CIF_DATA_FILE
    assert source.cif.required_entries == ["_cell_length_a"]
    assert source.cif.optional_entry_sets == ["extra"]
    assert source.cif.merge_su
    assert source.cif.custom_categories == ["shelx"]
    count = application.command("count")
    assert (count.call.import_path, count.call.callable_name) == ("counting", "count_atoms")
    assert application.version == "2022.10"


def test_old_gui_brings_two_hidden_commands():
    application = load(DATA / "old.yaml")
    gui = application.command("edit")
    assert gui.is_interactive
    assert gui.lifecycle.run.call_pattern == "editor {model}"
    assert (gui.toparams, gui.repeats) == ("edit__toparams", "edit_again")
    assert application.command("edit__toparams").call.callable_name == "to_json"
    assert application.command("edit_again").call.call_pattern == "editor --batch {model}"
    assert "edit_again" not in [c.name for c in application.listed_commands]


def test_unknown_keys_are_notes_with_lines():
    application = loads("name: A\nslug: a\nversion: 1\nqcrbox_yaml_spec_version: '0.1'\ncolour: red\n")
    assert application.notes == ["line 5: unknown key 'colour' of the application is ignored"]


@pytest.mark.parametrize(
    "text", ["2022.10", "20231113", "x.y.z", "1.5-alpha", "1e3", "2024-01-02", "0x10", "1_0"]
)
def test_version_is_the_text_of_the_file(text):
    assert loads(f"name: A\nslug: a\nversion: {text}\n").version == text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('["10.1/a", "10.2/b"]', ["10.1/a", "10.2/b"]),
        ('"10.1/a, 10.2/b"', ["10.1/a", "10.2/b"]),
        ('"10.1/a / 10.2/b"', ["10.1/a", "10.2/b"]),
        ('"10.1/a"', ["10.1/a"]),
        ('""', []),
        ("null", []),
    ],
)
def test_doi_becomes_a_list(written, expected):
    assert loads(f"name: A\nslug: a\nversion: 1\ndoi: {written}\n").doi == expected


@pytest.mark.parametrize("word", ["cli_command", "CLI", "cli", "Cli_Command"])
def test_implementation_words_have_no_case(spec, word):
    made = spec(f"- {{name: c, implemented_as: {word}, call_pattern: 'true'}}")
    assert made.command("c").implemented_as is Implementation.CLI


def test_callable_name_alone_names_the_command(spec):
    made = spec("- {implemented_as: python_callable, import_path: m, callable_name: f}")
    assert made.command("f").call.callable_name == "f"


def test_commands_with_two_underscores_are_not_listed(spec):
    made = spec("- {name: __inner, implemented_as: CLI, call_pattern: 'true'}")
    assert made.listed_commands == []


@pytest.mark.parametrize(
    ("keys", "dtype"),
    [
        ("dtype: QCrBox.input_cif", DType.CIF_DATA_FILE),
        ("type: QCrBox.cif_path", DType.CIF_DATA_FILE),
        ("dtype: QCrBox.additional_input_cif", DType.CIF_DATA_FILE),
        ("dtype: QCrBox.input_file", DType.DATA_FILE),
        ("dtype: QCrBox.input_path", DType.DATA_FILE),
        ("dtype: QCrBox.output_path", DType.OUTPUT_FILE),
        ("dtype: qcrbox.WORK_CIF", DType.WORK_CIF),
        ("dtype: QCrBox.folder_path", DType.FOLDER),
        ("type: int", DType.INT),
        ("valid_value: {choices: [a, b]}", DType.STR),
        ("valid_value: {regex: '^_'}", DType.STR),
        ("valid_value: {numeric_range: [0, 1]}", DType.FLOAT),
    ],
)
def test_removed_and_missing_data_types(parameter, keys, dtype):
    assert parameter(keys).dtype is dtype


@pytest.mark.parametrize(
    ("keys", "default", "optional"),
    [
        ("dtype: float, default_value: 5", 5.0, True),
        ('dtype: float, default_value: "5"', 5.0, True),
        ("dtype: float, default_value: 1e-3", 0.001, True),
        ("dtype: int, default_value: 5.0", 5, True),
        ("dtype: int, default_value: many", None, False),
        ('dtype: bool, default_value: "False"', False, True),
        ("dtype: str, default_value: 1.50", "1.50", True),
        ("dtype: str, default_value: yes", "yes", True),
        ('dtype: str, default_value: ""', "", True),
        ("dtype: str, default_value: None", None, False),
        ("dtype: str, default_value: None, required: false", None, True),
        ("dtype: str, default_value: none", "none", True),
        ('dtype: str, default_value: "none", valid_value: {choices: ["none", "full"]}', "none", True),
        ("dtype: str, optional: true", None, True),
        ("dtype: int, default_value: None", None, False),
        ("dtype: int, default_value: none, required: false", None, True),
        ("dtype: QCrBox.data_file, default_value: None", None, False),
        ("dtype: float, default_value: 2, required: true", 2.0, True),
        ("dtype: float, default_value: null", None, False),
        ("dtype: float", None, False),
        ("dtype: float, required: false", None, True),
    ],
)
def test_defaults_and_optional_parameters(parameter, keys, default, optional):
    made = parameter(keys)
    assert (made.default, made.optional) == (default, optional)
    assert type(made.default) is type(default)


def test_default_that_breaks_its_own_valid_value_is_noted_and_kept(spec):
    made = spec(
        "- {name: c, implemented_as: python_callable, import_path: m, parameters: "
        "[{name: x, dtype: int, default_value: 9, valid_value: {numeric_range: [0, 5]}}]}"
    )
    assert made.command("c").parameter("x").default == 9
    assert "breaks its own valid_value" in made.notes[0]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("dtype: QCrBox.picture", "known: str, int, float, bool"),
        ("description: x", "has no dtype"),
        ("dtype: str, valid_value: {}", "needs numeric_range, choices or regex"),
        ("dtype: str, valid_value: {numeric_range: [0, 1]}", "numeric_range is for int and float"),
        ("dtype: int, valid_value: {numeric_range: [2, 1]}", "min 2 is above max 1"),
        ("dtype: int, valid_value: {numeric_range: [2]}", "must be [min, max]"),
        ("dtype: int, valid_value: {regex: a}", "regex is for str"),
        ("dtype: str, valid_value: {regex: '('}", "not a regular expression"),
        ("dtype: bool, valid_value: {choices: [a]}", "not for bool"),
        ("dtype: int, valid_value: {choices: [a]}", "a choice is not a whole number"),
        ("dtype: QCrBox.data_file, valid_value: {regex: a}", "not allowed for QCrBox.data_file"),
    ],
)
def test_faulty_parameters_are_refused(parameter, keys, text):
    with pytest.raises(SpecError) as caught:
        parameter(keys)
    assert text in "\n".join(caught.value.fields["problems"])


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("{name: c, implemented_as: robot}", "implemented_as must be one of"),
        ("{name: c, implemented_as: cli_command}", "needs call_pattern"),
        ("{name: c, implemented_as: python_callable}", "needs import_path"),
        (
            "{name: c, implemented_as: python_callable, import_path: m, callable_name: a.b}",
            "plain function name",
        ),
        ("{name: c, implemented_as: CLI, call_pattern: 'x {y}'}", "{y} is not a parameter or output"),
        ("{name: c, implemented_as: interactive_session}", "needs interactive_lifecycle"),
        (
            "{name: c, implemented_as: interactive, interactive_lifecycle: {prepare: "
            "{implemented_as: CLI, call_pattern: 'true'}}}",
            "needs a run step",
        ),
        (
            "{name: c, implemented_as: interactive, interactive_lifecycle: {run: {implemented_as: CLI, "
            "call_pattern: 'true', used_basecommand_parameters: [nope]}}}",
            "step run uses 'nope'",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', estimate: c}",
            "names 'c', which is no other command",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', parameters: "
            "[{name: a, dtype: int}, {name: a, dtype: int}]}",
            "'a' is there twice",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', parameters: [{name: a, dtype: int}], "
            "outputs: [{name: a, dtype: QCrBox.output_text}]}",
            "name of a parameter and of an output",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', outputs: "
            "[{name: a, dtype: QCrBox.output_cif}, {name: b, dtype: QCrBox.output_cif}]}",
            "at most one QCrBox.output_cif",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', outputs: "
            "[{name: a, dtype: QCrBox.output_text, filename: ../x}]}",
            "without ..",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: '{x}', parameters: "
            "[{name: x, dtype: QCrBox.cif_data_file, required_entry_sets: [cel]}]}",
            "unknown entry set 'cel'",
        ),
        (
            "{name: c, implemented_as: CLI, call_pattern: 'true', parameters: [{name: a-b, dtype: int}]}",
            "identifier",
        ),
    ],
)
def test_faulty_commands_are_refused(spec, command, text):
    with pytest.raises(SpecError) as caught:
        spec(f"- {command}")
    assert text in "\n".join(caught.value.fields["problems"])


def test_every_problem_is_listed_with_its_line():
    found = problems(
        "name: A\nslug: 'a b'\nversion: 1\ncommands:\n  - name: c\n    implemented_as: CLI\n"
        "    call_pattern: 'x {y}'\n  - name: c\n    implemented_as: CLI\n    call_pattern: 'x'\n"
    )
    assert [problem.split(": ")[0] for problem in found] == ["a.yaml:2", "a.yaml:7", "a.yaml:8"]


@pytest.mark.parametrize("key", ["name", "slug", "version"])
def test_identity_is_required(key):
    text = "".join(f"{k}: a\n" for k in ("name", "slug", "version") if k != key)
    assert problems(text) == [f"a.yaml:1: '{key}' is missing or empty"]


def test_yaml_fault_has_line_and_column():
    with pytest.raises(SpecError) as caught:
        loads("name: A\nslug: [a\n", "a.yaml")
    assert caught.value.fields["line"] == 3
    assert caught.value.where == "a.yaml:3"


@pytest.mark.attack(13)
def test_anchors_that_multiply_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "anchors" in problems("\n".join(lines))[0]


@pytest.mark.attack(13)
def test_a_chain_of_anchors_is_refused():
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 3000))]
    assert "deep" in problems("\n".join(lines))[0]


def test_harmless_anchors_are_read():
    made = loads("name: &n A\nslug: a\nversion: 1\ndescription: *n\n")
    assert made.description == "A"


@pytest.mark.parametrize("text", ["[" * 3000, "a: " + "{b: " * 200, "- &a [*a]"])
def test_endless_nesting_is_refused(text):
    assert problems(text)


@pytest.mark.attack(13)
@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['true']", "!x y", "!!binary aGk="])
def test_foreign_tags_are_refused(tag):
    assert problems(f"name: {tag}\nslug: a\nversion: 1\n")


def test_file_that_is_no_utf8_is_refused_with_its_path(tmp_path):
    path = tmp_path / "application.yaml"
    path.write_bytes(b"name: M\xfcller\n")
    with pytest.raises(SpecError, match="not UTF-8"):
        load(path)


def test_rest_form_shows_parameters_as_a_mapping(application):
    shown = application.to_rest()
    command = shown["commands"][0]
    assert shown["doi"] == "10.0000/polish.1, 10.0000/polish.2"
    assert command["application"] == "cell_polisher"
    assert list(command["parameters"]) == ["model", "grit", "way", "mask", "note", "polished"]
    assert command["parameters"]["grit"] == {
        "name": "grit",
        "dtype": "float",
        "description": None,
        "default_value": 0.5,
        "required": False,
        "valid_value": {"numeric_range": [0.0, 1.0]},
    }
    assert command["parameters"]["model"]["required_entry_sets"] == ["cell"]
    assert command["parameters"]["model"]["required"] is True


ONE_COMMAND = """
name: A
slug: a
version: 1
qcrbox_yaml_spec_version: "0.1"
commands:
  - name: run
    implemented_as: cli_command
    call_pattern: "run {structure} {reflections}"
    parameters:
      - {name: structure, dtype: QCrBox.cif_data_file}
      - {name: reflections, dtype: %s, required: false, companion: ["*.hkl", "*.hklf4"]}
"""


def test_a_companion_names_the_files_that_may_be_taken_from_the_dataset():
    application = loads(ONE_COMMAND % "QCrBox.data_file", "a.yaml")
    parameter = application.command("run").parameter("reflections")
    assert parameter.companion == ("*.hkl", "*.hklf4")
    assert parameter.to_rest()["companion"] == ["*.hkl", "*.hklf4"]
    assert application.notes == []


def test_only_a_data_file_has_a_companion():
    assert "companion is for data files" in problems(ONE_COMMAND % "int")[0]


def test_an_invalid_pattern_of_an_output_is_a_note(spec):
    made = spec(
        "- {name: c, implemented_as: CLI, call_pattern: 'true', outputs: "
        "[{name: o, dtype: QCrBox.output_cif, invalidated_entries: ['_x(a']}]}"
    )
    assert made.command("c").output_cif.cif.invalidated_entries == ["_x(a"]
    assert "not a regular expression" in made.notes[0]
