"""The catalogues: whole, sound, and used."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest
import qcrbox.language as language
from qcrbox.client.live import Live
from qcrbox.contract.states import State, state_word
from qcrbox.display.status_text import line_text, queue_text
from qcrbox.markup import Table

CATALOGUES = sorted(language.FOLDER.glob("*.po"))
SOURCES = sorted(Path(language.__file__).parent.rglob("*.py"))


def marked():
    """Every text that the sources give to `tr` as it stands."""
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tr":
                text = node.args[0]
                if isinstance(text, ast.Constant):
                    yield text.value


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_catalogue_has_every_marked_text_and_the_states(file):
    known = language.read_po(file.read_text(encoding="utf-8"))
    wanted = {*marked(), *(state_word(state) for state in State)}
    assert len(wanted) > 20
    assert wanted - set(known) == set()


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_translations_keep_what_is_filled_in_and_the_code_one_may_type(file):
    for text, translation in language.read_po(file.read_text(encoding="utf-8")).items():
        assert fields(text) == fields(translation), text
        for code in ("qc.calculations[", "qc.add(", ".cancel()"):
            assert (code in text) == (code in translation), text


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "de"),
        ({"LANG": "de_AT"}, "de"),
        ({"LC_ALL": "C", "LANG": "de_DE"}, "en"),
        ({"LANGUAGE": "xx:de"}, "de"),
        ({"LANGUAGE": "en:de"}, "en"),
        ({"QCRBOX_LANGUAGE": "de", "LANG": "en_GB"}, "de"),
        ({"LANG": "../../etc/passwd"}, "en"),
    ],
    ids=str,
)
def test_language_is_the_one_the_person_set(environ, code):
    assert language.language(environ) == code


def test_state_and_queue_are_said_in_german(monkeypatch):
    monkeypatch.setenv("QCRBOX_LANGUAGE", "de")
    live = Live({"status": "submitted", "queue": {"place": 15, "estimated_start": 360.0}})
    assert queue_text(live) == "In der Warteschlange: 14 vor Ihnen, etwa 6 min."
    assert "in der Warteschlange" in line_text(live, "refine", "3f2a")
    assert str(live.status) == "submitted"


def test_headings_are_translated_where_they_are_read_and_stay_where_they_are_asked_for(monkeypatch):
    monkeypatch.setenv("QCRBOX_LANGUAGE", "de")
    table = Table(("status", "R1"), [("✓", 0.04)], title="Calculations", caption="None yet.")
    assert table["status"] == ["✓"]
    assert table.csv().startswith("status,R1")
    assert table.text().splitlines()[0] == "Rechnungen"
    for word in ("Zustand", "Rechnungen", "Noch keine."):
        assert word in table.html()


def test_damaged_catalogue_names_its_line():
    with pytest.raises(ValueError, match="line 2"):
        language.read_po('msgid "a"\nnonsense\n')


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_catalogue_is_read_as_babel_reads_it(file):
    pofile = pytest.importorskip("babel.messages.pofile")
    with file.open("rb") as stream:
        catalogue = pofile.read_po(stream)
    theirs = {message.id: message.string for message in catalogue if message.id and message.string}
    assert language.read_po(file.read_text(encoding="utf-8")) == theirs


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("offset -0.04 in the middle.", "offset −0.04 in the middle."),
        ("(-.5, -2)", "(−.5, −2)"),
        ("C1-C2 of 2026-11-29, 3-5 e-3, refine-iam", "C1-C2 of 2026-11-29, 3-5 e-3, refine-iam"),
    ],
)
def test_a_hyphen_before_a_number_is_a_minus_sign(text: str, shown: str):
    assert language.minus(text) == shown


@pytest.mark.parametrize(
    ("count", "words"), [(0, ""), (2, "C1, C2"), (3, "C1, C2, C3"), (5, "C1, C2, C3 and 2 more")]
)
def test_long_lists_of_names_say_how_many_are_left_out(count, words):
    assert language.listed([f"C{number}" for number in range(1, count + 1)], 3) == words
