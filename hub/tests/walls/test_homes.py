"""Homes belong to accounts, not to names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from qcrbox.contract.errors import Conflict
from qcrbox_hub.walls.homes import DAY_S, Homes


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def homes(tmp_path: Path, now: list[float]) -> Homes:
    return Homes(tmp_path / "homes", tmp_path / "archive", keep_days=30, clock=lambda: now[0])


def test_home_is_closed_to_others(homes: Homes) -> None:
    assert homes.make("1-ada").stat().st_mode & 0o777 == 0o700


@pytest.mark.attack(4)
def test_home_of_a_deleted_account_is_archived_and_expires(homes: Homes, now: list[float]) -> None:
    (homes.make("1-ada") / "thesis").write_text("x")
    entry = homes.retire("1-ada")
    assert entry is not None
    assert not homes.path("1-ada").exists()
    assert [each.label for each in homes.archived()] == ["1-ada"]
    now[0] += 29 * DAY_S
    assert homes.remove_expired() == []
    assert (entry.folder / "thesis").read_text() == "x"
    now[0] += 1 * DAY_S
    assert homes.remove_expired() == ["1-ada"]
    assert not entry.folder.exists()
    assert homes.archived() == []


def test_account_without_a_home_leaves_nothing(homes: Homes) -> None:
    assert homes.retire("1-ada") is None


def test_home_that_was_named_after_a_person_is_taken_over_once(homes: Homes) -> None:
    (homes.root / "ada").mkdir(parents=True)
    (homes.root / "ada" / "file").write_text("x")
    assert homes.adopt("ada", "3-ada")
    assert (homes.path("3-ada") / "file").read_text() == "x"
    assert not homes.adopt("ada", "4-ada")


@pytest.mark.attack(10)
def test_link_in_place_of_an_old_home_is_not_taken_over(homes: Homes, tmp_path: Path) -> None:
    homes.root.mkdir()
    (homes.root / "ada").symlink_to(tmp_path)
    assert not homes.adopt("ada", "3-ada")


def test_size_counts_blocks_and_each_file_once(homes: Homes) -> None:
    home = homes.make("1-ada")
    (home / "a").write_bytes(b"x" * 1_000_000)
    os.link(home / "a", home / "same")
    (home / "deep" / "er").mkdir(parents=True)
    (home / "deep" / "er" / "b").write_bytes(b"x" * 500_000)
    with (home / "sparse").open("wb") as file:
        file.truncate(10**9)
    assert 1_500_000 <= homes.bytes_used("1-ada") < 1_700_000


@pytest.mark.attack(24)
def test_empty_files_count_too(homes: Homes) -> None:
    """They take no block, and a file system has so many files and no more."""
    home = homes.make("1-ada")
    for number in range(500):
        (home / str(number)).touch()
    assert homes.bytes_used("1-ada") >= 500 * 4096


@pytest.mark.attack(12)
def test_size_follows_no_links(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"x" * 1_000_000)
    home = homes.make("1-ada")
    (home / "link").symlink_to(tmp_path)
    assert homes.bytes_used("1-ada") < 100_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.attack(10)
def test_home_changes_hands_without_following_links(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / "root-owned").write_text("x")
    home = homes.make("1-ada")
    (home / "file").write_text("x")
    (home / "link").symlink_to(tmp_path / "root-owned")
    (home / "folder").mkdir()
    homes.make("1-ada", 1890000001)
    for name in (".", "file", "folder", "link"):
        assert (home / name).lstat().st_uid == 1890000001
    assert (tmp_path / "root-owned").stat().st_uid == 0


def test_home_of_another_user_id_says_how_to_get_at_it(
    homes: Homes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's platform that had subordinate ids and has them no more."""
    homes.make("1-ada")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(Conflict, match=r"another user id.*/etc/subuid"):
        homes.make("1-ada")
