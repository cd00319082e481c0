from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from qcrbox_registry.messaging.nats_supervisor import LogWatch, NatsSupervisor


def until(holds, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_server_is_started_again_on_its_port(nats_server):
    first = nats_server.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: nats_server.pid not in (None, first) and lives(nats_server.pid))
    assert nats_server.process.poll() is None


def test_the_server_ends_with_whoever_started_it(tmp_path):
    code = (
        "import sys, pathlib, time\n"
        "from qcrbox_registry.messaging.server import ServerPlan, start\n"
        "server = start(ServerPlan(data=pathlib.Path(sys.argv[1])))\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    pid = int(starter.stdout.readline())
    assert lives(pid)
    starter.kill()
    starter.wait()
    until(lambda: not lives(pid))
    starter.stdout.close()


@pytest.mark.parametrize(
    ("line", "broken"),
    [
        (
            b"[1] [ERR] Filestore [EVENTS] Critical write error: no space\n",
            False,
        ),  # the file's word, not the stream's
        (b"[1] [ERR] JetStream stream 'Q > E' critical write error: no space left on device\n", True),
        (b"[1] [INF] JetStream Shutdown\n", False),
    ],
)
def test_the_log_says_that_a_stream_is_closed(tmp_path, line, broken):
    log = tmp_path / "nats.log"
    log.write_bytes(b"JetStream stream critical write error: of an earlier start\n")
    watch = LogWatch(log)
    assert watch.is_broken() is False
    with log.open("ab") as file:
        file.write(line)
    assert watch.is_broken() is broken
    assert watch.is_broken() is False


def test_a_broken_server_is_restarted_once_there_is_room(tmp_path):
    log, room = tmp_path / "nats.log", []
    log.write_bytes(b"")
    keeper = NatsSupervisor(
        [sys.executable, "-c", "import time; time.sleep(60)"], LogWatch(log), lambda: bool(room)
    )
    import threading

    thread = threading.Thread(target=keeper.run)
    thread.start()
    try:
        until(lambda: keeper.starts == 1)
        log.write_bytes(b"JetStream stream critical write error: no space left on device\n")
        time.sleep(1.2)  # two looks of the keeper
        assert keeper.starts == 1
        room.append("some")
        until(lambda: keeper.starts == 2)
    finally:
        keeper.stop()
        thread.join(10)
    assert not thread.is_alive()
