"""One platform per data folder; what the folder says when it cannot be used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_hub.platform.data_folder import FORMAT, SUBFOLDERS, DataFolder, write_private


def test_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "new" / "data")
    folder.prepare()
    assert folder.path.stat().st_mode & 0o077 == 0
    assert all((folder.path / name).is_dir() for name in SUBFOLDERS)


def test_folder_with_other_peoples_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("…")
    with pytest.raises(UserInputError, match="not QCrBox's"):
        DataFolder(tmp_path).prepare()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(UserInputError, match="is a file"):
        DataFolder(tmp_path / "data").prepare()


def test_folder_of_a_newer_version_is_refused_and_not_changed(data: DataFolder) -> None:
    newer = json.dumps({"format": FORMAT + 1, "qcrbox": "9.1.0", "id": "abc"})
    (data.path / "version.json").write_text(newer)
    with pytest.raises(UserInputError, match=r"QCrBox 9\.1\.0.*Install QCrBox 9\.1\.0 or newer"):
        data.prepare()
    assert (data.path / "version.json").read_text() == newer


def test_damaged_version_file_is_named(data: DataFolder) -> None:
    (data.path / "version.json").write_text("{")
    with pytest.raises(UserInputError, match=r"version\.json"):
        data.prepare()


def test_identity_stays_and_differs_between_folders(data: DataFolder, tmp_path: Path) -> None:
    first = data.identity
    data.prepare()
    other = DataFolder(tmp_path / "other")
    other.prepare()
    assert data.identity == first != other.identity
    assert first


def test_second_platform_is_told_which_process_has_the_folder(data: DataFolder) -> None:
    data.lock()
    data.write_platform({"url": "http://127.0.0.1:8123"})
    with pytest.raises(Conflict) as caught:
        DataFolder(data.path).lock()
    assert str(os.getpid()) in caught.value.what
    assert "http://127.0.0.1:8123" in caught.value.why
    data.unlock()
    DataFolder(data.path).lock()


def test_lock_of_a_killed_process_is_free(data: DataFolder) -> None:
    script = (
        "import sys, time; from pathlib import Path; from qcrbox_hub.platform.data_folder import DataFolder;"
        "DataFolder(Path(sys.argv[1])).lock(); print('locked', flush=True); time.sleep(600)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(data.path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout
        assert other.stdout.readline().strip() == "locked"
        assert data.holder() == other.pid
    finally:
        other.kill()
        other.wait()
    assert data.holder() is None
    data.lock()


def test_secrets_are_random_private_and_kept(data: DataFolder) -> None:
    file = data.secret_file("proxy_token")
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text()) == 64
    assert data.secret_file("proxy_token").read_text() == file.read_text()
    assert data.secret_file("hub_service_token").read_text() != file.read_text()


def test_empty_secret_file_is_made_again(data: DataFolder) -> None:
    (data.secrets / "proxy_token").write_text("\n")
    assert data.secret_file("proxy_token").read_text().strip()


def test_private_write_replaces_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "platform.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["platform.json"]


def test_damaged_platform_file_counts_as_none(data: DataFolder) -> None:
    data.platform_file.write_text("{half")
    assert data.read_platform() is None
