"""Lineage as a picture: generations from left to right, batches as one, whatever the records hold."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from qcrbox.client.lineage import Lineage
from qcrbox.widgets.lineage import code_of, lineage_svg, packed
from qcrbox.widgets.lineage.picture import places
from qcrbox.widgets.lineage.words import words_of


def node(name, kind="data_file", label=None, **details):
    return {"kind": kind, "id": name, "label": label or name, "details": details}


def graph(nodes, edges, focus="a"):
    known = [
        node(name, "calculation" if name.isdigit() else "data_file") if isinstance(name, str) else name
        for name in nodes
    ]
    return Lineage({"nodes": known, "edges": [{"source": s, "target": t} for s, t in edges]}, focus)


def test_what_was_made_stands_to_the_right_of_what_it_was_made_from():
    made = graph(["a", "1", "b", "2", "c"], [("a", "1"), ("1", "b"), ("a", "2"), ("b", "2"), ("2", "c")])
    _, edges, place = places(made)
    assert all(place[edge["source"]][0] < place[edge["target"]][0] for edge in edges)


def test_no_two_nodes_stand_in_one_place():
    names = [chr(97 + n) for n in range(20)]
    _, _, place = places(graph(names, [("a", name) for name in names[1:]]))
    assert len(set(place.values())) == 20


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [
        (["a", "1"], [("a", "1"), ("1", "a")]),
        (["a"], [("a", "a")]),
        (["a"], [("gone", "a"), ("a", "gone")]),
        ([], []),
    ],
    ids=["loop", "of itself", "edges to what is not there", "nothing"],
)
def test_records_that_cannot_be_are_drawn_all_the_same(nodes, edges):
    made = graph(nodes, edges)
    assert ElementTree.fromstring(lineage_svg(made)) is not None
    assert len(packed(made)["nodes"]) == len(nodes)
    assert len(made.in_order()) == len(nodes)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", 'x" onload="y', "bell \x07 escape \x1b", "\ud83d"], ids=["tags", "ampersand", "quotes", "control characters", "half a pair"])  # fmt: skip
def test_any_label_is_well_formed_xml(text):
    made = graph(
        [node("a", label=text, dataset=text), node("1", "calculation", text, verdict=text, status=text)],
        [("a", "1")],
    )
    svg = lineage_svg(made)
    assert ElementTree.fromstring(svg) is not None
    assert "<script>" not in svg


def test_a_long_label_is_cut_in_the_box_and_whole_in_the_title():
    svg = lineage_svg(graph([node("a", label="x" * 60)], []))
    assert f">{'x' * 19}…<" in svg
    assert "x" * 60 in svg


@pytest.mark.parametrize(
    ("status", "mark", "dashed"),
    [("successful", "✓", False), ("failed", "✗", True), ("running", "▶", True), ("cancelled", "⊘", True)],
)
def test_state_is_told_by_sign_and_line_not_by_colour_alone(status, mark, dashed):
    svg = lineage_svg(graph([node("1", "calculation", "refine", status=status)], []))
    assert f">{mark} refine<" in svg
    assert ("stroke-dasharray" in svg) == dashed


# ---------------------------------------------------------------- batches


def batch_of(count, *, focus="a", outputs=True):
    nodes, edges = ["a"], []
    for n in range(count):
        nodes.append(node(str(n), "calculation", "refine"))
        edges.append(("a", str(n)))
        if outputs:
            nodes.append(f"out{n}")
            edges.append((str(n), f"out{n}"))
    return graph(nodes, edges, focus)


@pytest.mark.parametrize(("count", "drawn"), [(3, 7), (4, 2), (200, 2)])
def test_more_than_three_of_a_kind_are_one(count, drawn):
    nodes, _, _ = places(batch_of(count))
    assert len(nodes) == drawn


def test_a_batch_says_how_many_and_what_they_made():
    svg = lineage_svg(batch_of(5))
    assert "5 × refine" in svg
    assert "5 files made" in svg


def test_the_one_that_the_focus_comes_from_stands_alone():
    nodes, _, _ = places(batch_of(6, focus="out2"))
    labels = sorted(each["label"] for each in nodes)
    assert labels == ["5 × refine", "a", "out2", "refine"]


def test_what_was_made_of_a_batch_and_of_something_else_stays():
    made = batch_of(5)
    made.nodes.append(node("sum", "calculation", "sum"))
    made.edges += [{"source": "out0", "target": "sum"}, {"source": "a", "target": "sum"}]
    assert "sum" in {each["id"] for each in places(made)[0]}


# ---------------------------------------------------------------- words and code


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (node("a", dataset="azu"), "file a of azu"),
        (node("a", deleted=True), "file a, deleted"),
        (node("h", "hidden", "something hidden"), "something hidden"),
        (node("b", "batch", "5 × x", files=5), "5 × x, 5 files made"),
        (
            node("1", "calculation", "r", status="failed", application_slug="refine", command_name="iam", arguments={"cif": {"data_file_id": "a"}, "n": 2, "gone": {"data_file_id": "z"}}),
            "calculation r, failed: refine iam(cif=azu.cif, n=2, gone=z)",
        ),
    ],
    ids=["file", "deleted", "hidden", "batch", "calculation"],
)  # fmt: skip
def test_a_node_is_described(record, words):
    assert words_of(record, {"a": "azu.cif"}) == words


def test_the_code_of_a_node_finds_it():
    assert code_of(node("a")) == 'qc.files["a"]'
    assert code_of(node("1", "calculation")) == 'qc.calculations["1"]'
    assert code_of(node("h", "hidden")) == ""


def test_keys_walk_in_the_order_of_columns_and_rows():
    told = packed(graph(["c", "1", "a"], [("a", "1"), ("1", "c")]))["nodes"]
    assert [each["id"] for each in told] == ["a", "1", "c"]
    assert all(re.fullmatch(r"\d+", str(each["column"])) for each in told)
