"""ShelXle on real data in its container: seen, refined by its own button, kept; and thrown away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, RunningRegistry
from tests.rfb_viewer import Viewer
from tests.sessions.conftest import Sessions, approve

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(1500)]
F2 = 0xFFBF


@pytest.fixture(scope="module")
def shelxle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sessions]:
    data = tmp_path_factory.mktemp("platform") / "data"
    approve(data, ROOT / "app_images" / "shelxle")
    running = RunningRegistry(data, manager="docker").start()
    yield Sessions(running)
    running.stop()


@pytest.fixture
def thpp(shelxle: Sessions) -> dict[str, dict[str, str]]:
    """The structure and its reflections, uploaded."""
    import smtbx

    folder = Path(smtbx.__file__).parent / "regression" / "test_data"

    def upload(name: str) -> dict[str, str]:
        made = shelxle.call("POST", "/api/datasets", files={"file": (name, (folder / name).read_bytes())})
        return {"data_file_id": made["data_files"][0]["qcrbox_file_id"]}

    return {"structure": upload("thpp.cif"), "reflections": upload("thpp.hkl")}


async def drawn(viewer: Viewer) -> np.ndarray:
    """The region of the model, when the structure is drawn in it: many colours, where a blank one has few."""
    async with asyncio.timeout(120):
        while True:
            region = (await viewer.whole())[200:700, 100:850]
            if len(np.unique(region.reshape(-1, 3) // 16, axis=0)) > 60:
                return region.copy()
            await asyncio.sleep(0.5)


def working_file(name: str) -> bool:
    """Whether the file is in the working directory of the only session."""
    import docker

    containers = docker.from_env().containers.list(filters={"label": "org.qcrbox.slug=shelxle"})
    return any(one.exec_run(["sh", "-c", f"ls /work/*/{name}"]).exit_code == 0 for one in containers)


async def test_a_structure_is_refined_with_the_button_and_kept(shelxle, thpp):
    session_id = shelxle.open("shelxle", thpp)
    viewer = await shelxle.viewer(session_id)
    await drawn(viewer)
    await viewer.click(600, 700)
    await viewer.key(F2)
    async with asyncio.timeout(120):
        while not await asyncio.to_thread(working_file, "model.cif"):
            await asyncio.sleep(0.5)
    await viewer._transport._websocket.close()  # the tab is closed, the session goes on
    again = await shelxle.viewer(session_id)
    await drawn(again)
    closed = shelxle.close(session_id)
    assert closed["status"] == "successful", closed
    dataset = shelxle.call("GET", f"/api/datasets/{closed['output_dataset_id']}")["datasets"][0]
    assert dataset["data_files"]["edited.cif"]["index"]["r1"] < 0.08
    text = shelxle.text_of(closed["output_dataset_id"], "edited.cif")
    assert "_atom_site.fract_x_su" in text
    assert shelxle.text_of(closed["output_dataset_id"], "edited.res").startswith("TITL")


async def test_a_session_that_is_discarded_leaves_nothing(shelxle, thpp):
    session_id = shelxle.open("shelxle", thpp)
    await drawn(await shelxle.viewer(session_id))
    closed = shelxle.close(session_id, "discard")
    assert closed["status"] == "cancelled"
    assert "output_dataset_id" not in closed
