"""`qcrbox logs`, `down` and `restore`, and how errors are printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
import typer
from qcrbox.contract.errors import Conflict, NotFound, Unreachable, UserInputError
from qcrbox_hub.cli import down as down_module
from qcrbox_hub.cli import logs as logs_module
from qcrbox_hub.cli.console import show_error
from qcrbox_hub.cli.down import down
from qcrbox_hub.cli.logs import logs
from qcrbox_hub.cli.store import restore
from qcrbox_hub.platform.data_folder import DataFolder


@pytest.fixture
def folder(tmp_path) -> DataFolder:
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


def test_without_a_name_the_logs_are_listed_with_their_sizes(folder, capsys):
    (folder.logs / "hub.log").write_bytes(b"x" * 3000)
    (folder.logs / "registry.log").write_bytes(b"")
    (folder.logs / "other.txt").write_bytes(b"")
    logs(data=folder.path)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[:3] for row in rows] == [["hub", "2", "KiB"], ["registry", "0", "KiB"]]


def test_the_end_of_a_log_is_printed(folder, capsys):
    (folder.logs / "hub.log").write_text("\n".join(f"line {n}" for n in range(100)) + "\n")
    logs("hub", lines=3, data=folder.path)
    assert capsys.readouterr().out.split("\n")[:3] == ["line 97", "line 98", "line 99"]


def test_a_log_that_is_none_names_those_there_are(folder):
    with pytest.raises(NotFound) as error:
        logs("hub", data=folder.path)
    assert error.value.next == "There are: none yet."
    (folder.logs / "registry.log").write_text("")
    with pytest.raises(NotFound, match="no log called hub") as error:
        logs("hub", data=folder.path)
    assert error.value.next == "There are: registry."


def test_a_name_does_not_lead_out_of_the_folder_of_logs(folder):
    (folder.path / "secret.log").write_text("x")
    with pytest.raises(NotFound):
        logs("../secret", data=folder.path)


def test_a_log_is_followed_over_its_rotation_until_ctrl_c(folder, capsys, monkeypatch):
    file = folder.logs / "hub.log"
    file.write_text("before\n")
    steps = iter(["after\n", None, "new\n"])

    def sleep(_: float) -> None:
        step = next(steps, "end")
        if step is None:
            file.write_text("")
        elif step == "end":
            raise KeyboardInterrupt
        else:
            with file.open("a") as stream:
                stream.write(step)

    monkeypatch.setattr(logs_module.time, "sleep", sleep)
    logs("hub", follow=True, data=folder.path)
    assert capsys.readouterr().out.split() == ["before", "after", "new"]


# ---------------------------------------------------------------- down

HOLDER = """
import signal, sys
from pathlib import Path
from qcrbox.signal_flag import SignalFlag
from qcrbox_hub.platform.data_folder import DataFolder
folder = DataFolder(Path(sys.argv[1]))
folder.lock()
end = SignalFlag()
signal.signal(signal.SIGTERM, (lambda *_: end.set()) if sys.argv[2] == "obeys" else signal.SIG_IGN)
print("held", flush=True)
end.wait()
"""


@pytest.fixture
def holder(folder):
    """Start a process that holds the data folder."""
    started = []

    def start(manner: str = "obeys") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder.path), manner], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        threading.Thread(target=process.wait, daemon=True).start()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)


def test_where_nothing_runs_there_is_nothing_to_stop(folder, capsys):
    with pytest.raises(typer.Exit) as exit_:
        down(data=folder.path)
    assert exit_.value.exit_code == 0
    assert f"nothing runs on {folder.path}" in capsys.readouterr().err


def test_what_runs_is_asked_to_end_and_waited_for(folder, holder, capsys):
    process = holder()
    assert folder.holder() == process.pid
    down(data=folder.path)
    assert folder.holder() is None
    assert "stopped after" in capsys.readouterr().err


def test_what_does_not_end_is_named_with_the_last_resort(folder, holder, monkeypatch):
    process = holder("ignores")
    monkeypatch.setattr(down_module, "STOP_LIMIT_S", 0.1)
    with pytest.raises(Unreachable, match="did not stop") as error:
        down(data=folder.path)
    assert f"kill -9 {process.pid}" in error.value.next
    assert folder.holder() == process.pid


def test_what_belongs_to_another_user_is_left_alone(folder, holder, monkeypatch):
    process = holder()

    def refuse(pid, number):
        assert (pid, number) == (process.pid, signal.SIGTERM)
        raise PermissionError

    monkeypatch.setattr(down_module.os, "kill", refuse)
    with pytest.raises(Unreachable, match="another user"):
        down(data=folder.path)


def test_a_backup_is_not_restored_into_a_folder_in_use(folder, holder, tmp_path):
    process = holder()
    with pytest.raises(Conflict, match=f"process {process.pid}"):
        restore(tmp_path / "backup", data=folder.path)


# ---------------------------------------------------------------- errors


def test_an_error_is_printed_as_where_and_what_then_why_then_what_next(capsys):
    show_error(UserInputError("It is a file.", where="/data", why="Not a folder.", next="Choose another."))
    assert capsys.readouterr().err.splitlines() == [
        "/data: It is a file.",
        "Not a folder.",
        "Choose another.",
    ]


def test_parts_that_an_error_lacks_leave_no_empty_line(capsys):
    show_error(UserInputError("It is a file."))
    assert capsys.readouterr().err == "It is a file.\n"


def test_a_followed_log_shows_bytes_that_are_no_text(folder, capsys, monkeypatch):
    file = folder.logs / "hub.log"
    file.write_bytes(b"")
    steps = iter([b"\xff\xfe ok\n"])

    def sleep(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise KeyboardInterrupt
        fd = os.open(file, os.O_WRONLY | os.O_APPEND)
        os.write(fd, step)
        os.close(fd)

    monkeypatch.setattr(logs_module.time, "sleep", sleep)
    logs("hub", follow=True, data=folder.path)
    assert capsys.readouterr().out.endswith("ok\n")
