"""What a lecturer may declare, and what students see of it."""

from __future__ import annotations

import json
import math

import pytest
from pydantic import ValidationError
from qcrbox.contract.teaching import (
    MOST_CRITERIA,
    MOST_TASKS,
    QUANTITIES,
    Band,
    Check,
    Criterion,
    ExerciseFile,
    Manifest,
    Task,
    TaskState,
    criterion_words,
)

SHA = "ab" * 32


def refused(make) -> str:
    """The words with which something is refused."""
    with pytest.raises(ValidationError) as error:
        make()
    return str(error.value)


def task(**given) -> Task:
    return Task(**({"id": "a", "title": "A"} | given))


@pytest.mark.parametrize(
    ("low", "high", "inside", "outside"),
    [
        (0.02, 0.05, [0.02, 0.03, 0.05], [0.0199, 0.0501]),
        (None, 0.05, [-1e9, 0.0, 0.05], [0.0501]),
        (1.0, None, [1.0, 1e9], [0.999]),
        (4.0, 4.0, [4.0], [3.99, 4.01]),
    ],
)
def test_the_ends_of_a_band_belong_to_it(low, high, inside, outside):
    band = Band(low=low, high=high)
    assert all(map(band.contains, inside))
    assert not any(map(band.contains, outside))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_band_contains_what_is_no_number(value):
    assert not Band(low=-1e300).contains(value)
    assert not Band(high=1e300).contains(value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"high": 0.05}, "at most 0.05"),
        ({"low": 1}, "at least 1"),
        ({"low": 0.02, "high": 0.05}, "0.02 to 0.05"),
        ({"low": 0}, "at least 0"),
    ],
)
def test_a_band_in_words(given, words):
    assert str(Band(**given)) == words


def test_a_band_needs_an_end_and_both_in_order():
    assert "low, high or both" in refused(Band)
    assert "above its high end" in refused(lambda: Band(low=2, high=1))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_the_end_of_a_band_is_a_finite_number(value):
    refused(lambda: Band(low=value))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "quantity"}, "needs a band"),
        ({"kind": "quantity", "band": {"high": 1}, "quantity": "beauty"}, "quantity is one of"),
        ({"kind": "space_group"}, "number or symbol"),
        ({"kind": "space_group", "number": 231}, "230"),
        ({"kind": "element", "label": "C1"}, "label of the site and the symbol"),
        ({"kind": "element", "symbol": "C"}, "label of the site and the symbol"),
        ({"kind": "occupancy", "label": "C1"}, "and a band"),
        ({"kind": "occupancy", "band": {"low": 0}}, "label of the site"),
        ({"kind": "no_alerts", "level": "G"}, "'A', 'B' or 'C'"),
        ({"kind": "all_hydrogens", "count": -1}, "greater than or equal to 0"),
        ({"kind": "all_hydrogens", "colour": "red"}, "colour"),
    ],
)
def test_a_check_that_could_not_be_made_is_refused(given, words):
    assert words in refused(lambda: Check(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "quantity", "band": {"high": 0.05}},
        {"kind": "space_group", "number": 14},
        {"kind": "space_group", "symbol": "P 21/c"},
        {"kind": "element", "label": "C1", "symbol": "N"},
        {"kind": "occupancy", "label": "C1", "band": {"low": 0.4, "high": 0.6}},
        {"kind": "all_hydrogens"},
        {"kind": "no_alerts", "level": "B"},
    ],
)
def test_every_kind_of_check_can_be_declared(given):
    assert Check(**given).kind == given["kind"]


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a" * 41, "ä"])
def test_the_id_of_a_task_is_a_plain_name(name):
    refused(lambda: task(id=name))


def test_a_calculation_is_judged_by_a_known_quantity_and_others_need_none():
    assert all(task(quantity=name).quantity == name for name in QUANTITIES)
    assert "quantity is one of" in refused(lambda: task(quantity="beauty"))
    assert task(kind="answer", quantity="beauty").quantity == "beauty"


