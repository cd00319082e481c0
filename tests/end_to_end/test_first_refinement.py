"""The main path on real data: refine thpp, read the result, find it again after a restart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gemmi
import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import ROOT, RunningRegistry


def execute(
    notebook: Path, registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> nbformat.NotebookNode:
    """Run a notebook in a fresh kernel against `registry`, as Run All does."""
    monkeypatch.setenv("QCRBOX_URL", registry.url)
    loaded = nbformat.read(notebook, as_version=4)
    NotebookClient(
        loaded, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(notebook.parent)}}
    ).execute()
    return loaded


def text_of(notebook: nbformat.NotebookNode) -> str:
    pieces = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            pieces.append(output.get("text", ""))
            pieces.extend(str(value) for value in output.get("data", {}).values())
    return "\n".join(pieces)


def in_kernel(registry: RunningRegistry, code: str) -> str:
    """Run code as a script that imports qcrbox, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"QCRBOX_URL": registry.url, "PATH": "/usr/bin:/bin"},
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_first_notebook_runs_against_the_real_stack(
    registry: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = execute(ROOT / "notebooks/01_first_refinement.ipynb", registry, monkeypatch)
    shown = text_of(executed)
    assert "R1" in shown
    assert "image/png" in str(executed) or "svg" in shown


def test_a_script_refines_thpp_below_the_known_r1_and_keeps_the_crystal(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    out = tmp_path / "refined.cif"
    printed = in_kernel(
        registry,
        f"""
import qcrbox as qc
result = qc.refine.refine_iam(qc.examples["thpp"]).result()
open({str(out)!r}, "w").write(str(result.cif))
print(result.R1)
""",
    )
    assert float(printed.split()[-1]) <= 0.073
    block = gemmi.cif.read(str(out)).sole_block()
    for item in ("_atom_site_fract_x", "_atom_site_U_iso_or_equiv"):
        refined = list(block.find_loop(item))
        assert refined
        assert any("(" in value for value in refined)


def test_calculations_and_files_are_there_after_down_and_up(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = RunningRegistry(data, ROOT / "app_images").start()
    try:
        made = in_kernel(
            first,
            'import qcrbox as qc; c = qc.refine.refine_iam(qc.examples["thpp"]); c.result(); print(c.id)',
        ).split()[-1]
    finally:
        first.stop()
    second = RunningRegistry(data, ROOT / "app_images").start()
    try:
        found = in_kernel(
            second,
            f'import qcrbox as qc; c = qc.calculations["{made}"]; print(c.status, c.result().R1, len(str(c.result().cif)))',
        )
    finally:
        second.stop()
    status, r1, length = found.split()
    assert status == "successful"
    assert float(r1) <= 0.073
    assert int(length) > 10_000
