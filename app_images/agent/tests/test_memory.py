from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox_agent.run import memory
from qcrbox_agent.run.memory import Memory


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    folder = tmp_path / "v1"
    folder.mkdir()
    (folder / "memory.limit_in_bytes").write_text("512000000\n")
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    return folder


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    folder = tmp_path / "v2"
    folder.mkdir()
    (folder / "memory.max").write_text("512000000\n")
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 7\noom 1\noom_kill 2\n")
    return folder


def test_both_kinds_of_control_groups_are_read(tmp_path, v1, v2):
    nothing = tmp_path / "nothing"
    assert memory.look(v1, nothing) == Memory(512_000_000, 3)
    assert memory.look(nothing, v2) == Memory(512_000_000, 2)
    assert memory.look(nothing, nothing) is None


def test_a_machine_without_a_limit_says_nothing(v1, v2):
    (v1 / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (v2 / "memory.max").write_text("max\n")
    assert memory.look(v1, v2) is None
    assert memory.look(v1 / "x", v2) is None


def test_only_a_kill_in_between_explains_an_end():
    before = Memory(512_000_000, 1)
    assert memory.explains(before, Memory(512_000_000, 1)) == ""
    assert memory.explains(None, before) == ""
    assert (
        memory.explains(before, Memory(512_000_000, 2))
        == "used more than the 512 MB of memory that were allowed"
    )
