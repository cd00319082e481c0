"""Parameters and outputs of a spec: keys, defaults, valid values, entries, file names."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec import DType, loads

HEAD = 'name: A\nslug: a\nversion: "1"\nqcrbox_yaml_spec_version: "0.1"\ncommands:\n'
COMMAND = "  - {{name: c, implemented_as: python_callable, import_path: m, {keys}}}\n"


def made(keys: str):
    """Command and notes of a spec with one command."""
    application = loads(HEAD + COMMAND.format(keys=keys), "a.yaml")
    return application.command("c"), application.notes


def problems(keys: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        loads(HEAD + COMMAND.format(keys=keys), "a.yaml")
    return caught.value.fields["problems"]


@pytest.mark.parametrize("name", ["''", "null", "a-b", "1a", "a b", "a.b", "[x]"])
@pytest.mark.parametrize(("part", "noun"), [("parameters", "a parameter's"), ("outputs", "an output's")])
def test_a_name_is_an_identifier(part, noun, name):
    found = problems(f"{part}: [{{name: {name}, dtype: QCrBox.output_cif}}]")
    assert any(f"{noun} name must be an identifier" in text for text in found)


@pytest.mark.parametrize("name", ["é", "_x", "x1", "class"])
def test_names_that_python_can_write(name):
    command, _ = made(f"parameters: [{{name: {name}, dtype: int}}]")
    assert [p.name for p in command.parameters] == [name]


@pytest.mark.parametrize(
    ("keys", "required", "optional"),
    [
        ("", None, False),
        ("required: true", True, False),
        ("required: false", False, True),
        ("optional: true", False, True),
        ("optional: false", True, False),
        ("required: true, optional: true", True, False),
        ("required: maybe", None, False),
    ],
)
def test_required_as_written_or_the_opposite_of_optional(keys, required, optional):
    command, _ = made(f"parameters: [{{name: x, dtype: int, {keys}}}]")
    parameter = command.parameter("x")
    assert (parameter.required, parameter.optional) == (required, optional)


DEFAULTS = [
    ("dtype: str, default_value: ' a '", " a ", []),
    ("dtype: str, default_value: '  '", None, ["the empty default of 'x' means there is none"]),
    ("dtype: int, default_value: ''", None, ["the empty default of 'x' means there is none"]),
    ("dtype: int, default_value: ' 5 '", 5, []),
    ("dtype: float, default_value: .5", 0.5, []),
    (
        "dtype: float, default_value: .nan",
        None,
        ["the default '.nan' of 'x' is not a number; taken as no default"],
    ),
    ("dtype: float, default_value: 1e999", None, ["is not a finite number; taken as no default"]),
    ("dtype: bool, default_value: on", True, []),
    ("dtype: bool, default_value: 2", None, ["is not true or false; taken as no default"]),
    ("dtype: int, default_value: null, default: 3", None, []),
    ("dtype: int, default: 3", 3, []),
    ("dtype: QCrBox.data_file, default_value: a.hkl", None, ["is ignored: files have none"]),
    ("dtype: QCrBox.cif_data_file, default_value: a.cif", None, ["is ignored: files have none"]),
    ("dtype: QCrBox.folder_path, default_value: tmp", None, ["is ignored: files have none"]),
    ("dtype: QCrBox.output_file, default_value: ../out.txt", ".._out.txt", []),
    ("dtype: QCrBox.output_file, default_value: '..'", None, []),
    ("dtype: QCrBox.output_cif, default_value: None", None, ["means there is none"]),
]


@pytest.mark.parametrize(("keys", "default", "notes"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_defaults_are_converted_or_noted_with_the_reason(keys, default, notes):
    command, found = made(f"parameters: [{{name: x, {keys}}}]")
    parameter = command.parameter("x")
    assert (parameter.default, parameter.has_default) == (default, default is not None)
    assert len(found) == len(notes)
    assert all(words in text for words, text in zip(notes, found, strict=True))


VALID = [
    ("dtype: int, valid_value: {numeric_range: [0, null]}", {"numeric_range": [0, None]}),
    ("dtype: int, valid_value: {numeric_range: [null, 5]}", {"numeric_range": [None, 5]}),
    ("dtype: float, valid_value: {numeric_range: [-.inf, .inf]}", {"numeric_range": [None, None]}),
    ("dtype: float, valid_value: {numeric_range: ['-1e-3', '+2']}", {"numeric_range": [-0.001, 2.0]}),
    ("dtype: int, valid_values: {choices: ['1', 2.0]}", {"choices": [1, 2]}),
    ("dtype: str, valid_value: {choices: [1.50, no]}", {"choices": ["1.50", "no"]}),
    ("dtype: str, valid_value: {choices: ['', a]}", {"choices": ["", "a"]}),
    ("dtype: str, valid_value: {regex: '^[A-Z]'}", {"regex": "^[A-Z]"}),
]


@pytest.mark.parametrize(("keys", "shown"), VALID, ids=[row[0] for row in VALID])
def test_valid_values_as_clients_see_them(keys, shown):
    command, notes = made(f"parameters: [{{name: x, {keys}}}]")
    assert command.parameter("x").valid_value.to_rest() == shown
    assert notes == []


FAULTY = [
    ("dtype: int, valid_value: {numeric_range: [1, 2, 3]}", "numeric_range must be [min, max]"),
    ("dtype: int, valid_value: {numeric_range: 5}", "'numeric_range' must be a list, not a number"),
    ("dtype: int, valid_value: {numeric_range: [a, 2]}", "numeric_range must hold two numbers"),
    ("dtype: int, valid_value: {numeric_range: [.nan, 2]}", "numeric_range must hold two numbers"),
    ("dtype: int, valid_value: {numeric_range: [true, 2]}", "numeric_range must hold two numbers"),
    ("dtype: int, valid_value: {numeric_range: [[1], 2]}", "numeric_range must hold two numbers"),
    ("dtype: str, valid_value: {choices: []}", "choices must be a list that is not empty"),
    ("dtype: str, valid_value: {choices: a}", "'choices' must be a list, not text"),
    ("dtype: str, valid_value: {regex: ''}", "regex is empty"),
    ("dtype: str, valid_value: null", "valid_value is empty"),
    ("dtype: str, valid_value: 5", "a mapping is expected here"),
    ("dtype: bool, valid_value: {numeric_range: [0, 1]}", "numeric_range is for int and float, not for bool"),
    (
        "dtype: QCrBox.output_file, valid_value: {choices: [a]}",
        "valid_value is not allowed for QCrBox.output_file",
    ),
    # These ended the reading with a Python error, because text was compared with a number.
    (
        "dtype: str, default_value: a, valid_value: {numeric_range: [0, 1]}",
        "numeric_range is for int and float",
    ),
    (
        "dtype: QCrBox.output_file, default_value: a.txt, valid_value: {numeric_range: [0, 1]}",
        "not allowed for",
    ),
]


@pytest.mark.parametrize(("keys", "words"), FAULTY, ids=[row[0] for row in FAULTY])
def test_faulty_valid_values_are_problems_with_their_line(keys, words):
    found = problems(f"parameters: [{{name: x, {keys}}}]")
    assert any(words in text for text in found)
    assert all(text.startswith("a.yaml:6: ") for text in found)


@pytest.mark.parametrize(
    ("keys", "dtype", "words"),
    [
        ("valid_value: {numeric_range: [0, 1]}", DType.FLOAT, "taken as float because of its valid_value"),
        ("valid_value: {choices: [a]}", DType.STR, "taken as str because of its valid_value"),
    ],
)
def test_a_missing_type_is_guessed_from_the_valid_values(keys, dtype, words):
    command, notes = made(f"parameters: [{{name: x, {keys}}}]")
    assert command.parameter("x").dtype is dtype
    assert words in notes[0]


def test_a_text_called_input_cif_path_is_the_input_cif():
    command, notes = made("parameters: [{name: input_cif_path, dtype: str}]")
    assert command.parameter("input_cif_path").dtype is DType.CIF_DATA_FILE
    assert "taken as the input CIF" in notes[0]


ENTRIES = [
    ("[_a, _b]", ["_a", "_b"]),
    ("_a", ["_a"]),
    ("[one_of: [_a, [_b, _c]]]", [{"one_of": ["_a", ["_b", "_c"]]}]),
    ("[{one_of: [_a]}, _d]", [{"one_of": ["_a"]}, "_d"]),
    ("null", []),
    ("[]", []),
    ("[all_unified]", ["all_unified"]),
]


@pytest.mark.parametrize(("written", "entries"), ENTRIES, ids=[row[0] for row in ENTRIES])
def test_entries_of_an_input_in_all_their_forms(written, entries):
    command, _ = made(
        f"parameters: [{{name: x, dtype: QCrBox.cif_data_file, required_entries: {written}, optional_entries: {written}}}]"
    )
    cif = command.parameter("x").cif
    assert cif.required_entries == cif.optional_entries == entries
    assert cif.has_keys is bool(entries)


@pytest.mark.parametrize(
    "written", ["[{one_of: []}]", "[{one_of: _a}]", "[{any_of: [_a]}]", "[{one_of: [_a], also: 1}]", "[{}]"]
)
def test_a_faulty_group_of_entries_shows_its_form(written):
    found = problems(f"parameters: [{{name: x, dtype: QCrBox.cif_data_file, required_entries: {written}}}]")
    assert "an entry is a name or one_of: [name, [name, name], …]" in found[0]


@pytest.mark.parametrize(
    ("written", "dialect"), [("unified", "unified"), ("DDL1", "ddl1"), ("''", "unified"), ("null", "unified")]
)
def test_the_dialect_of_an_input(written, dialect):
    command, _ = made(f"parameters: [{{name: x, dtype: QCrBox.cif_data_file, dialect: {written}}}]")
    assert command.parameter("x").cif.dialect == dialect


def test_an_unknown_dialect_is_a_problem():
    found = problems("parameters: [{name: x, dtype: QCrBox.cif_data_file, dialect: cif3}]")
    assert "'cif3' is not a dialect of CIF; use unified or ddl1" in found[0]


@pytest.mark.parametrize(
    ("written", "block"), [("0", "0"), ("'0'", "0"), ("second", "second"), ("null", "0")]
)
def test_the_block_of_an_output(written, block):
    command, _ = made(f"outputs: [{{name: x, dtype: QCrBox.output_cif, output_block: {written}}}]")
    assert command.output_cif.cif.output_block == block


@pytest.mark.parametrize(
    ("dtype", "filename"),
    [
        ("QCrBox.output_cif", "x.cif"),
        ("QCrBox.output_text", "x.txt"),
        ("QCrBox.output_image", "x.png"),
        ("QCrBox.output_html", "x.html"),
        ("QCrBox.output_interactive_structure", "x.cif"),
        ("QCrBox.output_interactive_graph", "x.json"),
    ],
)
def test_an_output_without_file_name_is_called_by_its_own(dtype, filename):
    command, _ = made(f"outputs: [{{name: x, dtype: {dtype}}}]")
    assert command.output("x").filename == filename
    assert command.output("x").required_output is True


@pytest.mark.parametrize("filename", ["a.txt", "out/a.txt", "a..b", ".hidden", "a b.txt", "é.txt"])
def test_file_names_of_outputs_that_are_accepted(filename):
    command, _ = made(f"outputs: [{{name: x, dtype: QCrBox.output_text, filename: '{filename}'}}]")
    assert command.output("x").filename == filename


@pytest.mark.parametrize(
    "filename",
    ["/etc/passwd", "../a", "a/../b", "..", "-rf", "\\\\host", "a\\0b", ".", "out/", "./"],
    ids=repr,
)
def test_file_names_of_outputs_that_are_refused(filename):
    found = problems(f'outputs: [{{name: x, dtype: QCrBox.output_text, filename: "{filename}"}}]')
    assert "must be relative and without .., and name a file" in found[0]


def test_an_output_with_an_unknown_type_lists_the_known_ones():
    (found,) = problems("outputs: [{name: x, dtype: QCrBox.output_file}]")
    assert "unknown dtype 'QCrBox.output_file'; known: QCrBox.output_cif" in found


@pytest.mark.parametrize(
    ("keys", "filename", "required"),
    [
        ("dtype: QCrBox.output_cif", "x.cif", True),
        ("dtype: QCrBox.output_cif, required: false", "x.cif", False),
        ("dtype: QCrBox.output_cif, default_value: done.cif", "done.cif", True),
        ("dtype: QCrBox.output_file", "x", False),
        ("dtype: QCrBox.output_file, default_value: a/b.log", "a_b.log", False),
        ("dtype: QCrBox.output_folder", "x", False),
    ],
)
def test_the_output_of_an_output_parameter(keys, filename, required):
    command, _ = made(f"parameters: [{{name: x, {keys}}}]")
    output = command.output("x")
    assert (output.filename, output.required_output) == (filename, required)
    assert output.from_parameter
    assert output.missing_is_warning


def test_an_output_file_with_cif_keys_is_the_output_cif():
    command, notes = made(
        "parameters: [{name: x, dtype: QCrBox.output_file, invalidated_entries: [_geom.*]}]"
    )
    assert command.output_cif.cif.invalidated_entries == ["_geom.*"]
    assert "taken as the output CIF" in notes[0]


def test_unknown_keys_are_noted_with_the_part_they_belong_to():
    _, notes = made(
        "parameters: [{name: x, dtype: int, colour: red, valid_value: {numeric_range: [0, 1], step: 1}}],"
        " outputs: [{name: y, dtype: QCrBox.output_text, size: 5}]"
    )
    assert [note.partition(": ")[2] for note in notes] == [
        "unknown key 'step' of valid_value is ignored",
        "unknown key 'colour' of parameter 'x' is ignored",
        "unknown key 'size' of output 'y' is ignored",
    ]


@pytest.mark.parametrize("parameters", ["5", "true", "text", "{a: 1}", "[5]", "[null]", "[[]]"])
def test_parameters_that_are_no_list_of_mappings_are_problems(parameters):
    """A number here ended the reading of a command-line command with a Python error."""
    for kind in ("python_callable, import_path: m", "cli_command, call_pattern: run"):
        text = f"{HEAD}  - {{name: c, implemented_as: {kind}, parameters: {parameters}}}\n"
        with pytest.raises(SpecError, match=r"must be a list|a mapping is expected"):
            loads(text, "a.yaml")
