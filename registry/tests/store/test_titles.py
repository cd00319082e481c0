"""Titles: what went in, what was done, how it ended."""

from __future__ import annotations

import pytest
from qcrbox.spec import Command, Implementation, Parameter
from qcrbox.spec.dtypes import DType
from qcrbox.spec.titles import what_is_done
from qcrbox_registry.store.titles import (
    LONGEST_SUBJECT,
    Marks,
    Parts,
    is_doubtful,
    marks_of,
    subjects_of,
    title_of,
    verdict_of,
)


def parts(**more):
    known = {"name": "", "subject": "thpp", "done": "IAM refinement", "verdict": "R1 0.0412"}
    return Parts(**{**known, "command_name": "refine_iam", "state": "successful", **more})


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({}, "thpp · IAM refinement · R1 0.0412"),
        ({"name": "my best model"}, "my best model"),
        ({"state": "failed"}, "thpp · IAM refinement · failed"),
        ({"state": "cancelled", "verdict": ""}, "thpp · IAM refinement · cancelled"),
        ({"state": "running", "verdict": ""}, "thpp · IAM refinement"),
        ({"subject": "", "done": "", "verdict": ""}, "Refine iam"),
    ],
)
def test_a_title_says_input_act_and_verdict(more, title):
    assert title_of(parts(**more)) == title


@pytest.mark.parametrize(
    ("metrics", "r1", "warnings", "verdict"),
    [
        ({"R1": 0.02784, "converged": 1.0}, 0.5, [], "R1 0.0278"),
        ({}, 0.04119, [], "R1 0.0412"),
        ({"R1": 0.0278, "converged": 0.0}, None, [], "R1 0.0278, not converged"),
        (
            {"R1": 0.0278},
            None,
            ["Finished, but not converged: max shift/s.u. 0.43 (C12 U33)."],
            "R1 0.0278, not converged",
        ),
        ({"R1": 0.0278, "refined": 0.0}, None, [], "R1 0.0278, not refined"),
        ({"R1": 0.0278, "refined": 0.0, "converged": 0.0}, None, [], "R1 0.0278, not converged"),
        ({}, None, [], ""),
    ],
)
def test_a_verdict_is_r1_with_four_decimals_and_whether_it_converged(metrics, r1, warnings, verdict):
    assert verdict_of(metrics, r1, warnings) == verdict


def command(title):
    words = [("functional", "auto"), ("basis", "auto")]
    parameters = [
        Parameter(name=name, dtype=DType.STR, default=default, has_default=True) for name, default in words
    ]
    return Command(
        name="refine_har", implemented_as=Implementation.PYTHON, title=title, parameters=parameters
    )


@pytest.mark.parametrize(
    ("title", "arguments", "words"),
    [
        ("HAR[ {functional}][/{basis}]", {"functional": "b3lyp", "basis": "def2-SVP"}, "HAR b3lyp/def2-SVP"),
        ("HAR[ {functional}][/{basis}]", {"functional": "auto", "basis": "auto"}, "HAR"),
        ("HAR[ {functional}][/{basis}]", {"functional": "pbe", "basis": "auto"}, "HAR pbe"),
        (None, {}, "refine har"),
    ],
)
def test_words_of_a_call_name_what_was_chosen(title, arguments, words):
    assert what_is_done(command(title), arguments) == words


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("", "model"),
        ("model.cif", "model"),
        ("thpp at 100 K", "thpp at 100 K"),
        ("x" * 500, "x" * LONGEST_SUBJECT),
    ],
    ids=["none", "that of the file", "given", "long"],
)
def test_a_file_is_called_as_its_dataset(world, name, subject):
    _, (file_id,) = world.dataset("ada", name=name)
    assert world.ask(subjects_of, [file_id, file_id, "absent"]) == {file_id: subject}


@pytest.mark.parametrize(("given", "called"), [("", "thpp"), ("my best model", "my best model")])
def test_a_result_is_called_by_its_given_name_or_what_it_began_with(world, given, called):
    calculation = world.start("ada", name=given, subject="thpp")
    _, (file_id,) = world.dataset("ada", name="output", kind="output", calculation_id=calculation)
    assert world.ask(subjects_of, [file_id]) == {file_id: called}
    assert world.ask(marks_of, [calculation, "absent"]) == {calculation: Marks(named=bool(given))}


@pytest.mark.parametrize(
    ("state", "verdict", "warnings", "doubtful"),
    [
        ("successful", "R1 0.0412", [], False),
        ("successful", "R1 0.0412", None, False),
        ("successful", "R1 0.0412, not converged", [], True),
        ("successful", "R1 0.0412", ["The extinction parameter is negative."], True),
        ("failed", "", ["The extinction parameter is negative."], False),
        ("running", "", [], False),
    ],
    ids=["good", "none reported", "not converged", "warned", "failed", "running"],
)
def test_a_result_is_doubtful_with_a_warning_or_without_convergence(state, verdict, warnings, doubtful):
    assert is_doubtful(state, verdict, warnings) is doubtful
