"""Checks as a whole: cut where there are too many alerts, not stopped by one that cannot run."""

from __future__ import annotations

import json

import pytest
from qcrbox.analysis import validation
from qcrbox.analysis.validation import Alert, Validation, validate
from qcrbox.cif import read
from qcrbox.contract.errors import UserInputError

from ...conftest import write_cif


def block():
    return read(write_cif())[0]


@pytest.fixture
def only(monkeypatch):
    """`only(name=check)`: these checks and no others."""

    def replace(**checks):
        monkeypatch.setattr(validation, "CHECKS", checks)
        return validate(block())

    return replace


@pytest.mark.parametrize(
    ("count", "shown", "more"), [(100, 100, None), (101, 101, "1 more"), (1500, 101, "1,400 more")]
)
def test_more_than_a_hundred_alerts_of_a_kind_are_counted(only, count, shown, more):
    found = only(many=lambda b, s: (Alert("T", "C", 2, f"atom {n}") for n in range(count)))
    assert len(found.alerts) == shown
    last = found.alerts[-1]
    assert (last.text == f"{more} alerts of this kind.") == bool(more)
    assert (last.test, last.level, last.type) == ("T", "C", 2)


def test_levels_of_one_test_are_counted_apart(only):
    found = only(many=lambda b, s: (Alert("T", "AC"[n % 2], 2, str(n)) for n in range(300)))
    assert [alert.text for alert in found.alerts if "more" in alert.text] == [
        "50 more alerts of this kind."
    ] * 2


def test_a_check_that_cannot_run_is_listed_with_its_reason_and_stops_no_other(only):
    def cannot(b, s):
        raise UserInputError("No reflections.")
        yield

    found = only(first=cannot, second=lambda b, s: iter([Alert("T", "B", 1, "found")]))
    assert found.not_run == {"first": "No reflections."}
    assert found.tests_run == ["second"]
    assert [alert.text for alert in found.alerts] == ["found"]


def test_alerts_are_sorted_by_level_then_type(only):
    mixed = [Alert("T", level, kind, "") for level in "GCBA" for kind in (3, 1)]
    found = only(mixed=lambda b, s: iter(mixed))
    assert [(alert.level, alert.type) for alert in found.alerts] == [
        (level, kind) for level in "ABCG" for kind in (1, 3)
    ]


def test_the_report_has_levels_atoms_advice_and_what_did_not_run():
    alert = Alert("TEST", "A", 2, "The text.", ("C1", "C2"), "The advice.", "PLAT001")
    text = Validation("block", [alert], ["one"], {"two": "why"}).to_text()
    assert "Alerts: A 1, B 0, C 0, G 0" in text
    assert "TEST_A type 2: The text. [C1, C2] (compare PLAT001)\n    The advice." in text
    assert text.endswith("Tests run: one\nNot run: two: why\n")


def test_the_answer_is_json():
    found = Validation("block", [Alert("T", "A", 1, "x", ("C1",))], ["one"])
    assert json.loads(json.dumps(found.to_dict()))["counts"] == {"A": 1, "B": 0, "C": 0, "G": 0}
    assert found.of_level("A", "B") == found.alerts
