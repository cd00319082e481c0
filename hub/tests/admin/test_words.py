"""How the pages write times, sizes, durations and numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import qcrbox_hub
from jinja2 import Environment, FileSystemLoader
from qcrbox_hub.admin.words import FILTERS, as_datetime, doubt, duration, moment, named, number, size

TEMPLATES = Path(qcrbox_hub.__file__).parent / "templates"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOON, "2026-03-01 12:00"),
        (NOON.replace(tzinfo=None), "2026-03-01 12:00"),
        (NOON.astimezone(timezone(timedelta(hours=5))), "2026-03-01 12:00"),
        (NOON.timestamp(), "2026-03-01 12:00"),
        ("2026-03-01T12:00:00Z", "2026-03-01 12:00"),
        ("2026-03-01T13:30:00+01:30", "2026-03-01 12:00"),
        (0, "1970-01-01 00:00"),
        (None, ""),
        ("", ""),
    ],
)
def test_moment_is_utc_to_the_minute(value: Any, words: str) -> None:
    assert moment(value) == words


def test_a_page_has_the_time_for_scripts_and_for_hovering_and_in_words() -> None:
    environment = Environment(autoescape=True)
    environment.filters.update(FILTERS)
    page = environment.from_string("{{ at | moment }}|{{ (none | moment) or 'never' }}")
    assert page.render(at="2026-03-01T13:30:00+01:30", none=None) == (
        '<time datetime="2026-03-01T12:00:00Z" title="2026-03-01T12:00:00Z">2026-03-01 12:00 UTC</time>|never'
    )


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ("{}", ""),
        ('{"reason": ""}', ""),
        ('{"person": "jane", "new_role": "lecturer"}', "person: jane; new role: lecturer"),
        (
            '{"command": "refine 1.0", "calculations": 1, "shared": false}',
            "command: refine 1.0; calculations: 1; shared: false",
        ),
        ('{"files": ["結晶.cif"]}', 'files: ["結晶.cif"]'),
    ],
)
def test_details_of_the_audit_trail_are_no_json(details: str, words: str) -> None:
    assert named(details) == words


def test_failures_show_paths_and_tracebacks_behind_details_only() -> None:
    environment = Environment(autoescape=True)
    environment.filters.update(FILTERS)
    page = environment.from_string("{{ text | failure }}")
    assert page.render(text="The cell <b> is impossible.") == "The cell &lt;b&gt; is impossible."
    assert page.render(text="") == ""
    shown = page.render(text="cannot open /srv/<qcrbox>/work/azu.hkl in /srv/work/azu.hkl")
    words, _, details = shown.partition("<details>")
    assert "/srv/work" not in words
    assert "azu.hkl" in words
    assert "/srv/&lt;qcrbox&gt;/work" in details


@pytest.mark.parametrize(
    ("calculation", "words"),
    [
        ({"status": "successful", "warnings": []}, ""),
        ({"status": "successful", "warnings": ["C7 is flat."]}, "with warnings"),
        ({"status": "successful", "warnings": ["Finished, but not converged."]}, "not converged"),
        ({"status": "successful", "progress": {"metrics": {"converged": 0}}}, "not converged"),
        ({"status": "successful", "progress": {"metrics": {"converged": 1}}}, ""),
        ({"status": "failed", "warnings": ["C7 is flat."]}, ""),
    ],
)
def test_a_result_that_needs_a_look_says_so(calculation: dict[str, Any], words: str) -> None:
    assert doubt(calculation) == words
    shown = shown_state(calculation["status"], words)
    assert ("warn" in shown) == bool(words)
    assert words in shown


def shown_state(status: str, words: str = "") -> str:
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    pages.filters.update(FILTERS)
    return str(pages.get_template("administration/macros.html").module.state(status, words))


@pytest.mark.parametrize(
    ("status", "word"), [("successful", "done"), ("submitted", "queued"), ("failed", "failed")]
)
def test_a_state_has_the_word_that_it_has_everywhere(status: str, word: str) -> None:
    assert f">{word}<" in shown_state(status)


def test_a_command_is_read_as_in_lab_and_its_text_is_escaped() -> None:
    pages = Environment(autoescape=True)
    pages.filters.update(FILTERS)
    page = pages.from_string("{{ name | command_phrase(title) }}")
    assert page.render(name="refine_iam", title="thpp · IAM refinement") == "Refine IAM"
    assert page.render(name="<b>x", title="") == "&lt;b&gt;x"


def test_time_that_cannot_be_read_is_an_error_not_a_wrong_time() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        as_datetime("yesterday")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (48 * 3600 - 1, "47 h 59 min"),
        (48 * 3600, "2 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_duration_in_its_largest_units(seconds: Any, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, ""),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1024.0 KiB"),
        (3 * 1024**3, "3.0 GiB"),
        (5 * 1024**6, "5120.0 PiB"),
        (-2048, "-2.0 KiB"),
    ],
)
def test_size_in_binary_units(amount: Any, words: str) -> None:
    assert size(amount) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (0, "0"),
        (0.001, "< 0.01"),
        (0.01, "0.01"),
        (12, "12"),
        (12.0, "12"),
        (1234567, "1,234,567"),
        (1234.567, "1,234.57"),
        (-3.5, "-3.50"),
        ("any", "any"),
    ],
)
def test_number_without_needless_digits(value: Any, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("amount", "nouns", "words"),
    [
        (0, ("file",), "0 files"),
        (1, ("file",), "1 file"),
        (1, ("Jupyter server runs", "Jupyter servers run"), "1 Jupyter server runs"),
        (2, ("Jupyter server runs", "Jupyter servers run"), "2 Jupyter servers run"),
    ],
)
def test_a_number_fits_its_noun(amount: int, nouns: tuple[str, ...], words: str) -> None:
    assert FILTERS["counted"](amount, *nouns) == words


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Run `qcrbox restore` now.", "Run <code>qcrbox restore</code> now."),
        ("<b> & `<i>`", "&lt;b&gt; &amp; <code>&lt;i&gt;</code>"),
        ("one ` alone", "one ` alone"),
        ("", ""),
    ],
)
def test_words_in_backticks_are_set_as_code(text: str, html: str) -> None:
    assert str(FILTERS["coded"](text)) == html


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_page_shows_a_backtick(path: Path) -> None:
    shown = re.sub(r"\{#.*?#\}|<script.*?</script>", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert "`" not in shown


def test_a_number_on_the_overview_has_its_noun_in_the_right_number() -> None:
    page = (TEMPLATES / "administration/overview.html").read_text("utf-8")
    assert not re.findall(r'~ " (?:[A-Z][a-z]+ )?[a-z]+s\b', page)


def test_a_failure_on_a_page_says_what_why_and_next_with_path_and_traceback_behind_details() -> None:
    trace = 'Traceback (most recent call last):\n  File "/srv/qcrbox/refine.py", line 3, in run\n    go()\n'
    text = (
        f"There is no cell. azu.cif has no _cell_length_a. Choose another file.\n{trace}ValueError: no <cell>"
    )
    said, _, details = str(FILTERS["failure"](text)).partition("<details>")
    assert "There is no cell. azu.cif has no _cell_length_a. Choose another file." in said
    assert not re.search(r"Traceback|/srv/|refine\.py", said)
    assert details.startswith("<summary>Details</summary>")
    assert "/srv/qcrbox/refine.py" in details
    assert "&lt;cell&gt;" in details
    assert FILTERS["failure"]("") == ""


@pytest.mark.parametrize(("place", "words"), [(1, "next"), (2, "1 before it"), (15, "14 before it")])
def test_a_place_in_the_queue_is_said_in_words(place: int, words: str) -> None:
    assert FILTERS["place"](place) == words
    assert "row.place | place" in (TEMPLATES / "administration/calculation.html").read_text("utf-8")
