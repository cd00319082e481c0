"""The folders in which people's servers and the platform meet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.sandbox import subordinate
from qcrbox_hub.walls.socket_folders import SocketFolders

PERSON, RELAY = 1890000007, 1890000000
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SocketFolders:
    monkeypatch.chdir(tmp_path)
    made = SocketFolders(Path("people"))  # the paths of tests are longer than a socket's may be
    made.prepare()
    return made


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_same_data_folder_has_the_same_folder_at_each_start(tmp_path: Path) -> None:
    assert SocketFolders.root_for(tmp_path, "a" * 32) == SocketFolders.root_for(tmp_path, "a" * 32)
    assert SocketFolders.root_for(tmp_path, "a" * 32) != SocketFolders.root_for(tmp_path, "b" * 32)


def test_folder_lies_in_the_data_folder_where_there_is_no_better_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert SocketFolders.root_for(tmp_path, "a" * 32) == tmp_path / "run" / "people"


def test_folder_of_subordinate_ids_lies_where_they_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of XDG_RUNTIME_DIR is closed to all but the ordinary user."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv(subordinate.VARIABLE, "1000")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    root = SocketFolders.root_for(tmp_path, "a" * 32)
    assert not root.is_relative_to(tmp_path)
    assert root.name.startswith("qcrbox-1000-")


def test_common_folder_is_closed_to_other_accounts(folders: SocketFolders) -> None:
    assert mode(folders.root) == 0o700


def test_path_that_is_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="too long"):
        SocketFolders(tmp_path / ("x" * 100)).prepare()


@pytest.mark.attack(28)
def test_link_in_place_of_the_common_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/dev/shm is everyone's: a name there may have been taken before."""
    monkeypatch.chdir(tmp_path)
    Path("elsewhere").mkdir(mode=0o755)
    Path("people").symlink_to("elsewhere")
    with pytest.raises(OSError, match=r"people"):
        SocketFolders(Path("people")).prepare()
    assert mode(Path("elsewhere")) == 0o755


@root_only
@pytest.mark.attack(28)
def test_folder_of_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people").mkdir()
    os.chown("people", 12345, 12345)
    with pytest.raises(UserInputError, match="belongs to another user"):
        SocketFolders(Path("people")).prepare()


@root_only
def test_relay_makes_the_sockets_that_lead_in_and_the_person_the_one_that_leads_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = SocketFolders(Path("people"), RELAY)
    folders.prepare()
    folders.make("7", PERSON)
    assert folders.root.stat().st_uid == RELAY
    assert folders.incoming("7").stat().st_uid == RELAY
    assert folders.outgoing("7").stat().st_uid == PERSON
    assert mode(folders.incoming("7")) == mode(folders.outgoing("7")) == 0o755
    folders.seal("7")
    assert folders.outgoing("7").stat().st_uid == 0, "the person adds no file any more"


def test_new_start_finds_nothing_of_the_last_one(folders: SocketFolders) -> None:
    folders.make("7", None)
    (folders.outgoing("7") / "server.sock").touch()
    folders.make("7", None)
    assert list(folders.outgoing("7").iterdir()) == []


def test_servers_of_one_person_have_folders_of_their_own(folders: SocketFolders) -> None:
    folders.make("7", None)
    folders.make("7-second", None)
    folders.remove("7")
    assert not folders.folder("7").exists()
    assert folders.folder("7-second").is_dir()
    folders.remove("7")
    folders.remove_all()
    assert not folders.root.exists()


def test_folder_of_a_server_is_sealed_without_root_too(folders: SocketFolders, monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    folders.make("7", PERSON)
    assert mode(folders.outgoing("7")) == 0o777, "another user id writes here, below a closed folder"
    folders.seal("7")
    assert mode(folders.outgoing("7")) == 0o755
