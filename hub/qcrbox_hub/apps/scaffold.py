"""`qcrbox apps new`: a folder that passes `check` and `test` as it is, with the places to change marked."""

from __future__ import annotations

import re
from pathlib import Path

from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox.contract.python_names import why_unreachable

from qcrbox_hub.apps.dockerfile import DEFAULT_DOCKERFILE

_SPEC = """\
name: "{title}"
slug: "{slug}"
version: "0.1"
description: "What the program does, in one sentence."   # change me
url: ""
email: ""
doi: []

commands:
  - name: "count_sites"
    description: "Count the sites of the asymmetric unit and write a report."   # change me
    implemented_as: "python_callable"
    import_path: "{module}"
    callable_name: "count_sites"
    parameters:
      - name: "structure"
        dtype: "QCrBox.cif_data_file"
        description: "Structure to look at"
        required_entries:
          - "_cell_length_a"
          - "_cell_length_b"
          - "_cell_length_c"
          - "_cell_angle_alpha"
          - "_cell_angle_beta"
          - "_cell_angle_gamma"
          - "_atom_site_label"
          - "_atom_site_fract_x"
          - "_atom_site_fract_y"
          - "_atom_site_fract_z"
        optional_entries: ["_atom_site_type_symbol", "_atom_site_occupancy"]
      - name: "element"
        dtype: "str"
        description: "Count this element only; empty counts all"
        default_value: ""
        required: false
    outputs:
      - name: "report"
        dtype: "QCrBox.output_text"
        filename: "report.txt"

qcrbox_yaml_spec_version: "0.1"
"""

_GLUE = '''\
"""Commands of {title}. Plain functions: file arguments arrive as paths, the return value is the output file."""

from pathlib import Path

from qcrbox.crystallography.structure import Structure


def count_sites(structure: Path, report: str, element: str = "") -> str:
    """Count sites of `element` (all when empty) and write the number to `report`."""
    elements = Structure.from_cif(structure).sites.element
    chosen = [each for each in elements if not element or each.lower() == element.lower()]
    print(f"{{len(chosen)}} of {{len(elements)}} sites")
    Path(report).write_text(f"{{len(chosen)}}\\n")
    return report
'''

EXAMPLE = """\
data_example
_cell_length_a    5.0
_cell_length_b    5.0
_cell_length_c    5.0
_cell_angle_alpha 90
_cell_angle_beta  90
_cell_angle_gamma 90
loop_
 _atom_site_label
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 Na1 0 0 0
 Cl1 0.5 0.5 0.5
"""

_EXAMPLES = """\
# Shown to everybody as read-only example datasets.
datasets:
  - name: "{slug}_example"
    description: "A two-atom structure"
    files:
      - path: "examples/example.cif"
"""

_SUITE = """\
application_slug: "{slug}"
application_version: "0.1"
description: "Every command once."
test_cases:
  - name: "a structure is counted"
    command_name: "count_sites"
    input_parameters:
      - name: "structure"
        type: "external_file"
        path: "../examples/example.cif"
    expected_results:
      - type: "status"
        expected_value: "successful"
  - name: "a structure without atoms is refused"
    command_name: "count_sites"
    input_parameters:
      - name: "structure"
        type: "internal_file"
        upload_filename: "empty.cif"
        content: |
          data_nothing
          _cell_length_a 5
    expected_results:
      - type: "status"
        expected_value: "failed"
"""

_README = """\
# {title}

| file | what |
|---|---|
| application.yaml | the commands, their parameters and outputs |
| {module}.py | the functions behind them |
| requirements.txt | what the program needs from the Python registry, pinned |
| Dockerfile | its image; begin with `qcrbox/base`, or `qcrbox/gui-base` for a program with a window |
| examples.yaml | datasets that people can try |
| tests/suite.yaml | what each command must do |

```
qcrbox apps check {folder}     # faults with line numbers
qcrbox apps build {folder}     # its image
qcrbox apps test  {folder}     # its suite, in its container (--manager process: without Docker)
qcrbox apps approve {folder}   # people may use it
```
"""


def create(parent: Path, slug: str) -> Path:
    """Write the scaffold of `slug` below `parent` and return its folder."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", slug):
        raise UserInputError(
            f"{slug!r} cannot be the name of an application.",
            next="Begin with a letter; then letters, digits, '_' and '-'.",
        )
    if reason := why_unreachable(slug):
        raise UserInputError(
            f"{slug!r} cannot be the name of an application.", why=reason, next="Choose another name."
        )
    folder = parent / slug
    if folder.exists():
        raise Conflict(f"{folder} is there already.", next="Choose another name, or delete the folder.")
    words = {
        "slug": slug,
        "title": slug.replace("_", " ").replace("-", " ").title(),
        "module": slug.replace("-", "_").lower() + "_commands",
        "folder": slug,
    }
    files = {
        "application.yaml": _SPEC,
        f"{words['module']}.py": _GLUE,
        "requirements.txt": "# pinned, one per line: numpy==2.1.0\n",
        "Dockerfile": DEFAULT_DOCKERFILE,
        "examples.yaml": _EXAMPLES,
        "examples/example.cif": EXAMPLE,
        "tests/suite.yaml": _SUITE,
        "README.md": _README,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(**words) if name not in ("Dockerfile", "examples/example.cif") else text)
    return folder
