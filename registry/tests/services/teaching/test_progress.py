"""States of tasks and who is stuck."""

from __future__ import annotations

import pytest
from qcrbox.contract.teaching import Task, TaskState
from qcrbox_registry.services.teaching.checks import Evidence
from qcrbox_registry.services.teaching.progress import (
    AWAY_S,
    READING,
    STUCK_S,
    Answer,
    Presence,
    Work,
    matches,
    number_in,
    of_student,
    of_task,
)

REFINE = Task(id="refine", title="Refine", command="refine.refine_iam", band={"high": 0.05})


def work(at=0.0, state="successful", r1=0.04, **more):
    given = {
        "id": f"c{at:g}",
        "application": "refine",
        "command": "refine_iam",
        "arguments": {},
        "state": state,
        "submitted_at": at,
        "finished_at": at + 1 if state in ("successful", "failed", "cancelled") else None,
        "evidence": Evidence({"r1": r1}),
    }
    return Work(**{**given, **more})


@pytest.mark.parametrize(
    ("works", "state"),
    [
        ([], TaskState.NOT_BEGUN),
        ([work(state="submitted")], TaskState.RUNNING),
        ([work(state="running")], TaskState.RUNNING),
        ([work(r1=0.04)], TaskState.DONE),
        ([work(r1=0.06)], TaskState.OUT_OF_BAND),
        ([work(r1=None)], TaskState.OUT_OF_BAND),
        ([work(state="failed")], TaskState.FAILED),
        ([work(state="cancelled")], TaskState.FAILED),
        ([work(0, r1=0.04), work(1, state="failed")], TaskState.DONE),
        ([work(0, state="failed"), work(1, state="running")], TaskState.RUNNING),
        ([work(0, r1=0.06), work(1, state="failed")], TaskState.FAILED),
        ([work(1, r1=0.06), work(0, state="failed")], TaskState.OUT_OF_BAND),
        ([work(command="other")], TaskState.NOT_BEGUN),
    ],
)
def test_state_of_a_calculation(works, state):
    assert of_task(REFINE, works, None).state is state


@pytest.mark.parametrize(
    ("evidence", "state", "words"),
    [
        (Evidence({}), TaskState.RUNNING, READING),
        (Evidence({}, problem="It wrote no CIF."), TaskState.OUT_OF_BAND, "The result states no R1."),
        (Evidence({}, facts={}), TaskState.OUT_OF_BAND, "The result states no R1."),
        (Evidence({"r1": 0.04}), TaskState.DONE, "R1 is 0.04"),
    ],
    ids=["not read yet", "no CIF", "no R1", "index"],
)
def test_a_result_is_wrong_only_once_it_was_read(evidence, state, words):
    found = of_task(REFINE, [work(evidence=evidence)], None)
    assert (found.state, found.words.startswith(words)) == (state, True)


def test_the_first_line_of_an_error_is_shown():
    found = of_task(REFINE, [work(state="failed", error="No cell.\nTraceback ...")], None)
    assert found.words == "No cell."


def test_the_target_is_named_when_it_is_missed():
    assert of_task(REFINE, [work(r1=0.06)], None).words == "R1 is 0.06; the target is at most 0.05."


def test_a_failed_check_keeps_a_good_figure_from_being_done():
    task = REFINE.model_copy(
        update={"checks": Task(id="x", title="x", checks=[{"kind": "space_group", "number": 2}]).checks}
    )
    wrong = work(evidence=Evidence({"r1": 0.04, "space_group_number": 1}))
    right = work(evidence=Evidence({"r1": 0.04, "space_group_number": 2}))
    assert of_task(task, [wrong], None).state is TaskState.OUT_OF_BAND
    assert of_task(task, [right], None).state is TaskState.DONE


def test_the_words_name_the_checks_that_did_not_pass_and_no_other():
    """The page of a student lists the checks that passed below these words."""
    checks = [
        {"kind": "space_group", "number": 2},
        {"kind": "quantity", "quantity": "wr2", "band": {"high": 0.1}},
        {"kind": "element", "label": "N3", "symbol": "N"},
    ]
    task = REFINE.model_copy(update={"checks": Task(id="x", title="x", checks=checks).checks})
    evidence = Evidence({"r1": 0.04, "wr2": 0.2, "space_group_number": 2}, None, "The file was deleted.")
    found = of_task(task, [work(evidence=evidence)], None)
    assert [result.passed for result in found.results] == [True, False, None]
    right, *others = (result.words for result in found.results)
    assert found.words == " ".join(["R1 is 0.04.", *others])
    assert right not in found.words


