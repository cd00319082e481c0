"""`qc.doctor()`: each fault with what to do, in the environment where it is."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from qcrbox.api import diagnosis
from qcrbox.api.diagnosis import FRONT_END, diagnose, front_end

from ..small_server import Raw

WELL = {"ipywidgets": "8.1.0", "anywidget": "0.9.13", "qcrbox": "2.0.0", "gemmi": "1", "numpy": "2", "matplotlib": "3", "jupyterlab_widgets": "3.0.1"}  # fmt: skip


@pytest.fixture
def doctor(stored, server, monkeypatch):
    """`doctor(versions, front)`: the rows of a diagnosis as what → (sign, text)."""
    server["GET /api/healthz"] = {"status": "ok"}
    server["GET /api/applications"] = {"applications": []}

    def look(versions=WELL, front=None):
        monkeypatch.setattr(diagnosis, "_version", versions.get)
        monkeypatch.setattr(diagnosis, "front_end", lambda: front or {})
        monkeypatch.setattr(diagnosis, "_shadowing", list)
        table = diagnose(stored)
        return SimpleNamespace(rows={row[1]: (row[0], row[2]) for row in table.rows}, caption=table.caption)

    return look


def faults(found):
    return {what for what, (sign, _) in found.rows.items() if sign == "✗" and what != "widget scripts"}


def test_a_whole_installation_has_no_faults(doctor):
    assert faults(doctor()) == set()


@pytest.mark.parametrize(("package", "cure"), [("anywidget", "pip install anywidget"), ("gemmi", "needed for CIF: pip install gemmi"), ("numpy", "pip install numpy")])  # fmt: skip
def test_a_missing_package_comes_with_its_remedy(doctor, package, cure):
    found = doctor({**WELL, package: None})
    assert faults(found) == {package}
    assert cure in found.rows[package][1]
    assert "to mend" in found.caption


@pytest.mark.parametrize(
    ("kernel", "front", "fits"),
    [
        ("8.1.0", "3.0.1", True),
        ("8.1.0", "1.1.0", False),
        ("7.7.0", "1.1.0", True),
        ("7.7.0", "3.0.1", False),
        ("9.0", "3.0", True),
    ],
)
def test_widgets_of_kernel_and_front_end_must_fit(doctor, kernel, front, fits):
    found = doctor({**WELL, "ipywidgets": kernel, "jupyterlab_widgets": front})
    assert ("versions" in faults(found)) == (not fits)


@pytest.mark.parametrize(
    ("package", "here", "there", "fits"),
    [
        ("qcrbox", "2.0.0", "2.0.9", True),
        ("qcrbox", "2.0.0", "2.1.0", False),
        ("anywidget", "0.9.13", "0.9.1", True),
        ("anywidget", "0.9.13", "0.10.0", False),
    ],
)
def test_packages_that_talk_to_each_other_have_the_same_version_but_for_the_last_part(
    doctor, package, here, there, fits
):
    front = {"jupyterlab_widgets": "3.0.1", package: there}
    found = doctor({**WELL, package: here}, front)
    assert (f"{package} versions" in faults(found)) == (not fits)
    assert here in found.rows[f"{package} versions"][1]
    assert there in found.rows[f"{package} versions"][1]


def test_a_front_end_without_widgets_is_told_in_its_environment(doctor):
    found = doctor(front={"qcrbox": "2.0.0"})
    assert "pip install jupyterlab_widgets there" in found.rows["jupyterlab_widgets"][1]


def test_a_front_end_that_is_not_known_is_said(doctor):
    assert "did not report its versions" in doctor().rows["front end"][1]


def test_a_registry_that_refuses_is_a_fault_with_its_words(doctor, server):
    server["GET /api/healthz"] = Raw("<html>", 502)
    sign, text = doctor().rows["registry"]
    assert (sign, "502" in text) == ("✗", True)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (json.dumps({"qcrbox": "1"}), {"qcrbox": "1"}),
        ("", {}),
        ("[]", {}),
        ("no json", {}),
        ('{"a": 1}', {"a": "1"}),
    ],
    ids=["versions", "empty", "list", "no JSON", "number"],
)
def test_versions_of_the_front_end_come_in_the_environment(text, known):
    assert front_end({FRONT_END: text}) == known
    assert front_end({}) == {}
