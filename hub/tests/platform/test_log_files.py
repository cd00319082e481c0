"""Logs stay small while their writers go on writing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from qcrbox_hub.platform.log_files import ROTATIONS_KEPT, rotate_large, trim_peoples


def test_large_log_is_moved_and_its_writer_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "hub.log"
    writer = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(writer, b"x" * 2000)
    assert rotate_large(tmp_path, 1000) == ["hub.log"]
    os.write(writer, b"next line\n")
    os.close(writer)
    assert file.read_bytes() == b"next line\n"
    assert (tmp_path / "hub.log.1").stat().st_size == 1000, "no more than may be kept"


def test_small_logs_and_those_of_nats_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "hub.log").write_bytes(b"x" * 10)
    (tmp_path / "nats.log").write_bytes(b"x" * 2000)
    assert rotate_large(tmp_path, 1000) == []


def test_only_a_few_old_ones_are_kept(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / "hub.log").write_bytes(bytes([number]) * 2000)
        rotate_large(tmp_path, 1000)
    kept = sorted(file.name for file in tmp_path.iterdir())
    assert kept == ["hub.log", *[f"hub.log.{number}" for number in range(1, ROTATIONS_KEPT + 1)]]
    assert (tmp_path / "hub.log.1").read_bytes()[0] == 5


@pytest.mark.attack(24)
@pytest.mark.parametrize("name", ["server-mallory.log", "agents/a1.log"])
def test_log_that_people_flood_is_emptied_and_only_its_end_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / "agents").mkdir()
    file = tmp_path / name
    writer = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(writer, b"x" * 5000 + b"the end")
    assert rotate_large(tmp_path, 1000) == [], "not kept four times over"
    assert trim_peoples(tmp_path, 1000, 100) == [file.name]
    assert file.stat().st_size == 0
    end = file.with_name(f"{file.name}.1").read_bytes()
    assert (len(end), end[-7:]) == (100, b"the end")
    os.write(writer, b"next line\n")
    assert trim_peoples(tmp_path, 1000, 100) == []
    os.close(writer)
    assert file.read_bytes() == b"next line\n"


@pytest.mark.attack(10)
def test_links_among_the_logs_are_not_followed(tmp_path: Path) -> None:
    precious, logs = tmp_path / "precious", tmp_path / "logs"
    precious.write_bytes(b"x" * 5000)
    logs.mkdir()
    (logs / "server-a.log").symlink_to(precious)
    (logs / "server-b.log").write_bytes(b"x" * 5000)
    (logs / "server-b.log.1").symlink_to(precious)
    trim_peoples(logs, 1000, 100)
    assert precious.stat().st_size == 5000
    assert not (logs / "server-b.log.1").is_symlink()
