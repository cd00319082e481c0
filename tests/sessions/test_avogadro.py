"""Avogadro in its container: molecules are seen, hydrogen atoms are added and saved, and a crystal comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qcrbox.crystallography.structure import Structure

from tests.conftest import ROOT, RunningRegistry
from tests.rfb_viewer import Viewer
from tests.sessions.conftest import Sessions, approve

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(1500)]
CONTROL, ALT = 0xFFE3, 0xFFE9


@pytest.fixture
def avogadro(tmp_path: Path) -> Iterator[Sessions]:
    data = tmp_path / "data"
    approve(data, ROOT / "app_images" / "avogadro")
    running = RunningRegistry(data, manager="docker").start()
    yield Sessions(running)
    running.stop()


async def drawn(viewer: Viewer, more_than: float = 0.02) -> float:
    """How much of the region of the molecules is not black, once it is more than this."""
    async with asyncio.timeout(120):
        while True:
            region = (await viewer.whole())[100:760, 280:1260]
            part = float((region.max(axis=2) > 40).mean())
            if part > more_than:
                return part
            await asyncio.sleep(0.5)


def saved() -> bool:
    """Whether Save has written its file in the only session."""
    import docker

    found = docker.from_env().containers.list(filters={"label": "org.qcrbox.slug=avogadro"})
    return any(one.exec_run(["sh", "-c", "ls /work/*/.cjson"]).exit_code == 0 for one in found)


async def test_hydrogen_atoms_that_were_added_are_in_the_crystal(avogadro):
    import smtbx

    source = Path(smtbx.__file__).parent / "regression" / "test_data" / "thpp.cif"
    made = avogadro.call("POST", "/api/datasets", files={"file": (source.name, source.read_bytes())})
    structure = {"data_file_id": made["data_files"][0]["qcrbox_file_id"]}
    session_id = avogadro.open("avogadro", {"structure": structure})
    viewer = await avogadro.viewer(session_id)
    before = await drawn(viewer)
    await viewer.click(400, 600)
    await viewer.chord(CONTROL, ALT, ord("h"))  # Adjust Hydrogens
    await drawn(viewer, 1.1 * before)
    await viewer.chord(CONTROL, ord("s"))
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(saved):
            await asyncio.sleep(0.5)
    closed = avogadro.close(session_id)
    assert closed["status"] == "successful", closed
    crystal = Structure.from_cif(avogadro.text_of(closed["output_dataset_id"], "edited.cif").encode())
    was = Structure.from_cif(source)
    assert crystal.space_group.hm == was.space_group.hm
    rows = dict(zip(crystal.sites.label, crystal.sites.fract, strict=True))
    for label, place in zip(was.sites.label, was.sites.fract, strict=True):
        assert np.allclose(rows.pop(label), place, atol=1e-5), label
    assert rows
    assert all(label.startswith("H") for label in rows)
