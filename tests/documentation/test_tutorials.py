"""What tutorials and exercises show: tables and words, no raw data structures; exercises do not hold their answers."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks").rglob("*.ipynb"))
SHOWN = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
RAW = re.compile(r"\s*(\{['\"]|\[\{|\{\d+:)")


def code_of(notebook: Path) -> list[str]:
    cells = nbformat.read(notebook, as_version=4).cells
    return [str(cell.source) for cell in cells if cell.cell_type == "code"]


@pytest.mark.parametrize("notebook", SHOWN, ids=lambda path: path.stem)
def test_no_output_is_a_raw_dict(notebook):
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = output.get("text") or ("" if "text/html" in data else data.get("text/plain", ""))
            assert not [line for line in str(text).splitlines() if RAW.match(line)], cell.source


@pytest.mark.parametrize("notebook", SOURCES, ids=lambda path: path.stem)
def test_no_cell_shows_a_parsed_file_as_it_is(notebook):
    for source in code_of(notebook):
        last = ast.parse(source).body[-1:]
        shown = ast.unparse(last[0]) if last and isinstance(last[0], ast.Expr) else ""
        assert not re.match(r"json\.loads\(", shown), source
        printed = re.search(r"print\((\w+)\)", source)
        assert not (printed and f"for {printed.group(1)} in json.loads" in source), source


@pytest.mark.parametrize(
    ("notebook", "answer"),
    [
        ("06_exercise_find_the_atom", r"delete N3|occupancy C3"),
        ("disorder", r"occupancies=\"refine\""),
        ("hydrogens_and_weights", r"hydrogens=\"(place|free)\"|weighting=\"(optimise|search)\""),
        ("space_group", r"model-[23]\.cif"),
    ],
)
def test_no_cell_of_an_exercise_holds_its_answer(notebook, answer):
    """The option that the student is to find stands in no line of code before it is filled in."""
    (path,) = [each for each in SOURCES if each.stem == notebook]
    assert [source for source in code_of(path) if re.search(answer, source)] == []
