"""A notebook of a lecturer's files that becomes an exercise."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from qcrbox.contract.errors import NotAllowed, NotFound, UserInputError
from qcrbox_extension.exercise_making import Wanted, body_of
from qcrbox_extension.exercises import ExerciseClient
from qcrbox_extension.upstream import Upstream

COURSE = "c" * 32
CELL = {"cell_type": "markdown", "metadata": {"tags": ["task=which", "answer=N"]}, "source": "Which?"}


def wanted(path: str = "atom.ipynb", **more: Any) -> Wanted:
    return Wanted(course=COURSE, title="Which atom?", path=path, **more)


def saved(folder: Path, content: object, name: str = "atom.ipynb") -> Path:
    file = folder / name
    file.write_text(json.dumps({"nbformat": 4, "cells": content}), encoding="utf-8")
    return file


def test_tasks_are_those_of_the_tags_and_files_are_told_apart(tmp_path: Path) -> None:
    file = saved(tmp_path, [CELL])
    body = body_of(tmp_path, wanted(data=["a", "b"], for_lecturers=["c"], minutes=30, text="About"))
    assert [(task["id"], task["accepted"]) for task in body["tasks"]] == [("which", ["N"])]
    assert body["notebook"] == file.read_text(encoding="utf-8")
    assert (body["notebook_name"], body["minutes"], body["text"]) == ("atom.ipynb", 30, "About")
    assert [(each["data_file_id"], each["for_lecturers"]) for each in body["files"]] == [
        ("a", False),
        ("b", False),
        ("c", True),
    ]


@pytest.mark.parametrize("path", ["missing.ipynb", "../outside.ipynb", "/etc/passwd", "link.ipynb", "."])
def test_only_a_notebook_of_the_own_files_is_read(tmp_path: Path, path: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "link.ipynb").symlink_to(saved(tmp_path, [CELL], "outside.ipynb"))
    with pytest.raises(NotFound):
        body_of(home, wanted(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "atom.ipynb is not a notebook: it is no JSON."),
        (b"[]", "atom.ipynb is not a notebook."),
        ("Mäuse".encode("latin-1"), "atom.ipynb is not UTF-8 text."),
        (json.dumps({"cells": [{"metadata": {"tags": ["task=A b"]}}]}).encode(), "atom.ipynb: Cell 1: id"),
    ],
    ids=["no JSON", "a list", "another encoding", "a wrong tag"],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "atom.ipynb").write_bytes(content)
    with pytest.raises(UserInputError) as refused:
        body_of(tmp_path, wanted())
    assert refused.value.message.startswith(words)


@pytest.mark.parametrize(
    "given", [{"course": "../x"}, {"title": ""}, {"minutes": 0}, {"data": ["x" * 65]}, {"owner": "eve"}]
)
def test_a_form_that_was_not_ours_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Wanted.model_validate({"course": COURSE, "title": "x", "path": "a.ipynb", **given})


def made(answer: httpx.Response, asked: list[httpx.Request]) -> dict[str, Any]:
    def registry(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    async def run() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry)) as client:
            upstream = Upstream("http://registry.localhost", "a token")
            return await ExerciseClient(upstream, client).make(COURSE, {"title": "x"})

    return asyncio.run(run())


def test_the_registry_decides_who_makes_exercises() -> None:
    asked: list[httpx.Request] = []
    assert made(httpx.Response(201, json={"payload": {"id": "e"}}), asked) == {"id": "e"}
    assert asked[0].url.path.endswith(f"/api/courses/{COURSE}/exercises")
    error = {"kind": "not_allowed", "code": 403, "what": "Only lecturers do this.", "fields": {}}
    with pytest.raises(NotAllowed, match="Only lecturers"):
        made(httpx.Response(403, json={"status": "error", "error": error}), asked)


def test_nobody_without_a_sign_in_makes_exercises(server_url: str) -> None:
    body = {"course": COURSE, "title": "x", "path": "a.ipynb"}
    assert httpx.post(f"{server_url}qcrbox/exercises", json=body, trust_env=False).status_code == 403


def test_the_server_names_what_is_wrong_with_a_form(browser: httpx.Client, xsrf: dict[str, str]) -> None:
    form = {"course": COURSE, "title": "x", "path": "missing.ipynb"}
    refused = browser.post("/qcrbox/exercises", json=form, headers=xsrf)
    assert refused.status_code == 404
    assert "There is no notebook 'missing.ipynb' in your files." in refused.json()["error"]["message"]
    incomplete = browser.post("/qcrbox/exercises", json={"title": "x"}, headers=xsrf)
    assert incomplete.status_code == 400
    assert "course: Field required." in incomplete.json()["error"]["message"]
    assert browser.post("/qcrbox/exercises", json=form).status_code == 403, "a page of another site"
