"""The addresses of the teaching pages."""

from __future__ import annotations

from typing import Any

from qcrbox.contract.teaching import MOST_CHECKS, MOST_TASKS
from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config

from qcrbox_hub.admin.page import Static
from qcrbox_hub.teaching.courses import Course, Courses, ResearchExport, ShelfFile
from qcrbox_hub.teaching.exercises import (
    Board,
    BoardEvents,
    Exercise,
    Marks,
    Notebook,
    Student,
    StudentCalculation,
    StudentPicture,
    Tasks,
)
from qcrbox_hub.teaching.grades_page import Grades
from qcrbox_hub.teaching.page import ROOT, STATIC, ExerciseLink
from qcrbox_hub.teaching.preview_page import Preview

_ID = "([0-9a-f]{32})"
# Tornado takes a hundred fields; the form of an exercise has some twenty for each task and six for each check.
_MOST_FIELDS = MOST_TASKS * (30 + 10 * MOST_CHECKS)


def teaching_pages() -> list[tuple[Any, ...]]:
    """For the hub: each with its address below /hub. Its process then takes forms as long as theirs."""
    set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(max_parts=_MOST_FIELDS)))
    return [
        (rf"/{ROOT}/?", Courses),
        (rf"/{ROOT}/courses/{_ID}", Course),
        (rf"/{ROOT}/courses/{_ID}/shelf/{_ID}", ShelfFile),
        (rf"/{ROOT}/courses/{_ID}/research.json", ResearchExport),
        (rf"/{ROOT}/exercises/{_ID}", Exercise),
        (rf"/{ROOT}/exercises/{_ID}/board", Board),
        (rf"/{ROOT}/exercises/{_ID}/tasks", Tasks),
        (rf"/{ROOT}/exercises/{_ID}/preview", Preview),
        (rf"/{ROOT}/exercises/{_ID}/events", BoardEvents),
        (rf"/{ROOT}/exercises/{_ID}/marks", Marks),
        (rf"/{ROOT}/exercises/{_ID}/grades", Grades),
        (rf"/{ROOT}/exercises/{_ID}/students/([^/]+)", Student),
        (rf"/{ROOT}/exercises/{_ID}/calculations/{_ID}", StudentCalculation),
        (rf"/{ROOT}/exercises/{_ID}/calculations/{_ID}/picture", StudentPicture),
        (rf"/{ROOT}/exercises/{_ID}/(draft|snapshot)/([^/]+)/notebook", Notebook),
        (rf"/exercise/{_ID}", ExerciseLink),
        (rf"/{ROOT}/static/(.*)", Static, {"path": str(STATIC)}),
    ]
