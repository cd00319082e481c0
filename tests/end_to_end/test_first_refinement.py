"""The main path on real data: refine thpp, read the result, find it again after a restart."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import gemmi
import pytest

from tests.conftest import ROOT, RunningRegistry

SHIPPED = (
    Path(importlib.util.find_spec("smtbx").submodule_search_locations[0]) / "regression/test_data/thpp.cif"  # type: ignore[union-attr,index]
)


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


@pytest.mark.slow
def test_a_script_refines_thpp_below_the_known_r1_and_keeps_the_crystal(
    registry: RunningRegistry, tmp_path: Path
) -> None:
    out = tmp_path / "refined.cif"
    printed = in_kernel(
        registry,
        f"""
import qcrbox as qc
result = qc.refine.refine_iam(qc.examples["thpp"]).result()
result.export({str(out)!r})
print(result.R1)
""",
    )
    assert float(printed.split()[-1]) <= 0.073
    refined = gemmi.cif.read(str(out)).sole_block()
    sites = refined.find(
        [
            "_atom_site_label",
            "_atom_site_fract_x",
            "_atom_site_fract_y",
            "_atom_site_fract_z",
            "_atom_site_U_iso_or_equiv",
        ]
    )
    assert len(sites) == 18
    assert [row[0] for row in sites for value in list(row)[1:] if "(" not in value] == []
    tensors = refined.find("_atom_site_aniso_", ["label", "U_11", "U_22", "U_33", "U_12", "U_13", "U_23"])
    assert len(tensors) >= 16
    assert [row[0] for row in tensors for value in list(row)[1:] if "(" not in value] == []
    crystal = gemmi.cif.read(str(SHIPPED)).sole_block()
    for item in ("_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_beta"):
        assert number(refined.find_value(item)) == number(crystal.find_value(item))
    groups = [gemmi.make_small_structure_from_block(block).spacegroup.xhm() for block in (refined, crystal)]
    assert groups[0] == groups[1]


def number(text: str) -> float:
    return gemmi.cif.as_number(text)


@pytest.mark.slow
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
            f'import qcrbox as qc; c = qc.calculations["{made}"]; print(c.status, c.result().R1, len(c.result().cif.document.to_bytes()))',
        )
    finally:
        second.stop()
    status, r1, length = found.split()
    assert status == "successful"
    assert float(r1) <= 0.073
    assert int(length) > 10_000