def test_what_was_not_read_yet_is_neither_right_nor_wrong():
    """A student who is told that right work is wrong begins to change it."""
    task = REFINE.model_copy(
        update={"checks": Task(id="x", title="x", checks=[{"kind": "all_hydrogens", "count": 8}]).checks}
    )
    read = {"hydrogens": 8.0, "formula_has_hydrogen": True}
    for found, state in (
        (Evidence({"r1": 0.04}), TaskState.RUNNING),
        (Evidence({"r1": 0.04}, read), TaskState.DONE),
        (Evidence({"r1": 0.04}, None, "The file was deleted."), TaskState.OUT_OF_BAND),
    ):
        assert of_task(task, [work(evidence=found)], None).state is state
    assert of_task(REFINE, [work(evidence=Evidence({"r1": 0.04}))], None).state is TaskState.DONE


@pytest.mark.parametrize(
    ("wanted", "given", "fits"),
    [
        ({"edits": "delete C3"}, {"edits": " Delete  c3 "}, True),
        ({"cycles": 10}, {"cycles": 10.0}, True),
        ({"cycles": 10}, {"cycles": 11}, False),
        ({"cycles": 10}, {}, False),
        ({"extinction": True}, {"extinction": 1}, False),
        ({"extinction": True}, {"extinction": True}, True),
        ({}, {"anything": 1}, True),
    ],
)
def test_parameters_that_a_calculation_must_have(wanted, given, fits):
    task = Task(id="a", title="A", parameters=wanted)
    assert matches(task, work(arguments=given)) is fits


@pytest.mark.parametrize(
    ("command", "fits"),
    [
        ("refine_iam", True),
        ("refine.refine_iam", True),
        ("olex.refine_iam", False),
        ("", True),
        ("iam", False),
    ],
)
def test_the_command_of_a_task(command, fits):
    assert matches(Task(id="a", title="A", command=command), work()) is fits


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.042", 0.042), ("0,042", 0.042), ("\u22120.5", -0.5), ("1.015(12) Å", 1.015), (" 42 K", 42.0),
        ("1e3", 1000.0), ("", None), ("abc", None), ("nan", None), ("inf", None), ("1,234.5", None),
        ("1 234.5 Å3", 1234.5), ("1\u2009234", 1234.0), ("1 23", None), ("1.2(3)e-3", 0.0012), ("1.2 x 10-3", 0.0012),
        ("1.2·10⁻³ Å²", 0.0012), ("1.2 × 10^-3", 0.0012), ("1.5 x 3", None), ("0.45 e Å⁻³", 0.45), ("42K", 42.0),
        ("1.54 ± 0.01 Å", 1.54), ("0.5 - 0.6", None), ("0.5-0.6", None), ("3/4", None), ("0x10", None), ("1_000", None),
        ("1'234", None), (".5", 0.5), ("90°", 90.0), ("3.5 %", 3.5), ("1.2(3) e-3", 0.0012), ("5 g cm⁻³", 5.0),
        ("≈ 1.05", 1.05), ("~1.05", 1.05), ("= 1,05.", 1.05), ("5.", 5.0), ("-.", None), (".", None), ("=", None),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(text, value):
    assert number_in(text) == value


@pytest.mark.parametrize(
    ("value", "state"),
    [("0.042", TaskState.DONE), ("0.043", TaskState.DONE), ("0.041", TaskState.DONE), ("0.0431", TaskState.OUT_OF_BAND),
     ("4.2 %", TaskState.DONE), ("4.4 %", TaskState.OUT_OF_BAND), ("?", TaskState.OUT_OF_BAND), ("  ", TaskState.NOT_BEGUN)],
)  # fmt: skip
def test_values_within_the_tolerance(value, state):
    task = Task(id="r1", title="R1", kind="value", target=0.042, tolerance=0.001)
    assert of_task(task, [], Answer(value, 1.0)).state is state


