"""A machine that cannot show windows: it is said, and what needs no window works all the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunningRegistry
from tests.sessions.conftest import WINDOW, Sessions, until

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "app_images" / "agent" / "tests" / "fixtures" / "sample"
SERVERS = ("Xtigervnc", "Xvnc")
ABSENT = (
    "This machine cannot show windows: the program Xtigervnc is not installed "
    "(Debian package tigervnc-standalone-server)."
)


@pytest.fixture(scope="module")
def windowless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    """All programs of this machine but the X servers."""
    folder = tmp_path_factory.mktemp("windowless")
    programs = folder / "bin"
    programs.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = programs / program.name
            if program.name not in SERVERS and not link.is_symlink():
                link.symlink_to(program)
    settings = {"PATH": str(programs)}
    running = RunningRegistry(folder / "data", WINDOW, SAMPLE, settings=settings).start()
    yield Sessions(running)
    running.stop()


async def test_a_program_that_needs_a_window_fails_and_says_what_is_missing(windowless):
    body = {"application_slug": "window", "application_version": "1.0", "command_arguments": {}}
    session_id = windowless.call("POST", "/api/interactive-sessions", json=body)["interactive_session_id"]
    await until(lambda: windowless.look(session_id)["state"] == "closed", 90)
    ended = windowless.look(session_id)
    assert ended["status"] == "failed"
    assert ended["reason"].startswith("Run step failed: ")
    assert ABSENT in ended["reason"]
    assert ended["reason"].endswith("cannot open the display"), "the program's own last words"


async def test_a_program_that_needs_none_runs_and_its_tab_is_told_why_it_shows_nothing(windowless):
    session_id = windowless.open("sample")
    assert windowless.look(session_id)["reason"] == ABSENT
    websocket = await windowless.socket(session_id)
    await websocket.wait_closed()
    assert (websocket.close_code, websocket.close_reason) == (4404, ABSENT[:123])
    windowless.close(session_id)
