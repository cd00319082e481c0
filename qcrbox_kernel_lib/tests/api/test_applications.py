"""Applications and commands by attribute, by name, by version, and what is said of those that are not there."""

from __future__ import annotations

import copy

import pytest
from qcrbox.contract.errors import NotFound, UserInputError

from .records import REFINE


def record(slug, version="1.0", *commands, registered="2026-01-01T00:00:00Z", **more):
    described = [
        {"name": name, "cmd_name": name, "description": f"does {name}", **about} for name, about in commands
    ]
    return {"slug": slug, "name": slug.title(), "version": version, "registered_at": registered, "commands": described, **more}  # fmt: skip


@pytest.fixture
def apps_of(stored, server):
    def make(*records):
        server["GET /api/applications"] = {"applications": list(records)}
        return stored.apps.refresh()

    return make


def test_the_version_registered_last_is_meant_and_each_other_is_found_by_its_number(apps_of):
    apps = apps_of(
        record("refine", "2.0", registered="2026-02-01T00:00:00Z"),
        record("refine", "10.0", registered="2026-01-01T00:00:00Z"),
    )
    assert apps["refine"].version == "2.0"
    assert apps["refine==10.0"].version == "10.0"
    assert apps["Refine 10.0"].version == "10.0"
    assert len(apps) == 1
    assert len(apps.all()) == 2


def test_of_two_registered_at_once_the_later_id_is_meant(apps_of):
    apps = apps_of(record("refine", "1", id=2), record("refine", "2", id=1))
    assert apps.refine.version == "1"


def test_a_new_application_is_found_without_waiting_a_minute(apps_of, stored, server):
    apps_of(record("refine"))
    server["GET /api/applications"] = {"applications": [record("refine"), record("har")]}
    assert stored.har.slug == "har"
    server["GET /api/applications"] = {"applications": [record("xt")]}
    assert stored.apps["xt"].slug == "xt"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("refine", True),
        ("Refine", True),
        ("refine==1.0", True),
        ("refine==9", False),
        ("refin", False),
        (5, False),
    ],
)
def test_whether_an_application_is_there(apps_of, name, known):
    assert (name in apps_of(record("refine"))) == known


def test_whether_an_application_has_a_command(apps_of):
    app = apps_of(record("refine", "1.0", ("refine-iam", {}))).refine
    assert "refine-iam" in app
    assert "refine_iam" in app
    assert "refine" not in app
    assert app["refine-iam"] in list(app)
    assert len(app) == 1


@pytest.mark.parametrize("key", [0, None, b"refine"], ids=repr)
def test_what_is_no_name_is_refused(apps_of, key):
    apps = apps_of(record("refine", "1.0", ("refine_iam", {})))
    with pytest.raises(UserInputError, match="by name"):
        apps[key]
    with pytest.raises(UserInputError, match="by name"):
        apps.refine[key]


def test_an_unknown_command_names_the_one_meant(apps_of):
    app = apps_of(record("refine", "1.0", ("refine_iam", {}))).refine
    for ask in (lambda: app["refine_ima"], lambda: app.refine_ima):
        with pytest.raises(NotFound, match="Did you mean 'refine_iam'"):
            ask()


@pytest.mark.parametrize("name", ["gui", "_private", "__html__"])
def test_names_that_are_no_commands_are_attributes_or_missing(apps_of, name):
    app = apps_of(record("refine", "1.0", ("refine_iam", {}))).refine
    assert hasattr(app, name) == (name == "gui")
    assert "gui" not in dir(app)


def test_a_program_without_a_window_says_so(apps_of):
    with pytest.raises(UserInputError, match="Refine has no window of its own"):
        apps_of(record("refine")).refine.gui()


def test_a_program_with_a_window_offers_it(apps_of):
    app = apps_of(record("olex", "1.0", ("interactive", {"implemented_as": "interactive_session"}))).olex
    assert "gui" in dir(app)


def test_no_command_can_replace_what_python_needs(apps_of):
    app = apps_of(record("evil", "1.0", ("__class__", {}), ("run", {}))).evil
    assert list(app.commands) == ["run"]
    assert type(app).__name__ == "Application"


def test_applications_can_be_copied(apps_of):
    apps = apps_of(record("refine", "1.0", ("refine_iam", {})))
    assert copy.copy(apps.refine).refine_iam is apps.refine.refine_iam
    assert copy.copy(apps).refine is apps.refine


@pytest.mark.parametrize(
    ("need", "found"),
    [
        ("refine", ["qc.refine.refine_iam", "qc.refine.solve_it"]),
        ("least squares", ["qc.refine.refine_iam", "qc.refine.solve_it"]),
        ("REFINE_IAM", ["qc.refine.refine_iam"]),
        ("solve unknown", []),
    ],
    ids=["a word", "two words of the description", "capitals", "one word is nowhere"],
)
def test_commands_are_found_by_every_word(apps_of, need, found):
    table = apps_of(REFINE).find(need)
    assert sorted(table["command"]) == found
    assert ("No command matches" in table.caption) == (not found)


def test_a_command_with_the_word_in_its_name_comes_first(apps_of):
    apps = apps_of(
        record("a", "1.0", ("other", {"description": "can solve"}), ("solve", {"description": "x"}))
    )
    assert apps.find("solve")["command"][0] == "qc.a.solve"


@pytest.mark.parametrize(
    ("more", "ready"),
    [
        ({"missing": "No program."}, "not installed"),
        ({"state": "starts_on_demand"}, "starts on demand"),
        ({"ready": True}, "✓ ready"),
        ({"ready": False}, "starts on demand"),
        ({}, ""),
    ],
    ids=["missing", "state", "ready", "not ready", "unknown"],
)
def test_the_table_says_whether_it_can_run(apps_of, more, ready):
    (row,) = apps_of(record("refine", **more)).table()
    assert row["ready"] == ready


def test_a_command_that_is_not_installed_is_named_with_the_reason(apps_of):
    table = apps_of(record("refine", "1.0", ("a", {"missing": "No <xt>."}), ("b", {}))).table()
    assert table["ready"] == ["not installed: a"]
    assert table.caption == "Refine: No <xt>."
    assert "<xt>" not in table.html()


def test_without_applications_the_table_says_who_can_help(apps_of):
    assert "An administrator can add some" in repr(apps_of())


def test_the_help_of_an_application_lists_its_commands(apps_of):
    text = apps_of(record("refine", "1.0", ("refine_iam", {}))).refine.__doc__
    assert text.startswith("Refine 1.0")
    assert "refine_iam: does refine_iam" in text


def test_completion_of_attributes_never_fails_while_the_registry_is_away(stored, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    stored.client.url = "http://127.0.0.1:9"
    stored.client.close()
    assert "refresh" in dir(stored.apps)
    assert "datasets" in dir(stored)
    assert isinstance(dir(stored.examples), list)