@pytest.mark.parametrize(
    ("target", "unit", "typed", "right"),
    [
        (11.4, "%", "11,4", True), (11.4, "%", "11.4 %", True), (11.4, "%", "114 ‰", True),
        (11.4, "%", "0.114", False), (11.4, "", "11.4 %", True), (0.114, "", "11.4%", True), (0.114, "", "1.14 %", False),
        (1.54, "Å", "1.54", True), (1.54, "Å", "154 pm", True), (1.54, "Å", "0.154 nm", True), (1.54, "Å", "1.54 nm", False),
        (1.54, "Å", "1.54 A", True), (1.54, "Å", "1.54 \u212b", True), (154.0, "pm", "1.54(1) Å", True), (154.0, "pm", "154 Å", False),
        (0.45, "e/Å³", "0.45 e Å-3", True), (0.45, "e/Å³", "0.45 e A^-3", True), (100.0, "K", "100 Kelvin", True),
    ],
)  # fmt: skip
def test_a_number_counts_in_the_unit_that_was_typed(target, unit, typed, right):
    """1 nm = 10 Å = 1000 pm; 1 = 100 % = 1000 ‰. Units that are no length and no share are not looked at."""
    task = Task(id="x", title="x", kind="value", target=target, tolerance=0.005 * target, unit=unit)
    assert of_task(task, [], Answer(typed, 1.0)).state is (TaskState.DONE if right else TaskState.OUT_OF_BAND)


def test_a_number_that_is_not_right_is_answered_with_the_unit_that_is_wanted():
    task = Task(id="x", title="x", kind="value", target=11.4, tolerance=1, unit="%")
    words = of_task(task, [], Answer("0.114", 1.0)).words
    assert words == "Not within the tolerance; the number is wanted in %."


def test_answers_are_compared_without_regard_to_case_and_blanks():
    task = Task(id="a", title="A", kind="answer", accepted=["P 1 21/n 1"])
    assert of_task(task, [], Answer(" p 1  21/n 1", 1.0)).state is TaskState.DONE
    assert of_task(task, [], Answer("P-1", 1.0)).state is TaskState.OUT_OF_BAND


def test_what_a_person_marks_is_handed_in():
    for kind in ("answer", "value"):
        task = Task(id="a", title="A", kind=kind)
        assert of_task(task, [], Answer("because", 1.0)).state is TaskState.HANDED_IN


TWO = [REFINE, Task(id="why", title="Why", kind="answer")]


def states(works, answers, presence, now):
    return [each.state for each in of_student(TWO, works, answers, presence, now)]


def test_ten_minutes_without_an_advance_is_stuck_at_the_first_unfinished_task():
    began = Presence(0.0, 500.0)
    assert states([], {}, began, STUCK_S)[0] is TaskState.NOT_BEGUN
    assert states([], {}, began, STUCK_S + 1) == [TaskState.STUCK, TaskState.NOT_BEGUN]
    assert states([work(r1=0.06)], {}, began, STUCK_S + 1)[0] is TaskState.STUCK


def test_finishing_a_task_begins_the_ten_minutes_anew():
    done = [work(599.0)]  # ended at 600
    assert states(done, {}, Presence(0.0, 600.0), 700.0) == [TaskState.DONE, TaskState.NOT_BEGUN]
    assert states(done, {}, Presence(0.0, 600.0), 1201.0) == [TaskState.DONE, TaskState.STUCK]


@pytest.mark.parametrize(
    ("works", "answers", "presence"),
    [
        ([], {}, Presence(None, None)),
        ([work(0, state="running")], {}, Presence(0.0, 0.0)),
        ([work(0)], {"why": Answer("x", 1.0)}, Presence(0.0, 0.0)),
    ],
    ids=["not begun", "waits for a calculation", "everything done"],
)
def test_who_is_not_stuck(works, answers, presence):
    assert TaskState.STUCK not in states(works, answers, presence, 3000.0)


def test_who_has_gone_is_not_stuck():
    assert TaskState.STUCK not in states([], {}, Presence(0.0, 0.0), AWAY_S)
    assert TaskState.STUCK in states([], {}, Presence(0.0, 0.0), AWAY_S - 1)


def test_the_words_of_a_stuck_task_keep_what_went_wrong():
    found = of_student(TWO, [work(r1=0.06)], {}, Presence(0.0, 0.0), 720.0)[0]
    assert found.words == "No advance for 12 min. R1 is 0.06; the target is at most 0.05."
