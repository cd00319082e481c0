"""The addresses of the teaching pages."""

from __future__ import annotations

from typing import Any

from qcrbox_hub.admin.page import Static
from qcrbox_hub.teaching.courses import Course, Courses, ResearchExport, ShelfFile
from qcrbox_hub.teaching.exercises import (
    Board,
    BoardEvents,
    Exercise,
    Marks,
    Notebook,
    Preview,
    Student,
    StudentCalculation,
    Tasks,
)
from qcrbox_hub.teaching.page import ROOT, STATIC, ExerciseLink

_ID = "([0-9a-f]{32})"


def teaching_pages() -> list[tuple[Any, ...]]:
    """For the hub: each with its address below /hub."""
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
        (rf"/{ROOT}/exercises/{_ID}/students/([^/]+)", Student),
        (rf"/{ROOT}/exercises/{_ID}/calculations/{_ID}", StudentCalculation),
        (rf"/{ROOT}/exercises/{_ID}/(draft|snapshot)/([^/]+)/notebook", Notebook),
        (rf"/exercise/{_ID}", ExerciseLink),
        (rf"/{ROOT}/static/(.*)", Static, {"path": str(STATIC)}),
    ]
