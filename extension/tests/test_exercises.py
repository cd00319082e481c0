"""Exercises in a person's files: handed out, updated, reset; drafts on their way to the registry."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from qcrbox.client.exercise_mark import exercise_of, mark_of
from qcrbox.contract.errors import Conflict, QcError, Unreachable
from qcrbox_extension import exercises
from qcrbox_extension.exercise_folder import Handed, hand_out, reset_data, safe_name
from qcrbox_extension.exercises import DraftSender, ExerciseClient, fitting
from qcrbox_extension.upstream import Upstream

ID, OTHER = "a" * 32, "b" * 32


def notebook(**sources: str) -> bytes:
    cells = [
        {"id": name, "cell_type": "code", "source": text, "outputs": []} for name, text in sources.items()
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def handed(
    version: int = 1,
    content: bytes = notebook(a="1", b="2"),
    files: dict[str, bytes] | None = None,
    **more: Any,
) -> Handed:
    given = {"exercise_id": ID, "course": "XRD 101", "title": "Which atom?", "version": version,
             "notebook": ("atom.ipynb", content), "files": {"a.cif": b"data_a"} if files is None else files}  # fmt: skip
    return Handed(**{**given, **more})


def cells(path: Path) -> dict[str, str]:
    return {cell["id"]: cell["source"] for cell in json.loads(path.read_text())["cells"]}


def test_the_first_copy(tmp_path: Path) -> None:
    report = hand_out(tmp_path, handed())
    folder = tmp_path / "exercises" / "XRD 101" / "Which atom_"
    assert report.notebook == "exercises/XRD 101/Which atom_/atom.ipynb"
    assert sorted(report.written) == ["a.cif", "atom.ipynb"]
    assert (folder / "a.cif").read_bytes() == b"data_a"
    assert exercise_of(folder / "atom.ipynb") == ID
    assert not list(folder.glob("*.part"))


def test_fetching_again_changes_nothing(tmp_path: Path) -> None:
    report = hand_out(tmp_path, handed())
    file = tmp_path / str(report.notebook)
    file.write_bytes(notebook(a="mine", b="2"))
    again = hand_out(tmp_path, handed())
    assert (again.written, again.updated, again.conflicts) == ([], [], [])
    assert cells(file) == {"a": "mine", "b": "2"}


def test_a_new_version_is_merged_and_conflicts_name_file_and_cell(tmp_path: Path) -> None:
    file = tmp_path / str(hand_out(tmp_path, handed()).notebook)
    file.write_bytes(notebook(a="mine", b="2"))
    report = hand_out(tmp_path, handed(2, notebook(a="one", b="two")))
    assert cells(file) == {"a": "mine", "a-v2": "one", "b": "two"}
    assert report.updated == ["atom.ipynb, cell b ('two'): changed"]
    assert report.conflicts[0].startswith("atom.ipynb, cell a ('one'): changed by you and by the lecturer")
    third = hand_out(tmp_path, handed(3, notebook(a="one", b="three")))
    assert third.conflicts == []
    assert cells(file)["b"] == "three"


def test_a_broken_copy_is_left_and_the_new_version_laid_beside_it(tmp_path: Path) -> None:
    file = tmp_path / str(hand_out(tmp_path, handed()).notebook)
    file.write_bytes(b"{ broken")
    report = hand_out(tmp_path, handed(2, notebook(a="one")))
    assert file.read_bytes() == b"{ broken"
    assert (file.parent / "atom-new.ipynb").is_file()
    assert "atom-new.ipynb" in report.conflicts[0]


def test_new_data_replace_unchanged_files_only(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed(files={"a.cif": b"1", "b.cif": b"1"})).folder
    (folder / "b.cif").write_bytes(b"mine")
    report = hand_out(tmp_path, handed(2, files={"a.cif": b"2", "b.cif": b"2"}))
    assert (folder / "a.cif").read_bytes() == b"2"
    assert (folder / "b.cif").read_bytes() == b"mine"
    assert (folder / "b-new.cif").read_bytes() == b"2"
    assert "b.cif" in report.conflicts[0]


def test_reset_brings_data_back_and_keeps_what_was_changed(tmp_path: Path) -> None:
    report = hand_out(tmp_path, handed(files={"a.cif": b"1", "b.cif": b"1"}))
    folder = tmp_path / report.folder
    (folder / "a.cif").write_bytes(b"mine")
    (folder / "b.cif").unlink()
    (tmp_path / str(report.notebook)).write_bytes(b"my notes")
    reset = reset_data(tmp_path, handed(files={"a.cif": b"1", "b.cif": b"1"}))
    assert sorted(reset.written) == ["a.cif", "b.cif"]
    assert (folder / "a-mine.cif").read_bytes() == b"mine"
    assert (tmp_path / str(report.notebook)).read_bytes() == b"my notes"


MARKS = {
    "points": 2.5,
    "most": 4.0,
    "comment": "Well done.\n![x](http://evil/)",
    "tasks": [
        {
            "task_id": "a",
            "title": "Refine",
            "points": 2.5,
            "most": 3.0,
            "words": "R1 is 0.04.",
            "comment": "",
            "criteria": [{"text": "Says why <b>", "points": 2.5, "met": True}],
        },
        {"task_id": "b", "title": "Why?", "points": None, "most": 1.0, "words": "", "comment": "<img src=x>"},
    ],
}


def test_feedback_is_written_beside_the_notebook_once_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed()).folder
    assert not (folder / "feedback.md").exists()
    assert hand_out(tmp_path, handed(feedback=MARKS)).updated == ["feedback.md"]
    text = (folder / "feedback.md").read_text()
    assert "2.5 of 4 points" in text
    assert "R1 is 0.04." in text
    assert "> ✓ Says why &lt;b&gt; \\(2.5\\)" in text
    assert "not marked" in text
    assert hand_out(tmp_path, handed(feedback=MARKS)).updated == []


def test_what_was_typed_into_feedback_becomes_no_link_and_no_html(tmp_path: Path) -> None:
    text = (tmp_path / hand_out(tmp_path, handed(feedback=MARKS)).folder / "feedback.md").read_text()
    assert "<img" not in text
    assert "![x](" not in text


def test_a_data_file_called_feedback_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / hand_out(tmp_path, handed(files={"feedback.md": b"data"}, feedback=MARKS)).folder
    hand_out(tmp_path, handed(files={"feedback.md": b"data"}, feedback=MARKS))
    assert (folder / "feedback.md").read_bytes() == b"data"


def test_another_exercise_of_the_same_title_gets_its_own_folder(tmp_path: Path) -> None:
    first = hand_out(tmp_path, handed())
    second = hand_out(tmp_path, handed(exercise_id=OTHER))
    assert first.folder != second.folder
    assert hand_out(tmp_path, handed(title="Renamed")).folder == first.folder


@pytest.mark.parametrize(
    "name", ["../../evil.cif", "/etc/evil.cif", "..\\evil.cif", ".evil.cif", "a/b/evil.cif"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    report = hand_out(tmp_path, handed(files={name: b"x"}, course="../..", title="../../x"))
    assert (tmp_path / report.folder / "evil.cif").read_bytes() == b"x"
    assert (tmp_path / report.folder).resolve().is_relative_to(tmp_path.resolve())


def test_a_link_that_leads_out_of_the_files_is_refused(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (home / "exercises").symlink_to(outside)
    with pytest.raises(Conflict):
        hand_out(home, handed())
    assert not list(outside.rglob("*.ipynb"))


@pytest.mark.parametrize(
    ("text", "name"), [("", "exercise"), ("...", "exercise"), ("Übung 1: α/β", "Übung 1_ α_β")]
)
def test_names_of_folders(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"id": 3}', b"\xff"])
def test_a_damaged_mark_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".qcrbox-exercise.json").write_bytes(content)
    assert mark_of(tmp_path) is None


# ---------------------------------------------------------------- drafts


def test_a_large_notebook_goes_without_its_outputs_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises, "LARGEST_DRAFT_BYTES", 500)
    small = notebook(a="1")
    assert fitting(small) == (small, "")
    large = json.loads(small)
    large["cells"][0]["outputs"] = ["x" * 1000]
    kept, problem = fitting(json.dumps(large).encode())
    assert json.loads(kept)["cells"][0]["outputs"] == []
    assert "Its outputs were left out" in problem
    assert fitting(notebook(a="1" * 1000)) == (b"", fitting(notebook(a="1" * 1000))[1])
    assert "could not be read" in fitting(b"{" * 1000)[1]


class Registry:
    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self.error = error

    async def send_draft(self, exercise_id: str, content: bytes) -> None:
        self.sent.append((exercise_id, content))
        if self.error:
            raise self.error


class Log:
    def info(self, *_: Any) -> None:
        pass


def saving(registry: Registry, *saves: tuple[Path, bytes]) -> None:
    async def run() -> None:
        sender = DraftSender(registry, Log())  # type: ignore[arg-type]
        for path, content in saves:
            path.write_bytes(content)
            sender.saved(str(path), {"type": "notebook"})
        await sender.settle()

    asyncio.run(run())


def test_a_burst_of_saves_sends_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exercises, "SEND_EVERY_S", 0.0)
    file = tmp_path / str(hand_out(tmp_path, handed()).notebook)
    registry = Registry()
    saving(registry, *((file, f"{{{number}".encode()) for number in range(20)))
    assert registry.sent[-1] == (ID, b"{19")
    assert len(registry.sent) < 20


def test_only_notebooks_of_an_exercise_are_sent(tmp_path: Path) -> None:
    registry = Registry()
    saving(registry, (tmp_path / "own.ipynb", b"{}"))
    assert registry.sent == []


def test_a_registry_that_is_away_keeps_no_file_from_being_saved(tmp_path: Path) -> None:
    file = tmp_path / str(hand_out(tmp_path, handed()).notebook)
    registry = Registry(Unreachable("away"))
    saving(registry, (file, b"{}"))
    assert file.read_bytes() == b"{}"
    assert len(registry.sent) == 1


def registry_of(own: dict[str, Any], asked: list[str], *, closed: bool) -> httpx.MockTransport:
    """What the registry answers about an exercise of a notebook in two versions."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.raw_path.decode().rpartition('/api/')[2]}")
        if request.method == "POST" and closed:
            error = {"kind": "conflict", "code": 409, "what": "The exercise is closed.", "fields": {}}
            return httpx.Response(409, json={"status": "error", "error": error})
        if "/files/" in request.url.path:
            return httpx.Response(200, content=b"version " + request.url.params["version"].encode())
        return httpx.Response(200, json={"payload": own})

    return httpx.MockTransport(answer)


