"""Errors of ours in a script: message and line of the script; all others as Python shows them."""

from __future__ import annotations

import sys

import pytest
from qcrbox.api import short_traceback
from qcrbox.contract.errors import UserInputError


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    short_traceback.install()
    return sys.excepthook


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return type(caught), caught, caught.__traceback__


def test_ours_is_a_message_without_frames(hook, capsys):
    hook(*raised(UserInputError("No cell.", next="Add it.")))
    text = capsys.readouterr().err
    assert text.rstrip().endswith("UserInputError: No cell. Add it.")
    assert "Traceback (most recent call last)" not in text


def test_others_are_shown_by_python(hook, capsys):
    hook(*raised(ValueError("odd")))
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_the_hook_of_another_program_stays(monkeypatch):
    other = lambda *_: None  # noqa: E731
    monkeypatch.setattr(sys, "excepthook", other)
    short_traceback.install()
    assert sys.excepthook is other


def test_installing_twice_is_installing_once(hook):
    short_traceback.install()
    assert sys.excepthook is hook
