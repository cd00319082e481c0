"""Tab completion: only objects of this package are looked into, and a registry that is away offers nothing."""

from __future__ import annotations

import pytest
from qcrbox.api import completion
from qcrbox.api.completion import _AndOurs, _value, commands_first
from qcrbox.contract.errors import Unreachable

pytest.importorskip("IPython")


class Foreign:
    """An object of somebody else, whose attributes may do anything."""

    @property
    def refine(self):
        raise AssertionError("it was evaluated")


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("qc.refine.", ["refine_iam", "solve_it"]),
        ("x = qc.refine.re", ["refine_iam"]),
        ("f(qc.refine.so", ["solve_it"]),
        ("qc.apps.refine.re", ["refine_iam"]),
        ("qc.refine.zzz", []),
    ],
)
def test_commands_of_an_application_come_first(box, text, offered):
    found = commands_first(text, {"qc": box})
    names = [each.text for each in found["completions"]]
    assert names[: len(offered)] == offered
    assert all(each.type == "function" for each in found["completions"][: len(offered)])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qc",
        "qc.",
        "other.refine.",
        "missing.refine.",
        '"qc.refine.',
        "f().refine.",
        "a[0].refine.",
        "qc.refine",
    ],
)
def test_elsewhere_nothing_is_offered_and_nothing_evaluated(box, text):
    assert commands_first(text, {"qc": box, "other": Foreign()})["completions"] == []


def test_an_outage_offers_nothing():
    class Away:
        __module__ = "qcrbox.made"

        def __getattr__(self, name):
            raise Unreachable("away")

    assert _value(["qc", "refine"], {"qc": Away()}) is None


def test_types_of_this_package_are_allowed_and_others_stay_as_they_were(box):
    allowed = _AndOurs({int})
    assert type(box) in allowed
    assert int in allowed
    assert Foreign not in allowed
    assert "qcrbox" not in allowed

    class Pretender:
        pass

    Pretender.__module__ = "qcrboxes.evil"
    assert Pretender not in allowed


def test_outside_ipython_installing_does_nothing(monkeypatch):
    monkeypatch.delitem(completion.sys.modules, "IPython")
    completion.install()
    assert "IPython" not in completion.sys.modules