def fetched(own: dict[str, Any], asked: list[str], *, closed: bool) -> Handed:
    async def run() -> Handed:
        async with httpx.AsyncClient(transport=registry_of(own, asked, closed=closed)) as client:
            upstream = Upstream("http://registry.localhost", "a token")
            return await ExerciseClient(upstream, client).open("e1")

    return asyncio.run(run())


def own_state(**exercise: Any) -> dict[str, Any]:
    return {
        "exercise": {
            "course": "XRD",
            "title": "Quartz",
            "version": 2,
            "own_version": 1,
            "opened_at": "2026",
            **exercise,
        },
        "manifest": {"notebook": {"filename": "quartz.ipynb"}, "files": []},
        "feedback": {"points": 1.0, "most": 2.0, "comment": "", "tasks": []},
    }


def test_feedback_of_a_closed_exercise_comes_with_the_version_that_the_student_has() -> None:
    asked: list[str] = []
    handed = fetched(own_state(), asked, closed=True)
    assert handed.notebook == ("quartz.ipynb", b"version 1")
    assert handed.version == 1
    assert handed.feedback is not None
    assert asked[1] == "GET exercises/e1/own"


def test_who_never_opened_a_closed_exercise_is_told_that_it_is_closed() -> None:
    with pytest.raises(Conflict, match="closed"):
        fetched(own_state(opened_at=None, own_version=None), [], closed=True)


