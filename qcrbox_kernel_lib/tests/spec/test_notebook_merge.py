"""Newer versions of an exercise merged into the copy of a student."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
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


def bare(*texts):
    """A notebook of an older format: cells without ids."""
    return {"nbformat": 4, "cells": [{"cell_type": "raw", "source": text} for text in texts]}


def texts(found):
    return [each["source"] for each in found.notebook["cells"]]


def test_removing_cells_without_ids_leaves_what_the_student_wrote():
    """The place of each cell was counted again after every removal, so the wrong cell went."""
    found = merge(bare("a", "b", "c", "d"), bare("a"), bare("a", "b", "c", "my answer"))
    assert texts(found) == ["a", "my answer"]


def test_cells_without_ids_that_are_added_and_changed_at_once():
    found = merge(bare("a", "b"), bare("A", "b", "new"), bare("a", "mine"))
    assert texts(found) == ["A", "mine", "new"]


@pytest.mark.parametrize("count", [2, 6])
def test_remarks_come_in_the_order_of_the_cells(count):
    names = [f"cell{number}" for number in range(count)]
    base = notebook(keep="k", **dict.fromkeys(names, "x"))
    found = merge(base, notebook(keep="k"), base)
    assert [text.partition(" (")[0] for text in found.updated] == [f"cell {name}" for name in names]


@pytest.mark.parametrize("odd", [5, None, "text", []], ids=repr)
def test_a_cell_that_is_none_is_left_where_it_is(odd):
    own = notebook(a="1", b="mine", c="3")
    own["cells"].insert(1, odd)
    found = merge(BASE, notebook(a="1", b="two", c="three"), own)
    assert [each if each == odd else each["source"] for each in found.notebook["cells"]] == [
        "1", odd, "mine", "two", "three",
    ]  # fmt: skip


def test_a_notebook_without_cells_gets_those_that_are_new():
    assert sources(merge({"nbformat": 4}, notebook(a="1"), {"nbformat": 4})) == {"a": "1"}


def test_another_kind_of_cell_is_a_change():
    newer = notebook(a="1", b="2", c="3")
    newer["cells"][1]["cell_type"] = "markdown"
    found = merge(BASE, newer, BASE)
    assert found.notebook["cells"][1]["cell_type"] == "markdown"
    assert found.updated == ["cell b ('2'): changed"]


def test_the_source_of_a_cell_as_a_list_of_lines_is_the_same_text():
    own = notebook(a="x\ny", b="2", c="3")
    base = notebook(a="1", b="2", c="3")
    base["cells"][0]["source"] = ["x\n", "y\n"]
    assert not merge(base, base, own).changed


def test_a_second_correction_of_a_conflict_is_brought_under_a_further_name():
    first = merge(BASE, notebook(a="1", b="two", c="3"), notebook(a="1", b="mine", c="3"))
    second = merge(notebook(a="1", b="two", c="3"), notebook(a="1", b="TWO", c="3"), first.notebook)
    assert list(sources(second).items()) == [
        ("a", "1"), ("b", "mine"), ("b-v3", "TWO"), ("b-v2", "two"), ("c", "3"),
    ]  # fmt: skip


def test_ids_of_kept_conflicts_are_no_longer_than_the_format_allows():
    name = "x" * 64
    found = merge(notebook(**{name: "1"}), notebook(**{name: "two"}), notebook(**{name: "mine"}))
    ids = [each["id"] for each in found.notebook["cells"]]
    assert all(len(each) <= 64 for each in ids)
    assert len(set(ids)) == 2


def test_metadata_of_the_student_stays():
    own = notebook(a="1", b="2", c="3") | {"metadata": {"mine": 1}}
    assert merge(BASE, notebook(a="one", b="2", c="3"), own).notebook["metadata"] == {"mine": 1}


@pytest.mark.parametrize(
    "content", [b'{"nbformat": 4, "cells": []}', b'{"nbformat": 4, "cells": [], "x": "\xc3\xa9"}']
)
def test_a_notebook_of_format_4_is_read(content):
    assert read(content)["cells"] == []


TEXTS = st.sampled_from(["1", "2", "x = 1\n", "print(1)", ""])


@st.composite
def notebooks(draw: st.DrawFn) -> dict[str, Any]:
    """Notebooks whose cells have ids, none, or the same id twice."""
    names = draw(st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=5))
    cells = [{"cell_type": draw(st.sampled_from(["code", "markdown"])), "source": draw(TEXTS)} for _ in names]
    for cell, name in zip(cells, names, strict=True):
        if name is not None:
            cell["id"] = name
    return {"nbformat": 4, "cells": cells}


@settings(max_examples=60)
@given(notebooks(), notebooks(), notebooks())
def test_any_three_notebooks_are_merged_and_no_work_is_lost(base, newer, own):
    found = merge(base, newer, own)
    left = [(each["cell_type"], each["source"].rstrip()) for each in found.notebook["cells"]]
    given_out = [(each["cell_type"], each["source"].rstrip()) for each in base["cells"]]
    for each in own["cells"]:
        content = each["cell_type"], each["source"].rstrip()
        # What the student wrote stays; only cells as they were given out may go or change.
        assert content in left or content in given_out


@pytest.mark.slow
@settings(max_examples=60)
@given(notebooks(), notebooks())
def test_who_changed_nothing_gets_the_cells_of_the_newer_version(base, newer):
    ids = [each.get("id") for each in (*base["cells"], *newer["cells"])]
    assume(None not in ids)
    for version in (base, newer):
        names = [each["id"] for each in version["cells"]]
        assume(len(set(names)) == len(names))
    found = merge(base, newer, base)
    assert found.conflicts == []
    by_id = {each["id"]: each["source"].rstrip() for each in found.notebook["cells"]}
    assert by_id == {each["id"]: each["source"].rstrip() for each in newer["cells"]}


@settings(max_examples=60)
@given(notebooks(), notebooks())
def test_nothing_new_changes_nothing(base, own):
    found = merge(base, base, own)
    assert not found.changed
    assert found.notebook == own
