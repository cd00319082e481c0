"""Commands of a spec: wishes, CIF keys of the command, sessions, and what older GUI commands bring with them."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec import DType, Implementation

CLI = "name: c, implemented_as: cli_command, call_pattern: run"


def problems(make, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        make(text)
    return [problem.partition(": ")[2] for problem in caught.value.fields["problems"]]


WISHES = [
    ("timeout: 60", "timeout_s", 60.0),
    ("timeout: '1.5e3'", "timeout_s", 1500.0),
    ("memory: 2 GiB", "memory_bytes", 2 * 1024**3),
    ("cpus: 0.5", "cpus", 0.5),
    ("gpu: 1", "gpu", 1),
    ("gpu: 0", "gpu", 0),
    ("checkpoint: orca.gbw", "checkpoint", "orca.gbw"),
    ("progress: 'cycle (?P<cycle>\\d+)'", "progress", r"cycle (?P<cycle>\d+)"),
]


@pytest.mark.parametrize(("keys", "field", "value"), WISHES, ids=[row[0] for row in WISHES])
def test_wishes_of_a_command(spec, keys, field, value):
    made = spec(f"- {{{CLI}, {keys}}}")
    assert getattr(made.command("c"), field) == value
    assert made.notes == []


@pytest.mark.parametrize(
    "keys",
    [
        "gpu: .nan",
        "gpu: inf",
        "gpu: many",
        "gpu: -1",
        "timeout: .inf",
        "timeout: -5",
        "timeout: 0",
        "cpus: 0",
        "cpus: -2",
        "cpus: nan",
        "memory: 1.2.3 GB",
        "memory: lots",
        "memory: 0",
    ],
)
def test_a_wish_that_cannot_be_granted_is_noted_and_ignored(spec, keys):
    made = spec(f"- {{{CLI}, {keys}}}")
    command = made.command("c")
    assert (command.timeout_s, command.memory_bytes, command.cpus, command.gpu) == (None,) * 4
    (note,) = made.notes
    assert f"'{keys}'" in note
    assert note.endswith("and is ignored")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("progress: 'cycle (\\d+)'", "progress needs named groups"),
        ("progress: '(?P<x'", "progress is not a regular expression"),
        ("checkpoint: a/b.chk", "checkpoint names a file in the working directory"),
        ("checkpoint: ../b", "checkpoint names a file in the working directory"),
        ("checkpoint: -x", "checkpoint names a file in the working directory"),
        ("title: 'x {nothing}'", "title names 'nothing'"),
    ],
)
def test_faulty_wishes_are_problems(spec, keys, words):
    assert any(words in text for text in problems(spec, f"- {{{CLI}, {keys}}}"))


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("gui", Implementation.INTERACTIVE),
        ("Interactive-Session", Implementation.INTERACTIVE),
        ("INTERACTIVE SESSION", Implementation.INTERACTIVE),
        ("Python Callable", Implementation.PYTHON),
        ("cli-command", Implementation.CLI),
    ],
)
def test_words_of_implementations_in_their_spellings(spec, word, kind):
    made = spec(
        f"- {{name: c, implemented_as: {word}, import_path: m, call_pattern: run,"
        " interactive_lifecycle: {run: {implemented_as: cli_command, call_pattern: run}}}"
    )
    assert made.command("c").implemented_as is kind


@pytest.mark.parametrize("key", ["name: ''", "description: x"])
def test_a_command_needs_a_name(spec, key):
    assert "a command needs a name" in problems(
        spec, f"- {{{key}, implemented_as: cli_command, call_pattern: x}}"
    )


# ---------------------------------------------------------------- CIF keys of the command

OLD = """
- name: c
  implemented_as: cli_command
  command: "run {a} {b} {out}"
  parameters:
    - {name: a, type: QCrBox.input_cif, required_entries: [_own]}
    - {name: b, type: QCrBox.input_cif}
    - {name: out, type: %s}
  required_cif_entries: [_cell_length_a]
  optional_cif_entries: [_cell_length_b]
  custom_cif_categories: [shelx]
  merge_cif_su: true
  cif_output: {required_entries: [_cell_length_a], select_block: 0}
"""


def test_cif_keys_of_a_command_are_those_of_its_first_input_where_it_has_none_of_its_own(spec):
    command = spec(OLD % "QCrBox.output_cif").command("c")
    first, second = command.parameter("a").cif, command.parameter("b").cif
    assert first.required_entries == ["_own"]
    assert first.optional_entries == ["_cell_length_b"]
    assert first.custom_categories == ["shelx"]
    assert second.required_entries == second.optional_entries == []
    assert (first.merge_su, second.merge_su) == (True, True)


@pytest.mark.parametrize("dtype", ["QCrBox.output_cif", "QCrBox.output_file"])
def test_keys_of_the_output_go_to_the_output_cif(spec, dtype):
    text = (OLD % dtype).replace("out}", "out_cif}").replace("name: out,", "name: out_cif,")
    output = spec(text).command("c").output_cif
    assert (output.name, output.cif.required_entries) == ("out_cif", ["_cell_length_a"])


def test_keys_of_an_output_without_output_cif_are_noted(spec):
    made = spec(OLD % "str")
    assert any("cif_output is ignored: the command has no output CIF" in note for note in made.notes)


def test_keys_of_an_input_without_cif_input_are_noted(spec):
    made = spec(f"- {{{CLI}, required_cif_entries: [_a]}}")
    assert any("CIF keys of the command are ignored: it has no CIF input" in note for note in made.notes)


def test_keys_of_cif_output_complete_those_of_the_declared_output(spec):
    command = spec(
        f"- {{{CLI}, outputs: [{{name: o, dtype: QCrBox.output_cif, required_entries: [_own]}}],"
        " cif_output: {required_entries: [_other], invalidated_entries: [_geom.*]}}"
    ).command("c")
    assert command.output_cif.cif.required_entries == ["_own"]
    assert command.output_cif.cif.invalidated_entries == ["_geom.*"]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            "parameters: [{name: a, dtype: int, older_names: [a]}]",
            "older name 'a' of 'a' is the name of something else",
        ),
        (
            "parameters: [{name: a, dtype: int, older_names: [z]}, {name: b, dtype: int, older_names: [z]}]",
            "older name 'z' of 'b' is the name of something else",
        ),
        (
            "outputs: [{name: o, dtype: QCrBox.output_text}, {name: o, dtype: QCrBox.output_html}]",
            "the name 'o' is there twice",
        ),
    ],
)
def test_names_mean_one_thing(spec, keys, words):
    assert words in problems(spec, f"- {{{CLI}, {keys}}}")


@pytest.mark.parametrize(
    ("doi", "dois"),
    [
        ("10.1/a", ["10.1/a"]),
        ("'10.1/a, 10.2/b'", ["10.1/a", "10.2/b"]),
        ("[10.1/a, 10.2/b/]", ["10.1/a", "10.2/b"]),
    ],
)
def test_the_dois_of_a_command(spec, doi, dois):
    made = spec(f"- {{{CLI}, doi: {doi}}}")
    assert made.command("c").doi == dois
    assert made.to_rest()["commands"][0]["doi"] == ", ".join(dois)


def test_an_additional_cif_is_not_the_source_of_the_output(spec):
    command = spec(
        f"- {{{CLI}, parameters: [{{name: a, dtype: QCrBox.additional_input_cif}}, {{name: b, dtype: QCrBox.input_cif}}]}}"
    ).command("c")
    assert [p.name for p in command.cif_inputs] == ["a", "b"]
    assert command.source_cif.name == "b"
    assert command.parameter("a").dtype is DType.CIF_DATA_FILE
