from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from qcrbox.spec import Application, Command, Parameter, loads

NEWEST = """
name: "Cell Polisher"
slug: "cell_polisher"
version: "3.0"
description: "Polishes cells."
url: "https://example.org/polisher"
email: "help@example.org"
doi: "10.0000/polish.1, 10.0000/polish.2"
commands:
  - name: "polish"
    description: "Polish the cell."
    implemented_as: "cli_command"
    call_pattern: >
      polisher --in {model} --out {polished} \\
      --grit {grit} --way {way} {mask?--mask} --note {note}
    parameters:
      - name: "model"
        dtype: "QCrBox.cif_data_file"
        description: "Model to polish"
        required_entry_sets: ["cell"]
        required_entries:
          - "_atom_site_label"
          - one_of: ["_space_group_symop_operation_xyz", ["_space_group_name_H-M_alt", "_space_group_IT_number"]]
        optional_entries: ["_shelx_res_file"]
        custom_categories: ["shelx"]
        merge_su: true
      - {name: "grit", dtype: "float", default_value: 0.5, valid_value: {numeric_range: [0, 1]}}
      - {name: "way", dtype: "str", default_value: "gentle", valid_value: {choices: ["gentle", "hard"]}}
      - {name: "mask", dtype: "QCrBox.data_file", required: false}
      - {name: "note", dtype: "str", default_value: None, required: false}
    outputs:
      - name: "polished"
        dtype: "QCrBox.output_cif"
        required_entries: ["_atom_site_label"]
        invalidated_entries: ["_geom.*"]
        custom_categories: ["shelx"]
      - {name: "report", dtype: "QCrBox.output_html", filename: "out/report.html", required_output: false}
  - name: "interactive_session"
    implemented_as: "interactive_session"
    parameters:
      - {name: "model", dtype: "QCrBox.cif_data_file", required_entry_sets: ["cell"]}
    outputs:
      - {name: "edited", dtype: "QCrBox.output_cif", optional_entries: ["_atom_site_.*"], invalidated_entries: []}
    interactive_lifecycle:
      prepare: {implemented_as: "python_callable", import_path: "glue", callable_name: "prepare", used_basecommand_parameters: ["model"]}
      run: {implemented_as: "cli_command", call_pattern: "polisher-gui {model}", used_basecommand_parameters: ["model"]}
      finalise: {implemented_as: "python_callable", import_path: "glue", callable_name: "collect", used_basecommand_parameters: ["model", "edited"]}
cif_entry_sets:
  - name: "cell"
    required: ["_cell_length_a", "_cell_length_b"]
    optional: ["_cell_measurement_temperature"]
qcrbox_yaml_spec_version: "0.1"
"""


@pytest.fixture
def application() -> Application:
    return loads(NEWEST)


@pytest.fixture
def polish(application: Application) -> Command:
    command = application.command("polish")
    assert command is not None
    return command


@pytest.fixture
def spec() -> Callable[[str], Application]:
    """An application whose `commands:` is the given YAML."""

    def make(commands: str, rest: str = "") -> Application:
        head = 'name: A\nslug: a\nversion: "1"\nqcrbox_yaml_spec_version: "0.1"\n'
        body = textwrap.indent(textwrap.dedent(commands).strip("\n"), "  ")
        return loads(f"{head}commands:\n{body}\n{textwrap.dedent(rest)}")

    return make


@pytest.fixture
def parameter(spec: Callable[..., Application]) -> Callable[[str], Parameter]:
    """The one parameter `x` of a command, from its YAML flow mapping without braces."""

    def make(keys: str) -> Parameter:
        made = spec(
            "- {name: c, implemented_as: python_callable, import_path: m, parameters: [{name: x, "
            + keys
            + "}]}"
        )
        found = made.command("c").parameter("x")
        assert found is not None
        return found

    return make
