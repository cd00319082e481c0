"""Newer versions of an exercise merged into the copy of a student."""

from __future__ import annotations

import pytest
from qcrbox.spec.notebook_merge import merge, read


def notebook(**sources):
    cells = [
        {"id": name, "cell_type": "code", "source": text, "outputs": []} for name, text in sources.items()
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def sources(found):
    return {cell["id"]: cell["source"] for cell in found.notebook["cells"]}


BASE = notebook(a="1", b="2", c="3")


def test_a_cell_that_only_the_lecturer_changed_is_taken_over():
    found = merge(BASE, notebook(a="1", b="two", c="3"), notebook(a="mine", b="2", c="3"), "x.ipynb")
    assert sources(found) == {"a": "mine", "b": "two", "c": "3"}
    assert found.updated == ["x.ipynb, cell b ('two'): changed"]
    assert found.conflicts == []


def test_a_conflict_keeps_both_and_names_file_and_cell():
    found = merge(BASE, notebook(a="1", b="two", c="3"), notebook(a="1", b="mine", c="3"), "x.ipynb")
    assert list(sources(found).items()) == [("a", "1"), ("b", "mine"), ("b-v2", "two"), ("c", "3")]
    assert found.conflicts == [
        "x.ipynb, cell b ('two'): changed by you and by the lecturer; both are kept, yours first"
    ]


def test_a_conflict_is_brought_once():
    newer = notebook(a="1", b="two", c="3")
    first = merge(BASE, newer, notebook(a="1", b="mine", c="3"))
    again = merge(BASE, newer, first.notebook)
    assert not again.changed
    assert again.notebook == first.notebook


def test_new_cells_come_to_their_place_and_own_cells_stay():
    own = notebook(a="1", extra="my notes", b="2", c="3")
    found = merge(BASE, notebook(a="1", new="hint", b="2", c="3", last="end"), own)
    assert list(sources(found)) == ["a", "new", "extra", "b", "c", "last"]


def test_a_removed_cell_goes_unless_the_student_worked_in_it():
    newer = notebook(a="1")
    found = merge(BASE, newer, notebook(a="1", b="2", c="my answer"))
    assert sources(found) == {"a": "1", "c": "my answer"}


def test_a_cell_that_the_student_deleted_stays_deleted_unless_it_was_corrected():
    own = notebook(a="1", c="3")
    assert sources(merge(BASE, BASE, own)) == {"a": "1", "c": "3"}
    found = merge(BASE, notebook(a="1", b="two", c="3"), own)
    assert list(sources(found)) == ["a", "b", "c"]
    assert len(found.conflicts) == 1


def test_outputs_of_the_student_survive_and_are_no_change():
    own = notebook(a="1", b="2", c="3")
    own["cells"][0]["outputs"] = [{"output_type": "stream", "text": "42"}]
    found = merge(BASE, BASE, own)
    assert not found.changed
    assert found.notebook == own


def test_the_same_correction_made_by_the_student_is_no_conflict():
    newer = notebook(a="1", b="two", c="3")
    assert not merge(BASE, newer, notebook(a="1", b="two\n", c="3")).changed


def test_cells_without_ids_are_known_by_their_place():
    def bare(*texts):
        return {"nbformat": 4, "cells": [{"cell_type": "raw", "source": text} for text in texts]}

    found = merge(bare("a", "b"), bare("a", "B"), bare("mine", "b"))
    assert [cell["source"] for cell in found.notebook["cells"]] == ["mine", "B"]


def test_the_inputs_are_not_changed():
    own, newer = notebook(a="1", b="mine", c="3"), notebook(a="1", b="two", c="3")
    merge(BASE, newer, own)
    assert (own, newer) == (notebook(a="1", b="mine", c="3"), notebook(a="1", b="two", c="3"))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"nbformat": 3, "cells": []}', b"\xff", b"[" * 10_000]
)
def test_what_is_no_notebook_is_none(content):
    assert read(content) is None
