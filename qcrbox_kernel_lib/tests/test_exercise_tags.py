"""Tasks in the tags of cells and in YAML."""

from __future__ import annotations

import json

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec.exercise_tags import tasks_of_notebook, tasks_of_yaml, without_answers


def cell(*tags, source="## Refine it\nText.", kind="code"):
    return {"cell_type": kind, "source": source, "metadata": {"tags": list(tags)}}


def only(*tags, **more):
    found = tasks_of_notebook({"cells": [cell(*tags, **more)]})
    assert found.problems == []
    (task,) = found.tasks
    return task


def test_a_calculation_with_a_band_and_checks():
    task = only(
        "task=refine", "points=2", "command=refine.refine_iam", "r1<0.05", "element=N3:N", "space-group=14",
        "hydrogens=8", "no-alerts=A", "hide-input",
    )  # fmt: skip
    assert (task.id, task.title, task.kind, task.points) == ("refine", "Refine it", "calculation", 2.0)
    assert (task.quantity, task.band.high, task.band.low) == ("r1", 0.05, None)
    assert [check.kind for check in task.checks] == ["element", "space_group", "all_hydrogens", "no_alerts"]


def test_both_ends_of_a_band():
    band = only("task=a", "goof>0.9", "goof<1.1").band
    assert (band.low, band.high) == (0.9, 1.1)


def test_a_number_and_a_text():
    assert only("task=r1", "target=0.042", "tolerance=0.001", kind="markdown").kind == "value"
    task = only("task=which", "answer=N", "choices=N | C|", kind="markdown")
    assert (task.kind, task.accepted, task.choices) == ("answer", ["N"], ["N", "C"])


def test_criteria_of_a_rubric_add_up_to_the_points():
    task = only(
        "task=why", "points=3", "criterion=2.5: Says why: it fits", "criterion=.5: Unit", kind="markdown"
    )
    assert [(each.points, each.text) for each in task.rubric] == [(2.5, "Says why: it fits"), (0.5, "Unit")]
    assert "rubric" not in task.for_students()
    wrong = tasks_of_notebook({"cells": [cell("task=why", "points=3", "criterion=2: Says why")]})
    assert "add up to 2, and the task has 3 points" in wrong.problems[0]


def test_a_question_in_markdown_is_marked_by_a_person():
    task = only(
        "task=why",
        kind="markdown",
        source="**✎** Which atom is it?\n\n<details><summary>Hint</summary>Look <b>twice</b>.</details>",
    )
    assert (task.kind, task.title, task.hint) == ("answer", "Which atom is it?", "Look twice .")
    assert task.is_marked_by_a_person


def test_a_title_is_plain_text_and_keeps_the_names_of_cif_items():
    task = only("task=axis", kind="markdown", source="## The axis *a* and `_cell_length_a` **now**")
    assert task.title == "The axis a and _cell_length_a now"


def test_cells_without_a_task_are_left_alone():
    found = tasks_of_notebook({"cells": [cell("skip"), {"cell_type": "raw"}, 3, {"metadata": {"tags": "x"}}]})
    assert (found.tasks, found.problems) == ([], [])


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        (["task=Not Good"], "Cell 1: id"),
        (["task=a", "points=many"], "Cell 1: could not convert"),
        (["task=a", "element=N3"], "Cell 1: checks.0"),
        (["task=a", "occupancy=C7B"], "Cell 1: checks.0"),
        (["task=a", "occupancy=C7B:a..b"], "could not convert"),
        (["task=a", "r1<0.05", "wr2<0.1"], "one band"),
        (["task=a", "r1<0.02", "r1>0.05"], "Cell 1: band"),
        (["task=a", "answer=X", "choices=A|B"], "not among the choices"),
    ],
)
def test_a_wrong_tag_names_its_cell(tags, words):
    (problem,) = tasks_of_notebook({"cells": [cell(*tags)]}).problems
    assert words in problem


