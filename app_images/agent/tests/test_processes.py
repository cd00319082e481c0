"""Running programs and cleaning up after them: exit codes in words, process groups, pipes, the cookie of a display."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import struct
import subprocess
import sys

import pytest
from qcrbox_agent.run import groups
from qcrbox_agent.run.cli import CliProgram
from qcrbox_agent.run.display import write_cookie
from qcrbox_agent.run.ended import Ended, ProgramFailed, from_exit_code, signal_words
from qcrbox_agent.run.pipes import Pipe

WAIT_S = 30


async def until(condition) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.005)


# ------------------------------------------------------------ how a program ended


@pytest.mark.parametrize(
    ("code", "returncode", "words"),
    [
        (1, 1, "ended with exit code 1"),
        (126, 126, "could not be executed"),
        (127, 127, "A command was not found"),
        (-signal.SIGSEGV, 139, "segmentation fault"),
        (139, 139, "segmentation fault"),
        (-signal.SIGKILL, 137, "more memory than allowed"),
        (137, 137, "more memory than allowed"),
        (-signal.SIGXCPU, 152, "more processor time than allowed"),
        (-signal.SIGTERM, 143, "was ended by SIGTERM"),
        (255, 255, "ended with exit code 255"),
        (128, 128, "ended with exit code 128"),
    ],
)
def test_an_end_is_told_in_words_and_as_a_shell_shows_it(code, returncode, words):
    ended = from_exit_code(code)
    assert ended.returncode == returncode
    assert words in ended.error


def test_success_has_no_words():
    assert from_exit_code(0, 4096) == Ended(0, "", [], 4096)


def test_a_signal_is_remembered_by_its_number():
    assert from_exit_code(-signal.SIGTERM).killed_by == signal.SIGTERM
    assert from_exit_code(1).killed_by == 0


def test_a_signal_without_a_name_has_its_number():
    assert signal_words(60) in ("was ended by signal 60", "was ended by SIGRTMAX-4")


def test_a_failed_step_names_the_step():
    failed = ProgramFailed(from_exit_code(3), "Run step failed: ")
    assert str(failed) == "Run step failed: The program ended with exit code 3."
    assert failed.ended.returncode == 3


# ------------------------------------------------------------ groups


def started(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def sleeper():
    process = started("import time; print('up', flush=True); time.sleep(600)")
    assert process.stdout
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_a_group_ends_by_sigterm(sleeper):
    await asyncio.gather(groups.terminate(sleeper.pid, WAIT_S), asyncio.to_thread(sleeper.wait))
    assert sleeper.returncode == -signal.SIGTERM


async def test_who_ignores_sigterm_is_killed_after_the_grace_time():
    process = started(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    assert process.stdout
    process.stdout.readline()
    await asyncio.gather(groups.terminate(process.pid, 0.05), asyncio.to_thread(process.wait))
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


async def test_a_stopped_program_is_ended_too(sleeper):
    """It does not act on SIGTERM before it continues."""
    groups.send(sleeper.pid, signal.SIGSTOP)
    await asyncio.gather(groups.terminate(sleeper.pid, WAIT_S), asyncio.to_thread(sleeper.wait))
    assert sleeper.returncode == -signal.SIGTERM


async def test_a_group_that_has_ended_is_nothing_to_do(sleeper):
    sleeper.kill()
    sleeper.wait()
    assert not groups.exists(sleeper.pid)
    groups.send(sleeper.pid, signal.SIGTERM)
    await groups.terminate(sleeper.pid, WAIT_S)


def test_all_registered_groups_are_killed_and_no_other(sleeper):
    other = started("import time; time.sleep(600)")
    try:
        groups.add(sleeper.pid)
        groups.add(other.pid)
        groups.remove(other.pid)
        groups.kill_all()
        assert sleeper.wait(WAIT_S) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        groups.remove(sleeper.pid)
        other.kill()
        other.wait()


# ------------------------------------------------------------ pipes


async def test_a_pipe_gives_what_was_written_and_notices_the_end():
    got = bytearray()
    pipe = Pipe(got.extend)
    process = subprocess.Popen([sys.executable, "-c", "print('x' * 200000)"], stdout=pipe.write_fd)
    pipe.given()
    await until(lambda: not pipe._open)
    process.wait()
    assert len(got) == 200_001


async def test_output_may_go_to_another_callback():
    first, second = bytearray(), bytearray()
    pipe = Pipe(first.extend)
    os.write(pipe.write_fd, b"one")
    await until(lambda: first)
    pipe.redirect(second.extend)
    os.write(pipe.write_fd, b"two")
    await until(lambda: second)
    pipe.close()
    assert (bytes(first), bytes(second)) == (b"one", b"two")


async def test_draining_reads_what_is_there_and_never_waits():
    got = bytearray()
    pipe = Pipe(got.extend)
    os.write(pipe.write_fd, b"last words")
    pipe.drain()
    pipe.drain()
    assert bytes(got) == b"last words"
    pipe.close()


async def test_a_closed_pipe_is_closed_once():
    pipe = Pipe(lambda _: None)
    pipe.close()
    pipe.close()
    pipe.drain()
    assert pipe.write_fd == -1


async def test_a_writer_that_never_stops_does_not_hold_up_the_end():
    pipe = Pipe(lambda _: os.write(pipe.write_fd, b"x"))
    os.write(pipe.write_fd, b"x")
    pipe.drain(most=10)
    pipe.close()


# ------------------------------------------------------------ programs


class Heard:
    """Logs of one program."""

    def __init__(self) -> None:
        self.text = {"stdout": b"", "stderr": b""}

    def feed(self, stream: str, data: bytes) -> None:
        self.text[stream] += data


@pytest.fixture
def guarded():
    return []


@pytest.fixture
def program(guarded):
    return CliProgram(guarded.append, lambda group: guarded.remove(group))


async def test_a_program_runs_in_its_folder_with_its_environment(program, tmp_path):
    heard = Heard()
    environment = {"PATH": os.environ["PATH"], "GREETING": "hello"}
    ended = await program.run("pwd; echo $GREETING; echo problem >&2", tmp_path, environment, heard)
    assert ended.returncode == 0
    assert heard.text == {"stdout": f"{tmp_path}\nhello\n".encode(), "stderr": b"problem\n"}
    assert ended.peak_rss_bytes > 0


async def test_what_a_program_leaves_in_its_group_is_killed(program, tmp_path, guarded):
    heard = Heard()
    await program.run("sleep 600 & echo $!", tmp_path, dict(os.environ), heard)
    left = int(heard.text["stdout"])
    await until(lambda: not _runs(left))
    assert guarded == [], "the guard has no process left"


async def test_a_program_is_ended_from_outside(program, tmp_path):
    running = asyncio.create_task(program.run("sleep 600", tmp_path, dict(os.environ), Heard()))
    await until(lambda: program._group)
    await program.terminate(WAIT_S)
    assert (await running).killed_by == signal.SIGTERM


async def test_an_end_that_was_asked_for_before_the_start_is_not_forgotten(program, tmp_path):
    await program.terminate(WAIT_S)
    ended = await program.run("sleep 600", tmp_path, dict(os.environ), Heard())
    assert ended.killed_by == signal.SIGKILL


async def test_a_cancelled_program_leaves_nothing(program, tmp_path, guarded):
    running = asyncio.create_task(program.run("sleep 600", tmp_path, dict(os.environ), Heard()))
    await until(lambda: guarded)
    (group,) = guarded
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert guarded == []
    assert not groups.exists(group)


async def test_a_missing_folder_is_reported(program, tmp_path):
    ended = await program.run("true", tmp_path / "gone", dict(os.environ), Heard())
    assert ended.returncode is None
    assert "could not be started" in ended.error


def _runs(pid: int) -> bool:
    """Zombies do not run; in a container no process may reap them."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ------------------------------------------------------------ display


def test_the_cookie_of_a_display_is_for_its_owner_alone_and_good_for_every_address(tmp_path):
    path, cookie = tmp_path / "xauthority", bytes(range(16))
    write_cookie(path, cookie)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = path.read_bytes()
    (family,) = struct.unpack_from(">H", content)
    assert family == 0xFFFF
    assert content.endswith(struct.pack(">H", 16) + cookie)
    assert b"MIT-MAGIC-COOKIE-1" in content


def test_a_cookie_never_follows_a_file_that_is_there(tmp_path):
    (tmp_path / "xauthority").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_cookie(tmp_path / "xauthority", bytes(16))
