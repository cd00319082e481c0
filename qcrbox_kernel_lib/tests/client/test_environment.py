"""Where this Python runs: in a notebook, for a person at a terminal, or for nobody."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest
from qcrbox.client import environment


def ipython(shell):
    return SimpleNamespace(get_ipython=lambda: shell)


@pytest.mark.parametrize(
    ("module", "notebook"),
    [
        (None, False),
        (ipython(None), False),
        (ipython(SimpleNamespace()), False),
        (ipython(SimpleNamespace(kernel=object())), True),
    ],
    ids=["no IPython", "imported only", "terminal IPython", "kernel"],
)
def test_a_notebook_has_a_kernel(monkeypatch, module, notebook):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    if module is not None:
        monkeypatch.setitem(sys.modules, "IPython", module)
    assert environment.is_notebook() == notebook


@pytest.mark.parametrize(
    ("notebook", "terminal", "attended"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_words_go_where_a_person_reads_them(monkeypatch, notebook, terminal, attended):
    out, err = io.StringIO(), io.StringIO()
    err.isatty = lambda: terminal
    monkeypatch.setattr(environment, "is_notebook", lambda: notebook)
    monkeypatch.setattr(environment, "sys", SimpleNamespace(stdout=out, stderr=err, modules=sys.modules))
    assert environment.words_to_user() is (out if notebook else err)
    assert environment.is_attended() == attended
