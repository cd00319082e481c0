"""What a backup reads of people's homes: their files, and nothing that a link in one leads to."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest
from qcrbox_hub.lifecycle import backup

pytestmark = pytest.mark.attack(30)


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    home = tmp_path / "homes" / "1-mallory"
    home.mkdir(parents=True)
    (home / "notes.txt").write_text("mine")
    return tmp_path / "homes"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text("the platform's secret")
    return tmp_path / "secrets"


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened if member.isfile()}  # type: ignore[union-attr]


def test_files_are_kept_and_what_leads_elsewhere_is_not(homes: Path, secret: Path, tmp_path: Path) -> None:
    home = homes / "1-mallory"
    (home / "deep" / "er").mkdir(parents=True)
    (home / "deep" / "er" / "data").write_bytes(b"x" * 100_000)
    (home / "runs.sh").write_text("#!/bin/sh")
    (home / "runs.sh").chmod(0o755)
    (home / "link").symlink_to(secret / "token")
    (home / "folder").symlink_to(secret)
    os.mkfifo(home / "pipe")
    (home / ".cache").mkdir()
    (home / ".cache" / "x").write_text("x")
    backup._pack(homes, tmp_path / "homes.tar")
    found = contents(tmp_path / "homes.tar")
    assert set(found) == {f"1-mallory/{name}" for name in ("notes.txt", "deep/er/data", "runs.sh")}
    assert found["1-mallory/deep/er/data"] == b"x" * 100_000
    with tarfile.open(tmp_path / "homes.tar") as opened:
        opened.extractall(tmp_path / "out", filter="data")
    assert os.access(tmp_path / "out" / "1-mallory" / "runs.sh", os.X_OK)


@pytest.mark.parametrize("what", ["file", "folder"])
def test_link_that_takes_the_place_of_what_was_just_looked_at_is_not_followed(
    homes: Path, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    home = homes / "1-mallory"
    (home / "sub").mkdir()
    (home / "sub" / "token").write_text("mine too")
    real, swapped = os.open, []

    def swap_first(path, flags, *more, **named):  # type: ignore[no-untyped-def]
        """Between the look and the opening, as a person's program can."""
        wanted = "notes.txt" if what == "file" else "sub"
        if path == wanted and not swapped:
            swapped.append(path)
            (home / wanted).rename(tmp_path / "away")
            (home / wanted).symlink_to(secret / "token" if what == "file" else secret)
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", swap_first)
    backup._pack(homes, tmp_path / "homes.tar")
    assert swapped
    assert b"the platform's secret" not in (tmp_path / "homes.tar").read_bytes()


def test_file_that_shrinks_meanwhile_leaves_the_archive_whole(
    homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (homes / "1-mallory" / "shrinks").write_bytes(b"x" * 50_000)
    (homes / "1-mallory" / "zz").write_text("after it")
    real = backup._member

    def shrink(inside: str, state: os.stat_result) -> tarfile.TarInfo:
        if inside.endswith("shrinks"):
            os.truncate(homes / "1-mallory" / "shrinks", 10)
        return real(inside, state)

    monkeypatch.setattr(backup, "_member", shrink)
    backup._pack(homes, tmp_path / "homes.tar")
    found = contents(tmp_path / "homes.tar")
    assert found["1-mallory/shrinks"] == b"x" * 10 + bytes(49_990)
    assert found["1-mallory/zz"] == b"after it"
