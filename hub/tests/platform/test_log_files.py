"""Logs stay small while their writers go on writing."""

from __future__ import annotations

import os
from pathlib import Path

from qcrbox_hub.platform.log_files import ROTATIONS_KEPT, rotate_large


def test_large_log_is_moved_and_its_writer_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "hub.log"
    writer = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(writer, b"x" * 2000)
    assert rotate_large(tmp_path, 1000) == ["hub.log"]
    os.write(writer, b"next line\n")
    os.close(writer)
    assert file.read_bytes() == b"next line\n"
    assert (tmp_path / "hub.log.1").stat().st_size == 2000


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
