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
import yaml
from qcrbox.contract.errors import NotFound
from qcrbox.contract.states import State
from qcrbox.contract.teaching import TaskState
from qcrbox.spec.exercise_tags import tasks_of_notebook, without_answers
from qcrbox_hub.teaching.ready import ReadyExercise, ready_exercise, ready_exercises
from qcrbox_registry.services.examples import changed
from qcrbox_registry.services.teaching.checks import Evidence
from qcrbox_registry.services.teaching.progress import Answer, Work, of_task

REPOSITORY = Path(__file__).parents[3]
READY = {each.name: each for each in ready_exercises()}
each_ready = pytest.mark.parametrize("ready", READY.values(), ids=READY)


def cif(
    r1: float,
    *,
    elements: dict[str, str] | None = None,
    hydrogens: float = 10,
    rare: float = 0.114,
    shares: dict[str, float] | None = None,
    **figures: Any,
) -> Evidence:
    """What a refinement of thpp states: a model with N3, both places of C7 (C7B: `rare`), and ten hydrogen atoms.

    shares: occupancies of other sites that are not 1.
    """
    known = {"N3": "N", "C7A": "C", "C7B": "C"} if elements is None else elements
    both = {"C7A": 1 - rare, "C7B": rare} if "C7B" in known else {}
    occupancies = dict.fromkeys(known, 1.0) | both | (shares or {})
    facts = {"elements": known, "hydrogens": hydrogens, "occupancies": occupancies, "formula_has_hydrogen": True,
             "alerts": {"A": 0}, "first_alerts": []}  # fmt: skip
    return Evidence(
        {"r1": r1, "goof": 0.99, "residual_max": 0.45, "space_group_number": 14, **figures}, facts
    )


