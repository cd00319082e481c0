"""Ready exercises: no answer in a notebook, and the checks tell a right path from a wrong one."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from qcrbox.contract.errors import NotFound
from qcrbox.contract.states import State
from qcrbox.contract.teaching import TaskState
from qcrbox.spec.exercise_tags import tasks_of_notebook, without_answers
from qcrbox_hub.teaching.ready import ReadyExercise, ready_exercise, ready_exercises
from qcrbox_registry.services.teaching.checks import Evidence
from qcrbox_registry.services.teaching.progress import Answer, Work, of_task

READY = {each.name: each for each in ready_exercises()}
each_ready = pytest.mark.parametrize("ready", READY.values(), ids=READY)


def cif(
    r1: float,
    *,
    elements: dict[str, str] | None = None,
    hydrogens: float = 10,
    rare: float = 0.114,
    **figures: Any,
) -> Evidence:
    """What a refinement of thpp states: a model with N3, both places of C7 (C7B: `rare`), and ten hydrogen atoms."""
    known = {"N3": "N", "C7A": "C", "C7B": "C"} if elements is None else elements
    facts = {"elements": known, "hydrogens": hydrogens, "occupancies": {"C7A": 1 - rare, "C7B": rare}, "formula_has_hydrogen": True,
             "alerts": {"A": 0}, "first_alerts": []}  # fmt: skip
    return Evidence(
        {"r1": r1, "goof": 0.99, "residual_max": 0.45, "space_group_number": 14, **figures}, facts
    )


MIXED = {"N3": "N", "C3": "C", "C7A": "C", "C7B": "C"}
CARBON = {"C3": "C", "C7A": "C", "C7B": "C"}
ONE_PLACE = {"N3": "N", "C7A": "C"}
# Figures of refinements of the real data: (exercise, task) -> (a right path, wrong paths).
PATHS: dict[tuple[str, str], tuple[Any, list[Any]]] = {
    ("which_atom", "nitrogen"): (cif(0.0690, hydrogens=0), [cif(0.0693, elements=MIXED), cif(0.0777, elements=CARBON)]),
    ("which_atom", "carbon"): (cif(0.0780, elements=CARBON), [cif(0.0693, elements=MIXED), cif(0.0686)]),
    ("which_atom", "which"): ("nitrogen", ["carbon"]),
    ("space_group", "glide"): ("n", ["c", "a", "none"]),
    ("space_group", "axis"): ("2₁", ["2"]),
    ("space_group", "spread"): ("1.05", ["0.74", "about one"]),
    ("space_group", "group"): ("P 2₁/n", ["P 2₁/c", "P n"]),
    ("space_group", "refine"): (cif(0.0414), [cif(0.0414, space_group_number=13), cif(0.0686)]),
    ("hydrogens_and_weights", "bare"): (cif(0.0686, hydrogens=0), [cif(0.0777)]),
    ("hydrogens_and_weights", "count"): ("10", ["14", "9"]),
    ("hydrogens_and_weights", "placed"): (cif(0.0433, goof=1.164), [cif(0.0686, hydrogens=0), cif(0.0433, hydrogens=8)]),
    # Without hydrogen atoms the search for weights reaches a goodness of fit of 1, too.
    ("hydrogens_and_weights", "weights"): (cif(0.0414, goof=0.987), [cif(0.0433, goof=1.164), cif(0.0686, goof=0.995, hydrogens=0)]),
    ("disorder", "one"): (cif(0.0474, residual_max=1.05), [cif(0.0686)]),
    ("disorder", "two"): (cif(0.0414), [cif(0.0418, rare=0.5), cif(0.0474, elements=ONE_PLACE, residual_max=1.05), cif(0.0415, hydrogens=0)]),
    ("disorder", "share"): ("11,4(8)", ["50", "89", "9.6"]),
    ("twin_or_not", "measured"): ("0.636", ["0.5"]),
    ("twin_or_not", "made"): ("0.548", ["0.637", "0.581"]),
    ("twin_or_not", "plain"): (cif(0.0414), [cif(0.0686), cif(0.0474, residual_max=1.05)]),
    ("twin_or_not", "verdict"): ("no twin", ["a twin"]),
    ("spherical_or_aspherical", "who"): ("A", ["B"]),
    ("spherical_or_aspherical", "spherical"): (cif(0.0171, hydrogens=2), [cif(0.0171, hydrogens=0)]),
    ("spherical_or_aspherical", "aspherical"): (cif(0.0083, hydrogens=2), [cif(0.0171, hydrogens=2)]),
    ("spherical_or_aspherical", "believe"): ("B", ["A"]),
}  # fmt: skip


def state(name: str, task_id: str, done: Any) -> TaskState:
    task = next(task for task in READY[name].tasks if task.id == task_id)
    if isinstance(done, str):
        return of_task(task, [], Answer(done, 1.0)).state
    application, _, command = task.command.rpartition(".")
    work = Work("c1", application, command, {}, State.SUCCESSFUL, 1.0, 2.0, evidence=done)
    return of_task(task, [work], None).state


@pytest.mark.parametrize(("name", "task_id"), PATHS, ids="-".join)
def test_the_right_path_is_accepted_and_wrong_ones_are_not(name: str, task_id: str) -> None:
    right, wrong = PATHS[name, task_id]
    assert state(name, task_id, right) is TaskState.DONE
    assert {state(name, task_id, path) for path in wrong} == {TaskState.OUT_OF_BAND}


def test_every_task_that_a_rule_decides_has_both_paths() -> None:
    decided = {
        (each.name, t.id) for each in READY.values() for t in each.tasks if not t.is_marked_by_a_person
    }
    assert decided == set(PATHS)


@each_ready
def test_the_notebook_holds_no_answer(ready: ReadyExercise) -> None:
    assert without_answers(ready.text) == ready.text
    assert not any(cell.get("outputs") for cell in json.loads(ready.text)["cells"])


@each_ready
def test_tasks_have_titles_hints_and_points_and_every_answer_its_task(ready: ReadyExercise) -> None:
    found = tasks_of_notebook(json.loads(ready.text))
    assert found.problems == []
    assert set(ready.answers) == {task.id for task in found.tasks}
    assert len(found.tasks) >= 3
    if ready.notebook.startswith("exercises/"):
        assert [task.id for task in found.tasks if not task.hint] == []
    assert 30 <= ready.minutes <= 45
    assert f"about {ready.minutes} minutes" in ready.text


@each_ready
def test_the_body_of_the_exercise_names_notebook_and_data(ready: ReadyExercise) -> None:
    body = ready.body(["f1", "f2"])
    assert body["files"] == [{"data_file_id": "f1"}, {"data_file_id": "f2"}]
    assert str(body["notebook_name"]).endswith(".ipynb")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(NotFound):
        ready_exercise("../which_atom")


# ---------------------------------------------------------------- the cells that need no refinement, on the real data


@pytest.fixture(scope="module")
def data() -> Any:
    """What `qc.examples["thpp"]` gives to these cells."""
    from qcrbox.cif.reader import read
    from qcrbox.crystallography.structure.structure import Structure

    spec = importlib.util.find_spec("smtbx")
    if spec is None or spec.origin is None:
        pytest.skip("needs the test data of cctbx")
    folder = Path(spec.origin).parent / "regression/test_data"
    document = read((folder / "thpp.cif").read_bytes(), filename="thpp.cif", on_error="keep")
    cell = Structure.from_block(document[0]).cell
    return SimpleNamespace(reflections=SimpleNamespace(bytes=(folder / "thpp.hkl").read_bytes()), cell=cell)


def run(name: str, data: Any) -> tuple[dict[str, Any], str]:
    """Names and output of the code cells that call no application."""
    names: dict[str, Any] = {}
    out = io.StringIO()
    for cell in json.loads(READY[name].text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "qc.refine" not in source:
            source = source.replace('qc.examples["thpp"]', "DATA").replace("import qcrbox as qc\n", "")
            names["DATA"] = data
            with contextlib.redirect_stdout(out):
                exec(source, names)
    return names, out.getvalue()


def test_the_statistics_of_the_space_group_are_those_of_the_answers(data: Any) -> None:
    names, out = run("space_group", data)
    assert state("space_group", "spread", f"{names['spread']:.2f}") is TaskState.DONE
    means = dict(re.findall(r"^(\S.*?)\s+\d+ reflections   mean I/σ\s+(-?[\d.]+)", out, re.MULTILINE))
    assert float(means["h0l, h+l odd"]) < 1 < 10 < float(means["h0l, h+l even"])
    assert float(means["0k0, k odd"]) < 1 < 10 < float(means["0k0, k even"])
    assert min(float(means[name]) for name in ("all", "h+k odd", "h+k+l odd")) > 10


def test_the_measured_and_the_made_twin_give_the_numbers_of_the_answers(data: Any) -> None:
    names, _ = run("twin_or_not", data)
    mean_l, real, twinned = names["mean_l"], names["real"], names["twinned"]
    assert state("twin_or_not", "measured", f"{mean_l(real):.3f}") is TaskState.DONE
    assert state("twin_or_not", "made", f"{mean_l(twinned(real, 0.3)):.3f}") is TaskState.DONE
    assert state("twin_or_not", "made", f"{mean_l(twinned(real, 0.1)):.3f}") is TaskState.OUT_OF_BAND
    assert names["different"] > 0.5
