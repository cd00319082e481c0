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


TAGS = [
    ("occupancy=C7B:0.08..0.15", {"kind": "occupancy", "label": "C7B", "band": {"low": 0.08, "high": 0.15}}),
    ("occupancy=C7B:..0.15", {"kind": "occupancy", "label": "C7B", "band": {"low": None, "high": 0.15}}),
    ("occupancy=C7B:0.08..", {"kind": "occupancy", "label": "C7B", "band": {"low": 0.08, "high": None}}),
    ("element = N3 : N", {"kind": "element", "label": "N3", "symbol": "N"}),
    ("space-group=14", {"kind": "space_group", "number": 14}),
    ("space-group=P 21/c", {"kind": "space_group", "symbol": "P 21/c"}),
    ("hydrogens", {"kind": "all_hydrogens", "count": None}),
    ("hydrogens=8.5", {"kind": "all_hydrogens", "count": 8.5}),
    ("no-alerts", {"kind": "no_alerts", "level": "A"}),
    ("no-alerts=C", {"kind": "no_alerts", "level": "C"}),
]


@pytest.mark.parametrize(("tag", "fields"), TAGS, ids=[row[0] for row in TAGS])
def test_checks_as_tags(tag, fields):
    (check,) = only("task=a", tag).checks
    shown = check.model_dump(mode="json")
    assert {name: shown[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("tag", "low", "high"),
    [
        ("r1<0.05", None, 0.05),
        ("r1 <= 5e-2", None, 0.05),
        ("volume>1000.5", 1000.5, None),
        ("residual_min>=-0.5", -0.5, None),
    ],
)
def test_bands_as_tags(tag, low, high):
    task = only("task=a", tag)
    assert (task.band.low, task.band.high) == (low, high)
    assert tag.startswith(task.quantity)


@pytest.mark.parametrize("tag", ["task = a", " task=a ", "task =a"])
def test_blanks_around_the_name_of_a_task_do_not_matter(tag):
    """The cell was passed over without a word, because other tags take blanks and this one did not."""
    assert only(tag, "points = 2").points == 2


def test_answers_leave_the_copies_of_students_whatever_the_blanks():
    copy = without_answers(json.dumps({"cells": [cell("task = a", "answer = N", "choices=N|C")]}))
    assert json.loads(copy)["cells"][0]["metadata"]["tags"] == ["task = a", "choices=N|C"]


@pytest.mark.parametrize(
    ("tag", "kind", "words"),
    [
        ("task=a", "code", "calculation"),
        ("task=a", "markdown", "answer"),
        ("task=a,target=0.5", "code", "value"),
        ("task=a,answer=N", "code", "answer"),
        ("task=a,choices=N|C", "code", "answer"),
        ("task=a,command=refine.refine_iam", "markdown", "calculation"),
        ("task=a,r1<0.05", "markdown", "calculation"),
        ("task=a,no-alerts=A", "markdown", "calculation"),
        ("task=a,kind=value", "markdown", "value"),
    ],
)
def test_the_kind_of_a_task_follows_from_its_tags_and_its_cell(tag, kind, words):
    assert only(*tag.split(","), kind=kind).kind == words


TITLES = [
    ("# Refine", "Refine"),
    ("\n\n## *Look* at it\nmore", "Look at it"),
    ("# ✎ Why?", "Why?"),
    ("**Bold** and `code`", "Bold and code"),
    ("<b>Html</b> title", "Html title"),
    ("_cell_length_a_ is odd", "cell_length_a_ is odd"),
    ("2 * 3 * 4", "2 * 3 * 4"),
    ("x" * 300, "x" * 200),
    ("", "a"),
    ("<br>\n***\n", "a"),
]


@pytest.mark.parametrize(("source", "title"), TITLES, ids=[repr(row[0][:20]) for row in TITLES])
def test_the_title_of_a_task_is_the_first_line_with_words(source, title):
    assert only("task=a", source=source).title == title


def test_the_source_of_a_cell_may_be_a_list_of_lines():
    assert only("task=a", source=["# One\n", "two\n"]).title == "One"


def test_a_tag_of_the_title_counts_before_the_text():
    task = only(
        "task=a", "title=Mine", "hint=Look", source="# Text\n<details><summary>H</summary>no</details>"
    )
    assert (task.title, task.hint) == ("Mine", "Look")


@pytest.mark.parametrize(
    "notebook", [{}, {"cells": None}, {"cells": []}, {"cells": [None, 5, "x", []]}], ids=str
)
def test_a_notebook_without_cells_has_no_tasks(notebook):
    found = tasks_of_notebook(notebook)
    assert (found.tasks, found.problems) == ([], [])


def test_tasks_come_in_the_order_of_their_cells_and_a_wrong_one_is_left_out():
    cells = [cell("task=b"), cell("task=Bad Name"), cell("task=a"), cell("task=c", "points=-1")]
    found = tasks_of_notebook({"cells": cells})
    assert [task.id for task in found.tasks] == ["b", "a"]
    assert [problem.partition(":")[0] for problem in found.problems] == ["Cell 2", "Cell 4"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tasks: [{id: a, title: 2024-99-99}]", "not valid YAML"),
        ("tasks: 5", "no list"),
        ("- {id: a}", "Task a: title"),
        ("", "no list"),
        ("x" * (256 * 1024 + 1), "larger than 256 KiB"),
        ("[" * 2000, "not valid YAML|nested"),
    ],
    ids=["a date that is none", "a number", "a bare list", "empty", "large", "deep"],
)
def test_other_wrong_files_are_refused_with_the_reason(text, words):
    with pytest.raises(SpecError, match=words):
        tasks_of_yaml(text)


def test_a_bare_list_is_a_list_of_tasks():
    assert [task.id for task in tasks_of_yaml("- {id: a, title: A}\n- {id: b, title: B}\n")] == ["a", "b"]


@pytest.mark.attack(13)
def test_anchors_that_multiply_are_refused_in_a_file_of_tasks():
    """The file is small and its tasks would have been written out as billions of values when they were stored."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    lines += ["tasks: [{id: a, title: A, parameters: {edits: *a9}}]"]
    with pytest.raises(SpecError, match="anchors"):
        tasks_of_yaml("\n".join(lines))