def test_an_accepted_answer_is_among_the_choices_where_there_are_choices():
    assert "'C' is not among" in refused(lambda: task(kind="answer", choices=["A", "B"], accepted=["A", "C"]))
    assert task(kind="answer", accepted=["whatever"]).accepted == ["whatever"]


def test_the_criteria_of_a_rubric_add_up_to_the_points_and_differ():
    def rubric(*points, texts="abcdef"):
        return [Criterion(text=text, points=p) for text, p in zip(texts, points, strict=False)]

    assert task(points=3, rubric=rubric(1, 2)).points == 3
    # Tenths do not add up exactly in binary.
    assert task(points=0.3, rubric=rubric(0.1, 0.1, 0.1)).points == 0.3
    assert "add up to 4, and the task has 3 points" in refused(lambda: task(points=3, rubric=rubric(1, 3)))
    assert "say the same" in refused(lambda: task(points=2, rubric=rubric(1, 1, texts="aa")))


@pytest.mark.parametrize(
    ("given", "by_a_person"),
    [
        ({"kind": "calculation"}, False),
        ({"kind": "value"}, True),
        ({"kind": "value", "target": 0.0}, False),
        ({"kind": "answer"}, True),
        ({"kind": "answer", "accepted": ["P 21/c"]}, False),
    ],
)
def test_without_a_rule_a_person_marks(given, by_a_person):
    assert task(**given).is_marked_by_a_person is by_a_person


def test_students_see_nothing_that_gives_the_answer_away():
    secret = task(
        kind="value",
        target=1.234,
        tolerance=0.01,
        accepted=["1.234"],
        band={"high": 0.05},
        checks=[{"kind": "element", "label": "N7", "symbol": "N"}, {"kind": "no_alerts"}],
        points=2,
        rubric=[{"text": "unit given", "points": 2}],
    )
    shown = secret.for_students()
    for word in ("1.234", "0.01", "N7", "unit given"):
        assert word not in str(shown)
    assert shown["band"] == {"low": None, "high": 0.05}
    assert shown["checked"] == ["element", "no_alerts"]


def file(name: str, **more) -> ExerciseFile:
    return ExerciseFile(filename=name, sha256=SHA, size=1, **more)


def manifest(**given) -> Manifest:
    return Manifest(**({"title": "Twins"} | given))


def test_files_of_lecturers_are_not_in_what_students_see():
    made = manifest(files=[file("a.cif"), file("answer.cif", for_lecturers=True)], tasks=[task()])
    shown = made.for_students()
    assert [each["filename"] for each in shown["files"]] == ["a.cif"]
    assert [each["id"] for each in shown["tasks"]] == ["a"]
    assert "answer.cif" not in str(shown)


def test_tasks_and_files_have_names_of_their_own_whatever_the_case():
    assert "Two tasks have the id 'a'" in refused(lambda: manifest(tasks=[task(), task()]))
    assert "Two files have the name 'a.cif'" in refused(
        lambda: manifest(files=[file("a.cif"), file("A.CIF")])
    )


def test_an_exercise_has_a_limited_number_of_tasks():
    many = [task(id=f"t{number}") for number in range(MOST_TASKS + 1)]
    assert len(manifest(tasks=many[:-1]).tasks) == MOST_TASKS
    refused(lambda: manifest(tasks=many))


def test_the_points_of_an_exercise_are_those_of_its_tasks():
    made = manifest(tasks=[task(points=2), task(id="b", points=0.5)])
    assert made.points == 2.5
    assert made.task("b") is made.tasks[1]
    assert made.task("c") is None
    assert manifest().points == 0


@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "g" * 64, SHA + "00"])
def test_a_file_is_named_by_its_whole_digest(digest):
    refused(lambda: ExerciseFile(filename="a", sha256=digest, size=1))