def test_an_open_exercise_comes_in_its_newest_version() -> None:
    asked: list[str] = []
    assert fetched(own_state(own_version=2), asked, closed=False).version == 2
    assert "GET exercises/e1/own" not in asked


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (502, b"<html>", "does not answer"),
        (500, b"[]", "does not answer"),
        (404, b'{"error": {"message": "There is no such exercise."}}', "no such exercise"),
        (409, b'{"error": "closed"}', "does not answer"),
        (503, b"[" * 100_000, "does not answer"),
    ],
    ids=["page of a proxy", "list", "envelope", "error as text", "deep"],
)
def test_refusal_of_the_registry_is_an_error_in_words_whatever_its_body_is(
    status: int, content: bytes, words: str
) -> None:
    async def ask() -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
        async with httpx.AsyncClient(transport=transport) as client:
            await ExerciseClient(Upstream("http://registry", "t"), client).call("GET", f"exercises/{ID}/own")

    with pytest.raises(QcError, match=words):
        asyncio.run(ask())


def test_draft_that_a_proxy_refuses_keeps_the_next_one_from_nothing(tmp_path: Path) -> None:
    file = tmp_path / str(hand_out(tmp_path, handed()).notebook)
    answers, sent = [httpx.Response(502, content=b"<html>"), httpx.Response(204)], []

    def registry(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return answers.pop(0)

    class Log:
        said: list[str] = []  # noqa: RUF012

        def info(self, text: str, *values: object) -> None:
            self.said.append(text % values)

    async def save_twice() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(registry)) as client:
            now = iter([0.0, 0.0, 100.0, 100.0, 200.0])
            sender = DraftSender(
                ExerciseClient(Upstream("http://registry", "t"), client), Log(), lambda: next(now)
            )
            for _ in range(2):
                sender.saved(str(file), {"type": "notebook"})
                await sender.settle()

    asyncio.run(save_twice())
    assert len(sent) == 2
    assert len(Log.said) == 1
    assert "does not answer" in Log.said[0]
