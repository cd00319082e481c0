"""Calls into a child process: values, progress, errors, and ends of either side."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from qcrbox.contract.errors import CalculationFailed, UserInputError
from qcrbox_har.processes import Child, receive, send


@pytest.fixture(scope="module")
def child():
    with Child("The program", threads=1) as made:
        yield made


def test_messages_come_back_as_they_were_sent():
    stream = io.BytesIO()
    for message in ({"a": 1}, np.arange(3), "ü" * 1000):
        send(stream, message)
    stream.seek(0)
    assert receive(stream) == {"a": 1}
    assert receive(stream).tolist() == [0, 1, 2]
    assert receive(stream) == "ü" * 1000
    with pytest.raises(EOFError):
        receive(stream)


def test_a_message_that_is_cut_off_is_an_end(child):
    stream = io.BytesIO()
    send(stream, "something long enough")
    with pytest.raises(EOFError):
        receive(io.BytesIO(stream.getvalue()[:-3]))


def test_arguments_and_values_pass_and_state_stays(child):
    assert child.call("child_functions:echo", 1, "two", key=3.0) == ((1, "two"), {"key": 3.0})
    first = child.call("child_functions:count")
    assert child.call("child_functions:count") == first + 1
    assert child.peak_bytes > 1_000_000


def test_progress_arrives_in_order_before_the_value(child):
    seen = []
    assert child.call("child_functions:count_down", 3, progress=seen.append) == "done"
    assert seen == [{"left": 3}, {"left": 2}, {"left": 1}]


def test_what_libraries_print_does_not_disturb_the_answers(child, capfd):
    assert child.call("child_functions:print_much") == 7


def test_errors_for_the_user_arrive_whole(child):
    with pytest.raises(UserInputError, match="the charge is odd") as error:
        child.call("child_functions:refuse")
    assert (error.value.where, error.value.next) == ("charges", "Give another one.")


@pytest.mark.parametrize(
    ("kind", "words", "reason"),
    [
        ("memory", "not enough memory", "out of memory"),
        ("value", "ValueError: bad value", "unexpected error"),
    ],
)
def test_other_errors_become_failures_with_a_reason(child, kind, words, reason):
    with pytest.raises(CalculationFailed, match=words) as error:
        child.call("child_functions:fail", kind)
    assert error.value.reason == reason
    assert child.call("child_functions:echo") == ((), {})  # it still serves


def test_a_function_that_is_not_there_is_an_error_and_no_hang(child):
    with pytest.raises(CalculationFailed, match="AttributeError"):
        child.call("child_functions:nothing_of_that_name")


def test_a_child_that_leaves_is_reported_and_replaced(child):
    before = child.call("child_functions:pid")
    with pytest.raises(CalculationFailed, match="The program ended with exit code 3"):
        child.call("child_functions:leave", 3)
    assert child.call("child_functions:pid") != before


def test_a_killed_child_points_at_memory(child):
    pid = child.call("child_functions:pid")
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    with pytest.raises(CalculationFailed, match="SIGKILL") as error:
        child.call("child_functions:sleep", 60)
    assert "memory" in error.value.why


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, EOFError])
def test_the_answer_of_an_interrupted_call_is_not_taken_for_that_of_the_next(child, interruption):
    def interrupt(_):
        raise interruption

    with pytest.raises(interruption):
        child.call("child_functions:count_down", 3, progress=interrupt)
    assert child.call("child_functions:echo", 1) == ((1,), {})


def test_threads_are_limited_when_asked(child):
    assert child.call("child_functions:environment", "OMP_NUM_THREADS") == "1"
    assert child.call("child_functions:environment", "OMP_WAIT_POLICY") == "PASSIVE"


def test_closing_twice_and_calling_again_works():
    child = Child("The program")
    child.close()
    assert child.call("child_functions:echo", 1) == ((1,), {})
    child.close()
    child.close()


_PARENT = """
import os, sys
from qcrbox_har.processes import Child
child = Child("x")
print(child.call("child_functions:pid"), flush=True)
child.call("child_functions:sleep", 600)
"""


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_in_the_middle_of_a_call_dies_with_its_parent():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, env=environment)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while _alive(pid):
        assert time.monotonic() < deadline, "the child outlives its parent"
        time.sleep(0.02)


def test_a_process_that_waits_for_the_processor_is_slow_by_that_factor():
    """Half a second in a call that takes hardly any of the processor; what lies between calls does not count."""
    with Child("The program", threads=1) as fresh:
        assert fresh.call("qcrbox_har.child:slowness") >= 1.0
        fresh.call("child_functions:sleep", 0.5)
        slowness = fresh.call("qcrbox_har.child:slowness")
        used = fresh.call("qcrbox_har.child:processor_seconds")
    assert slowness * used > 0.5