def test_a_manifest_survives_its_own_json():
    made = manifest(
        text="x", minutes=45, notebook=file("n.ipynb"), files=[file("a.cif")], tasks=[task(band={"low": 1})]
    )
    assert Manifest.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ({"met": True, "text": "unit given", "points": 2.0}, "✓ unit given (2)"),
        ({"met": False, "text": "s.u. given", "points": 0.5}, "✕ s.u. given (0.5)"),
    ],
)
def test_a_criterion_in_one_line(criterion, words):
    assert criterion_words(criterion) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"high": 1000.25}, "at most 1000.25"),
        ({"low": 12345.678, "high": 12345.688}, "12345.678 to 12345.688"),
        ({"low": 1e6}, "at least 1e+06"),
        ({"low": -0.5}, "at least -0.5"),
        ({"high": 0.1 + 0.2}, "at most 0.30000000000000004"),
    ],
)
def test_the_ends_of_a_band_are_shown_as_they_are(given, words):
    """Rounded to six digits, the band of a volume was another one than the one that marks."""
    assert str(Band(**given)) == words


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "t" * 201},
        {"text": "t" * 4001},
        {"hint": "t" * 4001},
        {"points": -1},
        {"points": 1001},
        {"points": math.nan},
        {"points": math.inf},
        {"tolerance": -0.1},
        {"target": math.nan},
        {"target": "many"},
        {"kind": "essay"},
        {"unit": "u" * 41},
        {"command": "c" * 301},
        {"checks": [{"kind": "no_alerts"}] * 21},
        {"choices": ["c"] * 31},
        {"accepted": ["a" * 201]},
        {"parameters": {f"p{number}": 1 for number in range(51)}},
        {"colour": "red"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_task_beyond_its_limits_is_refused(change):
    refused(lambda: task(**change))


@pytest.mark.parametrize("name", ["a", "0", "a-b_c", "a" * 40])
def test_ids_of_tasks_at_their_limits(name):
    assert task(id=name).id == name


@pytest.mark.parametrize("points", [0, 1000, 0.25])
def test_points_within_their_limits(points):
    assert task(points=points).points == points


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"minutes": 0},
        {"minutes": 10_001},
        {"minutes": 1.5},
        {"files": "x"},
        {"colour": "red"},
    ],
    ids=str,
)
def test_an_exercise_beyond_its_limits_is_refused(change):
    refused(lambda: manifest(**change))


@pytest.mark.parametrize(
    "change", [{"filename": ""}, {"filename": "f" * 256}, {"size": -1}, {"size": 1.5}], ids=str
)
def test_a_file_of_an_exercise_beyond_its_limits_is_refused(change):
    refused(lambda: ExerciseFile(**({"filename": "a", "sha256": SHA, "size": 1} | change)))


@pytest.mark.parametrize(
    "change", [{"text": ""}, {"text": "t" * 501}, {"points": -1}, {"points": math.nan}], ids=str
)
def test_a_criterion_beyond_its_limits_is_refused(change):
    refused(lambda: Criterion(**({"text": "t", "points": 1} | change)))


@pytest.mark.parametrize("number", [1, 230])
def test_numbers_of_space_groups_at_their_limits(number):
    assert Check(kind="space_group", number=number).number == number
    refused(lambda: Check(kind="space_group", number=0))


def test_students_see_the_kinds_of_checks_once_and_in_order():
    checks = [
        {"kind": "no_alerts"},
        {"kind": "all_hydrogens", "count": 8},
        {"kind": "no_alerts", "level": "B"},
    ]
    assert task(checks=checks).for_students()["checked"] == ["all_hydrogens", "no_alerts"]


def test_what_students_see_can_be_written_as_json():
    made = manifest(tasks=[task(band={"high": 0.05}, parameters={"edits": ["C3", None, 1.5]})])
    assert json.loads(json.dumps(made.for_students()))["tasks"][0]["parameters"] == {
        "edits": ["C3", None, 1.5]
    }


def test_words_for_every_state_of_a_task_are_plain_names():
    assert all(Task.model_validate({"id": str(state), "title": "x"}).id == str(state) for state in TaskState)


def test_rubric_points_that_fill_the_limit_of_criteria():
    many = [Criterion(text=str(number), points=1) for number in range(MOST_CRITERIA + 1)]
    assert len(task(points=MOST_CRITERIA, rubric=many[:-1]).rubric) == MOST_CRITERIA
    refused(lambda: task(points=MOST_CRITERIA + 1, rubric=many))