@pytest.mark.parametrize(
    "misspelt",
    ["R1<0.05", "rl<0.05", "r1=<0.05", "r1<=0,05", "spacegroup=14", "hydrogen=8", "tolerence=0.01"],
)
def test_a_misspelt_tag_of_a_task_is_named(misspelt):
    """Passed over, its band or check was lost, and every calculation had the points."""
    (problem,) = tasks_of_notebook({"cells": [cell("task=a", misspelt, "hide-input")]}).problems
    assert problem.startswith(f"Cell 1: {misspelt!r}")


@pytest.mark.parametrize("tag", ["r1<0.05", "points=2", "answer=N", "element=N3:N"])
def test_a_task_that_lost_its_name_is_named(tag):
    """The whole task was lost, and its answer stayed in the copies of students."""
    (problem,) = tasks_of_notebook({"cells": [cell("taks=a", tag)]}).problems
    assert problem == f"Cell 1: {tag} needs a tag task=name in the same cell."


def test_one_id_twice_is_named():
    found = tasks_of_notebook({"cells": [cell("task=a"), cell("task=a")]})
    assert found.problems == ["Two cells have the tag task=a."]


def test_tasks_of_a_file():
    (task,) = tasks_of_yaml(
        "tasks:\n  - {id: a, title: A, band: {high: 0.05}, parameters: {edits: delete C3}}\n"
    )
    assert task.parameters == {"edits": "delete C3"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [", "not valid YAML"),
        ("a: 1", "no list"),
        ("tasks: [{id: a}]", "Task a: title"),
        ("tasks: [3]", "Task 1"),
        ("tasks: [{id: a, title: A, bnad: {}}]", "Task a: bnad"),
        ("!!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_a_wrong_file_names_the_task(text, words):
    with pytest.raises(SpecError, match=words):
        tasks_of_yaml(text)


SECRET = [
    "answer=N",
    "target=0.042",
    "tolerance = 0.001",
    "element=N3:N",
    "occupancy=C7B:0.08..0.15",
    "space-group=14",
    "hydrogens",
    "no-alerts=A",
    "criterion=1: Says why",
]


def test_copies_of_students_keep_the_tags_that_say_what_to_do_only():
    shown = ["task=a", "command=refine.refine_iam", "r1<0.05", "points=2", "choices=N|C", "hide-input"]
    notebook = json.dumps({"cells": [cell(*shown, *SECRET), cell("answer=mine")], "metadata": {"é": 1}})
    copy = without_answers(notebook)
    assert [each["metadata"]["tags"] for each in json.loads(copy)["cells"]] == [shown, ["answer=mine"]]
    assert tasks_of_notebook(json.loads(copy)).tasks[0].checks == []
    assert "é" in copy


def test_what_a_task_hides_from_students_is_what_the_copies_lack():
    tags = ["task=a", *SECRET]
    task = tasks_of_notebook({"cells": [cell(*tags)]}).tasks[0]
    shown = tasks_of_notebook(json.loads(without_answers(json.dumps({"cells": [cell(*tags)]})))).tasks[0]
    hidden = {name for name, value in task if value != getattr(shown, name)} - {"kind"}
    assert hidden.isdisjoint(task.for_students())


@pytest.mark.parametrize(
    "text", ["{ broken", "[]", '{"cells": 3}', '{"cells": [3, {"metadata": {"tags": "x"}}]}']
)
def test_other_texts_come_back_as_they_are(text):
    assert without_answers(text) == text


def test_a_notebook_without_answers_keeps_its_bytes():
    text = json.dumps({"cells": [cell("task=a", "r1<0.05")], "metadata": {"kernelspec": {"name": "ir"}}})
    assert without_answers(text) == text


@pytest.mark.parametrize("metadata", [{}, {"language_info": {"name": "python"}}])
def test_a_notebook_that_names_no_kernel_gets_pythons(metadata):
    """JupyterLab asks every student otherwise."""
    copy = json.loads(without_answers(json.dumps({"nbformat": 4, "cells": [], "metadata": metadata})))
    assert copy["metadata"]["kernelspec"]["name"] == "python3"


def test_a_notebook_of_another_language_stays_as_it_is():
    text = json.dumps({"nbformat": 4, "cells": [], "metadata": {"language_info": {"name": "R"}}})
    assert without_answers(text) == text
