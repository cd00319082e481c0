"""Where the code of a sign-in is shown, in a notebook and elsewhere."""

from __future__ import annotations

import pytest
from qcrbox.display import sign_in_prompt


@pytest.fixture
def shown(monkeypatch):
    """What is published and which pages are opened."""
    found = {"published": [], "opened": []}
    monkeypatch.setattr(sign_in_prompt, "publish", found["published"].append)
    monkeypatch.setattr(sign_in_prompt.webbrowser, "open", found["opened"].append)
    return found


def test_a_notebook_shows_a_link_and_the_code_and_opens_nothing(shown, monkeypatch):
    monkeypatch.setattr(sign_in_prompt, "is_notebook", lambda: True)
    sign_in_prompt.show_code('https://box/hub/connect?"><script>', "AB<b>")
    (bundle,) = shown["published"]
    assert "<script>" not in bundle["text/html"]
    assert "AB<b>" not in bundle["text/html"]
    assert 'rel="noopener"' in bundle["text/html"]
    assert "AB<b>" in bundle["text/plain"]
    assert not shown["opened"]


def test_a_terminal_writes_both_and_opens_the_page(shown, monkeypatch, capsys):
    monkeypatch.setattr(sign_in_prompt, "is_notebook", lambda: False)
    sign_in_prompt.show_code("https://box/hub/connect", "ABCD")
    assert "open https://box/hub/connect and type the code ABCD" in capsys.readouterr().err
    assert shown["opened"] == ["https://box/hub/connect"]


def test_the_words_are_those_of_the_persons_language(shown, monkeypatch, capsys):
    monkeypatch.setattr(sign_in_prompt, "is_notebook", lambda: False)
    monkeypatch.setenv("QCRBOX_LANGUAGE", "de")
    sign_in_prompt.show_code("https://box", "ABCD")
    text = capsys.readouterr().err
    assert "ABCD" in text
    assert "type the code" not in text
