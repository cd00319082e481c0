"""The line while something takes a moment: begun late, ended once, silent without a reader."""

from __future__ import annotations

import io
import threading

import pytest
from qcrbox.display import busy as module
from qcrbox.display.busy import busy


@pytest.fixture
def attended(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(module, "is_attended", lambda: True)
    monkeypatch.setattr(module, "words_to_user", lambda: out)
    return out


@pytest.fixture
def begun(monkeypatch):
    """The words are written at once, as if the time had passed."""

    class AtOnce:
        daemon = False

        def __init__(self, _after, call):
            self.start, self.cancel = call, lambda: None

    monkeypatch.setattr(module.threading, "Timer", AtOnce)


def test_what_takes_long_has_its_words_and_its_time(attended, begun):
    with busy("Reading a.cif"):
        assert attended.getvalue() == "Reading a.cif …"
    assert attended.getvalue().endswith(" s\n")


def test_the_line_is_ended_by_an_error_too(attended, begun):
    with pytest.raises(ValueError, match="odd"), busy("Reading"):
        raise ValueError("odd")
    assert attended.getvalue().endswith(" s\n")


def test_what_is_quick_says_nothing_even_if_its_timer_fires_late(attended):
    with busy("Reading", after_s=60):
        pass
    assert attended.getvalue() == ""
    line = module._Line("Reading")
    line.end(0.1)
    line.begin()
    assert attended.getvalue() == ""


def test_other_threads_are_silent(attended, begun):
    def work():
        with busy("Reading"):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert attended.getvalue() == ""