MIXED = {"N3": "N", "C3": "C", "C7A": "C", "C7B": "C"}
CARBON = {"C3": "C", "C7A": "C", "C7B": "C"}
ONE_PLACE = {"N3": "N", "C7A": "C"}
AS_ENTERED = cif(0.0693, elements=MIXED, hydrogens=0, rare=0.082, shares={"N3": 0.918, "C3": 0.082})
# Figures of refinements of the real data: (exercise, task) -> (right paths, wrong paths).
PATHS: dict[tuple[str, str], tuple[Any, list[Any]]] = {
    # As the cell stands, with the weights of the file, with hydrogen atoms; both atoms, half a nitrogen atom, carbon.
    ("which_atom", "nitrogen"): ([cif(0.0690, hydrogens=0), cif(0.0731, hydrogens=0), cif(0.0419)],
                                 [AS_ENTERED, cif(0.1020, hydrogens=0, shares={"N3": 0.5}), cif(0.0780, elements=CARBON)]),
    ("which_atom", "carbon"): ([cif(0.0780, elements=CARBON, hydrogens=0), cif(0.0597, elements=CARBON, hydrogens=11)],
                               [AS_ENTERED, cif(0.1176, elements=CARBON, shares={"C3": 0.5}), cif(0.0686)]),
    ("which_atom", "which"): ("nitrogen", ["carbon"]),
    ("space_group", "glide"): ("n", ["c", "a", "none"]),
    ("space_group", "axis"): ("2₁", ["2"]),
    ("space_group", "spread"): (["1.05", "1,05", "1.051"], ["0.74", "0.97", "about one"]),
    ("space_group", "group"): ("P 2₁/n", ["P 2₁/c", "P n"]),
    ("space_group", "refine"): (cif(0.0414), [cif(0.0414, space_group_number=13), cif(0.0686)]),
    ("hydrogens_and_weights", "bare"): (cif(0.0686, hydrogens=0), [cif(0.0777, hydrogens=0), cif(0.0414)]),
    ("hydrogens_and_weights", "count"): (["10", "10 H", "10."], ["14", "9", "C10H10F2N4"]),
    ("hydrogens_and_weights", "placed"): (cif(0.0433, goof=1.164), [cif(0.0686, hydrogens=0), cif(0.0433, hydrogens=8)]),
    # Without hydrogen atoms the search for weights reaches a goodness of fit of 1, too.
    ("hydrogens_and_weights", "weights"): (cif(0.0414, goof=0.987), [cif(0.0433, goof=1.164), cif(0.0686, goof=0.995, hydrogens=0)]),
    ("disorder", "one"): (cif(0.0474, elements=ONE_PLACE, residual_max=1.05), [cif(0.0686), cif(0.0414)]),
    ("disorder", "two"): (cif(0.0414), [cif(0.0418, rare=0.5), cif(0.0474, elements=ONE_PLACE, residual_max=1.05), cif(0.0415, hydrogens=0)]),
    ("disorder", "share"): (["11,4(8)", "11.4 %", "≈ 11", "12"], ["50", "89", "9.6", "0.114"]),
    # Not what theory gives; and no twin of 20, 40 or 50 %.
    ("twin_or_not", "measured"): (["0.6363", "0,636"], ["0.5", "0.637"]),
    ("twin_or_not", "made"): (["0.5469", "0.547"], ["0.637", "0.5590", "0.5390", "0.5350"]),
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


@pytest.mark.parametrize(("name", "task_id"), PATHS, ids=map("-".join, PATHS))
def test_the_right_path_is_accepted_and_wrong_ones_are_not(name: str, task_id: str) -> None:
    right, wrong = PATHS[name, task_id]
    rights = right if isinstance(right, list) else [right]
    assert {state(name, task_id, path) for path in rights} == {TaskState.DONE}
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


# ---------------------------------------------------------------- what a student finds in the files


def examples() -> dict[str, dict[str, tuple[Path | None, list[Any]]]]:
    """Example -> file name -> (where it lies, None in a package that is not installed; its changes)."""
    found = {}
    for application in ("refine", "har"):
        folder = REPOSITORY / "app_images" / application
        for entry in yaml.safe_load((folder / "examples.yaml").read_text())["datasets"]:
            found[entry["name"]] = {
                file["filename"]: (_source(folder, file), file.get("change", [])) for file in entry["files"]
            }
    return found


def _source(folder: Path, file: dict[str, str]) -> Path | None:
    if "package" not in file:
        return folder / file["path"]
    spec = importlib.util.find_spec(file["package"])
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / file["path"]


def texts_of(example: str) -> dict[str, str]:
    """File name -> its text as students get it."""
    texts = {}
    for name, (path, changes) in examples()[example].items():
        if path is None:
            pytest.skip("needs the test data of cctbx")
        texts[name] = changed(path.read_text(), [(each["find"], each["put"]) for each in changes])
    return texts


def test_the_list_of_examples_holds_no_answer_either() -> None:
    """Students see it beside the data of the exercises; the tutorials have the same crystal."""
    entries = yaml.safe_load((REPOSITORY / "app_images" / "refine" / "examples.yaml").read_text())["datasets"]
    (reflections,) = {
        file["path"] for each in entries if each["name"] == "exercise-crystal"
        for file in each["files"] if file["path"].endswith(".hkl")
    }  # fmt: skip
    same = [each for each in entries if reflections in [file["path"] for file in each["files"]]]
    assert len(same) == 4
    for each in same:
        assert not re.search(r"C10|H10|N4|\bP\b|21/|\d ?%|[Nn]itrogen", each["description"]), each["name"]


# Exercise -> what its notebook and data must not say. CIF items are those that state what the student is to find.
SAID = {
    "which_atom": [r"delete N3", r"_chemical_formula", r"N4\b|N₄", r"^\s+[NC]3 .* (?!0\.500000)[\d.]+$", r"^(SFAC|UNIT)\b"],
    "space_group": [r"\(h \+ l\) % 2 or", r"present\(", r"_space_group_IT_number", r"_symop_"],
    "hydrogens_and_weights": [r"H₁₀|H10\b", r"_chemical_formula", r"^(SFAC|UNIT)\b", r"^\s+H\w* +H "],
    "disorder": [r"0\.1[0-3]\d{4}$", r"0\.8[7-9]\d{4}$", r"^FVAR"],
    "twin_or_not": [r"0\.54[67]", r"0\.63[56]", r"_twin_"],
    "spherical_or_aspherical": [r"near(er)? to nitrogen", r"spherical atoms see"],
}  # fmt: skip


@each_ready
def test_neither_notebook_nor_data_say_what_is_to_be_found(ready: ReadyExercise) -> None:
    texts = texts_of(ready.example)
    assert not [name for name in texts if not name.endswith((".cif", ".hkl"))]
    notebook = "\n".join("".join(cell["source"]) for cell in json.loads(ready.text)["cells"])
    said = [notebook, *(text for name, text in texts.items() if name.endswith(".cif"))]
    assert SAID[ready.name]
    found = [
        match[0]
        for pattern in SAID[ready.name]
        for text in said
        if (match := re.search(pattern, text, re.MULTILINE))
    ]
    assert found == []


def test_the_models_of_the_space_group_differ_in_their_group_alone() -> None:
    models = {name: text for name, text in texts_of("exercise-group").items() if name.endswith(".cif")}
    symbol = re.compile(r"^_space_group_name_H-M_alt '(.+)'$", re.MULTILINE)
    groups = {symbol.findall(text)[0] for text in models.values()}
    assert groups == {"P 1 2/n 1", "P 1 21/c 1", "P 1 21/n 1"}
    assert len({symbol.sub("", text) for text in models.values()}) == 1


def test_the_notebooks_use_the_data_of_their_exercise() -> None:
    for ready in READY.values():
        assert set(re.findall(r'qc\.examples\[\\?"([^"\\]+)', ready.text)) == {ready.example}


# Exercise, task of a cell that the student changes, a part of the cell as it stands, and what it gives.
AS_THEY_STAND = [
    ("which_atom", "carbon", "refine_iam(start).result()", AS_ENTERED),
    ("disorder", "two", 'occupancies="fixed"', cif(0.0418, rare=0.5)),
    ("hydrogens_and_weights", "placed", 'hydrogens="keep"', cif(0.0686, hydrogens=0)),
    ("space_group", "refine", 'start.files["model-1.cif"]', cif(0.4226, space_group_number=13)),
]


@pytest.mark.parametrize(("name", "task_id", "part", "made"), AS_THEY_STAND)
def test_a_cell_to_be_changed_is_not_right_as_it_stands(
    name: str, task_id: str, part: str, made: Evidence
) -> None:
    cells = json.loads(READY[name].text)["cells"]
    sources = [
        "".join(cell["source"]) for cell in cells if f"task={task_id}" in cell["metadata"].get("tags", ())
    ]
    assert [source for source in sources if part in source and "✎" in source]
    assert state(name, task_id, made) is TaskState.OUT_OF_BAND


# ---------------------------------------------------------------- the cells that need no refinement, on the real data


def data_of(name: str) -> Any:
    """What `qc.examples[…]` gives to these cells."""
    from qcrbox.cif.reader import read
    from qcrbox.crystallography.structure.structure import Structure

    texts = texts_of(READY[name].example)
    hkl = next(text for file, text in texts.items() if file.endswith(".hkl"))
    files = {
        file: SimpleNamespace(
            cell=Structure.from_block(read(text.encode(), filename=file, on_error="keep")[0]).cell
        )
        for file, text in texts.items()
        if file.endswith(".cif")
    }
    return SimpleNamespace(
        reflections=SimpleNamespace(bytes=hkl.encode()), files=files, cell=next(iter(files.values())).cell
    )


def run(name: str) -> tuple[dict[str, Any], str]:
    """Names and output of the code cells that call no application."""
    names: dict[str, Any] = {}
    names["DATA"], out = data_of(name), io.StringIO()
    for cell in json.loads(READY[name].text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "qc.refine" not in source:
            source = re.sub(r'qc\.examples\["[^"]+"\]', "DATA", source).replace("import qcrbox as qc\n", "")
            with contextlib.redirect_stdout(out):
                exec(source, names)
    return names, out.getvalue()


def test_the_statistics_of_the_space_group_are_those_of_the_answers() -> None:
    names, out = run("space_group")
    assert state("space_group", "spread", f"{names['spread']:.2f}") is TaskState.DONE
    means = dict(re.findall(r"^(\S.*?)\s+\d+ reflections   mean I/σ\s+(-?[\d.]+)", out, re.MULTILINE))
    assert float(means["h0l, h+l odd"]) < 1 < 10 < float(means["h0l, h+l even"])
    assert float(means["0k0, k odd"]) < 1 < 10 < float(means["0k0, k even"])
    assert min(float(means[name]) for name in ("all", "h+k odd", "h+k+l odd")) > 10


def test_the_measured_and_the_made_twin_give_the_numbers_of_the_answers() -> None:
    names, _ = run("twin_or_not")
    mean_l, real, twinned = names["mean_l"], names["real"], names["twinned"]
    assert state("twin_or_not", "measured", f"{mean_l(real):.4f}") is TaskState.DONE
    assert state("twin_or_not", "made", f"{mean_l(twinned(real, 0.3)):.4f}") is TaskState.DONE
    for share in (0.1, 0.2, 0.28, 0.32, 0.5):
        assert state("twin_or_not", "made", f"{mean_l(twinned(real, share)):.4f}") is TaskState.OUT_OF_BAND
    assert names["different"] > 0.5
