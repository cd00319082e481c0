"""A session that nobody touches warns, ends, and keeps what was done; somebody at work is left alone."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator

import pytest

from tests.conftest import RunningRegistry
from tests.sessions.conftest import WINDOW, Sessions, until
from tests.sessions.test_sessions import hold_until_heard, let_go

pytestmark = pytest.mark.slow

LIMIT_S = 8.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    if shutil.which("Xtigervnc") is None:
        pytest.skip("Xtigervnc is not installed")
    settings = {"QCRBOX_REGISTRY_SESSION_IDLE_S": str(LIMIT_S)}
    data = tmp_path_factory.mktemp("impatient") / "data"
    running = RunningRegistry(data, WINDOW, settings=settings).start()
    yield Sessions(running)
    running.stop()


async def test_an_idle_session_warns_then_ends_and_keeps_what_was_done(impatient):
    session_id = impatient.open()
    viewer = await impatient.viewer(session_id)
    await hold_until_heard(viewer)
    await let_go(viewer)
    await until(lambda: impatient.look(session_id)["warned_at"] is not None, 60)
    assert impatient.look(session_id)["state"] == "open", "the warning comes before the end"
    await until(lambda: impatient.look(session_id)["state"] == "closed", 60)
    ended = impatient.look(session_id)
    assert ended["reason"] == "The session was idle for 8 s. Its outputs are kept."
    assert "key 50" in impatient.text_of(ended["output_dataset_id"], "notes.txt")


async def test_who_says_that_they_stay_is_left_alone(impatient):
    session_id = impatient.open()
    opened = impatient.look(session_id)["last_input_at"]
    # Said often: on a busy machine no pause between two is near the limit.
    enough = time.monotonic() + 1.4 * LIMIT_S
    while time.monotonic() < enough:
        impatient.call("POST", f"/api/interactive-sessions/{session_id}/stay")
        await asyncio.sleep(0.1)
    found = impatient.look(session_id)
    assert found["state"] == "open"
    assert found["warned_at"] is None
    assert found["last_input_at"] > opened
    impatient.close(session_id, "discard")
