"""The tutorial notebooks, executed as they are; what stays in them must be readable without a kernel."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))
EXERCISES = sorted((Path(__file__).parents[3] / "notebooks" / "exercises").glob("*.ipynb"))
_SVG = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


# The first tells whether notebooks run at all; the others take minutes.
_EXECUTED = [NOTEBOOKS[0], *(pytest.param(path, marks=pytest.mark.slow) for path in NOTEBOOKS[1:])]


@pytest.fixture(scope="module", params=_EXECUTED, ids=lambda path: path.stem)
def executed(request, registry_url, tmp_path_factory):
    return run(request.param, registry_url, tmp_path_factory.mktemp("notebook"))


def run(path, registry_url, folder):
    """The notebook with its outputs. Raises CellExecutionError."""
    notebook = nbformat.read(path, as_version=4)
    patch = pytest.MonkeyPatch()
    patch.setenv("QCRBOX_URL", registry_url)
    patch.delenv("QCRBOX_TOKEN_FILE", raising=False)
    try:
        NotebookClient(
            notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        ).execute()
    finally:
        patch.undo()
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


# The first of three models is in a wrong group; which one is right, the student finds.
R1_AT_THE_START = {"space_group": (0.35, 0.5)}


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_an_exercise_runs_to_its_end_before_a_student_changes_anything(path, registry_url, tmp_path):
    """The refinement that each begins with is the measured one: R1 of the model as it is handed out."""
    printed = "".join(output.get("text", "") for output in outputs(run(path, registry_url, tmp_path)))
    found = [float(value) for value in re.findall(r"R1 = (0\.\d+)", printed)]
    assert found
    low, high = R1_AT_THE_START.get(path.stem, (0.035, 0.08))
    assert all(low < value < high for value in found), printed


def test_tutorials_come_without_outputs():
    for path in (*NOTEBOOKS, *EXERCISES):
        assert not outputs(nbformat.read(path, as_version=4)), path.name


def test_every_output_has_a_text_for_other_front_ends(executed):
    for output in outputs(executed):
        if "data" in output:
            assert "text/plain" in output["data"]


def test_pictures_that_stay_are_not_blank(executed):
    drawn = 0
    for output in outputs(executed):
        data = output.get("data", {})
        html = data.get("text/html", "")
        if "image/png" in data and not html:
            html = f"data:image/png;base64,{data['image/png'].strip()}"
        for code in _PNG.findall(html):
            pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("L"))
            assert pixels.std() > 5
            drawn += 1
        for code in _SVG.findall(html):
            svg = base64.b64decode(code).decode()
            assert svg.count("<ellipse") + svg.count("<circle") > 5
            drawn += 1
    assert drawn


def test_state_that_stays_is_the_last_one(executed):
    """A card that was live is saved as what it ended with."""
    for output in outputs(executed):
        html = output.get("data", {}).get("text/html", "")
        if "qcrbox-static" in html and "border-left:4px" in html:
            assert any(mark in html for mark in "✓⚠✗"), html[-800:]
            assert "<progress" not in html
