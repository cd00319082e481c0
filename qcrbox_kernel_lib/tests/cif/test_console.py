"""Console commands: CIF keys of a spec of any generation, and errors that name file and reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.cif.console import cif_keys, input_entries, load_spec, main, output_entries
from qcrbox.contract.errors import SpecError


def spec(commands: str, tmp_path: Path) -> dict:
    path = tmp_path / "spec.yml"
    path.write_text(f"commands:\n  - {{name: c, {commands}}}\n", "utf-8")
    return dict(load_spec(path))


INPUTS = {
    "newest": ("parameters: [{name: a, dtype: QCrBox.cif_data_file, required_entries: [_x]}]", ["_x"]),
    "middle": ("parameters: [{name: a, dtype: QCrBox.input_cif, required_entries: [_x]}]", ["_x"]),
    "letter case": ("parameters: [{name: a, dtype: qcrbox.CIF_data_file, required_entries: [_x]}]", ["_x"]),
    "old": ("parameters: [{name: a, type: QCrBox.cif_path}], required_cif_entries: [_x]", ["_x"]),
    "old, a text": ("parameters: [{name: input_cif_path, type: str}], required_cif_entries: [_x]", ["_x"]),
    "old section": ("cif_input: {required_entries: [_x]}", ["_x"]),
    "old section, cif_": ("cif_input: {required_cif_entries: [_x]}", ["_x"]),
    "a number before": (
        "parameters: [{name: n, dtype: int}, {name: a, dtype: QCrBox.cif_data_file, required_entries: [_x]}]",
        ["_x"],
    ),
    # A first parameter without a data type, which is not the CIF.
    "a choice before": (
        "parameters: [{name: way, valid_value: {choices: [p]}},"
        " {name: a, dtype: QCrBox.cif_data_file, required_entries: [_x]}]",
        ["_x"],
    ),
    "a single name": ("parameters: [{name: a, dtype: QCrBox.cif_data_file, required_entries: _x}]", ["_x"]),
    "none": ("parameters: [{name: a, dtype: QCrBox.cif_data_file, required_entries: null}]", []),
    "its own before that of the command": (
        "required_cif_entries: [_y], parameters: [{name: a, dtype: QCrBox.cif_data_file, required_entries: [_x]}]",
        ["_x"],
    ),
}


@pytest.mark.parametrize(("commands", "required"), INPUTS.values(), ids=INPUTS)
def test_the_entries_that_a_command_reads_in_every_generation(tmp_path, commands, required):
    made = spec(commands, tmp_path)
    assert list(input_entries(cif_keys(made, "c"), made).required) == required


OUTPUTS = {
    "newest": "outputs: [{name: o, dtype: QCrBox.output_cif, invalidated_entries: [_x]}]",
    "middle": "parameters: [{name: o, dtype: QCrBox.output_cif, invalidated_entries: [_x]}]",
    "old": "parameters: [{name: o, type: QCrBox.output_cif, invalidated_cif_entries: [_x]}]",
    "an output file": "parameters: [{name: o, type: QCrBox.output_file, invalidated_cif_entries: [_x]}]",
    "old section": "cif_output: {invalidated_entries: [_x]}",
    "another output before": (
        "outputs: [{name: r, dtype: QCrBox.output_html}, {name: o, dtype: QCrBox.output_cif, invalidated_entries: [_x]}]"
    ),
    "an input before": (
        "parameters: [{name: a, dtype: QCrBox.cif_data_file, required_entries: [_y]},"
        " {name: o, dtype: QCrBox.output_cif, invalidated_entries: [_x]}]"
    ),
}


@pytest.mark.parametrize("commands", OUTPUTS.values(), ids=OUTPUTS)
def test_the_entries_that_a_command_writes_in_every_generation(tmp_path, commands):
    made = spec(commands, tmp_path)
    assert list(output_entries(cif_keys(made, "c", output=True), made).invalidated) == ["_x"]


@pytest.mark.parametrize(
    ("written", "block"),
    [("", "0"), ("output_block: second", "second"), ("select_block: 1", 1), ("output_block: 0", 0)],
)
def test_the_block_of_an_output(tmp_path, written, block):
    made = spec(f"outputs: [{{name: o, dtype: QCrBox.output_cif, {written}}}]", tmp_path)
    assert output_entries(cif_keys(made, "c", "o"), made).output_block == block


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not readable YAML"),
        ("a: 2024-99-99", "not readable YAML"),
        ("- 1", "is not a mapping"),
        ("", "is not a mapping"),
        ("a: \xff", "not readable YAML"),
    ],
    ids=["open list", "a date that is none", "a list", "empty", "another encoding"],
)
def test_a_spec_that_cannot_be_read_is_named_with_the_reason(tmp_path, text, words):
    path = tmp_path / "spec.yml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(SpecError, match=words) as caught:
        load_spec(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("command", "parameter", "words"),
    [
        ("d", None, r"no command 'd'. Commands: c"),
        ("c", "z", r"no parameter or output 'z'. It has: n"),
        ("c", None, r"no parameter or output 'for a CIF'. It has: n"),
    ],
)
def test_what_a_spec_lacks_is_named_with_what_it_has(tmp_path, command, parameter, words):
    made = spec("parameters: [{name: n, dtype: int}]", tmp_path)
    with pytest.raises(SpecError, match=words):
        cif_keys(made, command, parameter)


@pytest.mark.parametrize("rest", [["spec.yml"], ["a.cif", "spec.yml", "c", "o", "more"]])
def test_a_wrong_number_of_arguments_shows_the_right_ones(tmp_path, capsys, rest):
    (tmp_path / "in.cif").write_text("data_x\n_a 1\n")
    arguments = ["unified_by_yml", str(tmp_path / "in.cif"), str(tmp_path / "out.cif"), *rest]
    assert main(arguments) == 1
    assert "Expected [merge] yml command [parameter], not" in capsys.readouterr().err


def test_a_folder_that_is_absent_is_named(tmp_path, capsys):
    (tmp_path / "in.cif").write_text("data_x\n_a 1\n")
    target = tmp_path / "no" / "out.cif"
    assert main(["to_unified", str(tmp_path / "in.cif"), str(target)]) == 1
    assert capsys.readouterr().err == f"{target}: No such file or directory\n"


def test_remarks_are_on_standard_error_and_the_result_is_written(tmp_path, capsys):
    (tmp_path / "in.cif").write_text("data_a\n_x 1\ndata_b\n_x 2\n")
    assert main(["to_unified", str(tmp_path / "in.cif"), str(tmp_path / "out.cif")]) == 0
    assert "The file has 2 data blocks (a, b); the first one was used." in capsys.readouterr().err
    assert (tmp_path / "out.cif").read_text() == "data_a\n" + f"{'_x':<34} 1\n"
