"""What a next attempt may continue from, and what it must not."""

from __future__ import annotations

import json
import zipfile

import pytest
from qcrbox_har import checkpoint
from qcrbox_har.loop_state import Round

ROUNDS = [
    Round(1, {"R1": 0.03}, {"ratio": 2.0, "worst": "H1"}, 9, {"wavefunctions": 1.5, "least squares": 0.1})
]
REMARKS = {"notes": ["No wavelength."], "kinds": {}, "left_out": [["CONF", "No effect."]]}
REACHED = checkpoint.Reached({"R1": 0.05}, ROUNDS, REMARKS)


@pytest.fixture
def kept(tmp_path):
    """A checkpoint of one round in a folder of its own, and an empty folder for the next attempt."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    files = {name: source / name for name in ("model.cif", "iam.cif", "density.npz")}
    for name, path in files.items():
        path.write_bytes(name.encode())
    path = tmp_path / checkpoint.FILE
    checkpoint.write(path, "key", REACHED, files)
    return path, target


def test_a_checkpoint_gives_back_files_and_rounds(kept):
    path, target = kept
    assert checkpoint.read(path, "key", target) == REACHED
    for name in ("model.cif", "iam.cif", "density.npz"):
        assert (target / name).read_bytes() == name.encode()


def test_other_settings_or_data_begin_anew(kept):
    path, target = kept
    assert checkpoint.read(path, "another key", target) is None
    assert list(target.iterdir()) == []


def test_a_missing_or_damaged_checkpoint_is_none(kept, tmp_path):
    path, target = kept
    assert checkpoint.read(tmp_path / "nothing.zip", "key", target) is None
    path.write_bytes(path.read_bytes()[:100])
    assert checkpoint.read(path, "key", target) is None


def test_a_checkpoint_of_another_version_is_none(kept):
    path, target = kept
    with zipfile.ZipFile(path) as archive:
        state = json.loads(archive.read("state.json"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("state.json", json.dumps(state | {"version": 99}))
        archive.writestr("model.cif", "data_x")
    assert checkpoint.read(path, "key", target) is None


def test_a_checkpoint_without_a_model_is_none(tmp_path):
    path = tmp_path / checkpoint.FILE
    checkpoint.write(path, "key", REACHED, {"model.cif": tmp_path / "never written"})
    assert checkpoint.read(path, "key", tmp_path / "target") is None


def test_names_from_outside_are_not_unpacked(kept):
    """Only the three known files leave the archive, whatever else it holds."""
    path, target = kept
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../escaped.txt", "x")
    assert checkpoint.read(path, "key", target) is not None
    assert not (target.parent / "escaped.txt").exists()


def test_writing_leaves_no_partial_file(kept):
    path, _ = kept
    assert not path.with_name(path.name + ".part").exists()
