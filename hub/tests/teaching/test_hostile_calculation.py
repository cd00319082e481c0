"""The page of a student's calculation with hostile text in all that a student, a CIF or a program can write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import qcrbox_hub
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader
from qcrbox_hub.admin.words import FILTERS
from qcrbox_hub.teaching.words import ago

pytestmark = pytest.mark.attack(11)
TEMPLATES = Path(qcrbox_hub.__file__).parent / "templates"
HOSTILE = "\"'><script>alert(7)</script><img src=x onerror=alert(7)>{{7*7}}"
CALCULATION: dict[str, Any] = {
    "calculation_id": "0" * 32,
    "title": HOSTILE,
    "owner": HOSTILE,
    "application_slug": HOSTILE,
    "application_version": HOSTILE,
    "command_name": HOSTILE,
    "command_arguments": {HOSTILE: HOSTILE, "structure": {"data_file_id": HOSTILE}, "list": [HOSTILE]},
    "status": "failed",
    "error_msg": f"{HOSTILE}\nTraceback in /srv/{HOSTILE}",
    "warnings": [HOSTILE],
    "progress": {},
    "submitted_at": "2026-03-01T12:00:00Z",
    "finished_at": None,
}


def shown(**changed: Any) -> str:
    """The page as the hub makes it: with JupyterHub's escaping, without the frame around it."""
    frame = DictLoader(
        {
            "teaching/base.html": "{% block title %}{% endblock %}{% block path %}{% endblock %}{% block content %}{% endblock %}"
        }
    )
    environment = Environment(loader=ChoiceLoader([frame, FileSystemLoader(TEMPLATES)]), autoescape=True)
    environment.filters.update({**FILTERS, "ago": ago})
    return environment.get_template("teaching/calculation.html").render(
        root="/hub/teaching",
        exercise={"id": "1" * 32, "course_id": "2" * 32, "course": HOSTILE},
        shown={**CALCULATION, **changed},
        log=HOSTILE,
        written=(f"{HOSTILE}.cif", "3" * 32),
    )


@pytest.mark.parametrize("status", ["failed", "successful", HOSTILE])
def test_text_of_a_calculation_makes_no_element_and_no_attribute(status: str) -> None:
    page = shown(status=status)
    assert page.count("&lt;script&gt;alert(7)") >= 10
    assert not re.search(r"<script|onerror=(?!alert\(7\)&gt;)", page)
    # Every tag is one of the template: quotes in a text end no attribute.
    assert {
        name for name in re.findall(r"<([a-z]+[0-9]?)", page) if name in ("script", "iframe", "svg", "object")
    } == set()
    (image,) = re.findall(r"<img [^>]*>", page)
    assert image.endswith('or nothing where it has no atoms">')
    assert set(re.findall(r' ([a-z]+)="', image)) == {"src", "width", "height", "class", "alt"}
    assert "49" not in page
