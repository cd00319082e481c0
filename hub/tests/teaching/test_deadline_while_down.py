"""A deadline that passes while the registry is down."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import NOTEBOOK, ROOT, send
from .test_preview_accounts import wait

if TYPE_CHECKING:
    from conftest import Browser, Hub

pytestmark = pytest.mark.slow


def test_work_of_the_deadline_is_collected_once_when_the_registry_is_back(
    platform: Hub, people: dict[str, Browser], exercise: str, rest: Any
) -> None:
    lena, stella = people["lena"], people["stella"]
    course = rest(lena, "GET", f"/api/exercises/{exercise.rpartition('/')[2]}").json()["payload"]["course_id"]
    files = {"notebook": ("atom.ipynb", json.dumps(NOTEBOOK))}
    page = str(send(lena, f"{ROOT}/courses/{course}", files, action="exercise", title="Due").url.path)
    lena.submit(page, action="publish", published="yes")
    api = f"/api/exercises/{page.rpartition('/')[2]}"
    rest(stella, "POST", f"{api}/open")
    rest(stella, "PUT", f"{api}/answers/which", json={"value": "N"})
    due = time.time() + 8.0
    body = {"due_at": datetime.fromtimestamp(due, UTC).isoformat(), "late_until": "2999-01-01T00:00:00Z"}
    assert rest(lena, "PATCH", api, json=body).status_code == 200
    platform.kill("registry")
    assert time.time() < due, "the machine was too slow: the registry saw the deadline"
    wait(lambda: time.time() > due, "the clock stands")
    platform.bring_back("registry")

    def collected() -> list[dict[str, Any]]:
        answer = rest(lena, "GET", f"{api}/students/stella")
        return answer.json()["payload"]["snapshots"] if answer.status_code == 200 else []

    (snapshot,) = wait(collected, "nothing is collected")
    assert (snapshot["reason"], snapshot["late"]) == ("collected", False)
    assert datetime.fromisoformat(snapshot["at"]).timestamp() == pytest.approx(due, abs=1)
    # Late work is another snapshot, and what was there at the deadline stays as it was.
    assert rest(stella, "POST", f"{api}/submit").json()["payload"]["late"] is True
    assert next(each["receipt"] for each in collected()) == snapshot["receipt"]
    assert [each["reason"] for each in collected()] == ["collected", "submitted"]
