"""The flag of signal handlers: never a lock, whatever the interrupted thread does."""

from __future__ import annotations

import subprocess
import sys
import threading

from qcrbox.signal_flag import SignalFlag

# With `threading.Event` this soon stands still.
INTERRUPTED = """
import signal, time
from qcrbox.signal_flag import SignalFlag
flag = SignalFlag()
signals = 0
def set_it(*_):
    global signals
    signals += 1
    flag.set()
signal.signal(signal.SIGALRM, set_it)
signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-4)
while signals < 3_000:
    flag.wait(1e-6)
print("done")
"""


def test_a_signal_may_set_it_at_any_moment_of_a_wait():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_a_wait_ends_with_its_time():
    flag = SignalFlag()
    assert flag.wait(0.01) is False
    assert flag.is_set() is False


def test_all_who_wait_are_woken():
    flag = SignalFlag()
    found: list[bool] = []
    waiting = [threading.Thread(target=lambda: found.append(flag.wait(60))) for _ in range(3)]
    for thread in waiting:
        thread.start()
    flag.set()
    for thread in waiting:
        thread.join(60)
    assert found == [True, True, True]
    assert flag.is_set()
    assert flag.wait()
