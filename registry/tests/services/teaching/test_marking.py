"""Marks: what the checks give, what people give, and which of the two counts."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox.contract.teaching import Check, Criterion, Task, TaskState
from qcrbox_registry.services.teaching import marking
from qcrbox_registry.services.teaching.checks import Result
from qcrbox_registry.services.teaching.exercises import NewVersion
from qcrbox_registry.services.teaching.marking import GivenMark, judge
from qcrbox_registry.services.teaching.progress import Progress
from qcrbox_registry.store.teaching import courses, marks

RUBRIC = [Criterion(text="names the atom", points=1), Criterion(text="says why", points=3)]
GRADED = [
    Task(id="r1", title="R1?", kind="value", target=0.042, tolerance=0.001, points=2),
    Task(id="why", title="Why?", kind="answer", points=4, rubric=RUBRIC),
]
TASK = Task(id="t", title="T", points=3)


async def graded(course, *names, **answers):
    """An exercise in which these have submitted these answers."""
    exercise = await course.opened(*names, tasks=GRADED)
    for name in names:
        for task, value in answers.items():
            await course.students.answer(course.people[name], exercise, task, value)
        await course.students.submit(course.people[name], exercise)
    return exercise


async def row_of(course, exercise, name="ada"):
    listed = await course.marking.listed(course.lecturer, exercise)
    return next(row for row in listed["students"] if row["name"] == name)


def by_task(row):
    return {task["task_id"]: task for task in row["tasks"]}


# ---------------------------------------------------------------- what the checks give


@pytest.mark.parametrize(
    ("found", "points", "words"),
    [
        (Progress("t", TaskState.DONE, "R1 is 0.04."), 3.0, "R1 is 0.04."),
        (Progress("t", TaskState.DONE), 3.0, "Right."),
        (Progress("t", TaskState.HANDED_IN), None, "a person marks it"),
        (Progress("t", TaskState.NOT_BEGUN), 0.0, "Nothing was handed in."),
        (Progress("t", TaskState.OUT_OF_BAND, "R1 is 0.4."), 0.0, "R1 is 0.4."),
        (Progress("t", TaskState.FAILED, "No atoms."), 0.0, "No atoms."),
        (Progress("t", TaskState.FAILED), 0.0, "failed"),
        (Progress("t", TaskState.RUNNING, "Running."), None, "has not ended"),
        (Progress("t", TaskState.OUT_OF_BAND, "?", results=(Result(None, "?"),)), None, "?"),
        (Progress("t", TaskState.OUT_OF_BAND, "no", results=(Result(False, "no"),)), 0.0, "no"),
    ],
    ids=["done", "done without words", "for a person", "nothing", "missed", "failed", "failed without words",
         "still running", "not checked", "check failed"],
)  # fmt: skip
def test_points_of_a_task(found, points, words):
    given, said = judge(TASK, found)
    assert given == points
    assert words in said


async def test_the_checks_mark_what_counts_and_leave_the_rest_to_a_person(course):
    exercise = await graded(course, "ada", r1="0.0425", why="because")
    assert await course.marking.grade(course.assistant, exercise) == {"marked": 1, "problems": []}
    row = await row_of(course, exercise)
    tasks = by_task(row)
    assert (tasks["r1"]["counts"], tasks["why"]["counts"]) == (2.0, None)
    assert (row["points"], row["to_decide"]) == (2.0, 1)
    assert (await row_of(course, exercise, "bob"))["submitted"] is None
    assert (await row_of(course, exercise, "bob"))["to_decide"] == 0


async def test_what_was_answered_after_the_submission_does_not_count(course):
    exercise = await graded(course, "ada", r1="0.9")
    await course.students.answer(course.ada, exercise, "r1", "0.042")
    await course.marking.grade(course.lecturer, exercise)
    assert by_task(await row_of(course, exercise))["r1"]["counts"] == 0.0


async def test_a_calculation_counts_when_the_submission_names_it(course):
    exercise = await course.opened("ada", tasks=[TASK])
    await course.students.submit(course.ada, exercise)
    course.calculation(exercise, "ada")
    await course.marking.grade(course.lecturer, exercise)
    assert by_task(await row_of(course, exercise))["t"]["counts"] == 0.0
    await course.students.submit(course.ada, exercise)
    await course.marking.grade(course.lecturer, exercise)
    assert by_task(await row_of(course, exercise))["t"]["counts"] == 3.0


async def test_a_calculation_that_still_runs_is_no_failed_one(course):
    exercise = await course.opened("ada", tasks=[TASK])
    made = course.calculation(exercise, "ada", state="running")
    await course.students.submit(course.ada, exercise)
    await course.marking.grade(course.lecturer, exercise)
    row = await row_of(course, exercise)
    assert (by_task(row)["t"]["counts"], row["to_decide"]) == (None, 1)
    course.end(made, "successful")
    await course.marking.grade(course.lecturer, exercise)
    assert by_task(await row_of(course, exercise))["t"]["counts"] == 3.0


async def test_a_check_that_could_not_be_carried_out_is_decided_by_a_person(course):
    checks = [Check(kind="element", label="Si1", symbol="Si")]
    exercise = await course.opened("ada", tasks=[Task(id="t", title="T", checks=checks)])
    course.calculation(exercise, "ada")
    await course.students.submit(course.ada, exercise)
    await course.marking.grade(course.lecturer, exercise)
    task = by_task(await row_of(course, exercise))["t"]
    assert task["counts"] is None
    assert task["words"].startswith("Not checked:")


async def test_the_newest_version_is_what_is_marked(course):
    exercise = await graded(course, "ada", r1="0.06")
    await course.marking.grade(course.lecturer, exercise)
    corrected = [GRADED[0].model_copy(update={"target": 0.06}), GRADED[1]]
    await course.exercises.add_version(course.lecturer, exercise, NewVersion("Two", tasks=corrected))
    await course.marking.grade(course.lecturer, exercise)
    assert by_task(await row_of(course, exercise))["r1"]["counts"] == 2.0


async def test_who_could_not_be_marked_is_named_and_the_others_are_marked(course, monkeypatch):
    exercise = await graded(course, "ada", "bob", r1="0.042")
    answers_of = marking.answers_of

    def faulty(snapshot):
        if snapshot.name == "ada":
            raise TypeError("answers of an older release")
        return answers_of(snapshot)

    monkeypatch.setattr(marking, "answers_of", faulty)
    found = await course.marking.grade(course.lecturer, exercise)
    assert found["marked"] == 1
    assert found["problems"] == [{"student": "ada", "problem": "Not marked: answers of an older release"}]
    assert by_task(await row_of(course, exercise, "bob"))["r1"]["counts"] == 2.0


async def test_previews_are_not_marked(course):
    exercise = await graded(course, "lecturer", r1="0.042")
    assert (await course.marking.grade(course.lecturer, exercise))["marked"] == 0
    assert course.world.ask(marks.of_exercise, exercise) == {}


# ---------------------------------------------------------------- what people give


def given(task="why", points=None, comment="", criteria=None):
    named = {"points": points is not None, "comment": bool(comment), "criteria": criteria is not None}
    return GivenMark(
        task, points, comment, frozenset(name for name, is_given in named.items() if is_given), criteria
    )


async def test_points_of_a_person_count_and_a_regrade_keeps_them(course):
    exercise = await graded(course, "ada", r1="0.042")
    await course.marking.grade(course.lecturer, exercise)
    await course.marking.give(course.assistant, exercise, "ada", given("r1", 0.5, "too few digits"))
    await course.marking.grade(course.lecturer, exercise)
    task = by_task(await row_of(course, exercise))["r1"]
    assert (task["counts"], task["automatic"], task["comment"]) == (0.5, 2.0, "too few digits")
    await course.marking.give(
        course.assistant, exercise, "ada", GivenMark("r1", None, "", frozenset({"points"}))
    )
    task = by_task(await row_of(course, exercise))["r1"]
    assert (task["counts"], task["comment"]) == (2.0, "too few digits"), (
        "taking points back leaves the comment"
    )


@pytest.mark.parametrize(
    ("criteria", "points"), [([], 0.0), ([0], 1.0), ([1], 3.0), ([0, 1], 4.0), ([1, 1], 3.0)]
)
async def test_the_criteria_that_are_met_give_the_points(course, criteria, points):
    exercise = await graded(course, "ada", why="because")
    await course.marking.give(course.assistant, exercise, "ada", given(criteria=criteria))
    task = by_task(await row_of(course, exercise))["why"]
    assert task["counts"] == points
    assert [each["met"] for each in task["criteria"]] == [0 in criteria, 1 in criteria]


async def test_points_that_are_typed_are_no_sum_of_criteria_any_more(course):
    exercise = await graded(course, "ada", why="because")
    await course.marking.give(course.assistant, exercise, "ada", given(criteria=[0]))
    await course.marking.give(course.assistant, exercise, "ada", given(points=2.5))
    task = by_task(await row_of(course, exercise))["why"]
    assert (task["counts"], task["criteria"]) == (2.5, [])


async def test_a_mark_keeps_the_criteria_as_they_were(course):
    exercise = await graded(course, "ada", why="because")
    await course.marking.give(course.assistant, exercise, "ada", given(criteria=[1]))
    changed = [GRADED[0], GRADED[1].model_copy(update={"rubric": [Criterion(text="another", points=4)]})]
    await course.exercises.add_version(course.lecturer, exercise, NewVersion("Two", tasks=changed))
    task = by_task(await row_of(course, exercise))["why"]
    assert [each["text"] for each in task["criteria"]] == ["names the atom", "says why"]


@pytest.mark.parametrize(
    ("mark", "refusal", "words"),
    [
        (given("none", 1), NotFound, "no task 'none'"),
        (given("why", 4.5), UserInputError, "between 0 and 4"),
        (given("why", -0.5), UserInputError, "between 0 and 4"),
        (given("why", float("nan")), UserInputError, "between 0 and 4"),
        (given("", 1), UserInputError, "between 0 and 0"),
        (given("r1", criteria=[0]), UserInputError, "no rubric"),
        (given("", criteria=[0]), UserInputError, "no rubric"),
        (given("why", criteria=[2]), UserInputError, "places 0 to 1"),
        (given("why", 1, criteria=[0]), UserInputError, "criteria give the points"),
        (given("why", comment="x" * 10_001), UserInputError, "comment is longer than 10000"),
        (given("why", comment="a\x00"), UserInputError, "NUL"),
    ],
    ids=["no task", "too many", "negative", "NaN", "the whole", "without rubric", "rubric of the whole",
         "no such criterion", "both", "long comment", "NUL"],
)  # fmt: skip
async def test_a_wrong_mark_is_refused_and_changes_nothing(course, mark, refusal, words):
    exercise = await graded(course, "ada", why="because")
    with pytest.raises(refusal, match=words):
        await course.marking.give(course.assistant, exercise, "ada", mark)
    assert course.world.ask(marks.of_exercise, exercise) == {}


async def test_a_mark_for_nobody_is_refused(course):
    exercise = await graded(course, "ada")
    with pytest.raises(NotFound, match="no student 'zoe'"):
        await course.marking.give(course.assistant, exercise, "zoe", given("why", 1))


async def test_who_gave_a_mark_is_in_the_trail(course, trail):
    exercise = await graded(course, "ada")
    await course.marking.give(course.assistant, exercise, "ada", given("why", 1))
    await course.marking.release(course.lecturer, exercise, True)
    acts = [each for each in await trail() if each[2] == exercise and each[1] in ("mark", "release marks")]
    assert acts == [("assistant", "mark", exercise), ("lecturer", "release marks", exercise)]


# ---------------------------------------------------------------- release


async def test_releasing_again_keeps_the_first_date(course):
    exercise = await graded(course, "ada")
    first = await course.marking.release(course.lecturer, exercise, True)
    assert await course.marking.release(course.lecturer, exercise, True) == first
    assert await course.marking.release(course.lecturer, exercise, False) == {"released_at": None}
    assert await course.marking.release(course.lecturer, exercise, False) == {"released_at": None}


async def test_assistants_mark_and_lecturers_release(course):
    exercise = await graded(course, "ada")
    with pytest.raises(NotAllowed):
        await course.marking.release(course.assistant, exercise, True)
    with pytest.raises(NotAllowed):
        await course.marking.give(course.ada, exercise, "ada", given("why", 4))
    with pytest.raises(NotAllowed):
        await course.marking.listed(course.ada, exercise)
    with pytest.raises(NotFound):
        await course.marking.grade(course.eve, exercise)


async def test_the_marks_of_an_archived_course_stay_as_they_are(course):
    exercise = await graded(course, "ada")
    course.world.do(courses.change, course.id, archived_at=1.0)
    for act in (
        course.marking.grade(course.lecturer, exercise),
        course.marking.give(course.lecturer, exercise, "ada", given("why", 1)),
        course.marking.release(course.lecturer, exercise, True),
    ):
        with pytest.raises(Conflict, match="archived"):
            await act
    assert (await course.marking.listed(course.lecturer, exercise))["most"] == 6.0
