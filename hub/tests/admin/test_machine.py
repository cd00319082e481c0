"""What the overview, the logs and the backups read from the machine."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_hub.admin import backups as backups_module
from qcrbox_hub.admin import logs
from qcrbox_hub.admin.backups import Backups
from qcrbox_hub.admin.logs import find_lines
from qcrbox_hub.admin.overview import measure_machine, words_of_hold
from qcrbox_hub.admin.site import flat
from qcrbox_hub.platform.data_folder import BACKUP_MANIFEST

# ---------------------------------------------------------------- the machine


def test_memory_is_what_is_not_available(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal:       1000 kB\nMemFree:         100 kB\nMemAvailable:    250 kB\n")
    machine = measure_machine(tmp_path, file)
    assert (machine.memory, machine.memory_used) == (1000 * 1024, 750 * 1024)
    assert machine.disk >= machine.disk_used + machine.disk_free
    assert machine.processors >= 1


@pytest.mark.parametrize("text", ["", "MemTotal: many kB\n", "MemTotal: 5 kB\n", "no colon\n"])
def test_system_that_does_not_say_has_no_memory_figure(tmp_path: Path, text: str) -> None:
    file = tmp_path / "meminfo"
    file.write_text(text)
    machine = measure_machine(tmp_path, file)
    assert (machine.memory, machine.memory_used) == (0, 0)
    assert measure_machine(tmp_path, tmp_path / "missing").memory == 0


@pytest.mark.parametrize(
    ("hold", "words"),
    [
        ({"kind": "site", "name": ""}, "The whole site"),
        ({"kind": "launcher", "name": "gpu"}, "Launcher gpu"),
        ({"kind": "application", "name": "Avogadro 1.0"}, "Application Avogadro 1.0"),
    ],
)
def test_hold_in_words(hold: dict[str, Any], words: str) -> None:
    assert words_of_hold(hold) == words


def test_nested_settings_become_dotted_keys() -> None:
    assert flat({"people": {"cpus": 2.0, "images": []}, "public": {"tls": {"mode": None}}, "x": False}) == [
        ("people.cpus", "2.0"),
        ("people.images", "[]"),
        ("public.tls.mode", ""),
        ("x", "False"),
    ]


# ---------------------------------------------------------------- logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    (tmp_path / "registry.log").write_text("a id-123456 one\nb other\nc id-123456 two\n")
    (tmp_path / "agents" / "solver.log").write_bytes(b"\xff\xfe id-123456 <b>\n")
    (tmp_path / "notes.txt").write_text("id-123456\n")
    return tmp_path


def test_lines_with_the_id_log_by_log(folder: Path) -> None:
    assert find_lines(folder, "id-123456") == [
        ("agents/solver.log", "\ufffd\ufffd id-123456 <b>"),
        ("registry.log", "a id-123456 one"),
        ("registry.log", "c id-123456 two"),
    ]


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 81, "../../etc/passwd", ".* .*.*", "id-123456\n", "id 123456"]
)
def test_what_is_no_id_is_refused(folder: Path, text: str) -> None:
    with pytest.raises(UserInputError, match="6 to 80"):
        find_lines(folder, text)


def test_link_out_of_the_folder_is_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("id-123456 secret\n")
    (folder / "link.log").symlink_to(secret)
    assert not any("secret" in line for _, line in find_lines(folder, "id-123456"))


def test_newest_lines_are_kept_when_there_are_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_LINES", 3)
    (folder / "agents" / "solver.log").write_text("".join(f"id-123456 {number}\n" for number in range(9)))
    assert [line for _, line in find_lines(folder, "id-123456")] == [
        f"id-123456 {number}" for number in (6, 7, 8)
    ]


def test_end_of_a_huge_log_is_read_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 20)
    assert [line for name, line in find_lines(folder, "id-123456") if name == "registry.log"] == [
        "c id-123456 two"
    ]


def test_long_line_is_cut(folder: Path) -> None:
    (folder / "registry.log").write_text("id-123456 " + "x" * 10_000 + "\n")
    assert max(len(line) for _, line in find_lines(folder, "id-123456")) == 4000


# ---------------------------------------------------------------- backups


def make(data: Path, name: str, at: float, *, finished: bool = True) -> None:
    folder = data / "backups" / name
    folder.mkdir(parents=True)
    (folder / "rows.tar").write_bytes(b"x" * 100)
    if finished:
        (folder / BACKUP_MANIFEST).write_text("{}")
        os.utime(folder / BACKUP_MANIFEST, (at, at))


def test_finished_backups_newest_first(tmp_path: Path) -> None:
    make(tmp_path, "old", 1000.0)
    make(tmp_path, "new", 2000.0)
    make(tmp_path, "broken", 3000.0, finished=False)
    found = Backups(tmp_path).listed()
    assert [(backup.name, backup.at, backup.size) for backup in found] == [
        ("new", 2000.0, 102),
        ("old", 1000.0, 102),
    ]


def test_data_folder_without_backups_lists_none(tmp_path: Path) -> None:
    assert Backups(tmp_path).listed() == []


def test_one_backup_runs_at_a_time_and_a_failure_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process:
        returncode = 3

        async def communicate(self) -> tuple[None, bytes]:
            await asyncio.sleep(0)
            return None, b"y" * 2000 + b"no room on the disk"

    async def start(*command: str, **_: Any) -> Process:
        assert "backup" in command
        return Process()

    async def run() -> Backups:
        monkeypatch.setattr(backups_module.asyncio, "create_subprocess_exec", start)
        backups = Backups(tmp_path)
        backups.start()
        assert backups.is_running
        with pytest.raises(Conflict, match="already"):
            backups.start()
        assert backups.running is not None
        await backups.running
        return backups

    backups = asyncio.run(run())
    assert not backups.is_running
    assert backups.problem.endswith("no room on the disk")
    assert len(backups.problem) == 1500
    assert (tmp_path / "backups").stat().st_mode & 0o777 == 0o700


def test_data_folder_has_one_list_of_backups(tmp_path: Path) -> None:
    assert Backups.of(tmp_path) is Backups.of(tmp_path)
    assert Backups.of(tmp_path) is not Backups.of(tmp_path / "other")
