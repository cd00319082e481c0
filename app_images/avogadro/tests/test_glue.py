"""Whole molecules go into Avogadro; what it saved comes out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]


@pytest.fixture
def glue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.chdir(tmp_path)
    import avogadro_glue

    yield avogadro_glue
    sys.modules.pop("avogadro_glue", None)


@pytest.fixture
def prepared(glue):
    import iotbx

    glue.prepare(str(Path(iotbx.__file__).parent / "regression" / "data" / "cu3182sup1.cif"))
    return glue


def test_the_whole_molecule_is_there_with_its_bonds_and_cell(prepared):
    content = json.loads(Path("editing.cjson").read_text())
    numbers = content["atoms"]["elements"]["number"]
    assert len(content["atoms"]["coords"]["3d"]) == 3 * len(numbers)
    assert {1, 6, 7, 8} == set(numbers)
    assert 2 * len(content["bonds"]["order"]) == len(content["bonds"]["connections"]["index"])
    assert content["unitCell"]["alpha"] == 90.0


def test_a_molecule_that_was_only_looked_at_gives_nothing(prepared):
    assert prepared.finalise("molecule.cjson", "molecule.xyz") is None


def test_a_moved_atom_is_kept_as_json_and_as_coordinates(prepared):
    content = json.loads(Path("editing.cjson").read_text())
    content["atoms"]["coords"]["3d"][0] += 0.5
    Path("editing.cjson").write_text(json.dumps(content))
    assert prepared.finalise("molecule.cjson", "molecule.xyz") == ["molecule.cjson", "molecule.xyz"]
    lines = Path("molecule.xyz").read_text().splitlines()
    assert int(lines[0]) == len(lines) - 2
    assert float(lines[2].split()[1]) == pytest.approx(content["atoms"]["coords"]["3d"][0], abs=1e-3)
